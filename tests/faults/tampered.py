"""Every row of the log changed, removed, copied and exchanged by somebody who is past its guards: the chain tells of each."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data.decision_log import DecisionLog
from data.decision_log_tables import CHAINED, chain
from data.log_chain import link_digest
from data.log_engine import open_engine
from data.log_place import LogPlace
from data.log_proof import last_links, verify
from serving.decider import Service
from serving.eraser import erase_debtor
from serving.group import Ask, Leave, Tell, answer_group
from serving.group_told import Told
from serving.settings import ServiceSettings
from serving.shapes import EventRequest, NextBestActionRequest
from serving.tenants import open_tenants
from tests.data.tampering import other, plain, unguarded
from tests.faults.line import Line
from tests.faults.shuffled import story
from tests.faults.world import debtor_name, settings_of
from tests.small_service import NOW, FakeClock, decision_row, decision_table

FAR = 1_000_000
"""Added to a place or a number: one that no row has."""

UNIQUE = ("batch_id", "decision_id", "answer_id", "event_key")
TABLES = {**CHAINED, "chain": chain}
PLAIN = {name: plain(table) for name, table in TABLES.items()}
PLACE = {name: "number" if name == "chain" else "sequence" for name in TABLES}

Row = dict[str, Any]


class Undone(Exception):
    """What was changed is to be taken back."""


@dataclass(frozen=True)
class Tampering:
    """One thing done to the log."""

    kind: str
    what: str
    do: Callable[[sa.Connection], None]


def tampered(kind: str, debtors: int) -> Line:
    """Each tampering alone, in a transaction that is taken back once the chain was worked out again."""
    with tempfile.TemporaryDirectory() as folder, settings_of(kind, Path(folder), debtors=debtors) as settings:
        _fill(settings, debtors)
        place = LogPlace(settings.workspace, settings.database)
        _take_guards_away(settings, place)
        log = place.open()
        try:
            with log.walking() as connection:
                whole, kept = verify(connection), {one.number: one.digest for one in last_links(connection).values()}
                rows = {name: [*_rows(connection, name)] for name in TABLES}
            tried, found, missed = _tried(log, rows, kept)
        finally:
            log.close()
    wrong = [f"{one.kind}: {one.what}" for one in missed] + ([] if whole is None else [f"broken before: {whole}"])
    wrong += [f"expected rows in {name}" for name, of in rows.items() if not of]
    shown = ", ".join(f"{found[one]} of {times} {one}" for one, times in tried.items())
    return Line(
        f"rows tampered with past the guards, every table, {kind}",
        f"{sum(map(len, rows.values()))} rows of {len(rows)} tables, {tried.total()} tamperings",
        f"found: {shown}",
        tuple(wrong[:10]),
    )


def _fill(settings: ServiceSettings, debtors: int) -> None:
    """A batch, events, decisions, leaves, refusals and erasures."""
    clock = FakeClock()
    (tenant,) = open_tenants(settings, clock, told=Told()).values()
    try:
        service = tenant.service
        rows = [decision_row(n, decided_at=NOW - timedelta(hours=6), reasons=["a reason"]) for n in range(3)]
        table = decision_table(*rows)
        service.log.write_batch(table, portfolio=None, as_of=NOW - timedelta(hours=6), config_fingerprint="c")
        for number in range(debtors):
            _live(service, debtor_name(number), stopped=number % 2 == 0)
            clock.advance(seconds=1)
        erase_debtor(service, debtor_name(0))
    finally:
        tenant.counter.close()


def _live(service: Service, debtor: str, *, stopped: bool) -> None:
    events = [EventRequest(event_id=name, table=table, row=row) for name, table, row in story(debtor)]
    answer_group(service, [Tell(one) for one in events])
    said = json.loads(answer_group(service, [Ask(NextBestActionRequest(debtor_id=debtor))])[0].stored.body)
    if stopped:
        row = {"claim_id": said["claims"][0]["claim_id"], "at": "2026-03-10T07:15:00Z", "kind": "dispute_opened"}
        answer_group(service, [Tell(EventRequest(event_id=f"{debtor}-stop", table="claim_events", row=row))])
    answer_group(service, [Leave(said["decision_id"])])


def _take_guards_away(settings: ServiceSettings, place: LogPlace) -> None:
    sqlite = f"sqlite:///{settings.workspace}/decisions.db"
    engine = open_engine(settings.database or sqlite, schema=place.schema if settings.database else None)
    with engine.begin() as connection:
        unguarded(connection)
    engine.dispose()


def _rows(connection: sa.Connection, name: str) -> Iterator[Row]:
    table = PLAIN[name]
    yield from map(dict, connection.execute(sa.select(table).order_by(table.c[PLACE[name]])).mappings())


def _tried(
    log: DecisionLog, rows: dict[str, list[Row]], kept: dict[int, str]
) -> tuple[Counter[str], Counter[str], list[Tampering]]:
    tried, found, missed = Counter[str](), Counter[str](), list[Tampering]()
    for one in tamperings(rows):
        with suppress(Undone), log.walking() as connection:
            one.do(connection)
            broken = verify(connection, kept=kept)
            tried[one.kind] += 1
            found[one.kind] += broken is not None
            missed += [] if broken is not None else [one]
            raise Undone
    return tried, found, missed


def tamperings(rows: dict[str, list[Row]]) -> Iterator[Tampering]:
    """Everything that is done: to each row by itself, and to the end of the log."""
    for name, of in rows.items():
        for row in of:
            yield from (_changed(name, row, column) for column in row)
            yield _removed(name, row)
            yield _copied(name, row)
        yield from (_exchanged(name, one, two) for one, two in pairwise(of))
    yield from (_sealed_anew(row, before) for before, row in pairwise(rows["chain"]))
    yield Tampering("cut off at the end", "the last link", lambda connection: _cut(connection, rows["chain"][-1]))


def _at(name: str, row: Row) -> sa.ColumnElement[bool]:
    here: sa.ColumnElement[bool] = PLAIN[name].c[PLACE[name]] == row[PLACE[name]]
    return here


def _changed(name: str, row: Row, column: str) -> Tampering:
    value = row[column] + FAR if column == PLACE[name] else other(row[column], TABLES[name].c[column].type)
    statement = sa.update(PLAIN[name]).where(_at(name, row)).values({column: value})
    return Tampering("changed", f"{name}.{column} at {row[PLACE[name]]}", lambda connection: _do(connection, statement))


def _removed(name: str, row: Row) -> Tampering:
    statement = sa.delete(PLAIN[name]).where(_at(name, row))
    return Tampering("removed", f"{name} at {row[PLACE[name]]}", lambda connection: _do(connection, statement))


def _copied(name: str, row: Row) -> Tampering:
    again = {**row, PLACE[name]: row[PLACE[name]] + FAR}
    again |= {column: f"{row[column]}x" for column in UNIQUE if row.get(column) is not None}
    statement = sa.insert(PLAIN[name]).values(again)
    return Tampering("copied", f"{name} at {row[PLACE[name]]}", lambda connection: _do(connection, statement))


def _exchanged(name: str, one: Row, two: Row) -> Tampering:
    """Two rows, each in the other's place and under the other's link."""
    table, kept = PLAIN[name], [PLACE[name], *(["link"] if "link" in one else [])]

    def do(connection: sa.Connection) -> None:
        connection.execute(sa.delete(table).where(_at(name, one) | _at(name, two)))
        for row, at in ((one, two), (two, one)):
            connection.execute(sa.insert(table).values({**row, **{column: at[column] for column in kept}}))

    return Tampering("exchanged", f"{name} at {one[PLACE[name]]}", do)


def _sealed_anew(row: Row, before: Row) -> Tampering:
    """A link at another moment, its own digest worked out again as if it had always been so."""
    at_us = row["at"] + 1
    digest = link_digest(before["digest"], (row["number"], at_us, row["parts"], row["ends"]))
    statement = sa.update(PLAIN["chain"]).where(_at("chain", row)).values(at=at_us, digest=digest)
    return Tampering("sealed anew", f"link {row['number']}", lambda connection: _do(connection, statement))


def _cut(connection: sa.Connection, last: Row) -> None:
    for name in TABLES:
        column = "number" if name == "chain" else "link"
        connection.execute(sa.delete(PLAIN[name]).where(PLAIN[name].c[column] == last["number"]))


def _do(connection: sa.Connection, statement: sa.Executable) -> None:
    connection.execute(statement)
