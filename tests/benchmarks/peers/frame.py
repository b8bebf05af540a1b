"""What a tool is given: logged rows to learn from, and the same columns of those whose arms it shall value.

`peers.py` writes one folder a question: `learn.npz` with `x` (n, F), `arm` (n,), `reward` (n,) and `chance` (n, K), the
chance of each of the K arms in each row (NaN where a row's logger decided for certain); `judged.npz` with `x` (u, F).
Arm 0 is the one that others are compared with. Missing values are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from lightgbm import LGBMClassifier, LGBMRegressor

FloatArray = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

LEAST_CHANCE = 0.02


@dataclass(frozen=True)
class Frame:
    """Rows to learn from; shapes as above."""

    x: Matrix
    arm: IntArray
    reward: FloatArray
    chance: FloatArray

    @property
    def arms(self) -> int:
        """K."""
        return self.chance.shape[1]

    @property
    def drawn(self) -> bool:
        """Whether every row's chances are known."""
        return bool(np.isfinite(self.chance).all())

    def own_chance(self) -> FloatArray:
        """Chance of what was done, shape (n,), not below `LEAST_CHANCE`."""
        return np.maximum(self.chance[np.arange(len(self.arm)), self.arm], LEAST_CHANCE)

    def against_none(self) -> dict[int, FloatArray]:
        """Chance of each arm where it or arm 0 was taken, shape (n,) each."""
        none = np.maximum(self.chance[:, 0], 1e-3)
        pair = {arm: self.chance[:, arm] / (none + self.chance[:, arm]) for arm in range(1, self.arms)}
        return {arm: np.clip(one, LEAST_CHANCE, 1 - LEAST_CHANCE) for arm, one in pair.items()}


class Learnt(Protocol):
    """A fitted tool: what is pickled to see how large it is."""

    def values(self, x: Matrix) -> FloatArray:
        """Value of each arm in each row, up to a number a row, shape (u, K)."""


def read_frame(folder: Path) -> Frame:
    """The rows of a folder."""
    with np.load(folder / "learn.npz") as kept:
        return Frame(kept["x"], kept["arm"], kept["reward"], kept["chance"])


@dataclass(frozen=True)
class Filled:
    """Missing values by the middle value of their column, and a column of ones and zeros for each that misses many."""

    middle: Matrix
    flagged: IntArray

    @staticmethod
    def of(x: Matrix) -> Filled:
        """As the rows to learn from are."""
        missing = np.isnan(x).mean(axis=0)
        middle = np.array([np.nanmedian(one) if share < 1 else 0.0 for one, share in zip(x.T, missing, strict=True)])
        return Filled(middle.astype(np.float32), np.flatnonzero((missing > 0.02) & (missing < 0.98)))

    def __call__(self, x: Matrix) -> Matrix:
        """Without missing values, shape (n, F + flags)."""
        return np.hstack([np.where(np.isnan(x), self.middle, x), np.isnan(x[:, self.flagged])]).astype(np.float32)


def outcome_classifier(seed: int) -> LGBMClassifier:
    """Gradient boosting for outcomes of 0 and 1, on one thread."""
    return LGBMClassifier(**_booster(seed), n_estimators=200, num_leaves=31, learning_rate=0.05)


def outcome_regressor(seed: int) -> LGBMRegressor:
    """The same with squared loss, for tools that call `predict` on everything."""
    return LGBMRegressor(**_booster(seed), n_estimators=200, num_leaves=31, learning_rate=0.05)


def effect_regressor(seed: int) -> LGBMRegressor:
    """Slower and with fewer leaves: effects are small beside the noise."""
    return LGBMRegressor(**_booster(seed), n_estimators=200, num_leaves=8, learning_rate=0.03)


def calm_regressor(seed: int) -> LGBMRegressor:
    """The same held back further: where effects differ little, finding no difference costs least."""
    return LGBMRegressor(
        **{**_booster(seed), "min_child_samples": 1000}, n_estimators=60, num_leaves=4, learning_rate=0.03
    )


def _booster(seed: int) -> dict[str, object]:
    return {
        "min_child_samples": 100, "colsample_bytree": 0.6, "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 5.0,
        "random_state": seed, "n_jobs": 1, "verbosity": -1,
    }  # fmt: skip
