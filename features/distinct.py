"""Values that there are, where mostly all are the same."""

from __future__ import annotations

import numpy as np

from data.times import IntArray


def distinct(values: IntArray) -> tuple[list[int], IntArray]:
    """Values that there are, in rising order, and which of them each one is, shape (n,).

    >>> distinct(np.array([7, 5, 7]))
    ([5, 7], array([1, 0, 1]))
    """
    if len(values) and (values == values[0]).all():
        return [int(values[0])], np.zeros(len(values), dtype=np.int64)
    found, which = np.unique(values, return_inverse=True)
    return [int(one) for one in found], which
