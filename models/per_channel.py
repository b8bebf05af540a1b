"""One LightGBM a channel, `none` included: a row is scored by the booster of its own channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.boosters import raw_parts, raw_scores
from models.calibration import Calibration

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PerChannelModel:
    """Boosters by channel behind one protocol.

    Attributes
    ----------
    pooled
        Learnt from all channels: scores the rows of a channel without a booster of its own.
    boosters
        By channel code.
    calibrations
        One a channel code, over the log odds of whichever booster scores it.
    channel_column
        Index of the action's channel in a row; the action's other columns stand behind it, to the end.
    """

    pooled: lgb.Booster
    boosters: Mapping[int, lgb.Booster]
    calibrations: tuple[Calibration, ...]
    channel_column: int
    threads: int = 1

    def raw(self, rows: Rows) -> FloatArray:
        """Log odds before calibration, shape (n,)."""
        found = np.zeros(len(rows))
        for code, here, mine in self._by_channel(rows):
            found[here] = raw_scores(self.boosters.get(code, self.pooled), mine, threads=self.threads)
        return found

    def probability(self, rows: Rows) -> FloatArray:
        """Calibrated chance of payment, shape (n,)."""
        chance, raw = np.zeros(len(rows)), self.raw(rows)
        code = channel_codes(rows, self.channel_column)
        for number, calibration in enumerate(self.calibrations):
            here = code == number
            chance[here] = calibration.probability(raw[here])
        return chance

    def contributions(self, rows: Rows) -> FloatArray:
        """Tree SHAP values in log odds of the booster that scores the row, shape (n, F)."""
        parts = np.zeros(rows.shape)
        for code, here, mine in self._by_channel(rows):
            booster = self.boosters.get(code, self.pooled)
            parts[here] = raw_parts(booster, mine, threads=self.threads) * self.calibrations[code].slope
        return parts

    def dump(self) -> dict[str, str]:
        """Model texts, and calibrations as JSON."""
        files = {f"channel_{code}.txt": booster.model_to_string() for code, booster in self.boosters.items()}
        head = {
            "channel_column": self.channel_column,
            "channels": sorted(self.boosters),
            "calibrations": [one.as_dict() for one in self.calibrations],
        }
        return {**files, "pooled.txt": self.pooled.model_to_string(), "per_channel.json": json.dumps(head)}

    def _by_channel(self, rows: Rows) -> list[tuple[int, IntArray, Rows]]:
        """Channel code, positions and rows of each channel there is; those of `none` without any action's columns."""
        code = channel_codes(rows, self.channel_column)
        found = []
        for number in np.unique(code).tolist():
            here = np.flatnonzero(code == number)
            mine = rows[here]
            found.append((number, here, without_action(mine, self.channel_column) if number == 0 else mine))
        return found


def channel_codes(rows: Rows, channel_column: int) -> IntArray:
    """Channel code of each row, shape (n,)."""
    codes: IntArray = rows[:, channel_column].astype(np.int64)
    return codes


def without_action(rows: Rows, channel_column: int) -> Rows:
    """The same debtors and claims under `none`: channel 0, the action's other columns missing, shape (n, F)."""
    blank = rows.copy()
    blank[:, channel_column] = 0.0
    blank[:, channel_column + 1 :] = np.nan
    return blank


def load_per_channel(files: Mapping[str, str]) -> PerChannelModel:
    """The model that `dump` wrote."""
    head = json.loads(files["per_channel.json"])
    return PerChannelModel(
        lgb.Booster(model_str=files["pooled.txt"]),
        {code: lgb.Booster(model_str=files[f"channel_{code}.txt"]) for code in head["channels"]},
        tuple(Calibration.from_dict(one) for one in head["calibrations"]),
        head["channel_column"],
    )
