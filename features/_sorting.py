"""Sorting by owner and time, in one pass over rows that mostly stand in order of time already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.times import IntArray
from features.columns import BoolArray

SHORT = 64
"""Rows of one owner up to which insertion is quicker than a general sort."""


def ordered(owner: IntArray, time: IntArray, *ties: npt.NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """Rows that have an owner, by owner, time and what tells rows of one instant apart; and the owners in that order."""
    order = sorted_by_owner(owner, time)
    tied = same_instant(order, owner, time) if ties else order[:0]
    if len(tied):
        rows = order[tied]
        order[tied] = rows[np.lexsort((*(one[rows] for one in ties[::-1]), time[rows], owner[rows]))]
    return order, owner[order]


def sorted_by_owner(owner: IntArray, time: IntArray) -> IntArray:
    """Rows in order of owner and time, ties in the order given; rows of owner -1 are left out.

    `owner`, `time` have shape (n,); owners count from 0 without large gaps.

    >>> sorted_by_owner(np.array([1, 0, -1, 1]), np.array([20, 30, 0, 10])).tolist()
    [1, 3, 0]
    """
    order, start, long = _sorted(owner, time)
    if long:
        for one in np.flatnonzero(np.diff(start) > SHORT):
            rows = order[start[one] : start[one + 1]]
            order[start[one] : start[one + 1]] = rows[np.argsort(time[rows], kind="stable")]
    return order


@njit(cache=True, nogil=True)
def same_instant(order: IntArray, owner: IntArray, time: IntArray) -> IntArray:
    """Places in an order by owner and time of rows that share both with another row."""
    tied = np.empty(len(order), dtype=np.int64)
    count = 0
    for i in range(len(order)):
        after = i > 0 and owner[order[i]] == owner[order[i - 1]] and time[order[i]] == time[order[i - 1]]
        before = i + 1 < len(order) and owner[order[i]] == owner[order[i + 1]] and time[order[i]] == time[order[i + 1]]
        if before or after:
            tied[count] = i
            count += 1
    return tied[:count].copy()


@njit(cache=True, nogil=True)
def _sorted(owner: IntArray, time: IntArray) -> tuple[IntArray, IntArray, bool]:
    """Rows owner by owner, those of an owner with few of them by time; where each owner's begin; whether one has many."""
    last = -1
    for i in range(len(owner)):
        last = max(last, owner[i])
    start = np.zeros(last + 2, dtype=np.int64)
    order = _gathered(owner, start)
    long = False
    for k in range(len(start) - 1):
        if start[k + 1] - start[k] > SHORT:
            long = True
            continue
        for i in range(start[k] + 1, start[k + 1]):
            row, j = order[i], i
            while j > start[k] and time[order[j - 1]] > time[row]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = row
    return order, start, long


@njit(cache=True, nogil=True)
def _gathered(owner: IntArray, start: IntArray) -> IntArray:
    """Rows owner by owner, in the order given. OUT: start, comes in as zeros."""
    for i in range(len(owner)):
        if owner[i] >= 0:
            start[owner[i] + 1] += 1
    for k in range(len(start) - 1):
        start[k + 1] += start[k]
    order, place = np.empty(start[-1], dtype=np.int64), start.copy()
    for i in range(len(owner)):
        if owner[i] >= 0:
            order[place[owner[i]]] = i
            place[owner[i]] += 1
    return order


@njit(cache=True, nogil=True)
def first_of_keys(key: IntArray, counted_us: IntArray, size: int) -> BoolArray:
    """Marks the row of each key that counted first, the earlier row where two did; key -1 is never marked, shape (n,).

    >>> first_of_keys(np.array([7, 7, -1]), np.array([30, 20, 10]), 8)
    array([False,  True, False])
    """
    best = np.full(size, -1, dtype=np.int32)
    for i in range(len(key)):
        if key[i] >= 0 and (best[key[i]] < 0 or counted_us[i] < counted_us[best[key[i]]]):
            best[key[i]] = i
    first = np.zeros(len(key), dtype=np.bool_)
    for one in best:
        if one >= 0:
            first[one] = True
    return first
