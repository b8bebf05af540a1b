"""Decisions on portfolios in memory: models of ten lines, bundles around them, and the chain up to the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.action_grid import ActionGrid
from data.config import ArmSettings, Config
from data.times import to_us
from data.vocabulary import ARMS
from features.catalogue import catalogue, names
from features.reference import learn_reference
from features.tables import Histories
from models.bundle import Bundle
from models.cells import Cells
from models.decide import Decided, decide
from models.decision_rows import decision_table
from models.prepare import Asks, debtors_with_open_claims
from models.propensity import RateModel
from models.protocol import PropensityModel
from models.rules.mask import rules_version
from models.rules.pack import read_packs
from tests.portfolios import CHANNELS, CONFIG

FloatArray = npt.NDArray[np.float64]
PACKS = read_packs()
GRID = ActionGrid.of(CONFIG.grid)
COLUMNS = names(catalogue(CHANNELS))
RATES = (0.10, 0.30, 0.25, 0.28, 0.22, 0.35, 0.15)
"""Chance of payment by channel of a model that knows no more, calls highest."""


@dataclass(frozen=True)
class FormulaModel(PropensityModel):
    """A model that is a function of the cells by column name."""

    formula: Callable[[dict[str, FloatArray]], FloatArray]

    def chance(self, cells: Cells) -> FloatArray:
        return self.formula({name: cells.column(number) for number, name in enumerate(COLUMNS)})

    def contributions(self, rows: FloatArray) -> FloatArray:
        return np.nan_to_num(rows)

    def dump(self) -> dict[str, str]:
        return {}


def by_everything(rows: dict[str, FloatArray]) -> FloatArray:
    """A chance of payment that moves with every column, action and debtor alike."""
    total = sum((number + 1) * np.nan_to_num(values) for number, values in enumerate(rows.values()))
    return 0.5 + 0.4 * np.sin(np.asarray(total, dtype=np.float64))


def rate_model(rates: tuple[float, ...] = RATES) -> RateModel:
    """One chance of payment for each channel."""
    return RateModel(rates, COLUMNS.index("channel"))


def bundle_of(found: Histories, model: PropensityModel, **changes: Any) -> Bundle:
    """A bundle whose reference is learnt from all of the histories."""
    reference = learn_reference(found, until_us=2**62, config=CONFIG)
    return replace(Bundle("m1", "fake", "value", model, reference, 0.5, {}), **changes)


def arms(**shares: float) -> Config:
    """The default configuration with other shares of the arms."""
    control, explore, champion, challenger = (shares.get(name, 0.0) for name in ARMS)
    return replace(CONFIG, arms=ArmSettings(control, explore, champion, challenger))


def asks_of(found: Histories, as_of: datetime) -> Asks:
    """Every debtor with an open claim at a moment."""
    debtors = debtors_with_open_claims(found, to_us(as_of))
    return Asks(debtors, np.full(len(debtors), to_us(as_of)))


def decided(found: Histories, as_of: datetime, *, bundle: Bundle, config: Config = CONFIG) -> Decided:
    """Decisions for every debtor with an open claim at a moment."""
    return decide(found, asks_of(found, as_of), champion=bundle, config=config, packs=PACKS)


def rows_of(subject: Decided) -> list[dict[str, Any]]:
    """The contract's rows as dictionaries."""
    rows: list[dict[str, Any]] = table_of(subject).to_pylist()
    return rows


def table_of(subject: Decided) -> pa.Table:
    """The contract's rows."""
    return decision_table(subject, packs_version=rules_version(PACKS))
