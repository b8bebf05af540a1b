"""How good a fitted model is on the later part: ranking, calibration, and what its policy is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import log_loss, roc_auc_score

from models.protocol import PropensityModel
from training.policy_value import PolicyValue
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BINS = 10


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar predicted chance: mean prediction, observed share, how many."""

    predicted: float
    observed: float
    rows: int


@dataclass(frozen=True)
class Judgement:
    """Figures of one model on the judged rows; money is EUR per decision, intervals are 95 %.

    `chance` is the predicted chance of payment of each judged row.
    """

    rows: int
    paid_share: float
    auc: float
    log_loss: float
    base_log_loss: float
    calibration_error: float
    bins: tuple[CalibrationBin, ...]
    value: PolicyValue
    chance: FloatArray

    def metrics(self) -> dict[str, float]:
        """Numbers by name, for tracking; the policy's value only where the log bears one."""
        numbers = {
            "rows": float(self.rows),
            "paid_share": self.paid_share,
            "auc": self.auc,
            "log_loss": self.log_loss,
            "base_log_loss": self.base_log_loss,
            "calibration_error": self.calibration_error,
            "contacts_per_decision": self.value.contacts,
        }
        if self.value.dr is not None and self.value.snips is not None and self.value.support is not None:
            numbers |= {
                "value_eur": self.value.dr.value,
                "value_low_eur": self.value.dr.low,
                "value_high_eur": self.value.dr.high,
                "value_snips_eur": self.value.snips.value,
                "effective_rows": self.value.support.effective,
            }
        return {name: number for name, number in numbers.items() if np.isfinite(number)}


def judge(model: PropensityModel, rows: TrainingRows, *, split: Split, value: PolicyValue) -> Judgement:
    """Figures on the judge's rows: other debtors than were learnt from, and later."""
    paid = rows.paid[split.judge]
    chance = model.probability(rows.matrix[split.judge]).clip(1e-9, 1 - 1e-9)
    bins = calibration_bins(chance, paid)
    share = float(paid.mean())
    return Judgement(
        rows=len(paid),
        paid_share=share,
        auc=float(roc_auc_score(paid, chance)),
        log_loss=float(log_loss(paid, chance)),
        base_log_loss=float(log_loss(paid, np.full(len(paid), share))),
        calibration_error=calibration_error(bins),
        bins=bins,
        value=value,
        chance=chance,
    )


def calibration_bins(chance: FloatArray, paid: BoolArray) -> tuple[CalibrationBin, ...]:
    """Ten groups of equal size by predicted chance, lowest first."""
    order = np.argsort(chance, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    return tuple(CalibrationBin(float(chance[g].mean()), float(paid[g].mean()), len(g)) for g in groups)


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Expected calibration error: mean distance of prediction and observation, weighted by rows.

    >>> calibration_error((CalibrationBin(0.2, 0.1, 10), CalibrationBin(0.5, 0.5, 10)))
    0.05
    """
    total = sum(one.rows for one in bins)
    return sum(abs(one.predicted - one.observed) * one.rows for one in bins) / total
