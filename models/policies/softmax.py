"""Better values more often: soft-max over the cells of channel and part of the day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from data.action_grid import ActionGrid
from models.policies.cells import by_cell

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def softmax_chances(
    value_eur: FloatArray, candidates: BoolArray, *, grid: ActionGrid, temperature_eur: float
) -> FloatArray:
    """Chance of every action, shape (n, A): that of a cell goes to its best slot.

    A cell worth `temperature_eur` less than another is e times rarer. The choice is drawn among cells, not among slots, so that
    a channel with many open hours is not likelier for that, and no cell's chance is lost among its 49 slots.

    Parameters
    ----------
    value_eur, candidates
        Shape (n, A); at least one candidate in each row.

    >>> grid = ActionGrid(("none", "sms"), days=1, hours=(8, 10, 18))
    >>> value = np.array([[0.0, 0.2, 0.7, 0.0]])
    >>> softmax_chances(value, value > -1, grid=grid, temperature_eur=1.0).round(3).tolist()
    [[0.249, 0.0, 0.502, 0.249]]
    """
    cells = by_cell(value_eur, candidates, grid=grid)
    share = softmax(cells.value_eur / temperature_eur, axis=1)
    chances = np.zeros(candidates.shape, dtype=np.float64)
    row, cell = np.nonzero(cells.count)
    chances[row, cells.best[row, cell]] = share[row, cell]
    return chances
