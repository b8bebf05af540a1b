"""Events by hour, each counted for the hours near it: a loop over debtors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.times import IntArray
from features.columns import FloatArray


@njit(cache=True, nogil=True)
def over_usual(counts: IntArray, relative: FloatArray, weight: float, out: npt.NDArray[np.float32]) -> None:
    """Fill `out` (d, h) with counts (d, h) over as many as usual, `weight` more of them as usual.

    `relative[k, h]` is what an event at k counts for h, over the usual share of h. The sums run in the same order for one row
    as for many, so that a debtor alone has the bits that it has among others; a product of matrices has not.
    """
    spread = np.empty(counts.shape[1])
    for i in range(len(counts)):
        spread[:] = weight
        total = weight
        for k in range(counts.shape[1]):
            if counts[i, k] > 0:
                total += counts[i, k]
                for h in range(counts.shape[1]):
                    spread[h] += counts[i, k] * relative[k, h]
        for h in range(counts.shape[1]):
            out[i, h] = spread[h] / total
