"""Persons erased, and then looked for in every file there is: what named them, or was told of them, is nowhere to be read."""

from __future__ import annotations

import base64
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data.decision_log_tables import CHAINED
from data.log_engine import open_engine
from data.log_place import LogPlace
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import settings_of

KNOWN = {"country": "SE", "time_zone": "Europe/Stockholm", "registered_at": "2026-01-05T12:00:00Z"}
POINT = {
    "channel": "sms",
    "valid_from": "2026-01-05T12:00:00Z",
    "verified": True,
    "consent": "given",
    "kind": "private",
}
CLAIM = {
    "creditor_id": "k-energy",
    "sector": "energy",
    "principal": "2400.00",
    "currency": "SEK",
    "due_on": "2026-01-31",
}
PACE_S = 0.025
"""Between two erasures: a key may ask fifty a second."""

KEPT = 5
"""Persons who are not erased: the same search must find each."""


@dataclass(frozen=True)
class Person:
    """Words that stand for one person and for nobody else."""

    debtor: str
    claim: str
    payment: str
    contact: str
    address: str
    key: str

    @property
    def words(self) -> tuple[str, ...]:
        """All of them."""
        return self.debtor, self.claim, self.payment, self.contact, self.address, self.key


def erased(kind: str, persons: int) -> Line:
    """Persons told of, decided for, asked wrongly about and erased over HTTP; then every file is searched."""
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=1) as settings:
        keys, patient = keys_of(settings), replace(settings, patience_ms=20_000)
        found = [_person() for _ in range(persons + KEPT)]
        gone, kept = found[:persons], found[persons:]
        with nursery(Path(name)) as started:
            running = started.start(patient)
            with Caller(running.port, keys["collection_system"]) as caller:
                wrong = [fault for one in found for fault in _lived(caller, one)]
            before = _counts(settings)
            with Caller(running.port, keys["data_protection"]) as caller:
                wrong += [fault for one in gone for fault in _erase(caller, one)]
            with Caller(running.port, keys["collection_system"]) as caller:
                wrong += [fault for one in gone for fault in _forgotten(caller, one)]
        after, places = _counts(settings), [*_files(Path(name)), *_rows(settings)]
        wrong += stored_in(settings).faults
    hits, seen = _hits(places, gone), _hits(places, kept)
    wrong += [f"{word} stands in {where}" for word, where in hits]
    wrong += [
        f"{table}: {before[table]} rows before, {after[table]} after"
        for table in before
        if before[table] != after[table]
    ]
    found_again = {word for word, _ in seen}
    wrong += [
        f"{one.debtor} was not erased and is not found: the search is blind"
        for one in kept
        if one.debtor not in found_again
    ]
    return Line(
        f"persons erased, then looked for, {kind}",
        f"{persons} persons, {persons * len(gone[0].words)} words in 6 spellings, {len(places)} files and tables",
        f"{len(hits)} hits ({len(seen)} for the {KEPT} who were kept); rows of the log as many as before",
        tuple(wrong[:10]),
    )


def _person() -> Person:
    return Person(*(f"{what}{secrets.token_hex(8)}" for what in ("per", "cla", "pay", "con", "adr", "key")))


