"""Many segments of one experiment at once: who looks at twenty finds one that stands out, even where nothing does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.trials.adjusted import BoolArray, Contrast, contrast, interval_of, p_value
from training.trials.intervals import LEVEL, UNKNOWN, Interval
from training.trials.sequential import ready

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """The difference of the arms in one segment, NaN where the segment is too small to say.

    Attributes
    ----------
    treated, control
        Debtors of each arm.
    alone
        The interval as if no other segment had been looked at.
    together
        The interval that, with those of all other segments, covers at once in 95 % of experiments.
    p_value
        Of no difference in this segment, corrected for all segments (Holm).
    drawn_in
        Best guess in the light of all segments, with its interval: a segment that stands out by chance is drawn towards
        the others, the more the fewer debtors it has.
    """

    treated: int
    control: int
    alone: Interval
    together: Interval
    p_value: float
    drawn_in: Interval


@dataclass(frozen=True)
class Segments:
    """All segments in the order of their numbers, and the p-value of no difference between their effects (NaN: fewer than two)."""

    each: tuple[Segment, ...]
    same: float


def segment_differences(
    outcome: FloatArray, treated: BoolArray, segment: IntArray, *, covariates: FloatArray | None = None
) -> Segments:
    """Differences of two arms in each segment, every debtor in one segment at most.

    Parameters
    ----------
    outcome, treated, covariates
        As in `training.trials.adjusted.contrast`, one entry per debtor.
    segment
        Number of each debtor's segment, 0..S-1; -1: in none.

    Notes
    -----
    Segments share no debtor, so that their errors are independent and Šidák's level (1967) is exact; Holm (1979) for the
    p-values; Cochran's Q (1954) for whether effects differ. A segment speaks once its arms are `ready`, which nobody
    decides by looking at the difference; the others are neither shown nor corrected for.
    """
    parts = [_contrast(outcome, treated, covariates, segment == one) for one in range(int(segment.max(initial=-1)) + 1)]
    speaking = [one for one, (found, _, _) in enumerate(parts) if not np.isnan(found.value)]
    corrected = dict(zip(speaking, holm(np.array([p_value(parts[one][0]) for one in speaking])), strict=True))
    level = LEVEL ** (1 / max(1, len(speaking)))
    values = np.array([parts[one][0].value for one in speaking])
    errors = np.array([parts[one][0].error for one in speaking])
    drawn = dict(zip(speaking, drawn_in(values, errors), strict=True))
    each = (
        Segment(
            treated=ours,
            control=theirs,
            alone=interval_of(found),
            together=interval_of(found, level=level),
            p_value=float(corrected.get(one, np.nan)),
            drawn_in=drawn.get(one, UNKNOWN),
        )
        for one, (found, ours, theirs) in enumerate(parts)
    )
    return Segments(tuple(each), same_effect(values, errors))


def _contrast(
    outcome: FloatArray, treated: BoolArray, covariates: FloatArray | None, here: BoolArray
) -> tuple[Contrast, int, int]:
    """A segment's contrast and the debtors of its arms; without a value where the segment is too small."""
    ours, theirs = int((treated & here).sum()), int((~treated & here).sum())
    if not ready(outcome[here], treated[here]):
        return Contrast(float("nan"), np.zeros(0), float("nan"), 0), ours, theirs
    known = None if covariates is None else covariates[here]
    return contrast(outcome[here], treated[here], known), ours, theirs


def holm(p_values: FloatArray) -> FloatArray:
    """P-values corrected so that a single false one among all below 5 % is met in at most 5 % of experiments.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    found = np.empty(len(order))
    found[order] = np.minimum(1.0, stepped)
    return found


def same_effect(values: FloatArray, errors: FloatArray) -> float:
    """P-value of equal effects behind independent values with these standard errors; NaN for fewer than two.

    >>> round(same_effect(np.array([0.0, 2.0]), np.array([1.0, 1.0])), 3)
    0.157
    """
    if len(values) < 2 or not (errors > 0).all():
        return float("nan")
    return float(stats.chi2.sf(_unrest(values, errors), len(values) - 1))


def _unrest(values: FloatArray, errors: FloatArray, spread: float = 0.0) -> float:
    """Squared distances of the values to their weighted mean in units of their variance, `spread` added to each."""
    weight = 1 / (errors**2 + spread)
    return float((weight * (values - (weight * values).sum() / weight.sum()) ** 2).sum())


FEWEST_DRAWN_IN = 4
"""Values from which on it can be told how far apart the truths lie."""


def drawn_in(values: FloatArray, errors: FloatArray) -> list[Interval]:
    """Values drawn towards their common mean, by how much more they differ than their errors explain.

    Fewer than four stay as they are, without ends. Intervals cover on average over segments, not each one's own truth.

    Notes
    -----
    Empirical Bayes with the allowance for the unknown spread of Morris (1983); that spread by Paule and Mandel (1982).

    >>> [round(one.value, 2) for one in drawn_in(np.array([1.0, 2.0, 2.0, 3.0]), np.full(4, 2.0))]
    [1.33, 2.0, 2.0, 2.67]
    """
    count = len(values)
    if count < FEWEST_DRAWN_IN or not (errors > 0).all():
        return [Interval(float(one), float("nan"), float("nan")) for one in values]
    variance, spread = errors**2, _true_spread(values, errors)
    whole = variance + spread
    mean = float((values / whole).sum() / (1 / whole).sum())
    pull = (count - 3) / (count - 1) * variance / whole
    unsure = 2 / (count - 3) * pull**2 * (values - mean) ** 2 * np.mean(whole) / whole
    half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance * (1 - (count - 1) / count * pull) + unsure)
    middle = values - pull * (values - mean)
    return [Interval(*map(float, one)) for one in zip(middle, middle - half, middle + half, strict=True)]


def _true_spread(values: FloatArray, errors: FloatArray) -> float:
    """Variance of true effects at which the values lie as far apart as they should; 0 where errors explain them."""
    freedom, high = len(values) - 1, float(values.var(ddof=1)) * len(values)
    if _unrest(values, errors) <= freedom:
        return 0.0
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _unrest(values, errors, middle) > freedom else (low, middle)
    return (low + high) / 2
