"""What a scored grid says: the best actions, and why: what each axis of the grid does alone, and what two do together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

DIGITS = 12
"""Values that are equal to so many digits are ties: sums of the same leaves in another order differ further back."""


def best(value: FloatArray, allowed: BoolArray | None = None) -> IntArray:
    """Action of the highest value of each row, shape (n,); ties go to the lowest index, −1 where nothing is allowed.

    >>> best(np.array([[1.0, 3.0, 3.0 + 1e-15]])).tolist()
    [1]
    """
    rounded = np.round(value, DIGITS) if allowed is None else np.where(allowed, np.round(value, DIGITS), -np.inf)
    found: IntArray = np.argmax(rounded, axis=1)
    return found if allowed is None else np.where(allowed.any(axis=1), found, -1)


def best_of_each(value: FloatArray, group: IntArray, *, most: int = 1, allowed: BoolArray | None = None) -> IntArray:
    """The best `most` actions of each group of actions, shape (n, groups, most), best first; −1 where there are no more.

    Parameters
    ----------
    value
        Shape (n, A).
    group
        Of each action, 0 to groups − 1, shape (A,): its channel, say.
    allowed
        Shape (n, A); None: all.

    >>> best_of_each(np.array([[5.0, 1.0, 2.0]]), np.array([0, 1, 1])).tolist()
    [[[0], [2]]]
    """
    groups = int(group.max(initial=-1)) + 1
    found = np.full((len(value), groups, most), -1, dtype=np.int64)
    ranked = np.round(value, DIGITS) if allowed is None else np.where(allowed, np.round(value, DIGITS), -np.inf)
    for one in range(groups):
        mine = np.flatnonzero(group == one)
        order = np.argsort(-ranked[:, mine], axis=1, kind="stable")[:, :most]
        known = np.isfinite(np.take_along_axis(ranked[:, mine], order, axis=1))
        found[:, one, : order.shape[1]] = np.where(known, mine[order], -1)
    return found


@dataclass(frozen=True)
class Breakdown:
    """Scores of a grid of several axes, taken apart: their mean, what each axis adds, what two of them add together.

    Attributes
    ----------
    scores
        Shape (n, ...).
    mean
        Shape (n,).
    alone
        Of each axis, shape (n, size of the axis); each row's sum is 0.
    together
        Of each pair of axes, beyond what they add alone, shape (n, size of one, size of the other); 0 summed over either.

    Notes
    -----
    The analysis of variance of a full factorial (Yates 1937), row by row. A cell's parts add up to its score.
    """

    scores: FloatArray
    mean: FloatArray
    alone: tuple[FloatArray, ...]
    together: dict[tuple[int, int], FloatArray]

    def of(self, row: int, cell: tuple[int, ...]) -> dict[tuple[int, ...], float]:
        """Parts of one cell by the axes that they belong to: `()` is the mean, all of three or more axes what is left."""
        parts: dict[tuple[int, ...], float] = {(): float(self.mean[row])}
        parts |= {(axis,): float(one[row, cell[axis]]) for axis, one in enumerate(self.alone)}
        parts |= {pair: float(one[row, cell[pair[0]], cell[pair[1]]]) for pair, one in self.together.items()}
        if len(cell) > 2:
            parts[tuple(range(len(cell)))] = float(self.scores[(row, *cell)]) - sum(parts.values())
        return parts


def breakdown(scores: FloatArray, shape: tuple[int, ...]) -> Breakdown:
    """The parts of scores, shape (n, A), over axes whose sizes multiply to A, the last one running fastest.

    >>> parts = breakdown(np.array([[1.0, 2.0, 3.0, 8.0]]), (2, 2))
    >>> parts.mean.tolist(), parts.alone[0].tolist(), parts.together[0, 1].tolist()
    ([3.5], [[-2.0, 2.0]], [[[1.0, -1.0], [-1.0, 1.0]]])
    """
    cube = scores.reshape(len(scores), *shape)
    axes = tuple(range(len(shape)))
    pairs = {
        pair: cube.mean(axis=tuple(1 + axis for axis in axes if axis not in pair)) for pair in combinations(axes, 2)
    }
    mean = cube.reshape(len(cube), -1).mean(axis=1)
    alone = tuple(cube.mean(axis=tuple(1 + one for one in axes if one != axis)) - mean[:, None] for axis in axes)
    together = {
        (a, b): table - alone[a][:, :, None] - alone[b][:, None, :] - mean[:, None, None]
        for (a, b), table in pairs.items()
    }
    return Breakdown(cube, mean, alone, together)
