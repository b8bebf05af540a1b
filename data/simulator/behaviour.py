"""Who decides in the simulation: handed in by the caller, unknown here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from data.situation import BoolArray, FloatArray, Situation
from data.times import IntArray


@dataclass(frozen=True)
class Choices:
    """What was chosen for each debtor, shape (n,) each.

    Attributes
    ----------
    action
        Index on the action grid, 0 for `none`.
    action_probability
        With which exactly this action was chosen; NaN where it is not known.
    policy
        Label of the policy that chose, one text each.
    """

    action: IntArray
    action_probability: FloatArray
    policy: npt.NDArray[np.object_]


class Behaviour(Protocol):
    """A way to decide: what may be done, and what is done."""

    def options(self, situation: Situation) -> BoolArray:
        """Lawful actions of each debtor on the action grid, shape (n, A); `none` always is."""
        ...

    def choose(self, situation: Situation, allowed: BoolArray, *, rng: np.random.Generator) -> Choices:
        """One action of `allowed` for each debtor."""
        ...
