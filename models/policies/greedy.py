"""The best value, for certain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.action_grid import NO_ACTION
from data.times import IntArray
from models._value_kernels import best_worth
from models.grid import SCALE

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def best_candidate(value_eur: FloatArray, candidates: BoolArray) -> IntArray:
    """Candidate of the highest value, shape (n,); values equal to 1e-12 go to the lowest index, so `none` wins a tie at 0."""
    return best_worth(value_eur, candidates, -np.inf, SCALE)


def worth_it(value_eur: FloatArray, candidates: BoolArray, *, least_value_eur: float) -> BoolArray:
    """Candidates without the contacts that are worth less than `least_value_eur`, shape (n, A); `none` stays one.

    >>> worth_it(np.array([[0.0, 0.5, 2.0]]), np.ones((1, 3), dtype=bool), least_value_eur=1.0).tolist()
    [[True, False, True]]
    """
    kept: BoolArray = candidates & (value_eur >= least_value_eur)
    kept[:, NO_ACTION] = candidates[:, NO_ACTION]
    return kept
