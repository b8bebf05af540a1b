"""From counts and instants to the number in a column: what loops over rows say of one row, float64 until it is stored.

They are compiled into the loops that call them: after an edit here, delete the compiled files (`make clean`).

>>> since_days(3 * DAY_US, DAY_US), since_days(3 * DAY_US, 0)
(2.0, nan)
>>> days_until(DAY_US, 3 * DAY_US), days_until(DAY_US, 0)
(2.0, nan)
>>> days_between(7, 5, -1), days_between(7, -1, -1)
(2.0, nan)
>>> [round(shrunk(count, 6, 0.5, 4.0), 3) for count in (1, 4)]
[0.3, 0.6]
>>> mean_of(3.0, 2), mean_of(3.0, 0)
(1.5, nan)
>>> known_above(2, 0), known_above(-1, 0)
(2.0, nan)
"""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import DAY_US


@njit(inline="always")
def since_days(as_of_us: int, then_us: int) -> float:
    """Days since an instant, NaN where it is 0 (never)."""
    return (as_of_us - then_us) / DAY_US if then_us > 0 else np.nan


@njit(inline="always")
def days_until(as_of_us: int, then_us: int) -> float:
    """Days to an instant, NaN where it is 0 (never)."""
    return (then_us - as_of_us) / DAY_US if then_us > 0 else np.nan


@njit(inline="always")
def days_between(later: int, earlier: int, missing: int) -> float:
    """Days from `earlier` to `later`, NaN where either is `missing`."""
    return float(later - earlier) if later != missing and earlier != missing else np.nan


@njit(inline="always")
def shrunk(count: int, total: int, usual: float, weight: float) -> float:
    """Count over total, with `weight` more of the total at the usual rate."""
    return (count + weight * usual) / (total + weight)


@njit(inline="always")
def mean_of(total: float, count: int) -> float:
    """Total over count, NaN where there is none."""
    return total / count if count > 0 else np.nan


@njit(inline="always")
def known_above(value: int, least: int) -> float:
    """The value, NaN below the least that is one."""
    return float(value) if value >= least else np.nan
