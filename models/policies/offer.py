"""What a model's policy may choose from, and the choice by value: certain or drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.policy_settings import PolicySettings
from data.times import IntArray
from models._value_kernels import best_worth
from models.grid import SCALE
from models.policies.cells import with_floor
from models.policies.softmax import softmax_chances
from models.policies.thompson import thompson_chances

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Offer:
    """Candidates of a policy and what they are worth.

    Attributes
    ----------
    candidates
        Actions that the rules, the harm budget and the log leave, shape (n, A); at least one in each row.
    value_eur
        Expected value over `none`, whose own is 0, shape (n, A).
    values_known
        False where the log cannot tell contact from no contact: no value is then held against what `none` counts as.
    """

    candidates: BoolArray
    value_eur: FloatArray
    grid: ActionGrid
    settings: PolicySettings
    values_known: bool = True


def narrowed(allowed: BoolArray, *, untried: BoolArray, whether: BoolArray) -> BoolArray:
    """Candidates of a model that has learnt from a log without some channels, shape (n, A).

    Parameters
    ----------
    allowed
        Shape (n, A).
    untried
        Actions by channels that the log hardly holds, shape (A,).
    whether
        Debtors whom the tenant's rules would contact, shape (n,): looked at where `none` itself is untried. Whether is then
        left to those rules; how and when is not.
    """
    kept = allowed & ~untried[None, :]
    kept[:, NO_ACTION] = True
    if untried[NO_ACTION]:
        kept[:, 1:] &= whether[:, None]
        kept[:, NO_ACTION] = ~kept[:, 1:].any(axis=1)
    return kept


def best(offer: Offer) -> IntArray:
    """Candidate of the highest value, `none` where no contact is worth `least_value_eur`, shape (n,)."""
    least_eur = offer.settings.least_value_eur if offer.values_known else -np.inf
    return best_worth(offer.value_eur, offer.candidates, least_eur, SCALE)


def chances(offer: Offer, member_values: Iterable[FloatArray]) -> FloatArray:
    """Chance of every action under `softmax` or `thompson`, shape (n, A); rows sum to 1, 0 where not a candidate.

    Every cell of channel and part of the day that holds a candidate, and `none` where it is one, has at least the floor.
    `none` counts as worth `least_value_eur`.

    Parameters
    ----------
    member_values
        Values under each member of an ensemble, shape (n, A) each; only `thompson` looks.
    """
    settings = offer.settings
    if settings.kind == "softmax":
        value_eur = _none_at_least(offer.value_eur, settings)
        drawn = softmax_chances(value_eur, offer.candidates, grid=offer.grid, temperature_eur=settings.temperature_eur)
    else:
        drawn = thompson_chances((_none_at_least(one, settings) for one in member_values), offer.candidates)
    return with_floor(drawn, offer.candidates, grid=offer.grid, floor=settings.floor)


def _none_at_least(value_eur: FloatArray, settings: PolicySettings) -> FloatArray:
    raised = value_eur.copy()
    raised[:, NO_ACTION] = settings.least_value_eur
    return raised
