"""Cells of a frame's actions, such as their channel: what marginalised estimators weigh instead of single actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.decision_frame import DecisionFrame
from data.frame_table import BoolArray, FloatArray, IntArray
from training.frames.estimates import Marginal, Model
from training.ope.marginal import cell_probability, cell_reward, cell_weight, embedding_of

TOLERANCE = 0.01
"""How far the logging chances of all actions may be from one before the log's policy counts as not known."""
LABEL = "action"


@dataclass(frozen=True)
class Cells:
    """A coarser view of the actions under a logging policy that is known as a whole.

    Parameters
    ----------
    by
        The action features that tell cells apart.
    cell
        Cell of each action, shape (A,), numbers 0..C-1.
    logging
        Chance of every action at every row, in few distinct rows, shape (G, A).
    row
        The row of `logging` of each logged row, shape (n,).
    """

    by: tuple[str, ...]
    cell: IntArray
    logging: FloatArray
    row: IntArray

    @property
    def text(self) -> str:
        """What the cells are, in words."""
        return f"{int(self.cell.max()) + 1} cells of {len(self.cell)} actions, by {', '.join(self.by)}"

    def marginal(self, target: FloatArray, action: IntArray, *, each: FloatArray | None) -> Marginal:
        """Weights of cells for a policy with chances `target`, shape (n, A), and the model's rewards of cells.

        Parameters
        ----------
        each
            The model's reward of every action, shape (n, A); None where there is no model.
        """
        embedding, rows = embedding_of(self.cell), np.arange(len(action))
        logging = self.logging[self.row]
        wanted, cell = cell_probability(target, embedding), self.cell[action]
        weight = cell_weight(wanted, cell_probability(logging, embedding), cell=cell)
        if each is None:
            return Marginal(weight, None, self.text)
        reward = cell_reward(each, logging, embedding=embedding)
        return Marginal(weight, Model(reward[rows, cell], (wanted * reward).sum(axis=1)), self.text)


def cells_of(frame: DecisionFrame) -> Cells | None:
    """The frame's cells; None where no action feature groups the actions, or their chances are not all known."""
    by, cell = _coarser(frame)
    logging = _logging(frame)
    return None if logging is None or cell is None else Cells(by, cell, logging, frame.fixed)


def _coarser(frame: DecisionFrame) -> tuple[tuple[str, ...], IntArray | None]:
    """The finest cells that the leading categorical features make of the actions, two actions or more a cell on average."""
    features = frame.action_features
    places = [i for i, levels in enumerate(features.levels) if levels is not None and features.names[i] != LABEL]
    while places:
        cell = np.unique(features.values[:, places], axis=0, return_inverse=True)[1].reshape(-1)
        if 1 < cell.max() + 1 <= len(frame.actions) / 2:
            return tuple(features.names[i].removeprefix("action_") for i in places), np.asarray(cell, dtype=np.int64)
        places.pop()
    return (), None


def _logging(frame: DecisionFrame) -> FloatArray | None:
    """Chance of every action by what was fixed before, shape (G, A), where the logged chances show all of it."""
    chance = frame.action_probability
    if chance is None:
        return None
    groups, actions = max(1, len(frame.fixed_labels)), len(frame.actions)
    place = frame.fixed * actions + frame.action
    least, most = np.full(groups * actions, np.inf), np.zeros(groups * actions)
    np.minimum.at(least, place, chance)
    np.maximum.at(most, place, chance)
    seen: BoolArray = np.isfinite(least)
    if (most[seen] - least[seen] > 1e-9).any():
        return None
    table = most.reshape(groups, actions)
    total = table[np.unique(frame.fixed)].sum(axis=1)
    return table if (np.abs(total - 1) <= TOLERANCE).all() else None
