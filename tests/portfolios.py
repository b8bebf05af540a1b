"""Portfolios in memory for tests: as histories, with their rows shuffled, with coarse times."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.portfolio import Portfolio
from data.times import to_us
from features.histories import histories_of
from features.pipeline import ClaimRows, Targets, build, open_targets
from features.reference import learn_reference
from features.tables import Histories

CONFIG = Config()
CHANNELS = CONFIG.grid.channels


def portfolio_of(tables: dict[str, pa.Table]) -> Portfolio:
    """Tables as a portfolio, taken as they are."""
    return Portfolio.from_tables(tables, checked=False)


def histories(tables: dict[str, pa.Table]) -> Histories:
    """Histories of tables that are taken as they are."""
    return histories_of(portfolio_of(tables), channels=CHANNELS)


def built(found: Histories, as_of: datetime) -> tuple[Targets, ClaimRows]:
    """Every open claim of every debtor at a moment, with its features."""
    targets = open_targets(found, np.arange(found.size), as_of_us=np.full(found.size, to_us(as_of)))
    reference = learn_reference(found, until_us=to_us(as_of), config=CONFIG)
    return targets, build(found, targets, reference=reference, rates=CONFIG.rates)


def shuffled(tables: dict[str, pa.Table], *, seed: int) -> dict[str, pa.Table]:
    """The same rows in another order."""
    rng = np.random.default_rng(seed)
    return {name: table.take(pa.array(rng.permutation(len(table)))) for name, table in tables.items()}


def by_the_day(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Every instant moved back to its midnight, so that many things happen at once."""
    found = {}
    for name, table in tables.items():
        for place, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):
                whole = pc.floor_temporal(table[field.name], unit="day").cast(field.type)
                table = table.set_column(place, field, whole)
        found[name] = table
    return found
