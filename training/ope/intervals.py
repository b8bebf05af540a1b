"""Intervals of a mean over rows that come in units: normal, with regard to a long tail, and by bootstrap over units.

They hold at one look, settled beforehand; `training.ope.anytime` has the one that holds at all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEVEL = 0.95
RESAMPLES = 1_000
DRAWN_AT_ONCE = 4_000_000
"""Units drawn in one block of the bootstrap: bounds its memory."""


class TooFewUnits(ValueError):
    """Fewer than two units: nothing shows how much one differs from another."""


@dataclass(frozen=True)
class Interval:
    """A value and the range that covers the truth in a share `level` of logs."""

    value: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def half_width(self) -> float:
        """Half the distance from low to high."""
        return (self.high - self.low) / 2

    def as_dict(self) -> dict[str, float]:
        """Value and ends by name."""
        return {"value": self.value, "low": self.low, "high": self.high, "level": self.level}


def normal_interval(per_row: FloatArray, unit: IntArray, *, level: float = LEVEL) -> Interval:
    """Mean of `per_row`, shape (n,), with Student's interval; rows of one unit may depend on each other.

    Parameters
    ----------
    unit
        Shape (n,), numbers 0..U-1.

    Raises
    ------
    TooFewUnits
        Fewer than two units.

    Notes
    -----
    Liang and Zeger (1986): the variance of the mean is that of the units' sums.

    >>> normal_interval(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 2, 3])).value
    0.5
    """
    value = float(per_row.mean())
    error, units = standard_error(per_row, unit)
    reach = float(stats.t.ppf(0.5 + level / 2, units - 1)) * error
    return Interval(value, value - reach, value + reach, level)


def skewed_interval(per_row: FloatArray, unit: IntArray, *, level: float = LEVEL) -> Interval:
    """Mean of `per_row`, shape (n,), with Student's interval whose end on the side of the longer tail lies further out.

    Weighted payments have a long tail: where the largest happen to be absent, the value is low and so is its standard
    error, and the normal interval misses almost only on that side.

    Raises
    ------
    TooFewUnits
        Fewer than two units.

    >>> found = skewed_interval(np.append(np.zeros(99), 1.0), np.arange(100))
    >>> bool(found.high - found.value > found.value - found.low)
    True
    """
    _, units = standard_error(per_row, unit)
    reach = float(stats.t.ppf(0.5 + level / 2, units - 1))
    return tail_interval(per_row, unit, reach_in_errors=reach, level=level)


def tail_interval(per_row: FloatArray, unit: IntArray, *, reach_in_errors: float, level: float = LEVEL) -> Interval:
    """Mean of `per_row`, shape (n,), with so many standard errors to both sides and more to that of the longer tail.

    Raises
    ------
    TooFewUnits
        Fewer than two units.

    Notes
    -----
    The first-order term of Johnson (1978), from the skewness of the units' sums; it vanishes faster than the width. He
    moves both ends; here only one is moved, outwards: what is covered without it is covered with it.
    """
    value = float(per_row.mean())
    error, units = standard_error(per_row, unit)
    down, up = tail_reach(reach_in_errors, skewness=_skewness(per_row, unit) / np.sqrt(units))
    return Interval(value, value - error * down, value + error * up, level)


def tail_reach(reach_in_errors: float, *, skewness: float) -> tuple[float, float]:
    """Standard errors down and up of an interval whose estimate has this skewness; the source is in `tail_interval`.

    >>> tail_reach(3.0, skewness=-0.6)
    (4.9, 3.0)
    """
    tail = skewness * (1 / 6 + reach_in_errors**2 / 3)
    return float(reach_in_errors + max(0.0, -tail)), float(reach_in_errors + max(0.0, tail))


def _skewness(per_row: FloatArray, unit: IntArray) -> float:
    """Skewness of the units' sums around the mean row; 0 where they do not differ."""
    sums, _ = unit_sums(per_row - per_row.mean(), unit)
    largest = float(np.abs(sums).max())
    scaled = sums / largest if largest > 0 else sums
    spread = float((scaled**2).mean())
    return float((scaled**3).mean() / spread**1.5) if spread > 0 else 0.0


def standard_error(per_row: FloatArray, unit: IntArray) -> tuple[float, int]:
    """Standard error of the mean of `per_row`, shape (n,), clustered by unit, and the number of units.

    Raises
    ------
    TooFewUnits
        Fewer than two units.
    """
    sums, _ = unit_sums(per_row - per_row.mean(), unit)
    units = len(sums)
    return float(np.sqrt(units / (units - 1) * (sums @ sums))) / len(per_row), units


def bootstrap_interval(
    per_row: FloatArray,
    unit: IntArray,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Mean of `per_row` with the percentile interval over units drawn with replacement.

    Raises
    ------
    TooFewUnits
        Fewer than two units.
    """
    sums, sizes = unit_sums(per_row, unit)
    block = max(1, DRAWN_AT_ONCE // len(sums))
    means = []
    for start in range(0, resamples, block):
        drawn = rng.integers(0, len(sums), (min(block, resamples - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(per_row.mean()), float(low), float(high), level)


def unit_sums(per_row: FloatArray, unit: IntArray) -> tuple[FloatArray, FloatArray]:
    """Sum and number of rows of each unit, shape (U,) each.

    Raises
    ------
    TooFewUnits
        Fewer than two units.
    """
    units = int(unit.max()) + 1
    if units < 2:
        raise TooFewUnits(f"expected at least two units to tell chance from effect; came {units}")
    sums = np.bincount(unit, per_row, units).astype(np.float64)
    return sums, np.bincount(unit, minlength=units).astype(np.float64)
