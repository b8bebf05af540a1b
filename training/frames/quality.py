"""How well predicted rewards fit the rewards: ranking, loss, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from data.frame_table import BoolArray, FloatArray

BINS = 10


@dataclass(frozen=True)
class Quality:
    """Figures on rows the model has not seen.

    Parameters
    ----------
    auc, auc_error
        Ranking of rewards that are `high` (see `is_high`) and its standard error; None where all or none are.
    log_loss, base_log_loss
        Of the model, and of the mean reward given to every row; None for amounts.
    r_squared
        Share of the rewards' variance; None for 0/1.
    calibration_error
        Mean distance between predicted and found means in ten parts of equal size, in units of the reward.
    """

    rows: int
    mean_reward: float
    auc: float | None
    auc_error: float | None
    log_loss: float | None
    base_log_loss: float | None
    r_squared: float | None
    calibration_error: float

    def as_dict(self) -> dict[str, float | None]:
        """Figures by name."""
        return {
            "rows": self.rows,
            "mean_reward": self.mean_reward,
            "auc": self.auc,
            "auc_error": self.auc_error,
            "log_loss": self.log_loss,
            "base_log_loss": self.base_log_loss,
            "r_squared": self.r_squared,
            "calibration_error": self.calibration_error,
        }

    def line(self) -> str:
        """Figures in one line."""
        parts = [f"{self.rows:,} rows", f"mean {self.mean_reward:.4g}"]
        parts += [] if self.auc is None else [f"AUC {self.auc:.3f} ± {self.auc_error or 0.0:.3f}"]
        if self.log_loss is not None and self.base_log_loss is not None:
            parts.append(f"log loss {self.log_loss:.4f} (of the mean: {self.base_log_loss:.4f})")
        parts += [] if self.r_squared is None else [f"R² {self.r_squared:.3f}"]
        return ", ".join([*parts, f"calibration error {self.calibration_error:.4g}"])


def quality(reward: FloatArray, predicted: FloatArray, *, binary: bool) -> Quality:
    """Figures of predictions, shape (n,), for rows their model has not seen."""
    high = is_high(reward)
    ranked = auc(high, predicted)
    return Quality(
        rows=len(reward),
        mean_reward=float(reward.mean()),
        auc=ranked,
        auc_error=None if ranked is None else auc_error(ranked, high),
        log_loss=_loss(reward, predicted) if binary else None,
        base_log_loss=_loss(reward, np.full(len(reward), reward.mean())) if binary else None,
        r_squared=None if binary else _r_squared(reward, predicted),
        calibration_error=calibration_error(reward, predicted),
    )


def is_high(reward: FloatArray) -> BoolArray:
    """Which rewards count as the better half of a ranking: those above 0, or above the median where all are.

    >>> is_high(np.array([0.0, 1.0, 0.0])), is_high(np.array([1.0, 2.0, 9.0]))
    (array([False,  True, False]), array([False, False,  True]))
    """
    positive = reward > 0
    return positive if positive.any() and not positive.all() else reward > np.median(reward)


def auc(high: BoolArray, predicted: FloatArray) -> float | None:
    """Chance that a high one is ranked above another; None where all are of one kind."""
    if high.all() or not high.any():
        return None
    return float(roc_auc_score(high, predicted))


def auc_error(ranked: float, high: BoolArray) -> float:
    """Standard error of an AUC (Hanley and McNeil 1982); at 0.5 that of a feature that says nothing.

    >>> round(auc_error(0.5, np.repeat([True, False], 50)), 3)
    0.058
    """
    ones = int(high.sum())
    zeros = len(high) - ones
    square = ranked**2
    one_pair, other_pair = ranked / (2 - ranked) - square, 2 * square / (1 + ranked) - square
    spread = ranked * (1 - ranked) + (ones - 1) * one_pair + (zeros - 1) * other_pair
    return float(np.sqrt(max(spread, 0.0) / (ones * zeros)))


def _loss(reward: FloatArray, predicted: FloatArray) -> float:
    return float(log_loss(reward, np.clip(predicted, 1e-12, 1 - 1e-12), labels=[0, 1]))


def _r_squared(reward: FloatArray, predicted: FloatArray) -> float | None:
    spread = float(((reward - reward.mean()) ** 2).sum())
    return None if spread == 0 else 1 - float(((reward - predicted) ** 2).sum()) / spread


def calibration_error(reward: FloatArray, predicted: FloatArray, bins: int = BINS) -> float:
    """Mean over bins of equal size of the distance between mean prediction and mean reward.

    >>> calibration_error(np.array([0.0, 1.0]), np.array([0.0, 0.8]), bins=2)
    0.09999999999999998
    """
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(bins, len(reward)))
    return float(sum(len(p) * abs(reward[p].mean() - predicted[p].mean()) for p in parts) / len(reward))
