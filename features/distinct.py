"""Values that there are, where mostly few differ."""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import IntArray


def distinct(values: IntArray) -> tuple[list[int], IntArray]:
    """Values that there are, in rising order, and which of them each one is, shape (n,).

    >>> distinct(np.array([7, 5, 7]))
    ([5, 7], array([1, 0, 1]))
    """
    found, which = _numbered(values)
    return found.tolist(), which


@njit(cache=True, nogil=True)
def _numbered(values: IntArray) -> tuple[IntArray, IntArray]:
    """The same: a table of hashes, never more than half full, tells the values apart without sorting all of them."""
    found, which = np.empty(8, np.int64), np.empty(len(values), np.int64)
    table, size = np.full(16, -1), 0
    for i in range(len(values)):
        if i > 0 and values[i] == values[i - 1]:
            which[i] = which[i - 1]
            continue
        place = _place(values[i], table, found)
        if table[place] < 0:
            if size == len(found):
                found, table = _grown(found)
                place = _place(values[i], table, found)
            table[place], found[size] = size, values[i]
            size += 1
        which[i] = table[place]
    order = np.argsort(found[:size])
    rank = np.empty(size, np.int64)
    rank[order] = np.arange(size)
    for i in range(len(which)):
        which[i] = rank[which[i]]
    return found[:size][order], which


@njit(cache=True, nogil=True)
def _place(value: int, table: IntArray, found: IntArray) -> int:
    """Where a value stands in the table, or would."""
    mixed = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)
    place = int(mixed >> np.uint64(40)) & (len(table) - 1)
    while table[place] >= 0 and found[table[place]] != value:
        place = (place + 1) & (len(table) - 1)
    return place


@njit(cache=True, nogil=True)
def _grown(found: IntArray) -> tuple[IntArray, IntArray]:
    """Room for twice as many values, and their table."""
    more, table = np.empty(2 * len(found), np.int64), np.full(4 * len(found), -1)
    more[: len(found)] = found
    for number in range(len(found)):
        table[_place(found[number], table, more)] = number
    return more, table
