"""95 % intervals of means, shares and their differences, clustered by debtor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.times import IntArray

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95
WINSOR = 0.99
"""Share of debtors whose totals stay as they are; larger totals are cut to the largest of these."""


REDRAWS = 1999
"""Fresh draws of the arms behind `chance`."""


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; NaN where the data allow none."""

    value: float
    low: float
    high: float


class Chance(NamedTuple):
    """Share of fresh draws of the arms that give as much gain, and as much loss, as was seen; each above 0, at most 1."""

    of_gain: float
    of_loss: float


UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


def never_negative(found: Interval) -> Interval:
    """The interval of what cannot be below zero.

    >>> never_negative(Interval(1.0, -0.5, 2.5)).low
    0.0
    """
    return found._replace(low=max(found.low, 0.0)) if np.isfinite(found.low) else found


def mean_interval(totals: FloatArray) -> Interval:
    """Mean of debtor totals, shape (n,), with Student's interval.

    >>> [round(float(end), 2) for end in mean_interval(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.48, 4.48]
    """
    if len(totals) < 2:
        return UNKNOWN
    half = stats.t.ppf((1 + LEVEL) / 2, len(totals) - 1) * totals.std(ddof=1) / np.sqrt(len(totals))
    mean = float(totals.mean())
    return Interval(mean, mean - float(half), mean + float(half))


def mean_difference(treated: FloatArray, control: FloatArray) -> Interval:
    """Mean of the first less mean of the second, one total per debtor, with Welch's interval (unequal variances).

    >>> mean_difference(np.array([3.0, 5.0]), np.array([1.0, 3.0])).value
    2.0
    """
    if min(len(treated), len(control)) < 2:
        return UNKNOWN
    parts = np.array([treated.var(ddof=1) / len(treated), control.var(ddof=1) / len(control)])
    value = float(treated.mean() - control.mean())
    if parts.sum() == 0:
        return Interval(value, value, value)
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([len(treated), len(control)]) - 1)).sum()
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(parts.sum()))
    return Interval(value, value - half, value + half)


def winsorised(treated: FloatArray, control: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both sides cut at one cap, the 99 % quantile of the totals of both together.

    >>> one, two = winsorised(np.array([0.0, 1e6]), np.arange(198.0))
    >>> float(one.max()) < 200
    True
    """
    both = np.concatenate([treated, control])
    cap = np.quantile(both, WINSOR) if len(both) else 0.0
    return np.minimum(treated, cap), np.minimum(control, cap)


def chance(treated: FloatArray, control: FloatArray, *, rng: np.random.Generator) -> Chance:
    """How often a fresh draw of the arms would set them so far apart, if no arm had any effect.

    Holds whatever the shape of the totals: beside a small control arm, means of heavy-tailed amounts are so skewed that
    an interval from their variance alone is wrong on one side more often than it says.

    Notes
    -----
    Fisher's randomisation test of the difference of means. Only sums of the control side are drawn: both arms together
    always hold the same money.

    >>> found = chance(np.full(30, 9.0), np.zeros(10), rng=np.random.default_rng(1))
    >>> found.of_gain < 0.01, found.of_loss
    (True, 1.0)
    """
    both = np.concatenate([treated, control])
    payers = both[both != 0]
    counts = rng.hypergeometric(len(payers), len(both) - len(payers), len(control), REDRAWS).tolist()
    redrawn = np.array([rng.choice(payers, count, replace=False, shuffle=False).sum() for count in counts])
    slack = 1e-9 * float(np.abs(both).sum())  # sums of the same amounts in another order are the same sum
    as_low = int((redrawn <= control.sum() + slack).sum())
    as_high = int((redrawn >= control.sum() - slack).sum())
    return Chance((1 + as_low) / (1 + REDRAWS), (1 + as_high) / (1 + REDRAWS))


def share_interval(hit: npt.NDArray[np.bool_], debtor: IntArray) -> Interval:
    """Share of rows that hit, with Wilson's interval at the number of independent rows that the clusters leave.

    Parameters
    ----------
    hit, debtor
        One entry per row, shape (n,): whether it hit, and the debtor it belongs to.

    >>> share_interval(np.array([True, False]), np.array([0, 1])).value
    0.5
    """
    if len(hit) == 0:
        return UNKNOWN
    share = float(hit.mean())
    by_debtor = np.bincount(debtor, weights=hit - share)
    spread = float((by_debtor**2).sum()) / len(hit) ** 2
    independent = share * (1 - share) / spread if spread > 0 else len(np.unique(debtor))
    return _wilson(share, min(independent, len(hit)))


def _wilson(share: float, size: float) -> Interval:
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return Interval(share, max(0.0, middle - float(half)), min(1.0, middle + float(half)))


def ratio_difference(hits: tuple[FloatArray, FloatArray], sizes: tuple[FloatArray, FloatArray]) -> Interval:
    """Difference of two shares whose rows come in debtors: hits over sizes, first arm less second.

    Parameters
    ----------
    hits, sizes
        For each of two arms, how many of a debtor's rows hit and how many there are, one entry per debtor.

    Notes
    -----
    Linearised ratio (Cochran, Sampling Techniques, chapter 6), debtors as clusters.
    """
    if min(len(size) for size in sizes) < 2:
        return UNKNOWN
    ratios = [float(hit.sum() / size.sum()) for hit, size in zip(hits, sizes, strict=True)]
    spread = 0.0
    for hit, size, ratio in zip(hits, sizes, ratios, strict=True):
        residual = hit - ratio * size
        spread += len(size) / (len(size) - 1) * float((residual**2).sum()) / float(size.sum()) ** 2
    half = float(stats.norm.ppf((1 + LEVEL) / 2)) * float(np.sqrt(spread))
    value = ratios[0] - ratios[1]
    return Interval(value, value - half, value + half)
