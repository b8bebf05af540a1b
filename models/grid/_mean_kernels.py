"""Means over an axis of scores: one loop over rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def mean_out(values: FloatArray, out: FloatArray) -> None:
    """Means of values (n, before, size, after) over `size`: OUT `out` (n, before, after)."""
    rows, before, size, after = values.shape
    for row in range(rows):
        for b in range(before):
            if after == 1:
                total = 0.0
                for k in range(size):
                    total += values[row, b, k, 0]
                out[row, b, 0] = total / size
                continue
            here = out[row, b]
            here[:] = 0.0
            for k in range(size):
                one = values[row, b, k]
                for a in range(after):
                    here[a] += one[a]
            for a in range(after):
                here[a] /= size
