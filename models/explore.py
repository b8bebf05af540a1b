"""Hierarchical exploration: `none`, else a channel, then a part of the day, then a slot, with exact probabilities."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION, ActionGrid
from data.times import IntArray
from data.vocabulary import DAYPARTS, daypart_of_hour

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def explore_probabilities(allowed: BoolArray, *, grid: ActionGrid, p_none: float) -> FloatArray:
    """Chance of every action when exploring, shape (n, A); rows sum to 1 and are 0 where barred.

    `none` has the chance `p_none`, the rest is shared evenly among the channels that have a slot, in each among its
    parts of the day, in each among its slots. Without any allowed contact `none` is certain.

    Parameters
    ----------
    allowed
        Shape (n, A); `none` always is.

    >>> grid = ActionGrid(("none", "sms", "email"), days=1, hours=(10, 18))
    >>> allowed = np.array([[True, True, True, False, True]])
    >>> explore_probabilities(allowed, grid=grid, p_none=0.2).round(2).tolist()
    [[0.2, 0.2, 0.2, 0.0, 0.4]]
    """
    part = slot_dayparts(grid)
    cells = allowed[:, NO_ACTION + 1 :].reshape(len(allowed), len(grid.channels) - 1, grid.slots)
    count = np.stack([cells[:, :, part == one].sum(axis=2) for one in range(len(DAYPARTS))], axis=2)
    parts = (count > 0).sum(axis=2, keepdims=True)
    channels = (parts > 0).sum(axis=1, keepdims=True)
    share = (1.0 - p_none) / np.maximum(channels * parts * count, 1)
    probabilities = np.zeros(allowed.shape, dtype=np.float64)
    probabilities[:, NO_ACTION + 1 :] = (share[:, :, part] * cells).reshape(len(allowed), grid.size - 1)
    probabilities[:, NO_ACTION] = np.where(channels[:, 0, 0] > 0, p_none, 1.0)
    return probabilities


def draw(probabilities: FloatArray, uniforms: FloatArray) -> IntArray:
    """Action of each row by inverse distribution function, shape (n,); never one of probability 0.

    Parameters
    ----------
    probabilities
        Rows that sum to 1, shape (n, A).
    uniforms
        In [0, 1), shape (n,).

    >>> draw(np.array([[0.2, 0.0, 0.8], [0.2, 0.0, 0.8]]), np.array([0.1, 0.2])).tolist()
    [0, 2]
    """
    below = np.cumsum(probabilities, axis=1)
    action = np.count_nonzero(below <= uniforms[:, None], axis=1)
    # Sums of floats may end just under 1: the last possible action takes what is missing.
    last = probabilities.shape[1] - 1 - np.argmax(probabilities[:, ::-1] > 0, axis=1)
    drawn: IntArray = np.minimum(action, last).astype(np.int64)
    return drawn


def channel_probability(probabilities: FloatArray, action: IntArray, *, grid: ActionGrid) -> FloatArray:
    """Chance of the chosen action's channel, whatever the slot, shape (n,)."""
    same = grid.channel[None, :] == grid.channel[action][:, None]
    chance: FloatArray = np.where(same, probabilities, 0.0).sum(axis=1)
    return chance


def channel_daypart_probability(probabilities: FloatArray, action: IntArray, *, grid: ActionGrid) -> FloatArray:
    """Chance of the chosen action's channel in its part of the day, whatever day and hour, shape (n,)."""
    cell = _cells(grid)
    chance: FloatArray = np.where(cell[None, :] == cell[action][:, None], probabilities, 0.0).sum(axis=1)
    return chance


@lru_cache(maxsize=64)
def slot_dayparts(grid: ActionGrid) -> IntArray:
    """Index in `DAYPARTS` of each slot of one channel, shape (S,), not to be written to."""
    part = np.tile(np.array([daypart_of_hour(hour) for hour in grid.hours], dtype=np.int64), grid.days)
    part.flags.writeable = False
    return part


@lru_cache(maxsize=64)
def _cells(grid: ActionGrid) -> IntArray:
    """A number for each action's channel and part of the day, shape (A,), not to be written to."""
    part = np.concatenate([[-1], np.tile(slot_dayparts(grid), len(grid.channels) - 1)])
    cell: IntArray = grid.channel.astype(np.int64) * len(DAYPARTS) + part
    cell.flags.writeable = False
    return cell
