"""Features that all but tell the outcome: nothing that is known before a decision does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.pipeline import Matrix

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

ALARM = 0.95
"""AUC that no honest model of payments reaches, alone or with all features together."""

MOST_ROWS = 20_000
"""Rows looked at on either side, evenly spread."""

BINS = 32
PRIOR_ROWS = 20.0
"""Rows of the mean outcome mixed into each bin, so that a rare value proves nothing."""


@dataclass(frozen=True)
class Telling:
    """A feature and the AUC that it reaches alone on judged rows."""

    feature: str
    auc: float


def most_telling(
    learn: tuple[Matrix, BoolArray], judge: tuple[Matrix, BoolArray], *, names: tuple[str, ...]
) -> Telling:
    """The feature that alone tells most of the judged outcomes, scored by the mean outcome of its bin when learning.

    Parameters
    ----------
    learn, judge
        Features, shape (r, F), NaN for missing, and whether paid, shape (r,).
    """
    (old, was_paid), (new, paid) = (_thinned(*part) for part in (learn, judge))
    found = [_auc_alone(old[:, k], was_paid, new[:, k], paid) for k in range(len(names))]
    best = int(np.argmax(found))
    return Telling(names[best], found[best])


def _thinned(matrix: Matrix, paid: BoolArray) -> tuple[Matrix, BoolArray]:
    step = max(1, -(-len(paid) // MOST_ROWS))
    return matrix[::step], paid[::step]


def _auc_alone(
    old: npt.NDArray[np.float32], was_paid: BoolArray, new: npt.NDArray[np.float32], paid: BoolArray
) -> float:
    """AUC of new values scored by the mean outcome of their bin among the old ones; missing is a bin of its own."""
    known = old[~np.isnan(old)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    levels = len(edges) + 2
    then, now = _binned(old, edges), _binned(new, edges)
    sums = np.bincount(then, was_paid.astype(np.float64), levels) + PRIOR_ROWS * float(was_paid.mean())
    score = sums / (np.bincount(then, minlength=levels) + PRIOR_ROWS)
    rank = np.unique(score, return_inverse=True)[1][now]
    high = np.bincount(rank, paid.astype(np.float64), levels)
    low = np.bincount(rank, (~paid).astype(np.float64), levels)
    pairs = high.sum() * low.sum()
    return float(high @ (np.cumsum(low) - low / 2) / pairs) if pairs else 0.5


def _binned(values: npt.NDArray[np.float32], edges: npt.NDArray[np.floating]) -> IntArray:
    binned: IntArray = np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values)).astype(np.int64)
    return binned
