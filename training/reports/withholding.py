"""Numbers as they may be shown: a cell behind which too few debtors stand is withheld, and cannot be worked out from others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from training.reports.blocks import Kind, Quantity
from training.trials.intervals import Interval

BoolArray = npt.NDArray[np.bool_]

FEWEST = 10
"""Debtors behind a number that is shown."""


def quantity(kind: Kind, found: Interval | float, *, withheld: bool = False) -> Quantity:
    """A number, with its interval if it has one, as a page shows it; what is not finite is not known.

    >>> quantity(Kind.MONEY, 2.5)
    Quantity(kind=<Kind.MONEY: 'money'>, value=2.5, low=None, high=None, withheld=False)
    >>> quantity(Kind.MONEY, 2.5, withheld=True).value is None
    True
    """
    if withheld:
        return Quantity(kind, None, withheld=True)
    if isinstance(found, Interval):
        value, low, high = map(_finite, found)
        return Quantity(kind, value, low, high) if None not in (low, high) else Quantity(kind, value)
    return Quantity(kind, _finite(found))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def few(debtors: int) -> bool:
    """Whether a number that stands alone rests on too few debtors; nobody at all gives nothing away.

    >>> few(9), few(10), few(0)
    (True, False, False)
    """
    return 0 < debtors < FEWEST


def withheld(debtors: IntArray) -> BoolArray:
    """Which cells of a group are withheld whose total is shown as well, shape (n,).

    Beside the cells of too few debtors further ones, the smallest first, until at least two are withheld and enough
    debtors stand behind them together: the total less the cells shown then tells of no few debtors.

    >>> withheld(np.array([200, 4, 30, 12])).tolist()
    [False, True, False, True]
    >>> withheld(np.array([200, 30, 12])).any()
    np.False_
    """
    gone = (debtors > 0) & (debtors < FEWEST)
    for one in np.argsort(debtors, kind="stable").tolist():
        if _enough(debtors, gone):
            break
        gone[one] = debtors[one] > 0
    return gone


def withheld_in_table(debtors: IntArray) -> BoolArray:
    """The same for a table whose totals of rows and of columns are shown as well, shape (rows, columns).

    >>> withheld_in_table(np.array([[4, 50, 60], [70, 80, 90], [40, 30, 20]])).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0], [1, 1, 0]]
    """
    gone = (debtors > 0) & (debtors < FEWEST)
    before = -1
    while int(gone.sum()) != before:
        before = int(gone.sum())
        for lines, hidden in ((debtors, gone), (debtors.T, gone.T)):
            for counts, mask in zip(lines, hidden, strict=True):
                mask |= _further(counts, mask.copy())
    return gone


def _further(debtors: IntArray, gone: BoolArray) -> BoolArray:
    for one in np.lexsort((debtors, gone)).tolist():
        if _enough(debtors, gone):
            break
        gone[one] |= debtors[one] > 0
    return gone


def _enough(debtors: IntArray, gone: BoolArray) -> bool:
    """Whether what is withheld tells nothing: no cell, or two or more with enough debtors together."""
    count = int(gone.sum())
    return count == 0 or (count > 1 and int(debtors[gone].sum()) >= FEWEST)


def withheld_sparing(debtors: IntArray, spared: IntArray) -> BoolArray:
    """Like `withheld`, but the cells whose places are in `spared` are the last to be withheld for others' sake.

    >>> withheld_sparing(np.array([200, 300, 4, 900]), spared=np.array([0])).tolist()
    [False, True, True, False]
    """
    gone = (debtors > 0) & (debtors < FEWEST)
    late = np.isin(np.arange(len(debtors)), spared)
    for one in np.lexsort((debtors, late)).tolist():
        if _enough(debtors, gone):
            break
        gone[one] |= debtors[one] > 0
    return gone


def withheld_among(cells: Sequence[IntArray]) -> BoolArray:
    """As `withheld`, where a debtor may stand in several cells: each is the debtors behind it, without repeats.

    What is withheld is enough once so many debtors stand behind it together, each counted once.

    >>> one, two = np.arange(6), np.arange(40)
    >>> withheld_among([one, one, two]).tolist(), withheld(np.array([6, 6, 40])).tolist()
    ([True, True, True], [True, True, False])
    """
    sizes = np.array([len(one) for one in cells], dtype=np.int64)
    return _further_among(cells, (sizes > 0) & (sizes < FEWEST))


def withheld_in_table_among(cells: Sequence[Sequence[IntArray]]) -> BoolArray:
    """As `withheld_in_table`, where a debtor may stand in several cells."""
    sizes = np.array([[len(one) for one in line] for line in cells], dtype=np.int64)
    gone = (sizes > 0) & (sizes < FEWEST)
    before = -1
    while int(gone.sum()) != before:
        before = int(gone.sum())
        for lines, hidden in ((cells, gone), (list(zip(*cells, strict=True)), gone.T)):
            for line, mask in zip(lines, hidden, strict=True):
                mask |= _further_among(line, mask.copy())
    return gone


def _further_among(cells: Sequence[IntArray], gone: BoolArray) -> BoolArray:
    sizes = np.array([len(one) for one in cells], dtype=np.int64)
    for one in np.lexsort((sizes, gone)).tolist():
        if not gone.any() or (gone.sum() > 1 and _stand_behind(cells, gone)):
            break
        gone[one] |= sizes[one] > 0
    return gone


def _stand_behind(cells: Sequence[IntArray], gone: BoolArray) -> bool:
    """Whether enough debtors stand behind the cells together; they are put together only where no cell has enough."""
    hidden = [one for one, hide in zip(cells, gone.tolist(), strict=True) if hide]
    return max(map(len, hidden)) >= FEWEST or len(np.unique(np.concatenate(hidden))) >= FEWEST
