"""A LightGBM model's trees as flat arrays, read from its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models.grid._kernels import MOST

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Flags of a split's `decision_type`; the two bits behind them are the kind of missing value."""


class UnsupportedModel(ValueError):
    """A model that is no sum of constant leaves: what it says of a grid cannot be told leaf by leaf."""


@dataclass(frozen=True)
class Trees:
    """All splits and leaves of a model, tree behind tree, as a walk to the left meets them: parents first.

    Attributes
    ----------
    width
        Columns of a row that the model was trained with.
    feature, threshold, kind
        Of each split, shape (S,): column, numeric threshold (NaN for a categorical split), `decision_type`.
    categories
        Of each split: codes that go left, shape (?,); empty for a numeric one.
    left, right
        Child of each split, shape (S,): a split, or `~leaf`.
    low, middle, high
        Leaves below each split, shape (S,): those from `low` to `middle` lie left, those from there to `high` right.
    value
        Of each leaf, shape (L,).
    first_leaf
        First leaf of each tree and the number of leaves behind, shape (T + 1,).
    root
        First node of each tree, shape (T,): a split, or `~leaf`.
    objective
        LightGBM's words for what was fitted, such as `binary sigmoid:1`.
    """

    width: int
    feature: IntArray
    threshold: FloatArray
    kind: IntArray
    categories: tuple[IntArray, ...]
    left: IntArray
    right: IntArray
    low: IntArray
    middle: IntArray
    high: IntArray
    value: FloatArray
    first_leaf: IntArray
    root: IntArray
    objective: str


def read_trees(text: str) -> Trees:
    """The trees of `Booster.model_to_string()`.

    Raises
    ------
    UnsupportedModel
        Linear trees, or several outputs a row.
    """
    head, *blocks = text.split("\nend of trees", 1)[0].split("\nTree=")
    about = _fields(head)
    outputs = int(about.get("num_tree_per_iteration", "1"))
    if outputs != 1:
        raise UnsupportedModel(f"the model has {outputs} outputs a row (classes): expected one, binary or regression")
    parts = [_tree(_fields(block), number) for number, block in enumerate(blocks)]
    return _joined(parts, width=int(about["max_feature_idx"]) + 1, objective=about.get("objective", ""))


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


@dataclass(frozen=True)
class _Tree:
    """One tree, its nodes numbered within it as a walk to the left meets them."""

    feature: IntArray
    threshold: FloatArray
    kind: IntArray
    categories: tuple[IntArray, ...]
    left: IntArray
    right: IntArray
    spans: IntArray
    value: FloatArray


def _tree(fields: dict[str, str], number: int) -> _Tree:
    if fields.get("is_linear", "0").strip() == "1":
        raise UnsupportedModel(
            f"tree {number} has linear leaves, whose value moves with the row: train with linear_tree=false"
        )
    feature, kind = _numbers(fields, "split_feature"), _numbers(fields, "decision_type")
    left, right = _numbers(fields, "left_child"), _numbers(fields, "right_child")
    threshold = np.array(fields.get("threshold", "").split(), dtype=np.float64).clip(-MOST, MOST)
    values = np.array(fields["leaf_value"].split(), dtype=np.float64)
    splits, leaves, spans = _from_left_to_right(left.tolist(), right.tolist())
    places = _places(splits), _places(leaves)
    categorical = (kind & CATEGORICAL) > 0
    categories = _categories(fields, threshold, categorical)
    return _Tree(
        feature[splits], np.where(categorical, np.nan, threshold)[splits], kind[splits],
        tuple(categories[split] for split in splits.tolist()), _renamed(left, *places)[splits], _renamed(right, *places)[splits],
        spans[splits], values[leaves],
    )  # fmt: skip


def _places(order: IntArray) -> IntArray:
    """The inverse of an order."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def _numbers(fields: dict[str, str], name: str) -> IntArray:
    return np.array(fields.get(name, "").split(), dtype=np.int64)


def _renamed(child: IntArray, split: IntArray, leaf: IntArray) -> IntArray:
    """Children by their new places."""
    is_leaf = child < 0
    renamed = child.copy()
    renamed[is_leaf], renamed[~is_leaf] = ~leaf[~child[is_leaf]], split[child[~is_leaf]]
    return renamed


def _from_left_to_right(left: list[int], right: list[int]) -> tuple[IntArray, IntArray, IntArray]:
    """Splits and leaves in the order in which a walk to the left first meets them, shape (S,) and (L,).

    And for each split, by its old number, the first leaf below, the first one right of it, and the end, shape (S, 3).
    """
    splits: list[int] = []
    leaves: list[int] = []
    spans = np.zeros((len(left), 3), dtype=np.int64)
    waiting = [(0, 0)] if left else [(~0, 0)]
    while waiting:
        node, seen = waiting.pop()
        if node < 0:
            leaves.append(~node)
            continue
        spans[node, seen] = len(leaves)
        if seen == 0:
            splits.append(node)
        if seen < 2:
            waiting += [(node, seen + 1), (right[node] if seen else left[node], 0)]
    return np.array(splits, dtype=np.int64), np.array(leaves, dtype=np.int64), spans


def _categories(fields: dict[str, str], threshold: FloatArray, categorical: BoolArray) -> tuple[IntArray, ...]:
    bounds = _numbers(fields, "cat_boundaries")
    words = np.array(fields.get("cat_threshold", "").split(), dtype=np.uint32)
    sets = [
        np.flatnonzero(np.unpackbits(words[low:high].view(np.uint8), bitorder="little"))
        for low, high in pairwise(bounds)
    ]
    none = np.zeros(0, dtype=np.int64)
    return tuple(sets[int(which)] if here else none for which, here in zip(threshold, categorical, strict=True))


def _joined(parts: list[_Tree], *, width: int, objective: str) -> Trees:
    splits = np.cumsum([0, *(len(one.feature) for one in parts)])
    leaves = np.cumsum([0, *(len(one.value) for one in parts)])

    def children(name: str) -> IntArray:
        return _stacked(
            np.where(child < 0, child - leaf, child + split)
            for child, leaf, split in zip((getattr(one, name) for one in parts), leaves, splits, strict=False)
        )

    spans = np.concatenate(
        [np.zeros((0, 3), dtype=np.int64), *(one.spans + leaf for one, leaf in zip(parts, leaves, strict=False))]
    )
    single = np.diff(splits) == 0
    return Trees(
        width=width,
        feature=_stacked(one.feature for one in parts),
        threshold=np.concatenate([np.zeros(0), *(one.threshold for one in parts)]),
        kind=_stacked(one.kind for one in parts),
        categories=tuple(found for one in parts for found in one.categories),
        left=children("left"),
        right=children("right"),
        low=spans[:, 0],
        middle=spans[:, 1],
        high=spans[:, 2],
        value=np.concatenate([np.zeros(0), *(one.value for one in parts)]),
        first_leaf=leaves.astype(np.int64),
        root=np.where(single, ~leaves[:-1], splits[:-1]).astype(np.int64),
        objective=objective,
    )


def _stacked(parts: Iterator[Any]) -> IntArray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)
