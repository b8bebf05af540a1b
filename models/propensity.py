"""Chance of any payment within the horizon, given debtor, claim and action: three models behind one protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import logit

from features.action import GridActions
from models.calibration import Calibration
from models.chain import load_chain
from models.per_channel import load_per_channel
from models.time_to_payment import load_hazard
from models.uplift import load_uplift

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BLOCK_CELLS = 200_000
"""Rows that are expanded at once while the grid is scored: about 150 MB."""


class PropensityModel(Protocol):
    """What a bundle's model must be able to do; `rows` has the catalogue's columns, shape (n, F), NaN for missing."""

    def probability(self, rows: Rows) -> FloatArray:
        """Chance of payment of each row, shape (n,), in [0, 1]."""

    def contributions(self, rows: Rows) -> FloatArray:
        """What each column adds to the log odds of each row, shape (n, F)."""

    def dump(self) -> dict[str, str]:
        """File name to text, all that `load_model` needs."""


@dataclass(frozen=True)
class BoosterModel:
    """LightGBM with a calibration on top."""

    booster: lgb.Booster
    calibration: Calibration
    threads: int = 1

    def probability(self, rows: Rows) -> FloatArray:
        """Calibrated chance of payment, shape (n,)."""
        raw = np.asarray(self.booster.predict(rows, raw_score=True, num_threads=self.threads), dtype=np.float64)
        return self.calibration.probability(raw)

    def contributions(self, rows: Rows) -> FloatArray:
        """Tree SHAP values in log odds (Lundberg et al. 2020), as LightGBM computes them, base value left out."""
        values = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=self.threads), dtype=np.float64)
        return values[:, :-1] * self.calibration.slope

    def dump(self) -> dict[str, str]:
        """Model text and calibration."""
        return {
            "booster.txt": self.booster.model_to_string(),
            "calibration.json": json.dumps(self.calibration.as_dict()),
        }


@dataclass(frozen=True)
class LogisticModel:
    """Logistic regression on standardised numbers, flags for missing ones, and a column for each category.

    `mean`, `scale`, `slope` and `missing_slope` have one entry per column (0 slope for a category);
    `category_slopes` maps a column's index to the slope of each of its codes.
    """

    intercept: float
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    slope: tuple[float, ...]
    missing_slope: tuple[float, ...]
    category_slopes: Mapping[int, tuple[float, ...]]
    calibration: Calibration

    def contributions(self, rows: Rows) -> FloatArray:
        """Log odds that each column adds, shape (n, F)."""
        missing = np.isnan(rows)
        scaled = np.where(missing, 0.0, (rows - np.array(self.mean)) / np.array(self.scale))
        parts: FloatArray = scaled * np.array(self.slope) + missing * np.array(self.missing_slope)
        for column, slopes in self.category_slopes.items():
            parts[:, column] = category_parts(rows[:, column], slopes)
        return parts

    def probability(self, rows: Rows) -> FloatArray:
        """Calibrated chance of payment, shape (n,)."""
        return self.calibration.probability(self.intercept + self.contributions(rows).sum(axis=1))

    def dump(self) -> dict[str, str]:
        """Coefficients as JSON."""
        return {"logistic.json": json.dumps(asdict(self))}


def category_parts(codes: Rows, slopes: tuple[float, ...]) -> FloatArray:
    """Slope of each code, 0 for a missing or unknown one, shape (n,)."""
    table = np.array([*slopes, 0.0])
    known = (codes >= 0) & (codes < len(slopes))
    index = np.where(known, codes, len(slopes)).astype(np.int64)
    parts: FloatArray = table[index]
    return parts


@dataclass(frozen=True)
class RateModel:
    """The same chance for everybody under one channel: what a rule policy or a constant action knows.

    `rates` has one entry per channel code; `channel_column` is the index of the action's channel in a row.
    """

    rates: tuple[float, ...]
    channel_column: int

    def probability(self, rows: Rows) -> FloatArray:
        """Rate of the row's channel, shape (n,)."""
        chance: FloatArray = np.array(self.rates)[rows[:, self.channel_column].astype(np.int64)]
        return chance

    def contributions(self, rows: Rows) -> FloatArray:
        """All zero but the channel's: its rate in log odds, less that of `none`."""
        parts = np.zeros(rows.shape)
        parts[:, self.channel_column] = logit(self.probability(rows)) - logit(self.rates[0])
        return parts

    def dump(self) -> dict[str, str]:
        """Rates as JSON."""
        return {"rates.json": json.dumps(asdict(self))}


def load_model(files: Mapping[str, str]) -> PropensityModel:
    """The model that `dump` wrote.

    Raises
    ------
    KeyError
        None of the known model files is there.
    """
    if "booster.txt" in files:
        calibration = Calibration.from_dict(json.loads(files["calibration.json"]))
        return BoosterModel(lgb.Booster(model_str=files["booster.txt"]), calibration)
    if "chain.json" in files:
        return load_chain(files)
    if "per_channel.json" in files:
        return load_per_channel(files)
    if "uplift.json" in files:
        return load_uplift(files)
    if "hazard.json" in files:
        return load_hazard(files)
    if "logistic.json" in files:
        return _logistic(json.loads(files["logistic.json"]))
    plain = json.loads(files["rates.json"])
    return RateModel(tuple(plain["rates"]), plain["channel_column"])


def _logistic(plain: dict[str, Any]) -> LogisticModel:
    lists = {name: tuple(plain[name]) for name in ("mean", "scale", "slope", "missing_slope")}
    slopes = {int(column): tuple(values) for column, values in plain["category_slopes"].items()}
    return LogisticModel(
        intercept=plain["intercept"],
        category_slopes=slopes,
        calibration=Calibration.from_dict(plain["calibration"]),
        **lists,
    )


def grid_probability(
    model: PropensityModel, rows: Rows, *, actions: GridActions, class_of_row: IntArray, wanted: BoolArray
) -> FloatArray:
    """Chance of payment of each claim under each wanted action, shape (m, A); NaN where it is not wanted.

    Parameters
    ----------
    rows
        Debtor and claim side, shape (m, F).
    actions, class_of_row
        Action features by calendar class, and the class of each row, shape (m,).
    wanted
        Cells to score, shape (m, A).
    """
    result = np.full(wanted.shape, np.nan)
    row, action = np.nonzero(wanted)
    for begin in range(0, len(row), BLOCK_CELLS):
        block = slice(begin, begin + BLOCK_CELLS)
        cells = np.hstack([rows[row[block]], actions.matrix[class_of_row[row[block]], action[block]]])
        result[row[block], action[block]] = model.probability(cells)
    return result
