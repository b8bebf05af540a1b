"""Words by code: a loop over letters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

IntArray = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True)
def spelled(codes: IntArray, start: IntArray, letters: Letters) -> tuple[npt.NDArray[np.int32], Letters]:
    """Where the word of each code (m,) begins and the last ends, shape (m + 1,), and their letters; none where a code is negative.

    Word w is `letters[start[w]:start[w + 1]]`.
    """
    begin, total = np.zeros(len(codes) + 1, np.int32), 0
    for row in range(len(codes)):
        if codes[row] >= 0:
            total += start[codes[row] + 1] - start[codes[row]]
        begin[row + 1] = total
    told = np.empty(total, np.uint8)
    for row in range(len(codes)):
        for letter in range(begin[row + 1] - begin[row]):
            told[begin[row] + letter] = letters[start[codes[row]] + letter]
    return begin, told
