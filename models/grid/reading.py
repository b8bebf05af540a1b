"""What a scored grid says: the best actions, and why: what each axis of the grid does alone, and what two do together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.grid._mean_kernels import mean_out

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

DIGITS = 12
"""Values that are equal to so many decimals are ties: sums of the same leaves in another order differ further back."""

SCALE = 10.0**DIGITS


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
        What each axis adds, shape (n, size of the axis); each row's sum is 0.
    by_pair
        Mean score of each pair of axes, shape (n, size of one, size of the other).

    Notes
    -----
    The analysis of variance of a full factorial (Yates 1937), row by row. A cell's parts add up to its score.
    """

    scores: FloatArray
    mean: FloatArray
    alone: tuple[FloatArray, ...]
    by_pair: dict[tuple[int, int], FloatArray]

    def together(self, a: int, b: int) -> FloatArray:
        """What two axes, `a` before `b`, add beyond what each adds alone; 0 summed over either."""
        return self.by_pair[a, b] - self.alone[a][:, :, None] - self.alone[b][:, None, :] - self.mean[:, None, None]

    def parts(self, cells: IntArray) -> dict[tuple[int, ...], FloatArray]:
        """Parts of one cell of each row by the axes that they belong to, shape (n,) each; they add up to its score.

        `()` is the mean; where there are three axes or more, all of them stand for what is left.

        Parameters
        ----------
        cells
            Position of the cell on each axis, shape (n, axes).
        """
        row, axes = np.arange(len(cells)), range(len(self.alone))
        parts: dict[tuple[int, ...], FloatArray] = {(): self.mean}
        parts |= {(axis,): one[row, cells[:, axis]] for axis, one in enumerate(self.alone)}
        for (a, b), table in self.by_pair.items():
            parts[a, b] = table[row, cells[:, a], cells[:, b]] - parts[(a,)] - parts[(b,)] - self.mean
        if len(axes) > 2:
            parts[tuple(axes)] = self.scores[(row, *cells.T)] - sum(parts.values())
        return parts


def breakdown(scores: FloatArray, shape: tuple[int, ...]) -> Breakdown:
    """The parts of scores, shape (n, A), over axes whose sizes multiply to A, the last one running fastest.

    >>> parts = breakdown(np.array([[1.0, 2.0, 3.0, 8.0]]), (2, 2))
    >>> parts.mean.tolist(), parts.alone[0].tolist(), parts.together(0, 1).tolist()
    ([3.5], [[-2.0, 2.0]], [[[1.0, -1.0], [-1.0, 1.0]]])
    """
    cube = np.ascontiguousarray(scores, dtype=np.float64).reshape(len(scores), *shape)
    axes = range(len(shape))
    means = {pair: _mean_over(cube, [axis for axis in axes if axis not in pair]) for pair in combinations(axes, 2)}
    by_axis = [_mean_of_axis(cube, means, axis) for axis in axes]
    mean = by_axis[0].mean(axis=1)
    alone = tuple(one - mean[:, None] for one in by_axis)
    return Breakdown(cube, mean, alone, means)


def _mean_of_axis(cube: FloatArray, means: dict[tuple[int, int], FloatArray], axis: int) -> FloatArray:
    """Means over all other axes, shape (n, size of the axis)."""
    for (a, b), table in means.items():
        if axis in (a, b):
            return _mean_over(table, [1 if axis == a else 0])
    return cube


def _mean_over(cube: FloatArray, axes: list[int]) -> FloatArray:
    """Means over some axes, counted without the rows; in place of NumPy's, which is slow over short axes."""
    for axis in reversed(axes):
        shape = cube.shape
        before, size = int(np.prod(shape[1 : 1 + axis])), shape[1 + axis]
        values = cube.reshape(shape[0], before, size, -1)
        out = np.empty((shape[0], before, values.shape[3]))
        mean_out(values, out)
        cube = out.reshape(*shape[: 1 + axis], *shape[2 + axis :])
    return cube
