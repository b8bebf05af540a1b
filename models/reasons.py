"""Why an action was chosen: what its score would be if one feature had its usual value. What is said is what happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.protocol import PropensityModel, Rows

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

CANDIDATES = 16
"""Features, those that the model's own contributions name first, whose change is worked out exactly."""

LEAST_MOVE = 5e-5
"""Changes of a chance below half of its last place that is shown are no reason."""


@dataclass(frozen=True)
class Reason:
    """A feature that moved a decision: its column, and what its value adds to the score compared with its usual one."""

    column: int
    adds: float


def score_of(chance: FloatArray) -> FloatArray:
    """Score of actions from chances of payment, shape (k, 1 or 2): over `none` where that stands behind, else as it is."""
    score: FloatArray = chance[:, 0] - chance[:, 1] if chance.shape[1] == 2 else chance[:, 0]
    return score


def find_reasons(model: PropensityModel, cells: Rows, usual: FloatArray, *, most: int) -> tuple[Reason, ...]:
    """Features whose usual value would change the score most, strongest first; of equal ones the first column.

    Parameters
    ----------
    cells
        Features of the chosen action and, behind it, those of `none`, shape (2, F); of `none` alone where that was
        chosen, shape (1, F). Only what is filled for the first row is changed, in both rows; the action's own columns
        are empty for `none` and stay so.
    usual
        Value of each column to compare with, shape (F,); NaN for missing.

    Notes
    -----
    Additive contributions (Lundberg et al. 2020) share out what features do together: a single one need not move the
    score the way its share points. They choose the candidates here; what is said of each is worked out by changing it
    alone.
    """
    parts = model.contributions(cells)
    spoke = np.abs(parts[0] - parts[1]) if len(cells) == 2 else np.abs(parts[0])
    spoke = np.where(_same(cells[0], usual), 0.0, spoke)
    order = np.argsort(-spoke, kind="stable")[:CANDIDATES]
    tried = order[spoke[order] > 0].astype(np.int64)
    if not len(tried):
        return ()
    scores = score_of(model.probability(_changed(cells, usual, tried)).reshape(len(tried) + 1, len(cells)))
    adds = scores[0] - scores[1:]
    ranked = np.argsort(-np.round(np.abs(adds), 12), kind="stable")
    return tuple(Reason(int(tried[k]), float(adds[k])) for k in ranked if abs(adds[k]) >= LEAST_MOVE)[:most]


def toggled(cells: Rows, usual: FloatArray, column: int) -> Rows:
    """The same cells with one column at its usual value; in the row of `none` only where it has one, shape as given."""
    changed = cells.copy()
    changed[0, column] = usual[column]
    if len(cells) == 2 and _same(cells[0], cells[1])[column]:
        changed[1, column] = usual[column]
    return changed


def _changed(cells: Rows, usual: FloatArray, columns: IntArray) -> Rows:
    """The cells as they are, then with each of some columns toggled, one below the other."""
    return np.concatenate([cells, *(toggled(cells, usual, column) for column in columns.tolist())])


def _same(values: Rows, others: Rows | FloatArray) -> BoolArray:
    same: BoolArray = (values == others) | (np.isnan(values) & np.isnan(others))
    return same


def in_words(reason: Reason, value: float, *, name: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """`name=value (+x)`, the value of a category as its word, x in chance of payment.

    >>> in_words(Reason(0, 0.0123), 1.0, name="channel", words={"channel": ("none", "sms")})
    'channel=sms (+0.0123)'
    >>> in_words(Reason(3, -0.002), float("nan"), name="age", words={})
    'age=missing (-0.0020)'
    """
    return f"{name}={_shown(value, words.get(name, ()))} ({reason.adds:+.4f})"


def _shown(value: Any, words: tuple[str, ...]) -> str:  # noqa: ANN401 # a NumPy number of either width
    if np.isnan(value):
        return "missing"
    return words[int(value)] if words and 0 <= value < len(words) else f"{value:.4g}"
