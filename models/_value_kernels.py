"""Sums over claims: a loop over cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def add_lifts(
    probability: FloatArray, worth_eur: FloatArray, debtor: IntArray, covered: BoolArray, total: FloatArray
) -> None:
    """Add to IN/OUT `total` (n, A) what each covered claim brings in over action 0, claim by claim; NaN adds nothing.

    Chances (m, A); what a claim is worth, its debtor and whether it is covered, (m,) each.
    """
    for claim in range(len(debtor)):
        if covered[claim]:
            mine, row, worth = probability[claim], total[debtor[claim]], worth_eur[claim]
            without = mine[0]
            for action in range(len(mine)):
                one = (mine[action] - without) * worth
                row[action] += 0.0 if np.isnan(one) else one
