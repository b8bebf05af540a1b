"""The grid scorer: a LightGBM model, told which columns are the action's, scores every action for every row at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.grid._kernels import BLOCK, Plan, by_number, score_rows, walk_row
from models.grid.bound import bound
from models.grid.compiled import Compiled, compiled
from models.grid.shelf import Shelf
from models.grid.trees import FloatArray, IntArray, UnsupportedModel, read_trees

Rows = npt.NDArray[np.floating[Any]]

FEW = 3
"""Up to so many rows are walked one by one: a block costs about as much as three walks."""


KEPT_BYTES = 128 * 2**20
"""Memory for grids that a scorer remembers, those used last: a grid of some hundred actions takes less than a megabyte."""


FIRST = np.zeros(1, dtype=np.int64)
"""The number of a single grid."""


class WrongShape(ValueError):
    """Rows or actions do not have the columns that the model was told of."""


class Offset(NamedTuple):
    """What is added to raw scores beside the model's: a table of rows by some kind of action, such as channel or part of the day.

    `table` has shape (n, K), `of_action` the kind of each action, 0 to K - 1, shape (A,).
    """

    table: FloatArray
    of_action: IntArray


@dataclass(frozen=True, eq=False)
class Grid:
    """A model met with the actions of one grid; made by `GridScorer.bind`."""

    model: Compiled
    plan: Plan
    width: int
    sigmoid: float | None

    @property
    def actions(self) -> int:
        """Number of actions A."""
        return int(self.plan.cell.shape[1])

    @property
    def size_bytes(self) -> int:
        """Memory of what is kept of this grid."""
        return sum(part.nbytes for part in self.plan if isinstance(part, np.ndarray))

    def raw(
        self, rows: Rows, *, take: IntArray | None = None, out: FloatArray | None = None, threads: int = 1
    ) -> FloatArray:
        """Raw score of every action for every row, shape (n, A), as `Booster.predict(raw_score=True)` has it.

        They differ in the order in which leaves are added up alone: by 1e-12 at most where scores are log odds.

        Parameters
        ----------
        rows
            The row's columns without the action's, in the model's order, shape (n, F - k), float32 or float64.
        take, out
            Rows to score, and where to, float64 of shape (n, A); the others are left as they are in `out`, and are missing
            where there is none. None: all rows.
        threads
            Blocks of rows are scored without the interpreter lock. The result does not depend on it.

        Raises
        ------
        WrongShape
            `rows` has other columns, `out` another shape, or `take` a row that is not there.
        """
        self._must_fit(rows, take, out)
        rows = _as_kernels_take(rows)
        if out is None:
            out = (
                np.full((len(rows), self.actions), np.nan) if take is not None else np.empty((len(rows), self.actions))
            )
        take = np.arange(len(rows)) if take is None else take.astype(np.int64)
        if len(take) <= FEW:
            for one in take.tolist():
                _walk(self.model, rows, one, 0, self.plan, out)
            return out
        parts = np.array_split(take, threads) if threads > 1 and len(take) > BLOCK else [take]
        if len(parts) == 1:
            self._score(rows, take, out)
            return out
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: self._score(rows, part, out), parts))
        return out

    def probability(self, rows: Rows, *, offsets: Sequence[Offset] = (), threads: int = 1) -> FloatArray:
        """Chance of every action for every row, shape (n, A), of a binary model; offsets are added to the raw scores.

        Raises
        ------
        UnsupportedModel
            The model's objective is not `binary`.
        """
        if self.sigmoid is None:
            raise UnsupportedModel("chances are told by a model with objective `binary` only: take `raw`")
        raw = self.raw(rows, threads=threads)
        for table, of_action in offsets:
            raw += table[:, of_action]
        chance: FloatArray = expit(self.sigmoid * raw)
        return chance

    def _must_fit(self, rows: Rows, take: IntArray | None, out: FloatArray | None) -> None:
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise WrongShape(
                f"rows of {self.width} columns are expected, all of the model's but the action's, came shape {rows.shape}"
            )
        if out is not None and (out.shape != (len(rows), self.actions) or out.dtype != np.float64):
            raise WrongShape(
                f"`out` of shape {(len(rows), self.actions)} and float64 is expected, came {out.shape} and {out.dtype}"
            )
        if take is not None and len(take) and not 0 <= int(take.min()) <= int(take.max()) < len(rows):
            raise WrongShape(f"`take` names rows {take.min()} to {take.max()}, there are rows 0 to {len(rows) - 1}")

    def _score(self, rows: Rows, take: IntArray, out: FloatArray) -> None:
        _score(self.model, rows, take, np.array([0, len(take)]), FIRST, self.plan, out)


@dataclass(frozen=True, eq=False)
class Grids:
    """A model met with several grids of as many actions each; made by `GridScorer.bind_each`.

    `which` is the place of each grid in the plan, shape (K,).
    """

    model: Compiled
    plan: Plan
    which: IntArray
    width: int

    def raw(self, rows: Rows, *, of_row: IntArray) -> FloatArray:
        """Raw score of every action of each row's own grid, shape (n, A): the bits that `Grid.raw` has for the row.

        All rows go through the model together: where each grid has few of them, that saves a block's fixed cost for each.

        Parameters
        ----------
        rows
            As for `Grid.raw`.
        of_row
            Number of each row's grid, 0 to K - 1, shape (n,).

        Raises
        ------
        WrongShape
            `rows` has other columns.
        """
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise WrongShape(f"rows of {self.width} columns are expected, came shape {rows.shape}")
        rows = _as_kernels_take(rows)
        out = np.empty((len(rows), self.plan.cell.shape[1]))
        if len(rows) <= FEW:
            for one, number in enumerate(self.which[of_row].tolist()):
                _walk(self.model, rows, one, number, self.plan, out)
            return out
        take, run = by_number(of_row, len(self.which))
        _score(self.model, rows, take, run, self.which, self.plan, out)
        return out


def _as_kernels_take(rows: Rows) -> Rows:
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    return np.require(rows, requirements=["C", "W"])


def _score(
    model: Compiled, rows: Rows, take: IntArray, run: IntArray, which: IntArray, plan: Plan, out: FloatArray
) -> None:
    score_rows(rows, take, run, which, model.of_rows, model.coding, model.words, plan, out)


def _walk(model: Compiled, rows: Rows, one: int, number: int, plan: Plan, out: FloatArray) -> None:
    walk_row(rows, one, number, model.of_rows, model.coding, model.words, model.walk, plan, out)


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
        Linear leaves, several outputs, or more than 65,534 thresholds in a column.
    WrongShape
        A column that the model does not have.
    """

    def __init__(self, booster: lgb.Booster, action_columns: Sequence[int]) -> None:
        trees = read_trees(booster.model_to_string())
        self.columns = np.array(action_columns, dtype=np.int64)
        wrong = [column for column in self.columns.tolist() if not 0 <= column < trees.width]
        if wrong:
            raise WrongShape(f"the model has columns 0 to {trees.width - 1}, none of {wrong}")
        if len(np.unique(self.columns)) < len(self.columns):
            raise WrongShape(f"a column is the action's once, came {self.columns.tolist()}")
        self.width = trees.width - len(self.columns)
        self.compiled = compiled(trees, action_columns=self.columns)
        self._sigmoid = _sigmoid(trees.objective)
        self._kept: OrderedDict[bytes, Grid] = OrderedDict()
        self._shelves: dict[int, Shelf] = {}
        self._lock = Lock()

    @property
    def asks_action(self) -> bool:
        """Whether any column of the action moves the score."""
        return len(self.compiled.forks) > 0

    def bind(self, actions: Rows) -> Grid:
        """The scorer of one grid, a new date or another set of hours alike; those used last are remembered.

        Parameters
        ----------
        actions
            Values of the action's columns for each action, in the order of `action_columns`, shape (A, k).

        Raises
        ------
        WrongShape
            Another number of columns, or no action.
        """
        self._must_fit(actions)
        key = _key(actions)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        grid = Grid(self.compiled, self._bound(actions), self.width, self._sigmoid)
        with self._lock:
            self._kept[key] = grid
            while len(self._kept) > 1 and sum(one.size_bytes for one in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)
        return grid

    def bind_each(self, actions: Rows, *, keys: Sequence[bytes] = ()) -> Grids:
        """The scorer of several grids at once, for rows of which each has its own; `actions` has shape (K, A, k).

        Grids that were met stay side by side, as long as they take no more memory than `KEPT_BYTES`: then it is begun anew.

        Parameters
        ----------
        keys
            What each grid is known by, the same for the same numbers alone; none: the numbers themselves.

        Raises
        ------
        WrongShape
            Actions of another number of columns, no action, or no grid.
        """
        if actions.ndim != 3 or not len(actions):
            raise WrongShape(f"one grid of actions or more are expected, (K, A, k), came shape {actions.shape}")
        self._must_fit(actions[0])
        keys = keys or [_key(one) for one in actions]
        with self._lock:
            shelf = self._shelf(actions, keys)
            which = np.array([shelf.number[key] for key in keys], dtype=np.int64)
            return Grids(self.compiled, shelf.plan, which, self.width)

    def _shelf(self, actions: Rows, keys: Sequence[bytes]) -> Shelf:
        """What holds all of these grids."""
        found = self._shelves.get(actions.shape[1])
        if found is not None and all(key in found.number for key in keys):
            return found
        if sum(one.size_bytes for one in self._shelves.values()) > KEPT_BYTES:
            self._shelves, found = {}, None
        if found is None:
            found = self._shelves[actions.shape[1]] = Shelf(keys[0], self._bound(actions[0]))
        for key, one in zip(keys, actions, strict=True):
            if key not in found.number:
                found.put(key, self._bound(one))
        return found

    def _bound(self, actions: Rows) -> Plan:
        return bound(self.compiled, np.ascontiguousarray(actions, dtype=np.float64))

    def _must_fit(self, actions: Rows) -> None:
        if actions.ndim != 2 or actions.shape[1] != len(self.columns) or not len(actions):
            raise WrongShape(f"actions of shape (at least 1, {len(self.columns)}) are expected, came {actions.shape}")


def _key(actions: Rows) -> bytes:
    """What a grid is known by."""
    return actions.dtype.char.encode() + actions.tobytes()


def _sigmoid(objective: str) -> float | None:
    """Steepness of a binary model's logistic, None of another model.

    >>> _sigmoid("binary sigmoid:1"), _sigmoid("regression"), _sigmoid("")
    (1.0, None, None)
    """
    words = objective.split()
    if not words or words[0] != "binary":
        return None
    return next((float(word.split(":", 1)[1]) for word in words if word.startswith("sigmoid:")), 1.0)
