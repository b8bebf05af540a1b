"""How far an unrecorded driver of decisions could move a mean: the marginal sensitivity model.

Without logged probabilities an effect rests on the claim that everything that moved the decision and the payment is
recorded. The bound gives that up by a stated amount: knowing what is not recorded may change the odds of an action by
a factor between 1 / odds_ratio and odds_ratio (Tan 2006). For outcomes of 0 or 1 the widest mean that agrees with the log has a
closed form, so its estimate is one number a row, doubly robust as the effect's own (Zhao, Small and Bhattacharya 2019;
Dorn, Guo and Kallus 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
End = Literal["low", "high"]


@dataclass(frozen=True)
class Arm:
    """One action in a log, shape (n,) each.

    Parameters
    ----------
    taken
        Whether it was this action.
    chance
        Of it, above 0.
    outcome, predicted
        What came, and a model's mean outcome under the action, both between 0 and 1.
    """

    taken: BoolArray
    chance: FloatArray
    outcome: FloatArray
    predicted: FloatArray


def mean_per_row(arm: Arm) -> FloatArray:
    """Contributions to the mean outcome if all were given the action, shape (n,): AIPW (Robins, Rotnitzky, Zhao 1994)."""
    weight = arm.taken / arm.chance
    return np.asarray(arm.predicted + weight * (arm.outcome - arm.predicted))


def bound_per_row(arm: Arm, *, odds_ratio: float, end: End) -> FloatArray:
    """Contributions to the lowest or highest mean that agrees with the log, shape (n,); `mean_per_row` at odds ratio 1.

    Among those who were not given the action, payment under it may be rarer or more frequent than among those who
    were, by a density ratio within the odds ratio; the extreme is min(L m, 1 - (1 - m) / L) of the mean m, or its mirror.
    For outcomes between 0 and 1 that are not only 0 and 1 the bound holds and is wider than it need be.

    >>> one = np.array([1.0])
    >>> arm = Arm(np.array([False]), 0.5 * one, 0 * one, 0.2 * one)
    >>> [bound_per_row(arm, odds_ratio=2.0, end=end).round(3).tolist() for end in ("low", "high")]
    [[0.1], [0.4]]
    """
    if end == "low":
        mirrored = Arm(arm.taken, arm.chance, 1.0 - arm.outcome, 1.0 - arm.predicted)
        return 1.0 - bound_per_row(mirrored, odds_ratio=odds_ratio, end="high")
    steep, flat = odds_ratio * arm.predicted, 1.0 - (1.0 - arm.predicted) / odds_ratio
    extreme = np.minimum(steep, flat)
    slope = np.where(steep < flat, odds_ratio, 1.0 / odds_ratio)
    odds = (1.0 - arm.chance) / arm.chance
    given = arm.outcome + odds * slope * (arm.outcome - arm.predicted)
    return np.where(arm.taken, given, extreme)
