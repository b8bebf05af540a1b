"""Chance of any payment within the horizon, given debtor, claim and action: three models behind one protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import logit

from features.action import GridActions
from models._cell_kernels import class_of_contacts, numbered, put_wanted
from models.boosters import raw_parts
from models.calibration import Calibration
from models.cells import Cells, ClassCells, GridCells, RowCells, channel_codes
from models.chain import load_chain
from models.grid import by_number
from models.per_channel import load_per_channel
from models.protocol import PropensityModel
from models.time_to_payment import load_hazard
from models.uplift import load_uplift

FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BLOCK_ROWS = 512
"""Claims that are scored at once: what stands between raw scores and chances fits the processor's cache."""


@dataclass(frozen=True)
class BoosterModel(PropensityModel):
    """LightGBM with a calibration on top."""

    booster: lgb.Booster
    calibration: Calibration
    threads: int = 1

    def chance(self, cells: Cells) -> FloatArray:
        """Calibrated chance of payment."""
        return self.calibration.probability(cells.raw(self.booster))

    def contributions(self, rows: Rows) -> FloatArray:
        """Tree SHAP values in log odds (Lundberg et al. 2020), as LightGBM computes them, base value left out."""
        return raw_parts(self.booster, rows, threads=self.threads) * self.calibration.slope

    def dump(self) -> dict[str, str]:
        """Model text and calibration."""
        return {
            "booster.txt": self.booster.model_to_string(),
            "calibration.json": json.dumps(self.calibration.as_dict()),
        }


@dataclass(frozen=True)
class LogisticModel(PropensityModel):
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
        cells = RowCells(rows)
        return np.column_stack([self._part(cells, column) for column in range(rows.shape[1])])

    def chance(self, cells: Cells) -> FloatArray:
        """Calibrated chance of payment."""
        parts = (self._part(cells, column) for column in range(len(self.slope)))
        return self.calibration.probability(sum(parts, start=np.full(1, self.intercept)))

    def _part(self, cells: Cells, column: int) -> FloatArray:
        """Log odds that a column adds."""
        values = cells.column(column).astype(np.float64)
        if column in self.category_slopes:
            return category_parts(values, self.category_slopes[column])
        missing = np.isnan(values)
        scaled = np.where(missing, 0.0, (values - self.mean[column]) / self.scale[column])
        part: FloatArray = scaled * self.slope[column] + missing * self.missing_slope[column]
        return part

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
class RateModel(PropensityModel):
    """The same chance for everybody under one channel: what a rule policy or a constant action knows.

    `rates` has one entry per channel code; `channel_column` is the index of the action's channel in a row.
    """

    rates: tuple[float, ...]
    channel_column: int

    def chance(self, cells: Cells) -> FloatArray:
        """Rate of the cell's channel."""
        chance: FloatArray = np.array(self.rates)[channel_codes(cells, self.channel_column)]
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
        Cells to score, shape (m, A); `none` (action 0) among them in every row.
    """
    result, classes = np.full(wanted.shape, np.nan), len(actions.matrix)
    # Claims of a class stand together: a block then holds few of them. Those without a wanted contact stand behind.
    order, begin = by_number(class_of_contacts(wanted, class_of_row, classes), classes + 1)
    for mine in _blocks(order[: begin[classes]]):
        there, of_row = numbered(class_of_row[mine], classes)
        keys = tuple(actions.keys[one] for one in there.tolist())
        _put(model, ClassCells(rows[mine], actions.matrix[there], of_row, wanted[mine], keys), wanted, mine, result)
    for mine in _blocks(order[begin[classes] :]):
        cells = GridCells(rows[mine], actions.matrix[0, :1])  # `none` has no features in any class
        _put(model, cells, wanted, mine, result)
    return result


def _put(
    model: PropensityModel, cells: ClassCells | GridCells, wanted: BoolArray, rows: IntArray, result: FloatArray
) -> None:
    """Write the chances of some rows into OUT `result` where they are wanted; what the model says may broadcast."""
    chance = model.chance(cells)
    put_wanted(chance if chance.shape == cells.shape else np.broadcast_to(chance, cells.shape), wanted, rows, result)


def _blocks(rows: IntArray) -> list[IntArray]:
    """Rows in blocks of about as many each, none where there are none."""
    size = -(-len(rows) // max(-(-len(rows) // BLOCK_ROWS), 1))
    return [rows[first : first + size] for first in range(0, len(rows), size)] if len(rows) else []
