"""What the row decides: splits as operations on bits, one bit a leaf; and the same trees to walk for a single row."""

from __future__ import annotations

import numpy as np

from models.grid._kernels import BITS, CODED_CATEGORICAL, FLAGS, CodeArray, Coding, Walk, Words
from models.grid.coding import Coded, flag_rows, values_of
from models.grid.trees import IntArray, Trees


def places(trees: Trees) -> IntArray:
    """Place of each leaf among the words' 64s, shape (L,): leaves of a tree behind each other from a new word on."""
    leaves = np.diff(trees.first_leaf)
    words = np.cumsum([0, *(-(-leaves // BITS))])[: len(leaves)]
    tree = np.repeat(np.arange(len(leaves)), leaves)
    within: IntArray = np.arange(len(tree)) - trees.first_leaf[tree]
    place: IntArray = within + words[tree] * BITS
    return place


def words_of(trees: Trees, splits: Coded, place: IntArray) -> Words:
    """The row's splits, sorted by part, numeric before categorical ones."""
    count = -(-(int(place.max(initial=-1)) + 1) // BITS) * BITS
    mine = np.flatnonzero(~splits.by_action)
    low = place[trees.low[mine]]
    middle, high = low + (trees.middle - trees.low)[mine], low + (trees.high - trees.low)[mine]
    times = (high - 1) // FLAGS - low // FLAGS + 1
    here = np.repeat(np.arange(len(mine)), times)
    part = (low // FLAGS)[here] + np.arange(len(here)) - np.repeat(np.cumsum(times) - times, times)
    order = np.lexsort((here, splits.categorical[mine][here], part))
    here, part = here[order], part[order]
    split = mine[here]
    parts = np.bincount(part, minlength=count // FLAGS)
    end = np.cumsum(parts)
    value = np.zeros(count)
    value[place] = trees.value
    flag_column, flag_row = _flags(splits.coding, splits.of_rows)
    return Words(
        begin=end - parts,
        middle=end - np.bincount(part[splits.categorical[split]], minlength=count // FLAGS),
        end=end,
        column=splits.column[split].astype(np.int32),
        at=splits.at[split].astype(np.uint16 if splits.at.max(initial=0) < 65_536 else np.int64),
        keep_left=~_bits(middle[here], high[here], part),
        keep_right=~_bits(low[here], middle[here], part),
        flag_column=flag_column,
        flag_row=flag_row,
        goes_left=splits.goes_left,
        value=value,
    )


def _flags(coding: Coding, of_rows: int) -> tuple[IntArray, IntArray]:
    rows = [
        flag_rows(values_of(coding, column)) if coding.kind[column] == CODED_CATEGORICAL else 0
        for column in range(of_rows)
    ]
    return np.repeat(np.arange(of_rows), rows), np.cumsum([0, *rows]).astype(np.int64)


def _bits(low: IntArray, high: IntArray, part: IntArray) -> CodeArray:
    """Places from `low` to `high` as bits of a part of a word."""
    begin, end = np.clip(low - part * FLAGS, 0, FLAGS), np.clip(high - part * FLAGS, 0, FLAGS)
    bits: IntArray = (1 << end) - (1 << begin)
    return bits.astype(np.uint16)


def walk_of(trees: Trees, splits: Coded, place: IntArray) -> Walk:
    """The trees with leaves by their place."""
    asks = np.where(splits.by_action, -1, np.where(splits.categorical, -2 - splits.column, splits.column))
    nodes = np.column_stack([asks, splits.at, _placed(trees.left, place), _placed(trees.right, place)])
    return Walk(_placed(trees.root, place).astype(np.int32), nodes.astype(np.int32))


def _placed(node: IntArray, place: IntArray) -> IntArray:
    return np.where(node < 0, ~place[~np.minimum(node, -1)], node)
