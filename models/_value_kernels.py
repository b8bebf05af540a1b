"""Sums over claims: a loop over cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def add_by_debtor(value: FloatArray, debtor: IntArray, covered: BoolArray, total: FloatArray) -> None:
    """Add to IN/OUT `total` (n, A) the values (m, A) of covered claims by their debtor (m,), claim by claim; NaN adds nothing."""
    for claim in range(len(debtor)):
        if covered[claim]:
            mine, row = value[claim], total[debtor[claim]]
            for action in range(len(mine)):
                one = mine[action]
                row[action] += 0.0 if np.isnan(one) else one
