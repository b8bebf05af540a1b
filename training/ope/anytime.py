"""Intervals that may be looked at as often as one likes while a log grows, and stopped at any look.

A fixed interval covers the truth at one look that was settled beforehand; whoever looks every day and stops when it
leaves 0 claims too much. The sequence here covers at all looks together.

At each look give all rows so far, with the estimator's column computed from these rows alone: a ratio (`snips`, `sndr`)
recentres its rows on the value of that look, and a model of the reward is fitted on what was known by then. A unit
enters whole: all of its rows, or none yet. Units must be alike in law and not depend on each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.ope.intervals import LEVEL, Interval, standard_error, tail_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PLANNED_UNITS = 10_000
"""Units at which the sequence is narrowest, where nobody has planned another number. It is flat around it: less than
twice the fixed interval's width from a thousand units to ten million."""


class BadPlan(ValueError):
    """A planned number of units, or a level, for which there is no sequence."""


def anytime_interval(
    per_row: FloatArray, unit: IntArray, *, planned_units: int = PLANNED_UNITS, level: float = LEVEL
) -> Interval:
    """Mean of `per_row`, shape (n,), with an interval that covers at every look at once in a share `level` of logs.

    Parameters
    ----------
    unit
        Shape (n,), numbers 0..U-1.
    planned_units
        Units expected at the look that matters most. Settled before the first look and the same at all.

    Raises
    ------
    TooFewUnits
        Fewer than two units.
    BadPlan
        The plan is not at least one unit, or the level not between 0 and 1.

    Notes
    -----
    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, theorem 2.2): a normal
    mixture over strong approximations of the sums by a Brownian motion. The approximation needs units to start with
    (a hundred or more at the first look), and more of them where sums are skewed: so the end on the side of the longer
    tail lies further out (`tail_interval`).

    >>> rows, units = np.tile([0.0, 1.0], 200), np.arange(400)
    >>> round(anytime_interval(rows, units, planned_units=400).half_width, 4)
    0.076
    """
    _, units = standard_error(per_row, unit)
    reach = reach_in_errors(units, planned_units=planned_units, level=level)
    return tail_interval(per_row, unit, reach_in_errors=reach, level=level)


def reach_in_errors(units: int, *, planned_units: int = PLANNED_UNITS, level: float = LEVEL) -> float:
    """Half-width of the sequence at this many units, in standard errors.

    >>> round(reach_in_errors(10_000), 2), round(reach_in_errors(1_000), 2)
    (3.04, 3.86)

    Raises
    ------
    BadPlan
        The plan is not at least one unit, or the level not between 0 and 1.
    """
    if planned_units < 1 or not 0 < level < 1:
        what = f"expected at least one planned unit and a level between 0 and 1; came {planned_units} and {level:g}"
        raise BadPlan(f"{what}: plan the units of the look that matters most")
    spread = units * _tuned_for(planned_units, level)
    return float(np.sqrt(2 * (1 + 1 / spread) * np.log(np.sqrt(spread + 1) / (1 - level))))


def _tuned_for(planned_units: int, level: float) -> float:
    """Variance of the mixture (the paper's rho squared) that is narrowest at the plan, up to a thousandth of the width."""
    log_alpha = -2 * np.log(1 - level)
    return float((log_alpha + np.log(log_alpha + 1)) / planned_units)
