"""What a model is asked of: rows that hold an action each, or every row under every action of a grid.

A model says once how raw scores and columns become a chance of payment; arrays over cells broadcast to `shape`, whose last
axis is the action where there is a grid. Training asks for rows, decisions for grids: the formula is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self
from weakref import WeakKeyDictionary

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models._cell_kernels import keep_wanted
from models.boosters import raw_scores
from models.grid import GridScorer

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.floating[Any]]

_scorers: WeakKeyDictionary[lgb.Booster, dict[tuple[int, int, int], GridScorer]] = WeakKeyDictionary()


class Cells(Protocol):
    """Pairs of a row and an action."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,) for rows, (n, A) for a grid."""

    def raw(self, booster: lgb.Booster) -> FloatArray:
        """Raw score of each cell, shape `shape`; (n, 1) where no column of the action moves it."""

    def column(self, number: int) -> Rows:
        """Values of one column: `shape`, (n, 1) or (A,)."""

    def picked(self, columns: IntArray) -> Rows:
        """Values of another column of the row for each action, shape `shape`; `columns` is (n,) for rows, (A,) for a grid."""

    def only(self, here: BoolArray) -> Self:
        """Some of the cells: `here` is (n,) for rows, (A,) for a grid."""

    def without_action(self, first: int) -> Self:
        """The same rows under `none`: column `first` 0 and those behind it missing; a grid has one action left."""

    def with_last(self, value: float) -> Self:
        """The same cells with one more column behind the others, the same for all."""


@dataclass(frozen=True)
class RowCells:
    """Rows of shape (n, F), each with its own action."""

    rows: Rows
    threads: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,)."""
        return (len(self.rows),)

    def raw(self, booster: lgb.Booster) -> FloatArray:
        """As LightGBM gives it."""
        return raw_scores(booster, self.rows, threads=self.threads)

    def column(self, number: int) -> Rows:
        """Shape (n,)."""
        return self.rows[:, number]

    def picked(self, columns: IntArray) -> Rows:
        """Shape (n,)."""
        return self.rows[np.arange(len(self.rows)), columns]

    def only(self, here: BoolArray) -> RowCells:
        """Some of the rows."""
        return RowCells(self.rows[here], self.threads)

    def without_action(self, first: int) -> RowCells:
        """As many rows."""
        rows = self.rows.copy()
        rows[:, first] = 0.0
        rows[:, first + 1 :] = np.nan
        return RowCells(rows, self.threads)

    def with_last(self, value: float) -> RowCells:
        """Shape (n, F + 1) inside."""
        return RowCells(
            np.column_stack([self.rows, np.full(len(self.rows), value, dtype=self.rows.dtype)]), self.threads
        )


@dataclass(frozen=True)
class GridCells:
    """Every one of some rows, shape (n, F - k), under every action of a grid, shape (A, k); the action's columns are the last."""

    rows: Rows
    actions: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, A)."""
        return len(self.rows), len(self.actions)

    def raw(self, booster: lgb.Booster) -> FloatArray:
        """By the grid scorer, which agrees with LightGBM to 1e-12."""
        scorer = scorer_of(booster, actions=self.actions.shape[1])
        actions = self.actions if scorer.asks_action else self.actions[:1]
        return scorer.bind(actions).raw(self.rows)

    def column(self, number: int) -> Rows:
        """Shape (n, 1) or (A,)."""
        width = self.rows.shape[1]
        return self.rows[:, number, None] if number < width else self.actions[:, number - width]

    def picked(self, columns: IntArray) -> Rows:
        """Shape (n, A)."""
        return self.rows[:, columns]

    def only(self, here: BoolArray) -> GridCells:
        """Some of the actions."""
        return GridCells(self.rows, self.actions[here])

    def without_action(self, first: int) -> GridCells:
        """One action."""
        blank = np.full((1, self.actions.shape[1]), np.nan, dtype=self.actions.dtype)
        blank[0, first - self.rows.shape[1]] = 0.0
        return GridCells(self.rows, blank)

    def with_last(self, value: float) -> GridCells:
        """The new column is the action's."""
        last = np.full(len(self.actions), value, dtype=self.actions.dtype)
        return GridCells(self.rows, np.column_stack([self.actions, last]))


@dataclass(frozen=True)
class ClassCells:
    """Every one of some rows, shape (n, F - k), under every action of its class's grid, grids (K, A, k); `of_row` (n,) is the class.

    What each class has alike is told once, as of a single grid.

    Attributes
    ----------
    wanted
        Cells that are asked about, shape (n, A): the raw score of others is missing where it varies with the action, and so is
        what follows from it. None: all.
    keys
        What each grid is known by, as for `GridScorer.bind_each`.
    """

    rows: Rows
    actions: Rows
    of_row: IntArray
    wanted: BoolArray | None = None
    keys: tuple[bytes, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, A)."""
        return len(self.rows), self.actions.shape[1]

    def raw(self, booster: lgb.Booster) -> FloatArray:
        """By the grid scorer, all classes at once."""
        scorer = scorer_of(booster, actions=self.actions.shape[2])
        if not scorer.asks_action:
            return GridCells(self.rows, self.actions[0]).raw(booster)
        raw = scorer.bind_each(self.actions, keys=self.keys).raw(self.rows, of_row=self.of_row)
        if self.wanted is not None:
            keep_wanted(raw, self.wanted)
        return raw

    def column(self, number: int) -> Rows:
        """Shape (n, 1), (A,) where all classes agree, else (n, A)."""
        width = self.rows.shape[1]
        if number < width:
            return self.rows[:, number, None]
        told = self.actions[:, :, number - width]
        alike = np.array_equal(told, np.broadcast_to(told[0], told.shape), equal_nan=True)
        return told[0] if alike else told[self.of_row]

    def picked(self, columns: IntArray) -> Rows:
        """Shape (n, A)."""
        return self.rows[:, columns]

    def only(self, here: BoolArray) -> ClassCells:
        """Some of the actions."""
        wanted = None if self.wanted is None else self.wanted[:, here]
        return ClassCells(self.rows, self.actions[:, here], self.of_row, wanted)

    def without_action(self, first: int) -> ClassCells:
        """One action, the same for every class."""
        blank = GridCells(self.rows, self.actions[0]).without_action(first).actions
        return ClassCells(self.rows, blank[None], np.zeros_like(self.of_row))

    def with_last(self, value: float) -> ClassCells:
        """The new column is the action's."""
        last = np.full((*self.actions.shape[:2], 1), value, dtype=self.actions.dtype)
        return ClassCells(self.rows, np.concatenate([self.actions, last], axis=2), self.of_row, self.wanted)


def scorer_of(booster: lgb.Booster, *, actions: int) -> GridScorer:
    """The compiled model of a booster whose last columns are the action's, kept as long as the booster is.

    A booster that has grown or was cut since is compiled again; other changes to its trees are not noticed.
    """
    compiled = _scorers.setdefault(booster, {})
    key = actions, booster.num_trees(), booster.best_iteration
    found = compiled.get(key)
    if found is None:
        width = booster.num_feature()
        found = GridScorer(booster, range(width - actions, width))
        compiled.clear()
        compiled[key] = found
    return found


def channel_codes(cells: Cells, column: int) -> IntArray:
    """Channel code of each cell, (n,) or (A,); 0 where it is missing."""
    codes: IntArray = np.nan_to_num(cells.column(column), nan=0.0).astype(np.int64)
    return codes
