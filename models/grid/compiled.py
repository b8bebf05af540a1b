"""A model taken apart, ready to meet any grid of actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.grid._kernels import Coding, Walk, Words
from models.grid.coding import coded
from models.grid.conditions import Conditions, conditions_of
from models.grid.trees import IntArray, Trees
from models.grid.words import places, walk_of, words_of


@dataclass(frozen=True)
class Compiled:
    """A model's splits by row and by action.

    Attributes
    ----------
    of_rows
        How many coded columns are the row's; the others are the action's.
    place
        Place of each leaf among the words' 64s, shape (L,).
    forks
        Splits by the action, shape (K,).
    spans
        First leaf below each of them, first leaf right of it, and the first behind, shape (K, 3).
    """

    coding: Coding
    of_rows: int
    words: Words
    walk: Walk
    conditions: Conditions
    place: IntArray
    forks: IntArray
    spans: IntArray


def compiled(trees: Trees, *, action_columns: IntArray) -> Compiled:
    """The model, taken apart at the splits on the action's columns."""
    splits, place = coded(trees, action_columns=action_columns), places(trees)
    forks = np.flatnonzero(splits.by_action)
    return Compiled(
        splits.coding,
        splits.of_rows,
        words_of(trees, splits, place),
        walk_of(trees, splits, place),
        conditions_of(trees, splits),
        place,
        forks,
        np.column_stack([trees.low, trees.middle, trees.high])[forks],
    )
