"""Nights over a portfolio in memory, laid out by debtor or in one folder, with a model that counts contacts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.decision_log import DecisionLog
from data.event_log import Event, record
from data.layout import lay_out
from data.portfolio import Portfolio, read_portfolio
from data.vocabulary import CHANNELS
from features.catalogue import catalogue, names
from features.histories import histories_of
from features.reference import learn_reference
from models.bundle import Bundle
from models.propensity import RateModel
from serving.nightly import run_nightly
from serving.nightly_summary import NightlySummary
from tests.deciding import arms
from tests.portfolios import CONFIG
from tests.samples import Row, write_tables
from tests.small_service import promote
from tests.strategies import START, random_tables

SHARDS = 3
AS_OF = START + timedelta(days=300, hours=5)
BEFORE = AS_OF - timedelta(days=1)
ALL_ARMS = arms(control=0.25, explore=0.25, champion=0.5)
TABLES = random_tables(3, debtors=60)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a killed process."""


@dataclass(frozen=True)
class World:
    """A portfolio in a folder, and a workspace with a champion that counts contacts."""

    folder: Path
    workspace: Path

    def night(self, out: Path, **changes: Any) -> NightlySummary:
        given = {"as_of": AS_OF, "out": out, "workspace": self.workspace, "config": ALL_ARMS, "greedy": False}
        return run_nightly(self.folder, **{**given, "progress": lambda what, share: None, **changes})

    def cut_short(self, out: Path, *, at: float, what: str = "deciding", **changes: Any) -> None:
        """A night that dies when so much of something is done."""

        def die(doing: str, share: float) -> None:
            if doing == what and share >= at:
                raise Killed

        with pytest.raises(Killed):
            self.night(out, progress=die, **changes)

    def tell(self, number: int, table: str, row: Row) -> None:
        with closing(DecisionLog.open(self.workspace)) as log, log.writing() as connection:
            record(connection, Event(f"t{number}", table, row), at=BEFORE + timedelta(seconds=number))

    def logged(self) -> tuple[pa.Table, int]:
        with closing(DecisionLog.open(self.workspace)) as log:
            return log.decisions(), len(log.batches())

    def parts(self) -> list[Path]:
        return sorted(self.workspace.glob("nights/*/*.parquet"))

    def shard_of(self, debtor_id: str) -> int:
        """Shard in which a debtor is, of a folder laid out by debtor."""
        (found,) = [n for n in range(SHARDS) if debtor_id in debtors_of(self.folder, n)]
        return found


def debtors_of(folder: Path, shard: int) -> list[str]:
    found: list[str] = read_portfolio(folder, shard=shard)["debtors"]["debtor_id"].to_pylist()
    return found


def champion() -> Bundle:
    """A model whose chance of payment tells how many contacts of the last 30 days it saw."""
    reference = learn_reference(
        histories_of(Portfolio.from_tables(TABLES), channels=CHANNELS), until_us=2**62, config=CONFIG
    )  # fmt: skip
    rates = tuple(0.05 + 0.01 * number for number in range(60))
    model = RateModel(rates, names(catalogue(CHANNELS)).index("contacts_30"))
    return Bundle("counts-1", "rates", "value", model, reference, 0.5, {})


def make(folder: Path, tables: dict[str, pa.Table], *, shards: int | None) -> World:
    portfolio = write_tables(tables, folder / "whole")
    if shards:
        lay_out(portfolio, folder / "laid_out", shards=shards, progress=lambda what, share: None)
    (folder / "workspace").mkdir()
    promote(folder / "workspace", champion())
    return World(folder / "laid_out" if shards else portfolio, folder / "workspace")


def by_claim(file: Path) -> pa.Table:
    return pq.read_table(file).sort_by("claim_id")
