"""As often as a member of an ensemble finds it best: Thompson sampling with the ensemble as the posterior."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from models.policies.greedy import best_candidate
from models.protocol import PropensityModel

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


class NoMembers(LookupError):
    """Choices are to be drawn from an ensemble, and the model is none."""


@runtime_checkable
class HasMembers(Protocol):
    """A model made of several, each of which could be right: what Thompson sampling draws from."""

    @property
    def members(self) -> Sequence[PropensityModel]:
        """Models of equal weight, each learnt from another draw of the same log."""


def members_of(model: PropensityModel, *, named: str) -> Sequence[PropensityModel]:
    """Members of an ensemble.

    Parameters
    ----------
    named
        What to call the model in the message.

    Raises
    ------
    NoMembers
        The model is no ensemble.
    """
    found = model.members if isinstance(model, HasMembers) else ()
    if not found:
        raise NoMembers(
            f'[policy] kind = "thompson" draws among the members of an ensemble, and {named} has none: train and promote '
            'an ensemble, or set kind to "softmax" or "greedy"'
        )
    return found


def thompson_chances(member_values: Iterable[FloatArray], candidates: BoolArray) -> FloatArray:
    """Share of members for which each action is the best candidate, shape (n, A); exact, not drawn.

    Parameters
    ----------
    member_values
        Value in EUR of every action under each member, shape (n, A) each; at least one.
    candidates
        Shape (n, A), at least one in each row.

    Notes
    -----
    Thompson (1933); an ensemble over bootstrap draws in place of the posterior as in Eckles and Kaptein (2014).

    >>> values = [np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 3.0, 2.0]])]
    >>> thompson_chances(values, np.ones((1, 3), dtype=bool)).tolist()
    [[0.0, 0.5, 0.5]]
    """
    votes = np.zeros(candidates.shape, dtype=np.float64)
    row = np.arange(len(candidates))
    members = 0
    for value_eur in member_values:
        votes[row, best_candidate(value_eur, candidates)] += 1.0
        members += 1
    return votes / members
