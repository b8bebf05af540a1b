"""The grid scorer: a LightGBM model, told which columns are the action's, scores every action for every row at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.grid._kernels import BLOCK, score_rows, walk_row
from models.grid.bound import Plan, bound
from models.grid.compiled import Compiled, compiled
from models.grid.trees import FloatArray, IntArray, read_trees

Rows = npt.NDArray[np.floating[Any]]

FEW = 3
"""Up to so many rows are walked one by one: a block costs about as much as four walks."""


GRIDS_KEPT = 256
"""Grids that a scorer remembers: a night has one for each country and pay day."""


class WrongShape(ValueError):
    """Rows or actions do not have the columns that the model was told of."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A model met with the actions of one grid; made by `GridScorer.bind`."""

    model: Compiled
    plan: Plan
    width: int

    @property
    def actions(self) -> int:
        """Number of actions A."""
        return len(self.plan.cell)

    def raw(
        self, rows: Rows, *, take: IntArray | None = None, out: FloatArray | None = None, threads: int = 1
    ) -> FloatArray:
        """Raw score of every action for every row, shape (n, A), as `Booster.predict(raw_score=True)` has it to 1e-12.

        Parameters
        ----------
        rows
            The row's columns without the action's, in the model's order, shape (n, F - k), float32 or float64.
        take, out
            Rows to score, the others left as they are in `out`; None: all, into a new array.
        threads
            Blocks of rows are scored without the interpreter lock. The result does not depend on it.

        Raises
        ------
        WrongShape
            `rows` has other columns.
        """
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise WrongShape(
                f"rows of {self.width} columns are expected, all of the model's but the action's, came shape {rows.shape}"
            )
        take = np.arange(len(rows)) if take is None else take
        out = np.empty((len(rows), self.actions)) if out is None else out
        if len(take) <= FEW:
            for one in take.tolist():
                walk_row(
                    rows, one, self.model.of_rows, self.model.coding, self.model.words, self.model.walk, self.plan, out
                )
            return out
        parts = np.array_split(take, threads) if threads > 1 and len(take) > BLOCK else [take]
        if len(parts) == 1:
            self._score(rows, take, out)
            return out
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: self._score(rows, part, out), parts))
        return out

    def _score(self, rows: Rows, take: IntArray, out: FloatArray) -> None:
        score_rows(rows, take, self.model.of_rows, self.model.coding, self.model.words, self.plan, out)


class GridScorer:
    """A compiled model, to be bound to any grid of actions.

    Parameters
    ----------
    booster
        A LightGBM model with one output: binary, regression, any objective that adds up leaves.
    action_columns
        Which of its columns are the action's; the others are the row's.

    Raises
    ------
    UnsupportedModel
        Linear leaves or several outputs.
    WrongShape
        A column that the model does not have.
    """

    def __init__(self, booster: lgb.Booster, action_columns: Sequence[int]) -> None:
        trees = read_trees(booster.model_to_string())
        self.columns = np.array(action_columns, dtype=np.int64)
        wrong = [column for column in self.columns.tolist() if not 0 <= column < trees.width]
        if wrong:
            raise WrongShape(f"the model has columns 0 to {trees.width - 1}, none of {wrong}")
        self.width = trees.width - len(self.columns)
        self.compiled = compiled(trees, action_columns=self.columns)
        self._grids = lru_cache(maxsize=GRIDS_KEPT)(self._grid)

    @property
    def asks_action(self) -> bool:
        """Whether any column of the action moves the score."""
        return len(self.compiled.forks) > 0

    def bind(self, actions: Rows) -> Grid:
        """The scorer of one grid, a new date or another set of hours alike; the last `GRIDS_KEPT` are kept.

        Parameters
        ----------
        actions
            Values of the action's columns for each action, in the order of `action_columns`, shape (A, k).

        Raises
        ------
        WrongShape
            Another number of columns, or no action.
        """
        if actions.ndim != 2 or actions.shape[1] != len(self.columns) or not len(actions):
            raise WrongShape(f"actions of shape (at least 1, {len(self.columns)}) are expected, came {actions.shape}")
        values = np.ascontiguousarray(actions, dtype=np.float64)
        return self._grids(values.tobytes(), len(values))

    def _grid(self, values: bytes, actions: int) -> Grid:
        plan = bound(self.compiled, np.frombuffer(values, dtype=np.float64).reshape(actions, len(self.columns)))
        return Grid(self.compiled, plan, self.width)
