"""One LightGBM a channel, `none` included: a row is scored by the booster of its own channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.boosters import raw_parts
from models.calibration import Calibration
from models.cells import Cells, RowCells, channel_codes
from models.protocol import PropensityModel

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.floating[Any]]
SomeCells = TypeVar("SomeCells", bound=Cells)


@dataclass(frozen=True)
class PerChannelModel(PropensityModel):
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

    def raw(self, cells: Cells) -> FloatArray:
        """Log odds before calibration."""
        found = np.zeros(cells.shape)
        for code, here, mine in self._by_channel(cells):
            found[..., here] = mine.raw(self.boosters.get(code, self.pooled))
        return found

    def chance(self, cells: Cells) -> FloatArray:
        """Calibrated chance of payment."""
        chance, raw = np.zeros(cells.shape), self.raw(cells)
        code = channel_codes(cells, self.channel_column)
        for number, calibration in enumerate(self.calibrations):
            here = code == number
            chance[..., here] = calibration.probability(raw[..., here])
        return chance

    def contributions(self, rows: Rows) -> FloatArray:
        """Tree SHAP values in log odds of the booster that scores the row, shape (n, F)."""
        parts = np.zeros(rows.shape)
        for code, here, mine in self._by_channel(RowCells(rows, self.threads)):
            booster = self.boosters.get(code, self.pooled)
            parts[here] = raw_parts(booster, mine.rows, threads=self.threads) * self.calibrations[code].slope
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

    def _by_channel(self, cells: SomeCells) -> list[tuple[int, BoolArray, SomeCells]]:
        """Channel code, which cells, and those cells of each channel there is; those of `none` without the action's columns."""
        code = channel_codes(cells, self.channel_column)
        found = []
        for number in np.unique(code).tolist():
            here = code == number
            mine = cells.only(here)
            found.append((number, here, mine.without_action(self.channel_column) if number == 0 else mine))
        return found


def load_per_channel(files: Mapping[str, str]) -> PerChannelModel:
    """The model that `dump` wrote."""
    head = json.loads(files["per_channel.json"])
    return PerChannelModel(
        lgb.Booster(model_str=files["pooled.txt"]),
        {code: lgb.Booster(model_str=files[f"channel_{code}.txt"]) for code in head["channels"]},
        tuple(Calibration.from_dict(one) for one in head["calibrations"]),
        head["channel_column"],
    )
