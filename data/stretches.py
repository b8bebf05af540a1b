"""Stretches of rows, as arrays sorted by owner have them: from a first row to an end for each of some owners."""

from __future__ import annotations

import numpy as np

from data.times import IntArray


def rows_of(first: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Every row of the stretches [first, end), one stretch after another: the number of its stretch, and the row, both (rows,).

    >>> [one.tolist() for one in rows_of(np.array([4, 9, 0]), np.array([6, 9, 1]))]
    [[0, 0, 2], [4, 5, 0]]
    """
    count = end - first
    stretch = np.repeat(np.arange(len(count)), count)
    begun = np.cumsum(count) - count
    return stretch, np.arange(len(stretch)) + np.repeat(first - begun, count)
