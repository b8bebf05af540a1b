"""Plans of the grids that a model has met, side by side in one: rows of several grids are then scored together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.grid._kernels import Plan

BY_GRID = ("alive", "region", "goes", "width", "size", "cell")
BY_PART = ("source", "target", "times")


class Shelf:
    """Plans of grids of as many cells behind each other, each known by its key.

    Arrays double when they are full. What stands in them stays as it is, so that who holds `plan` may go on reading while others
    are put behind.
    """

    def __init__(self, key: bytes, first: Plan) -> None:
        self.plan = first
        self.number = {key: 0}
        self._parts = len(first.source)

    @property
    def size_bytes(self) -> int:
        """Memory of all of it."""
        return sum(part.nbytes for part in self.plan if isinstance(part, np.ndarray))

    def put(self, key: bytes, plan: Plan) -> None:
        """A plan behind the others."""
        number, parts = len(self.number), self._parts
        by_grid = {name: _behind(getattr(self.plan, name), getattr(plan, name), at=number) for name in BY_GRID}
        by_part = {name: _behind(getattr(self.plan, name), getattr(plan, name), at=parts) for name in BY_PART}
        begin = _behind(self.plan.begin, plan.begin + parts, at=number)
        self.plan = Plan(**by_grid, **by_part, begin=begin, sums=max(self.plan.sums, plan.sums))
        self.number[key] = number
        self._parts += len(plan.source)


def _behind(whole: npt.NDArray[Any], more: npt.NDArray[Any], *, at: int) -> npt.NDArray[Any]:
    """The array with more rows from `at` on: itself, or one of twice the length where they do not fit."""
    end = at + len(more)
    if end > len(whole):
        wider = np.empty((max(end, 2 * len(whole)), *whole.shape[1:]), dtype=whole.dtype)
        wider[:at] = whole[:at]
        whole = wider
    whole[at:end] = more
    return whole
