"""Columns as small ordered codes: a model asks of a column only on which side of its own thresholds a value lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.grid._kernels import CODED_CATEGORICAL, FLAGS, MISSING_NONE, CodeArray, Coding
from models.grid.trees import (
    CATEGORICAL,
    DEFAULT_LEFT,
    BoolArray,
    FloatArray,
    IntArray,
    Trees,
    UnsupportedModel,
)

MOST_CODES = 65_534


@dataclass(frozen=True)
class Coded:
    """A model's splits over coded columns.

    Attributes
    ----------
    of_rows
        How many coded columns are the row's.
    by_action, categorical
        Whether a split asks for the action, and for a category, shape (S,).
    column
        Coded column of each split, shape (S,).
    at
        Highest code that goes left; of a categorical split where its table stands in `goes_left`, shape (S,).
    goes_left
        Categories that go left as bits by code, 16 to an entry, table behind table.
    """

    coding: Coding
    of_rows: int
    by_action: BoolArray
    categorical: BoolArray
    column: IntArray
    at: IntArray
    goes_left: CodeArray


def coded(trees: Trees, *, action_columns: IntArray) -> Coded:
    """Coded columns of a model, and its splits over them.

    Raises
    ------
    UnsupportedModel
        A column has more thresholds or categories than codes can tell apart.
    """
    by_action = np.isin(trees.feature, action_columns)
    categorical = (trees.kind & CATEGORICAL) > 0
    kind = np.where(categorical, CODED_CATEGORICAL, trees.kind >> 2)
    to_left = ~categorical & (trees.kind & DEFAULT_LEFT > 0) & (kind != MISSING_NONE)
    key = ((by_action * trees.width + trees.feature) * 4 + kind) * 2 + to_left
    _, first, column = np.unique(key, return_index=True, return_inverse=True)
    values = [_values(trees, np.flatnonzero(column == number)) for number in range(len(first))]
    size = np.array([len(one) for one in values], dtype=np.int64)
    category = kind[first] == CODED_CATEGORICAL
    edges = [one[:0] if here else _filled_up(one) for one, here in zip(values, category, strict=True)]
    dense = [one if here else one[:0] for one, here in zip(values, category, strict=True)]
    start = np.where(category, _starts(dense), _starts(edges))
    coding = Coding(
        source=_positions(trees.width, action_columns)[trees.feature[first]],
        kind=kind[first],
        missing=np.where(kind[first] == MISSING_NONE, 0.0, np.where(to_left[first], -np.inf, np.inf)),
        start=start,
        size=size,
        edges=np.concatenate([np.zeros(0), *edges]),
        dense=np.concatenate([np.zeros(0), *dense]).astype(np.uint16),
    )
    _must_fit(coding)
    at, goes_left = _asked(trees, coding, column)
    return Coded(coding, int((~by_action[first]).sum()), by_action, categorical, column.astype(np.int64), at, goes_left)


def _values(trees: Trees, splits: IntArray) -> FloatArray:
    """Thresholds that splits on one column know, ascending; of categories the code of each by its number."""
    if not trees.kind[splits[0]] & CATEGORICAL:
        return np.unique(trees.threshold[splits])
    known = np.unique(np.concatenate([trees.categories[split] for split in splits.tolist()]))
    table = np.zeros(int(known.max(initial=-1)) + 1)
    table[known] = np.arange(1, len(known) + 1)
    return table


def _filled_up(edges: FloatArray) -> FloatArray:
    """Thresholds with infinity behind them, as many as a power of two less one."""
    return np.concatenate([edges, np.full((1 << len(edges).bit_length()) - 1 - len(edges), np.inf)])


def _starts(parts: list[FloatArray]) -> IntArray:
    return np.cumsum([0, *(len(one) for one in parts)])[: len(parts)].astype(np.int64)


def _positions(width: int, action_columns: IntArray) -> IntArray:
    """Position of each of the model's columns among the row's, or among the action's, shape (F,)."""
    positions = np.zeros(width, dtype=np.int64)
    rows = np.setdiff1d(np.arange(width), action_columns)
    positions[rows], positions[action_columns] = np.arange(len(rows)), np.arange(len(action_columns))
    return positions


def _must_fit(coding: Coding) -> None:
    thresholds = coding.size[coding.kind != CODED_CATEGORICAL].max(initial=0)
    most = max(int(thresholds), int(coding.dense.max(initial=0)))
    if most > MOST_CODES:
        raise UnsupportedModel(
            f"a column has {most:,} thresholds or categories, {MOST_CODES:,} can be told apart at most"
        )


def _asked(trees: Trees, coding: Coding, column: IntArray) -> tuple[IntArray, CodeArray]:
    """For each split its highest code to the left, or where its table stands; the tables."""
    at = np.zeros(len(column), dtype=np.int64)
    tables: list[CodeArray] = []
    behind = 0
    for number in range(len(coding.kind)):
        mine = np.flatnonzero(column == number)
        known = values_of(coding, number)
        if coding.kind[number] != CODED_CATEGORICAL:
            at[mine] = np.searchsorted(known, trees.threshold[mine])
            continue
        for split in mine.tolist():
            tables.append(_as_flags(known[trees.categories[split]].astype(np.int64), flag_rows(known)))
            at[split], behind = behind, behind + len(tables[-1])
    return at, np.concatenate([np.zeros(0, dtype=np.uint16), *tables])


def values_of(coding: Coding, column: int) -> npt.NDArray[np.float64 | np.uint16]:
    """Thresholds of a coded column, or the codes of its categories."""
    part = slice(coding.start[column], coding.start[column] + coding.size[column])
    return coding.dense[part] if coding.kind[column] == CODED_CATEGORICAL else coding.edges[part]


def flag_rows(dense: npt.NDArray[np.float64 | np.uint16]) -> int:
    """Rows of flags that a column of categories takes, the code of unknown ones included."""
    return int(dense.max(initial=0)) // FLAGS + 1


def _as_flags(codes: IntArray, rows: int) -> CodeArray:
    flags = np.zeros(rows * FLAGS, dtype=np.bool_)
    flags[codes] = True
    return np.packbits(flags, bitorder="little").view(np.uint16)
