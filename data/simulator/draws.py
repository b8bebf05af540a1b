"""Random draws that every part of the simulator needs, for whole arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.situation import BoolArray, CodeArray, FloatArray
from data.times import IntArray


def pick(rng: np.random.Generator, size: int, *, shares: Sequence[float]) -> CodeArray:
    """Index drawn with the given shares (scaled to sum to 1), shape (size,)."""
    bounds = np.cumsum(shares) / np.sum(shares)
    codes: CodeArray = np.searchsorted(bounds[:-1], rng.random(size), side="right").astype(np.int16)
    return codes


def pick_by(rng: np.random.Generator, group: IntArray | CodeArray, *, shares: Sequence[Sequence[float]]) -> CodeArray:
    """Index drawn with the shares of each row's group, shape of `group`."""
    widest = max(len(one) for one in shares)
    bounds = np.ones((len(shares), widest))
    for row, one in enumerate(shares):
        bounds[row, : len(one)] = np.cumsum(one) / np.sum(one)
    draw = rng.random(len(group))
    codes: CodeArray = (draw[:, None] >= bounds[group][:, :-1]).sum(axis=1).astype(np.int16)
    return codes


def pick_weighted(rng: np.random.Generator, weights: FloatArray) -> CodeArray:
    """Column drawn in proportion to each row's weights, shape (n,)."""
    total = np.cumsum(weights, axis=1)
    draw = rng.random(len(weights)) * total[:, -1]
    codes: CodeArray = (draw[:, None] >= total[:, :-1]).sum(axis=1).astype(np.int16)
    return codes


def chance(rng: np.random.Generator, probability: FloatArray | float, *, size: int) -> BoolArray:
    """True with the given probability, shape (size,)."""
    hit: BoolArray = rng.random(size) < probability
    return hit


def sigmoid(value: FloatArray) -> FloatArray:
    """Logistic function."""
    result: FloatArray = 1.0 / (1.0 + np.exp(-value))
    return result
