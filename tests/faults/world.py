"""A world for faults: many debtors in Stockholm with seven claims each, beside the four of the small service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import sqlalchemy as sa

from data.portfolio import Portfolio
from serving.settings import ServiceSettings
from tests.data.log_places import URL
from tests.samples import Row, moment, rows_to_table, write_tables
from tests.small_service import ONE_ARM, promote, small_bundle, small_tables

CLAIMS = 7


def debtor_name(number: int) -> str:
    """Name of one of the many."""
    return f"f{number}"


def claim_name(debtor_id: str, number: int) -> str:
    """Name of one of its claims."""
    return f"{debtor_id}-k{number}"


def many_tables(debtors: int) -> dict[str, pa.Table]:
    """The small service's tables with that many more debtors, who can be reached by three channels."""
    known: Row = {"country": "SE", "time_zone": "Europe/Stockholm", "registered_at": moment(1, 5)}
    known |= {"birth_date": date(1979, 4, 30)}
    point: Row = {"verified": True, "consent": "given", "kind": "private", "valid_from": moment(1, 5)}
    claim: Row = {"creditor_id": "k-energy", "sector": "energy", "currency": "SEK", "registered_at": moment(1, 10)}
    claim |= {"principal": Decimal("9000.00"), "due_on": date(2026, 1, 31)}
    stage: Row = {"at": moment(2, 1), "kind": "stage", "stage": "reminder"}
    names = [debtor_name(number) for number in range(debtors)]
    owed = [(one, claim_name(one, number)) for one in names for number in range(CLAIMS)]
    more = {
        "debtors": [{**known, "debtor_id": one} for one in names],
        "contact_points": [
            {**point, "debtor_id": one, "channel": c} for one in names for c in ("sms", "email", "phone")
        ],
        "claims": [{**claim, "debtor_id": one, "claim_id": name} for one, name in owed],
        "claim_events": [{**stage, "claim_id": name, "event_id": f"stage-{name}"} for _, name in owed],
    }
    tables = small_tables()
    return tables | {name: pa.concat_tables([tables[name], rows_to_table(name, rows)]) for name, rows in more.items()}


def write_many(folder: Path, *, debtors: int = 64, configuration: str = ONE_ARM) -> ServiceSettings:
    """The world on disk, its model promoted."""
    tables = many_tables(debtors)
    portfolio = write_tables(tables, folder / "portfolio")
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "rettid.toml").write_text(configuration, encoding="utf-8")
    promote(workspace, small_bundle(Portfolio.from_tables(tables)))
    return ServiceSettings(workspace=workspace, portfolio=portfolio, warm_up=False)


@contextmanager
def own_database(url: str = URL) -> Iterator[str]:
    """A PostgreSQL data base of one's own, gone afterwards."""
    name = f"faults_{uuid4().hex[:12]}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        engine.dispose()


@contextmanager
def settings_of(kind: str, folder: Path, *, debtors: int = 64) -> Iterator[ServiceSettings]:
    """The world over SQLite, or over a PostgreSQL data base of its own."""
    settings = write_many(folder, debtors=debtors)
    if kind == "sqlite":
        yield settings
        return
    with own_database() as url:
        yield replace(settings, database=url)
