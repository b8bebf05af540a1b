"""Sorting by owner and time, in one pass over rows that mostly stand in order of time already."""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import IntArray
from features.columns import BoolArray

SHORT = 64
"""Rows of one owner up to which insertion is quicker than a general sort."""


@njit(cache=True, nogil=True)
def sorted_by_owner(owner: IntArray, time: IntArray) -> IntArray:
    """Rows in order of owner and time, ties in the order given; rows of owner -1 are left out.

    `owner`, `time` have shape (n,); owners count from 0 without large gaps.
    """
    size = owner.max() + 1 if len(owner) else 0
    place = np.zeros(size + 1, dtype=np.int64)
    for i in range(len(owner)):
        if owner[i] >= 0:
            place[owner[i] + 1] += 1
    for k in range(size):
        place[k + 1] += place[k]
    order = np.empty(place[size], dtype=np.int64)
    begin = place[:size].copy()
    for i in range(len(owner)):
        if owner[i] >= 0:
            order[place[owner[i]]] = i
            place[owner[i]] += 1
    for k in range(size):
        _sort(order[begin[k] : place[k]], time)
    return order


@njit(cache=True, nogil=True)
def _sort(rows: IntArray, time: IntArray) -> None:
    if len(rows) > SHORT:
        rows[:] = rows[np.argsort(time[rows], kind="mergesort")]
        return
    for i in range(1, len(rows)):
        row, j = rows[i], i
        while j > 0 and time[rows[j - 1]] > time[row]:
            rows[j] = rows[j - 1]
            j -= 1
        rows[j] = row


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
