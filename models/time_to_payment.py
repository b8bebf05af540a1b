"""When a payment comes: a chance for each interval after a decision, given that nothing was paid before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.boosters import raw_parts
from models.calibration import Calibration
from models.cells import Cells, RowCells
from models.protocol import PropensityModel

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]

HORIZON_DAYS = (7, 14, 30, 60, 90)
"""Days after a decision at which its chance of payment is told."""


@dataclass(frozen=True)
class HazardModel(PropensityModel):
    """Chance of a payment in each interval after a decision, if none came before (Cox 1972, discrete time).

    One booster knows the number of the interval as its last column. The chance of a payment by the end of an interval
    is 1 − the product of (1 − chance) up to it, so that it can only grow with the horizon.

    Attributes
    ----------
    ends_days
        End of each interval in days after the decision, ascending; each begins where the one before ends.
    within_days
        Horizon of `probability`, one of the ends.
    """

    booster: lgb.Booster
    calibration: Calibration
    ends_days: tuple[int, ...]
    within_days: int
    threads: int = 1

    def chances(self, rows: Rows) -> FloatArray:
        """Chance of a payment in each interval, given none before, shape (n, K)."""
        cells = RowCells(rows, self.threads)
        return np.column_stack([self._within(cells, number) for number in range(len(self.ends_days))])

    def by_end(self, rows: Rows) -> FloatArray:
        """Chance of a payment by the end of each interval, shape (n, K)."""
        return by_end_of(self.chances(rows))

    def horizons(self, rows: Rows) -> FloatArray:
        """Chance of a payment within 7, 14, 30, 60 and 90 days, shape (n, 5), rising along each row."""
        return self.by_end(rows)[:, [self.ends_days.index(one) for one in HORIZON_DAYS]]

    def chance(self, cells: Cells) -> FloatArray:
        """Chance of a payment within `within_days`."""
        unpaid: FloatArray = np.ones(1)
        for number in range(self.ends_days.index(self.within_days) + 1):
            unpaid = unpaid * (1 - self._within(cells, number))
        return 1 - unpaid

    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds of a payment within `within_days`, shape (n, F).

        Tree SHAP values of each interval's log odds, carried over at the slope there: with chance h of an interval and
        P by the horizon, the log odds of P move by h / P for one of the interval.
        """
        parts: FloatArray = np.zeros(rows.shape)
        by_horizon = np.maximum(self.probability(rows), 1e-9)
        for number in range(self.ends_days.index(self.within_days) + 1):
            cells = RowCells(rows, self.threads).with_last(number)
            chance = self.calibration.probability(cells.raw(self.booster))
            mine = raw_parts(self.booster, cells.rows, threads=self.threads)[:, :-1]
            parts = parts + mine * (self.calibration.slope * chance / by_horizon)[:, None]
        return parts

    def dump(self) -> dict[str, str]:
        """Model text, and the rest as JSON."""
        head = {
            "calibration": self.calibration.as_dict(),
            "ends_days": self.ends_days,
            "within_days": self.within_days,
        }
        return {"hazard.txt": self.booster.model_to_string(), "hazard.json": json.dumps(head)}

    def _within(self, cells: Cells, interval: int) -> FloatArray:
        """Chance of a payment in an interval, given none before."""
        return self.calibration.probability(cells.with_last(interval).raw(self.booster))


def by_end_of(chances: FloatArray) -> FloatArray:
    """Chance of a payment by the end of each interval, shape (n, K), from those of the intervals, shape (n, K).

    >>> by_end_of(np.array([[0.5, 0.5, 0.0]])).tolist()
    [[0.5, 0.75, 0.75]]
    """
    paid: FloatArray = np.subtract(1.0, np.cumprod(1 - chances, axis=1), dtype=np.float64)
    return paid


def load_hazard(files: Mapping[str, str]) -> HazardModel:
    """The model that `dump` wrote."""
    head = json.loads(files["hazard.json"])
    return HazardModel(
        lgb.Booster(model_str=files["hazard.txt"]),
        Calibration.from_dict(head["calibration"]),
        tuple(head["ends_days"]),
        head["within_days"],
    )
