"""What treating those ranked highest would bring, by share treated, with a band that holds along the whole curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.ope.intervals import DRAWN_AT_ONCE, Interval, normal_interval, standard_error, unit_sums
from training.trials.intervals import LEVEL

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

POINTS = 20
REDRAWS = 1_999


@dataclass(frozen=True)
class Curve:
    """A curve over the share treated, from 0 to 1, shape (points,) each, and its area with its interval.

    `low` and `high` are the ends of the band: it holds the whole true curve in 95 % of logs. `area` is the mean height
    above the straight line between the ends, what ranking is worth over treating as many at random.
    """

    share: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    area: Interval


def policy_curve(
    per_row: FloatArray, untreated: FloatArray, rank_by: FloatArray, *, unit: IntArray, rng: np.random.Generator
) -> Curve:
    """Value per decision of treating those ranked highest and nobody else.

    Parameters
    ----------
    per_row
        What treating adds, one unbiased entry per drawn decision, shape (n,): doubly robust contributions, or `drawn_gain`.
    untreated
        The same of not treating, shape (n,).
    rank_by
        Predicted gain, shape (n,), of a model that has not seen these outcomes.
    unit
        Number of each decision's debtor, shape (n,).

    Raises
    ------
    TooFewUnits
        Fewer than two debtors.

    Notes
    -----
    The band: largest deviation, in standard errors, over all points under random weights of the debtors (multiplier
    bootstrap; Chernozhukov, Chetverikov and Kato 2013).
    """
    part = treated_part(rank_by, points=POINTS)
    rows = untreated + part * per_row
    value = rows.mean(axis=1)
    error = np.array([standard_error(one, unit)[0] for one in rows])
    reach = joint_reach(rows.T, unit, rng=rng)
    height = (part[:-1] + part[1:]).mean(axis=0) / 2
    area = normal_interval(per_row * (height - 0.5), unit)
    return Curve(np.linspace(0, 1, POINTS + 1), value, value - reach * error, value + reach * error, area)


def treated_part(rank_by: FloatArray, *, points: int) -> FloatArray:
    """To which part each row is treated at each share, those ranked highest first, shape (points + 1, n).

    Rows of equal rank are treated to the part that a draw among them would give each.

    >>> treated_part(np.array([2.0, 1.0, 1.0]), points=2).tolist()
    [[0.0, 0.0, 0.0], [1.0, 0.25, 0.25], [1.0, 1.0, 1.0]]
    """
    order = np.sort(-rank_by)
    before, after = (np.searchsorted(order, -rank_by, side=side) for side in ("left", "right"))
    share = np.linspace(0, 1, points + 1)
    part: FloatArray = np.clip((share[:, None] * len(rank_by) - before) / (after - before), 0.0, 1.0)
    return part


def drawn_gain(outcome: FloatArray, treated: BoolArray, *, share: float) -> FloatArray:
    """What treating adds, one unbiased entry per debtor drawn into two arms, shape (n,).

    Parameters
    ----------
    share
        Chance with which each was drawn into the treated arm.

    Notes
    -----
    Weighted by the chance of the draw, around the level with which the entries vary least.

    >>> drawn_gain(np.array([3.0, 1.0]), np.array([True, False]), share=0.5).tolist()
    [2.0, 2.0]
    """
    middle = (1 - share) * outcome[treated].mean() + share * outcome[~treated].mean()
    weight = np.where(treated, 1 / share, -1 / (1 - share))
    found: FloatArray = weight * (outcome - middle)
    return found


def joint_reach(rows: FloatArray, unit: IntArray, *, rng: np.random.Generator, level: float = LEVEL) -> float:
    """Standard errors by which intervals of several means must reach so that all hold at once in a share `level`.

    Parameters
    ----------
    rows
        Shape (n, k): the columns whose means are compared; those that do not vary need no interval.
    unit
        Number of each row's debtor, shape (n,).

    Raises
    ------
    TooFewUnits
        Fewer than two debtors.
    """
    sums = np.column_stack([unit_sums(column - column.mean(), unit)[0] for column in rows.T])
    spread = np.sqrt((sums**2).sum(axis=0))
    if not (spread > 0).any():
        return float(stats.norm.ppf((1 + level) / 2))
    varying = sums[:, spread > 0] / spread[spread > 0]
    block = max(1, DRAWN_AT_ONCE // len(varying))
    largest = []
    for start in range(0, REDRAWS, block):
        signs = rng.integers(0, 2, (min(block, REDRAWS - start), len(varying)), dtype=np.int8)
        largest.append(np.abs((2.0 * signs - 1.0) @ varying).max(axis=1))
    return float(np.quantile(np.concatenate(largest), level))
