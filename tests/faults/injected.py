"""Statements of SQL in every string a caller can send: taken as the text they are, or refused, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from data.log_engine import open_engine
from data.log_place import LogPlace
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide, payment
from tests.faults.ledger import stored_in
from tests.faults.line import Line, percentile
from tests.faults.services import ROOT, keys_of, nursery
from tests.faults.world import claim_name, debtor_name, settings_of

DEBTORS = 4
SLOWEST_MS = 2_500.0
"""The statements sleep for three seconds."""

MADE = "/tmp/rettid-injected"
OPENERS = ("'", '"', "')", '")', "`", "]", "\\'", "%27", "''", "\u2019")
STATEMENTS = (
    " OR '1'='1",
    "; DROP TABLE events; --",
    "; DELETE FROM chain; --",
    "; DROP TRIGGER events_no_delete; --",
    " UNION SELECT id, key FROM subjects --",
    " UNION SELECT key_id, digest FROM keys --",
    "; UPDATE keys SET role = 'operations'; --",
    "; SELECT pg_sleep(3); --",
    f"; ATTACH DATABASE '{MADE}' AS x; CREATE TABLE x.y (z); --",
    f"; COPY subjects TO '{MADE}'; --",
    "; PRAGMA writable_schema = 1; --",
    "; DROP SCHEMA tenant_main CASCADE; --",
    " AND 1 = CAST((SELECT version()) AS int) --",
    "||(SELECT load_extension('x'))||",
    "$$; ROLLBACK; DROP DATABASE test; --",
)
TAILS = ("", "/*")
PAYLOADS = tuple(map("".join, product(OPENERS, STATEMENTS, TAILS)))

Request = tuple[str, str, object, str | None]
"""Verb, path, body and idempotency key."""


@dataclass
class Seen:
    """What came of the requests; `told` are the events that were acknowledged."""

    ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def injected(kind: str, payloads: int) -> Line:
    """Every payload in every string; afterwards all that stood there stands there, and only what was taken is new."""
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=DEBTORS) as settings:
        keys, seen = keys_of(settings), Seen()
        with nursery(Path(name)) as found:
            running = found.start(replace(settings, patience_ms=20_000))
            with Caller(running.port, keys["collection_system"]) as caller:
                _must_decide(caller, seen)
                before = _things(settings)
                for number, payload in enumerate(PAYLOADS[:payloads]):
                    for request in _requests(number, payload):
                        _send(caller, request, seen)
                    _erase(running.port, keys["data_protection"], payload, seen)
                _must_decide(caller, seen)
        seen.wrong += _effects(settings, before, seen)
    seen.wrong += _built_statements()
    shown = ", ".join(f"{times} x {status}" for status, times in sorted(seen.statuses.items()))
    return Line(
        f"SQL in every string, {kind}",
        f"{payloads} payloads, {sum(seen.statuses.values())} requests",
        f"{shown}; {len(seen.told)} taken as the text they are; longest {percentile(seen.ms, 1.0):.0f} ms; "
        f"{len(seen.wrong)} effects; no statement built from text (S608)",
        tuple(seen.wrong[:10]),
    )


def _requests(number: int, payload: str) -> Iterator[Request]:
    """One request for each string there is."""
    known, events = debtor_name(number % DEBTORS), "/v1/events"
    yield "POST", *decide(payload), None
    yield "POST", *decide(known, claim_ids=[payload]), None
    yield "POST", *decide(known, channels=[payload]), None
    yield "POST", *decide(known, as_of=payload), None
    yield "POST", "/v1/next-best-actions", {"requests": [{"debtor_id": payload}]}, None
    yield "POST", *decide(known), payload if payload.isascii() else None
    path, body = payment(payload, known, claim_name(known, 0), amount="0.01")
    yield "POST", path, body, None
    for column in ("payment_id", "claim_id", "debtor_id", "contact_id", "amount", "currency", "paid_at", "method"):
        yield "POST", path, {**body, "event_id": f"{column}-{number}", "row": {**_row(body), column: payload}}, None
    yield "POST", events, {"event_id": f"t-{number}", "table": payload, "row": {}}, None
    yield "POST", events, {"event_id": f"c-{number}", "table": "claim_events", "row": {payload: payload}}, None
    named = quote(payload, safe="")
    yield "GET", f"/v1/decisions/{named}", None, None
    yield "GET", f"/v1/decisions/{'0' * 32}?explain={named}", None, None
    yield "POST", f"/v1/decisions/{named}/confirm", None, None
    yield "GET", f"/reports/{named}", None, None


def _row(body: Mapping[str, object]) -> Mapping[str, object]:
    row = body["row"]
    assert isinstance(row, dict)
    return row


def _send(caller: Caller, request: Request, seen: Seen) -> None:
    verb, path, body, once = request
    begun = time.perf_counter()
    answer = caller.post(path, body, once=once) if verb == "POST" else caller.get(path)
    _note(answer, request, seen, ms=(time.perf_counter() - begun) * 1_000)
    if answer is not None and answer.status == 200 and path == "/v1/events":
        assert isinstance(body, dict)
        seen.told.add(str(body["event_id"]))


def _note(answer: Answer | None, request: Request, seen: Seen, *, ms: float) -> None:
    seen.ms.append(ms)
    seen.statuses[0 if answer is None else answer.status] += 1
    what = f"{request[0]} {request[1][:60]}"
    if answer is None or answer.status >= 500:
        seen.wrong.append(f"{what}: {'no answer' if answer is None else answer.status}")
    if ms > SLOWEST_MS:
        seen.wrong.append(f"{what}: {ms:.0f} ms")
    if answer is not None and b"sqlite" in answer.body.lower() + b"psycopg" in answer.body.lower():
        seen.wrong.append(f"{what}: an answer in the data base's words")


def _erase(port: int, key: str, payload: str, seen: Seen) -> None:
    """Erasing by a payload: nobody of that name has been told of."""
    path = f"/v1/debtors/{quote('nobody' + payload, safe='')}"
    with Caller(port, key) as caller:
        begun = time.perf_counter()
        answer = caller.send("DELETE", path, None, {})
    _note(answer, ("DELETE", path, None, None), seen, ms=(time.perf_counter() - begun) * 1_000)
    if answer is not None and answer.status == 200:
        seen.wrong.append(f"DELETE {path[:60]}: somebody was erased")


def _must_decide(caller: Caller, seen: Seen) -> None:
    answer = caller.post(*decide(debtor_name(0)))
    if answer is None or answer.status != 200 or answer.json["channel"] == "none":
        seen.wrong.append("a question was not answered as usual")


def _things(settings: ServiceSettings) -> dict[str, object]:
    """Tables, what guards them, and who may call."""
    place = LogPlace(settings.workspace, settings.database)
    engine = open_engine(settings.database or f"sqlite:///{settings.workspace}/decisions.db")
    with engine.begin() as connection:
        schema = None if settings.database is None else place.schema
        found: dict[str, object] = {"tables": sorted(sa.inspect(connection).get_table_names(schema=schema))}
        guards = "sqlite_master WHERE type = 'trigger'" if schema is None else "pg_trigger WHERE NOT tgisinternal"
        found["guards"] = connection.exec_driver_sql(f"SELECT count(*) FROM {guards}").scalar()
    engine.dispose()
    return found


def _effects(settings: ServiceSettings, before: Mapping[str, object], seen: Seen) -> Iterator[str]:
    """What is there that should not be, or not there that should."""
    stored, after = stored_in(settings), _things(settings)
    names = {name for name, _ in stored.events}
    yield from stored.faults
    yield from (f"{name}: {before[name]} before, {after[name]} after" for name in before if before[name] != after[name])
    yield from (f"event {name[:40]!r} was not taken and is there" for name in names - seen.told)
    yield from (f"event {name[:40]!r} was acknowledged and is not there" for name in seen.told - names)
    if Path(MADE).exists():
        yield f"{MADE} was made"


def _built_statements() -> list[str]:
    """Statements put together from text, but for lines that say why what looks like one is none."""
    rooms = ("data", "features", "models", "training", "serving", "rettid.py")
    command = [str(Path(sys.executable).parent / "ruff"), "check", "--select", "S608", "--no-cache"]
    done = subprocess.run(
        [*command, "--output-format", "json", *rooms], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [f"S608: {Path(one['filename']).name}:{one['location']['row']}" for one in json.loads(done.stdout)]
