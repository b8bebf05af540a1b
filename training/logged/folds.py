"""Folds by unit: a row is always predicted by a fit that has not seen its debtor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FOLDS = 3


class TooFewUnits(ValueError):
    """Fewer units than folds: a fit would have nothing to learn from, or nothing to predict."""


def folds_by_unit(unit: IntArray, count: int, *, rng: np.random.Generator) -> IntArray:
    """Fold 0..count-1 of each row, shape as `unit`; all rows of a unit are in one fold, folds differ by one unit at most.

    Parameters
    ----------
    unit
        Shape (n,), any numbers.

    Raises
    ------
    TooFewUnits
        Fewer units than folds.

    >>> folds_by_unit(np.array([7, 7, 9]), 2, rng=np.random.default_rng(1)).tolist()
    [0, 0, 1]
    """
    names, row = np.unique(unit, return_inverse=True)
    if len(names) < count:
        raise TooFewUnits(f"expected at least {count} debtors, one for each fold; came {len(names)}")
    of_unit = rng.permutation(np.arange(len(names)) % count)
    fold: IntArray = of_unit[row].astype(np.int64)
    return fold


def sampled(rows: IntArray, most: int, *, rng: np.random.Generator) -> IntArray:
    """At most `most` of the rows, drawn without replacement, in their order.

    >>> sampled(np.arange(3), 5, rng=np.random.default_rng(1)).tolist()
    [0, 1, 2]
    """
    if len(rows) <= most:
        return rows
    chosen: IntArray = np.sort(rng.choice(rows, most, replace=False))
    return chosen
