"""Intervals of a mean over rows that come in units: normal, and by bootstrap over units."""

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
    sums, _ = _by_unit(per_row - per_row.mean(), unit)
    units = len(sums)
    error = float(np.sqrt(units / (units - 1) * (sums @ sums))) / len(per_row)
    reach = float(stats.t.ppf(0.5 + level / 2, units - 1)) * error
    value = float(per_row.mean())
    return Interval(value, value - reach, value + reach, level)


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
    sums, sizes = _by_unit(per_row, unit)
    block = max(1, DRAWN_AT_ONCE // len(sums))
    means = []
    for start in range(0, resamples, block):
        drawn = rng.integers(0, len(sums), (min(block, resamples - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(per_row.mean()), float(low), float(high), level)


def _by_unit(per_row: FloatArray, unit: IntArray) -> tuple[FloatArray, FloatArray]:
    units = int(unit.max()) + 1
    if units < 2:
        raise TooFewUnits(f"expected at least two units to tell chance from effect; came {units}")
    sums = np.bincount(unit, per_row, units).astype(np.float64)
    return sums, np.bincount(unit, minlength=units).astype(np.float64)
