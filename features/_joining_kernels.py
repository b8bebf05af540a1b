"""Columns of several histories put end to end: one pass over everything that they hold."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import njit

from data.times import IntArray


@njit(cache=True, nogil=True)
def weave(flat: npt.NDArray[Any], sizes: IntArray, further: IntArray, place: IntArray, out: npt.NDArray[Any]) -> None:
    """Copy every part's columns to where those of the parts before end.

    `flat` holds part after part, and of each part column after column, `sizes[p, c]` entries long, all of one kind of whole
    number; `further[p, c]` is added to each. `place[c]` is where column c begins in `out` and is moved to its end.
    """
    at = 0
    for p in range(sizes.shape[0]):
        for c in range(sizes.shape[1]):
            begin, end = place[c], place[c] + sizes[p, c]
            out[begin:end] = flat[at : at + sizes[p, c]]
            if further[p, c] != 0:
                for k in range(begin, end):
                    out[k] += further[p, c]
            at += sizes[p, c]
            place[c] = end
