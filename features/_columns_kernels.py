"""From counts and instants to columns, in one pass each: NumPy functions to float32 that broadcast.

They are never given `out`: numba 0.68 takes an `out` with gaps for one without and writes next to it.

>>> since_days(3 * DAY_US, np.array([DAY_US, 0])).tolist()
[2.0, nan]
>>> days_until(DAY_US, np.array([3 * DAY_US, 0])).tolist()
[2.0, nan]
>>> days_between(7, np.array([5, -1]), -1).tolist()
[2.0, nan]
>>> shrunk(1, np.array([1, 6]), 0.5, 4.0).round(3).tolist() == np.float32([0.6, 0.3]).tolist()
True
>>> mean_of(3.0, np.array([2, 0])).tolist()
[1.5, nan]
>>> known_above(np.array([2, -1]), 0).tolist()
[2.0, nan]
>>> log_of(np.array([0.0, np.nan])).tolist()
[0.0, nan]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import vectorize

from data.times import DAY_US


def _compiled(signature: str) -> Callable[[Callable[..., float]], np.ufunc]:
    """The compiled function itself: a call through numba's own object costs three times as much."""

    def compiled(function: Callable[..., float]) -> np.ufunc:
        ufunc: np.ufunc = vectorize([signature], cache=True)(function).ufunc  # type: ignore[no-untyped-call] # numba's
        return ufunc

    return compiled


@_compiled("float32(int64, int64)")
def since_days(as_of_us: int, then_us: int) -> float:
    """Days since an instant, NaN where it is 0 (never)."""
    return (as_of_us - then_us) / DAY_US if then_us > 0 else np.nan


@_compiled("float32(int64, int64)")
def days_until(as_of_us: int, then_us: int) -> float:
    """Days to an instant, NaN where it is 0 (never)."""
    return (then_us - as_of_us) / DAY_US if then_us > 0 else np.nan


@_compiled("float32(int64, int64, int64)")
def days_between(later: int, earlier: int, missing: int) -> float:
    """Days from `earlier` to `later`, NaN where either is `missing`."""
    return later - earlier if later != missing and earlier != missing else np.nan


@_compiled("float32(int64, int64, float64, float64)")
def shrunk(count: int, total: int, usual: float, weight: float) -> float:
    """Count over total, with `weight` more of the total at the usual rate."""
    return (count + weight * usual) / (total + weight)


@_compiled("float32(float64, int64)")
def mean_of(total: float, count: int) -> float:
    """Total over count, NaN where there is none."""
    mean = total / max(count, 1)  # compiled code divides before it chooses: never by zero
    return mean if count > 0 else np.nan


@_compiled("float32(int64, int64)")
def known_above(value: int, least: int) -> float:
    """The value, NaN below the least that is one."""
    return value if value >= least else np.nan


@_compiled("float32(float64)")
def log_of(amount: float) -> float:
    """Natural logarithm of 1 + an amount."""
    return float(np.log1p(amount))
