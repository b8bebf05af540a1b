"""The hours of a day as a circle on which what happened at one hour also speaks for those near it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from features._hour_kernels import over_usual
from features.catalogue import HOURS
from features.columns import FloatArray

BANDWIDTH_HOURS = 2.5
"""Standard deviation of the bell around an hour."""

DAY_HOURS = len(HOURS)
ROUNDS = np.arange(-3, 4)
"""Times around the clock that are summed; what lies further is below 1e-100."""


def log_over_usual(counts: IntArray, usual: tuple[float, ...], *, weight: float) -> npt.NDArray[np.float32]:
    """Natural logarithm of what happened near each hour over what is usual there, shape (d, 24).

    Parameters
    ----------
    counts
        Events by hour, shape (d, 24).
    usual
        Usual share of each hour, (24,), each above 0.
    weight
        Events more that are taken to be as usual, above 0: without any of its own, a row is 0.

    >>> counts = np.zeros((2, 24), dtype=np.int64)
    >>> counts[1, 18] = 4
    >>> log_over_usual(counts, (1 / 24,) * 24, weight=2.0)[:, [6, 18]].round(1).tolist() == np.float32([[0, 0], [-1.1, 1.1]]).tolist()
    True
    """
    found = np.empty(counts.shape, dtype=np.float32)
    over_usual(counts, _relative(usual), weight, found)
    logarithms: npt.NDArray[np.float32] = np.log(found, out=found)
    return logarithms


@lru_cache(maxsize=1)
def near() -> FloatArray:
    """How much an event at one hour counts for another: a bell wrapped around the clock, shape (24, 24), rows sum to 1.

    >>> bool(near()[23, 0] == near()[11, 12] > near()[11, 13])
    True
    """
    hours = np.arange(DAY_HOURS)
    apart = np.minimum(hours, DAY_HOURS - hours)[:, None] + DAY_HOURS * ROUNDS
    bell = np.exp(-0.5 * (apart / BANDWIDTH_HOURS) ** 2).sum(axis=1)
    weights: FloatArray = (bell / bell.sum())[(hours - hours[:, None]) % DAY_HOURS]
    return _fixed(weights)


def smoothed(shares: tuple[float, ...]) -> FloatArray:
    """Shares over the hours, each spread over those near it, shape (24,); they still sum to what they did.

    >>> bool(np.allclose(smoothed((1 / 24,) * 24), 1 / 24))
    True
    """
    spread: FloatArray = (near() * np.array(shares)).sum(axis=1)
    return spread


@lru_cache(maxsize=64)
def _relative(usual: tuple[float, ...]) -> FloatArray:
    return _fixed(near() / smoothed(usual))


def _fixed(values: FloatArray) -> FloatArray:
    """The same array, that whoever gets it from the cache cannot change."""
    values.flags.writeable = False
    return values
