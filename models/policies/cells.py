"""Cells of channel and part of the day: the level at which choices are drawn and judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.times import IntArray
from data.vocabulary import DAYPARTS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Candidates by cell, shape (n, K) each; cell 0 is `none`.

    `best` is the action of the highest value in the cell, `value_eur` its value, −inf where the cell holds no candidate;
    `count` the candidates in it.
    """

    best: IntArray
    value_eur: FloatArray
    count: IntArray


def cell_count(grid: ActionGrid) -> int:
    """Cells K of a grid: `none`, and each channel in each part of the day, whether it has a slot or not."""
    return 1 + (len(grid.channels) - 1) * len(DAYPARTS)


def cell_of_action(grid: ActionGrid) -> IntArray:
    """Cell of each action, shape (A,); 0 for `none`.

    >>> cell_of_action(ActionGrid(("none", "sms", "email"), days=1, hours=(10, 18))).tolist()
    [0, 1, 3, 4, 6]
    """
    cell: IntArray = 1 + (grid.channel.astype(np.int64) - 1) * len(DAYPARTS) + grid.daypart
    cell[NO_ACTION] = 0
    return cell


def cell_name(cell: int, *, channels: tuple[str, ...]) -> tuple[str, str]:
    """Channel and part of the day of a cell on a grid with these channels; no part for `none`.

    >>> cell_name(6, channels=("none", "sms", "email")), cell_name(0, channels=("none", "sms"))
    (('email', 'evening'), ('none', ''))
    """
    if cell == 0:
        return channels[0], ""
    return channels[1 + (cell - 1) // len(DAYPARTS)], DAYPARTS[(cell - 1) % len(DAYPARTS)]


def by_cell(value_eur: FloatArray, candidates: BoolArray, *, grid: ActionGrid) -> Cells:
    """Best candidate, its value and the number of candidates of each cell; equal values go to the earliest slot.

    Parameters
    ----------
    value_eur, candidates
        Shape (n, A).
    """
    shape = (len(candidates), cell_count(grid))
    found = Cells(np.zeros(shape, dtype=np.int64), np.full(shape, -np.inf), np.zeros(shape, dtype=np.int64))
    values = np.where(candidates, value_eur, -np.inf)
    cell = cell_of_action(grid)
    for number in range(shape[1]):
        inside = np.flatnonzero(cell == number)
        if len(inside):
            mine = values[:, inside]
            place = np.argmax(np.round(mine, 12), axis=1)
            found.best[:, number] = inside[place]
            found.value_eur[:, number] = np.take_along_axis(mine, place[:, None], axis=1)[:, 0]
            found.count[:, number] = candidates[:, inside].sum(axis=1)
    return found


def with_floor(chances: FloatArray, candidates: BoolArray, *, grid: ActionGrid, floor: float) -> FloatArray:
    """Chances mixed so that every cell with a candidate has at least `floor`, shape (n, A); rows still sum to 1.

    The floor of a cell is shared evenly among its candidates: first the channel and the part of the day, then the slot.

    Parameters
    ----------
    chances
        Rows that sum to 1, 0 where there is no candidate.
    candidates
        At least one in each row.

    >>> grid = ActionGrid(("none", "sms", "email"), days=1, hours=(10, 18))
    >>> best = np.array([[0.0, 1.0, 0.0, 0.0, 0.0]])
    >>> with_floor(best, np.array([[True, True, True, False, True]]), grid=grid, floor=0.1).round(2).tolist()
    [[0.1, 0.7, 0.1, 0.0, 0.1]]
    """
    cell = cell_of_action(grid)
    count = np.stack([candidates[:, cell == number].sum(axis=1) for number in range(cell_count(grid))], axis=1)
    spread = np.where(candidates, (floor / np.maximum(count, 1))[:, cell], 0.0)
    left = 1.0 - floor * (count > 0).sum(axis=1, keepdims=True)
    mixed: FloatArray = spread + left * chances
    return mixed
