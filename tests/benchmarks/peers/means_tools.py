"""No tool: one mean effect an arm, alike for all rows. What a tool adds to it is what it knows of who and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from frame import FloatArray, Frame, Learnt, Matrix


@dataclass(frozen=True)
class Means:
    """Mean reward of each arm, shape (K,)."""

    reward: FloatArray

    def values(self, x: Matrix) -> FloatArray:
        """The same in each row, shape (u, K)."""
        return np.tile(self.reward, (len(x), 1))


def means(frame: Frame, seed: int) -> Learnt:
    """Weighted by one over the chance of what was done, self-normalised."""
    del seed
    weight = 1 / frame.own_chance()
    mass = np.bincount(frame.arm, weight, frame.arms)
    return Means(np.bincount(frame.arm, weight * frame.reward, frame.arms) / mass)


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {"means": means}