def _lived(caller: Caller, one: Person) -> Iterator[str]:
    """All that a service may come to know of somebody, and requests that fail."""
    paid = {"claim_id": one.claim, "debtor_id": one.debtor, "paid_at": "2026-03-01T08:00:00Z", "currency": "SEK"}
    sent = {"claim_id": one.claim, "debtor_id": one.debtor, "decided_at": "2026-02-20T08:00:00Z", "channel": "letter"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("claim_events", {"claim_id": one.claim, "at": "2026-02-01T12:00:00Z", "kind": "stage", "stage": "reminder"}),
        ("debtors", {"debtor_id": one.debtor, **KNOWN, "birth_date": "1979-04-30"}),
        ("contact_points", {"debtor_id": one.debtor, **POINT, "address_key": one.address}),
        ("claims", {"debtor_id": one.debtor, "claim_id": one.claim, **CLAIM, "registered_at": "2026-01-10T12:00:00Z"}),
        ("payments", {**paid, "payment_id": one.payment, "amount": "12.00"}),
        ("contacts", {**sent, "contact_id": one.contact, "send_at": "2026-02-20T13:00:00Z", "policy": one.address}),
        ("contact_events", {"contact_id": one.contact, "at": "2026-02-20T13:00:00Z", "kind": "opened"}),
    ]
    for number, (table, row) in enumerate(rows):
        body = {"event_id": f"{one.key}-{number}", "table": table, "row": row}
        yield from _must(caller.post("/v1/events", body, once=f"{one.key}-{number}"), 200)
    answer = caller.post(*decide(one.debtor, explain=True), once=one.key)
    yield from _must(answer, 200)
    assert answer is not None
    decision = answer.json["decision_id"]
    yield from _must(caller.post(f"/v1/decisions/{decision}/confirm", once=f"c-{one.key}"), 200)
    yield from _must(caller.get(f"/v1/decisions/{decision}?explain=true"), 200)
    yield from _must(
        caller.post("/v1/next-best-actions", {"requests": [{"debtor_id": one.debtor}]}, once=f"m-{one.key}"), 200
    )
    yield from _must(caller.post(*decide(one.debtor, claim_ids=[one.address])), 422)
    yield from _must(
        caller.post("/v1/events", {"event_id": "e", "table": "debtors", "row": {one.address: one.debtor}}), 422
    )
    yield from _must(caller.get(f"/v1/decisions/{one.contact}"), 404)


def _erase(caller: Caller, one: Person) -> Iterator[str]:
    time.sleep(PACE_S)
    yield from _must(caller.send("DELETE", f"/v1/debtors/{one.debtor}", None, {}), 200)


def _forgotten(caller: Caller, one: Person) -> Iterator[str]:
    """What is still sent about somebody who was erased, and is not taken."""
    yield from _must(caller.post(*decide(one.debtor)), 404)
    row = {"claim_id": one.claim, "at": "2026-03-02T12:00:00Z", "kind": "inbound"}
    yield from _must(
        caller.post("/v1/events", {"event_id": f"{one.key}-late", "table": "claim_events", "row": row}), 409
    )


def _must(answer: Answer | None, status: int) -> Iterator[str]:
    if answer is None or answer.status != status:
        yield f"expected {status}, came {'nothing' if answer is None else (answer.status, answer.body[:150])}"


def _counts(settings: ServiceSettings) -> dict[str, int]:
    """Rows of every table whose rows stay; erasures come to them."""
    with LogPlace(settings.workspace, settings.database).open().walking() as connection:
        kept = {name: table for name, table in CHAINED.items() if name != "erasures"}
        return {n: connection.scalar(sa.select(sa.func.count()).select_from(t)) or 0 for n, t in kept.items()}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the workspace, and what the service wrote on its standard error."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def _rows(settings: ServiceSettings) -> Iterator[tuple[str, bytes]]:
    """Every table of a data base that is no file of ours, as text."""
    if settings.database is None:
        return
    engine = open_engine(settings.database)
    with engine.begin() as connection:
        inspector = sa.inspect(connection)
        for schema in inspector.get_schema_names():
            for table in inspector.get_table_names(schema=schema) if schema != "information_schema" else ():
                rows = connection.exec_driver_sql(f'SELECT t::text FROM "{schema}"."{table}" t').scalars()
                yield f"{schema}.{table}", "\n".join(rows).encode()
    engine.dispose()


def _hits(places: Iterable[tuple[str, bytes]], persons: Sequence[Person]) -> list[tuple[str, str]]:
    """Words that stand somewhere, in whatever spelling."""
    spelt = [(word, spelling) for one in persons for word in one.words for spelling in _spellings(word)]
    return [(word, where) for where, content in places for word, spelling in spelt if spelling in content]


def _spellings(word: str) -> set[bytes]:
    """A word as it is, as digits, in two bytes a letter, and in the middle of something in base 64."""
    plain = word.encode()
    shifted = {base64.b64encode(b"x" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)}
    return {plain, plain.hex().encode(), plain.hex().upper().encode(), word.encode("utf-16-le"), *shifted}
