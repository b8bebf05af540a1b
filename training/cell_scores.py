"""Doubly robust scores of every (channel, part of the day) for each judged decision: one pass serves any number of policies.

The mean of the scores at what a policy does is the doubly robust value of `training.policy_value`, for the same question:
the policy's cell, uniform over the allowed slots in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import dayparts_of
from data.times import IntArray
from data.vocabulary import DAYPARTS
from models.decide import Decided
from models.policies.cells import cell_count, cell_of_action
from training.policy_value import Judged, winsorised
from training.splits import cluster_numbers

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellScores:
    """Scores of n judged decisions for K cells; cell 0 is `none`.

    Attributes
    ----------
    recovered_eur, net_eur
        Doubly robust score of what is paid in the horizon, and of that less cost and harm, shape (n, K). A cell without an
        allowed slot has the score of `none`, which is what a policy does there.
    open
        Whether the cell has an allowed slot, shape (n, K).
    logged, paid_eur
        Cell that was logged, and what was paid in the horizon, winsorised, shape (n,).
    weight
        One over the chance of the logged cell, shape (n,); 0 where its slots are all barred when decided again.
    unit
        Number of the debtor, shape (n,).
    """

    recovered_eur: FloatArray
    net_eur: FloatArray
    open: BoolArray
    logged: IntArray
    paid_eur: FloatArray
    weight: FloatArray
    unit: IntArray

    def at(self, cell: IntArray) -> BoolArray:
        """Whether each decision was logged in a policy's cell `cell`, shape (n,)."""
        same: BoolArray = self.logged == cell
        return same


def cell_scores(judged: Judged, decided: Decided) -> CellScores:
    """Scores from logged decisions and the same ones decided again by a model that has not seen their debtors.

    Notes
    -----
    Dudik, Langford and Li (2011); as scores for policy learning: Athey and Wager (2021), Zhou, Athey and Wager (2023).
    """
    grid = decided.prepared.grid
    channel_of_cell = np.concatenate([[0], np.repeat(np.arange(1, len(grid.channels)), len(DAYPARTS))])
    count, value_eur = _by_cell(decided)
    part = np.maximum(dayparts_of(judged.hour), 0)
    channel = judged.channel.astype(np.int64)
    logged = np.where(channel > 0, 1 + (channel - 1) * len(DAYPARTS) + part, 0)
    rows = np.arange(len(logged))
    inside = count[rows, logged]
    offered = (inside > 0) & (channel >= 0)  # a channel that the grid has not speaks of no cell
    weight = np.where(offered, 1.0 / np.maximum(inside, 1), 0.0) / judged.action_probability
    net_model = without_contact_eur(decided)[:, None] + value_eur
    price = decided.price.total[:, channel_of_cell]
    paid = winsorised(judged.paid_eur)
    recovered = net_model + price
    recovered[rows, logged] += weight * (paid - recovered[rows, logged])
    has_slot = count > 0
    has_slot[:, 0] = True
    recovered = np.where(has_slot, recovered, recovered[:, :1])
    net = recovered - np.where(has_slot, price, 0.0)
    return CellScores(recovered, net, has_slot, logged, paid, weight, cluster_numbers(judged.debtor))


def without_contact_eur(decided: Decided) -> FloatArray:
    """What the model expects to be paid without contact on the covered claims of each debtor, shape (n,)."""
    prepared = decided.prepared
    base = decided.scored.without_eur
    owner, size = prepared.targets.moment, len(prepared.asks.debtor)
    return np.bincount(owner, weights=base * prepared.covered, minlength=size).astype(np.float64)


def policy_cells(decided: Decided) -> IntArray:
    """Cell of each decision's action, shape (n,)."""
    return cell_of_action(decided.prepared.grid)[decided.choice.action]


def _by_cell(decided: Decided) -> tuple[IntArray, FloatArray]:
    """Allowed slots of each cell, and their mean value, shape (n, K) each; 0 for a cell without."""
    grid, allowed = decided.prepared.grid, decided.prepared.allowed
    cell = cell_of_action(grid)
    values = np.where(allowed, decided.scored.value_eur, 0.0)
    shape = (len(allowed), cell_count(grid))
    count, total = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    for number in range(shape[1]):
        count[:, number] = allowed[:, cell == number].sum(axis=1)
        total[:, number] = values[:, cell == number].sum(axis=1)
    return count, total / np.maximum(count, 1)
