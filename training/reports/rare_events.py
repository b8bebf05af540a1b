"""Rates of rare events per 1,000 debtors and their difference, with intervals that hold for a few events and for none."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from training.trials.intervals import UNKNOWN, Interval, share_interval

BoolArray = npt.NDArray[np.bool_]

THOUSAND = 1000


def per_thousand(hit: BoolArray) -> Interval:
    """Debtors in 1,000 who were hit, one entry a debtor, shape (n,), with Wilson's interval.

    >>> [round(float(end), 1) for end in per_thousand(np.zeros(1000, dtype=bool))]
    [0.0, 0.0, 3.8]
    """
    return Interval(*(THOUSAND * end for end in share_interval(hit, np.arange(len(hit)))))


def more_per_thousand(treated: BoolArray, control: BoolArray) -> Interval:
    """Rate of the first less rate of the second, per 1,000 debtors; it has a width although nobody was hit at all.

    Notes
    -----
    Newcombe (1998), method 10: Wilson's intervals of both shares, their distances added as squares.

    >>> [round(end, 1) for end in more_per_thousand(np.zeros(1000, dtype=bool), np.zeros(100, dtype=bool))]
    [0.0, -37.0, 3.8]
    """
    if not len(treated) or not len(control):
        return UNKNOWN
    one, other = per_thousand(treated), per_thousand(control)
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - below, value + above)
