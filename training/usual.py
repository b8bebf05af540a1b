"""Usual value of each feature among the rows learnt from: what a reason compares with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.catalogue import Feature
from features.pipeline import Matrix

MOST_ROWS = 20_000
"""Rows looked at, evenly spread over those given."""


def usual_values(matrix: Matrix, features: tuple[Feature, ...]) -> tuple[float | None, ...]:
    """Median of each number and most frequent code of each category, None where most rows miss it; one per column.

    Action features are those of contacts: rows that hold none of a column's side beyond its channel are left out of it.

    Parameters
    ----------
    matrix
        Rows learnt from, shape (r, F), NaN for missing.
    features
        What each column means, F of them.
    """
    rows = matrix[:: max(1, len(matrix) // MOST_ROWS)]
    names = [one.name for one in features]
    contacts = rows[rows[:, names.index("channel")] > 0]
    return tuple(
        _usual((contacts if one.side == "action" and len(contacts) else rows)[:, column], one.category)
        for column, one in enumerate(features)
    )


def _usual(values: npt.NDArray[np.float32], category: bool) -> float | None:
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return None
    if category:
        codes, counts = np.unique(known, return_counts=True)
        return float(codes[np.argmax(counts)])
    return float(np.quantile(known, 0.5, method="lower"))
