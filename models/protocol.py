"""What a bundle's model must be able to do."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.cells import Cells, RowCells

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]


class PropensityModel(Protocol):
    """Chance of any payment within the horizon; `rows` has the catalogue's columns, shape (n, F), NaN for missing.

    `threads` are LightGBM's for rows; a grid is scored on one.
    """

    threads: int = 1

    @abstractmethod
    def chance(self, cells: Cells) -> FloatArray:
        """Chance of payment of each cell, in [0, 1], shape `cells.shape` or what broadcasts to it."""

    def probability(self, rows: Rows) -> FloatArray:
        """Chance of payment of each row under its own action, shape (n,)."""
        return np.broadcast_to(self.chance(RowCells(rows, self.threads)), (len(rows),)).copy()

    @abstractmethod
    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds of each row, shape (n, F)."""

    @abstractmethod
    def dump(self) -> dict[str, str]:
        """File name to text, all that `load_model` needs."""
