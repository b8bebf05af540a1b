"""Wall-clock time of instants in many zones at once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from numba import njit

from data.times import DAY_US, IntArray

Offsets = tuple[tuple[int, ...], tuple[int, ...]]
SECOND_US = 1_000_000
LAST_DAY = 47_847
"""1 January 2101: zones are not asked beyond, nor before 1970; an offset at either end holds on."""


class _Clocks(NamedTuple):
    """Offsets of several zones end to end; `start[z]:start[z + 1]` are those of zone z, in order of `since_us`."""

    start: IntArray
    since_us: IntArray
    offset_us: IntArray


def local_us(zones: tuple[str, ...], zone: npt.NDArray[np.integer], instants_us: IntArray) -> IntArray:
    """Wall-clock time as if it were UTC, in microseconds, shape (n,): its day and hour are the local ones.

    Parameters
    ----------
    zones, zone
        IANA names, and the index of each instant's zone among them, shape (n,).
    instants_us
        Microseconds UTC, shape (n,).

    >>> local_us(("Europe/Oslo",), np.array([0]), np.array([0])).tolist()  # one hour ahead of UTC
    [3600000000]
    """
    if not len(instants_us):
        return np.zeros(0, dtype=np.int64)
    first, last = int(instants_us.min()) // DAY_US, int(instants_us.max()) // DAY_US
    first, last = max(first - first % 366, 0), min(last + 366 - last % 366, LAST_DAY)
    return _shifted(np.asarray(zone, dtype=np.int64), instants_us, _clocks(zones, first, max(last, first + 366)))


@lru_cache(maxsize=1_024)
def _clocks(zones: tuple[str, ...], first_day: int, last_day: int) -> _Clocks:
    found = [_offsets(name, first_day, last_day) for name in zones]
    return _Clocks(
        np.cumsum([0, *(len(since) for since, _ in found)]).astype(np.int64),
        np.array([one for since, _ in found for one in since], dtype=np.int64),
        np.array([one for _, offset in found for one in offset], dtype=np.int64),
    )


@lru_cache(maxsize=4_096)
def _offsets(name: str, first_day: int, last_day: int) -> Offsets:
    """Instants since which an offset from UTC holds, the first one long ago, and the offsets, both in microseconds."""
    zone = ZoneInfo(name)
    seconds = [day * DAY_US // SECOND_US for day in range(first_day, last_day + 1)]
    since, offset = [np.iinfo(np.int64).min], [_offset_s(zone, seconds[0])]
    for low, high in pairwise(seconds):
        if _offset_s(zone, high) != offset[-1]:
            since.append(_change(zone, low, high) * SECOND_US)
            offset.append(_offset_s(zone, high))
    return tuple(since), tuple(one * SECOND_US for one in offset)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """First second after `low` with the offset that holds at `high`."""
    after = _offset_s(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset_s(zone, middle) == after else (middle, high)
    return high


def _offset_s(zone: ZoneInfo, second: int) -> int:
    shift = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
    return 0 if shift is None else shift.days * 86_400 + shift.seconds


@njit(cache=True, nogil=True)
def _shifted(zone: IntArray, instants_us: IntArray, clocks: _Clocks) -> IntArray:
    local = np.empty(len(instants_us), dtype=np.int64)
    for i in range(len(instants_us)):
        last = clocks.start[zone[i] + 1] - 1
        while clocks.since_us[last] > instants_us[i]:
            last -= 1
        local[i] = instants_us[i] + clocks.offset_us[last]
    return local
