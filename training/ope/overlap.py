"""How much of a log speaks for a policy, and the refusal to give a number where too little does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FEWEST_EFFECTIVE = 30.0
"""Effective rows below which no interval is worth its name."""
FEWEST_OUTCOMES = 5
"""Rows that count and have an outcome, and rows that have none, below which a variance means nothing."""
LARGEST_DRIFT = 0.25
"""How far the mean weight may lie from one, where chance (four standard errors) does not explain it."""
UNLOGGED_MASS = 0.05
"""Probability that a policy may give to actions the log never took."""


class NoOverlap(ValueError):
    """The log holds too little of what the policy would do; the message says how much and why that is too little."""


@dataclass(frozen=True)
class Support:
    """What a weighted mean rests on.

    Parameters
    ----------
    rows, matched
        Rows in the log, and those among them with a weight above 0.
    effective
        Effective number of rows (`ess`).
    largest, mean
        Largest and mean weight over all rows; the mean is 1 up to chance where the probabilities are right.
    """

    rows: int
    matched: int
    effective: float
    largest: float
    mean: float

    def as_dict(self) -> dict[str, float]:
        """Figures by name."""
        return {
            "rows": self.rows,
            "matched": self.matched,
            "effective": self.effective,
            "largest_weight": self.largest,
            "mean_weight": self.mean,
        }


def ess(weight: FloatArray) -> float:
    """Effective number of decisions behind a weighted mean, between 1 and n; n when all weights are equal.

    Parameters
    ----------
    weight
        Target over logged choice probability, shape (n,), each >= 0.

    Raises
    ------
    NoOverlap
        All weights are zero: the policy never does what was logged.

    Notes
    -----
    Kish (1965): square of the sum over sum of squares.

    >>> ess(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weight @ weight)
    if squares == 0.0:
        raise NoOverlap(f"the policy never does what was logged: 0 of {len(weight):,} rows count")
    return float(weight.sum() ** 2 / squares)


def support(weight: FloatArray) -> Support:
    """Rows, effective rows and weights of a policy in a log.

    Raises
    ------
    NoOverlap
        All weights are zero.
    """
    effective = ess(weight)
    return Support(len(weight), int((weight > 0).sum()), effective, float(weight.max()), float(weight.mean()))


def require_support(
    weight: FloatArray,
    reward: FloatArray,
    *,
    effective_share: float = 0.05,
    largest_weight: float = 100.0,
    unlogged_mass: float = 0.0,
) -> Support:
    """The support, if it bears a number.

    Shares and weights are judged among the rows that count (weight above 0), so that a policy with one action per
    situation is not refused for being decided: `effective_share` is effective over counting rows, `largest_weight`
    the largest over their mean.

    Raises
    ------
    NoOverlap
        Too few effective rows, too large a weight, too few outcomes among the rows that count, weights whose mean
        is not one, or more than `UNLOGGED_MASS` on actions never logged.

    >>> require_support(np.full(100, 1.0), np.tile([0.0, 1.0], 50)).effective
    100.0
    >>> require_support(np.array([1000.0] + [0.1] * 99), np.tile([0.0, 1.0], 50))
    Traceback (most recent call last):
    training.ope.overlap.NoOverlap: effective rows 1.0 of 100 that count, expected at least 30
    """
    found = support(weight)
    counting = weight > 0
    relative = found.largest / float(weight[counting].mean())
    share = found.effective / found.matched
    if unlogged_mass > UNLOGGED_MASS:
        raise NoOverlap(f"{unlogged_mass:.0%} of what the policy does was never done in the log")
    if found.effective < FEWEST_EFFECTIVE:
        least = f"expected at least {FEWEST_EFFECTIVE:g}"
        raise NoOverlap(f"effective rows {found.effective:.1f} of {found.matched:,} that count, {least}")
    if share < effective_share:
        least = f"expected at least {effective_share:.1%}"
        raise NoOverlap(f"effective rows {found.effective:,.0f} of {found.matched:,} that count ({share:.1%}), {least}")
    if relative > largest_weight:
        raise NoOverlap(f"one row weighs {relative:,.0f} times the mean, expected at most {largest_weight:,.0f}")
    drift = weight_drift(weight)
    if drift:
        raise NoOverlap(drift)
    _require_outcomes(reward[counting])
    return found


def weight_drift(weight: FloatArray) -> str:
    """What is wrong with the mean of the weights, shape (n,), in words; empty where it is one up to chance.

    >>> weight_drift(np.full(100, 0.5))[:32]
    'weights average 0.50, expected 1'
    """
    mean, error = float(weight.mean()), float(weight.std()) / np.sqrt(len(weight))
    if abs(mean - 1) <= max(LARGEST_DRIFT, 4 * error):
        return ""
    drawn = "the logged probabilities are not those the actions were drawn with"
    why = f"{drawn}, or they were drawn from other actions (such as other send slots) than are asked about"
    return f"weights average {mean:.2f}, expected 1: {why}"


def _require_outcomes(reward: FloatArray) -> None:
    usual = float(np.median(reward))
    other = int((reward != usual).sum())
    if other < FEWEST_OUTCOMES:
        what = f"{other} of {len(reward):,} rows that count differ from {usual:g}"
        raise NoOverlap(f"{what}, expected at least {FEWEST_OUTCOMES}")
