"""What is asked of a LightGBM model wherever one stands inside another: raw scores, and what each column adds to them."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]


def raw_scores(booster: lgb.Booster, rows: Rows, *, threads: int = 1) -> FloatArray:
    """Sum of the leaves of each row, shape (n,): log odds or a number, as the booster was fitted."""
    if not len(rows):
        return np.zeros(0)
    return np.asarray(booster.predict(rows, raw_score=True, num_threads=threads), dtype=np.float64)


def raw_parts(booster: lgb.Booster, rows: Rows, *, threads: int = 1) -> FloatArray:
    """Tree SHAP values of the raw score (Lundberg et al. 2020), base value left out, shape (n, F)."""
    if not len(rows):
        return np.zeros(rows.shape)
    values = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=threads), dtype=np.float64)
    return values[:, :-1]
