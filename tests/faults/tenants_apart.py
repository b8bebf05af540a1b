"""One tenant's key on another's identifiers, in every call: the same answer as for what nobody knows, and as quickly."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.log_place import LogPlace
from serving.access.matrix import MATRIX, Call
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide
from tests.faults.keys_misused import TENANTS, two_tenants
from tests.faults.ledger import stored_in_place
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import debtor_name

MOST_MS = 5.0
OF_NOBODY = frozenset({"/openapi.json", "/readyz", "/metrics", "/logout"})
"""Calls that name nothing of a tenant's, beside those open to anyone."""

OURS, THEIRS = TENANTS
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


@dataclass(frozen=True)
class Named:
    """Identifiers of one debtor, known or not; all of one length."""

    debtor: str
    claim: str
    decision: str
    report: str


@dataclass(frozen=True)
class Try:
    """One call with identifiers that are not ours."""

    call: Call
    role: str
    send: Callable[[Caller, Named, str], Answer | None]


def _decided(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.get(f"/v1/decisions/{named.decision}")


def _explained(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.get(f"/v1/decisions/{named.decision}?explain=true")


def _confirmed(caller: Caller, named: Named, once: str) -> Answer | None:
    return caller.post(f"/v1/decisions/{named.decision}/confirm", once=once)


def _asked(caller: Caller, named: Named, once: str) -> Answer | None:
    return caller.post(*decide(named.debtor), once=once)


def _asked_of_claim(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.post(*decide(debtor_name(0), claim_ids=[named.claim]))


def _asked_of_many(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.post("/v1/next-best-actions", {"requests": [{"debtor_id": named.debtor}]})


def _told(table: str, row: Callable[[Named], Mapping[str, object]]) -> Callable[[Caller, Named, str], Answer | None]:
    def send(caller: Caller, named: Named, once: str) -> Answer | None:
        answer = caller.post("/v1/events", {"event_id": once, "table": table, "row": row(named)})
        if answer is None:
            return None
        return Answer(answer.status, answer.headers, answer.body.replace(once.encode(), b"-"))

    return send


def _erased(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.send("DELETE", f"/v1/debtors/{named.debtor}", None, {})


def _reported(caller: Caller, named: Named, _once: str) -> Answer | None:
    return caller.get(f"/reports/{named.report}")


def _listed(caller: Caller, _named: Named, _once: str) -> Answer | None:
    return caller.get("/reports")


def _at(named: Named, **more: object) -> Mapping[str, object]:
    return {"claim_id": named.claim, "at": "2026-03-10T07:15:00Z", **more}


SYSTEM = "collection_system"
TRIES = (
    *(Try(("GET", "/v1/decisions/{decision_id}"), role, _decided) for role in (SYSTEM, "manager", "data_protection")),
    Try(("GET", "/v1/decisions/{decision_id}"), "data_scientist", _explained),
    Try(("POST", "/v1/decisions/{decision_id}/confirm"), SYSTEM, _confirmed),
    Try(("POST", "/v1/next-best-action"), SYSTEM, _asked),
    Try(("POST", "/v1/next-best-action"), SYSTEM, _asked_of_claim),
    Try(("POST", "/v1/next-best-actions"), SYSTEM, _asked_of_many),
    Try(("POST", "/v1/events"), SYSTEM, _told("claim_events", lambda one: _at(one, kind="dispute_opened"))),
    Try(
        ("POST", "/v1/events"),
        SYSTEM,
        _told("contact_events", lambda one: {"contact_id": one.decision, "at": "2026-03-10T07:15:00Z", "kind": "sent"}),
    ),
    Try(("DELETE", "/v1/debtors/{debtor_id}"), "data_protection", _erased),
    Try(("GET", "/reports/{name}"), "manager", _reported),
    Try(("GET", "/reports"), "manager", _listed),
)


@dataclass
class Seen:
    """What came of the tries; times as differences, theirs less nobody's."""

    requests: int = 0
    differences_ms: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def tenants_apart(debtors: int) -> Line:
    """Each call with identifiers of the other tenant's debtors and with such as nobody knows, in turn."""
    with tempfile.TemporaryDirectory() as name:
        settings, seen = two_tenants(Path(name), debtors=2), Seen()
        (settings.workspace / THEIRS / "reports").mkdir(exist_ok=True)
        with nursery(Path(name)) as found:
            port = found.start(settings).port
            keys = {one: keys_of(settings, tenant=one) for one in TENANTS}
            with Caller(port, keys[THEIRS][SYSTEM]) as theirs:
                known = [_made(theirs, settings, number) for number in range(debtors)]
                before = _entries(settings)
                _try_all(port, keys[OURS], known, seen)
                if _entries(settings) != before:
                    seen.wrong.append("expected nothing new in the other tenant's log")
                theirs.close()  # the service has closed a line that was silent for so long
                seen.wrong += _still_there(theirs, known)
    seen.wrong += [f"{method} {path} is not tried" for method, path in sorted(_of_tenants() - {t.call for t in TRIES})]
    worst = max(seen.differences_ms, key=lambda one: abs(statistics.median(seen.differences_ms[one])))
    worst_ms = statistics.median(seen.differences_ms[worst])
    if abs(worst_ms) >= MOST_MS:
        seen.wrong.append(f"{worst}: {worst_ms:.1f} ms between another tenant's and nobody's")
    return Line(
        "one tenant's key on another's identifiers, every call",
        f"{debtors} debtors, {len(TRIES)} calls, {seen.requests} requests",
        f"{len(seen.wrong)} answers tell them from what nobody knows; median difference of time at most "
        f"{abs(worst_ms):.2f} ms ({worst})",
        tuple(seen.wrong[:10]),
    )


def _of_tenants() -> set[Call]:
    return {call for call, entry in MATRIX.items() if not entry.open and call[1] not in OF_NOBODY}


def _made(theirs: Caller, settings: ServiceSettings, number: int) -> Named:
    """A debtor whom the other tenant alone knows, with a claim, a decision and a report page."""
    debtor, claim = f"theirs-{number:06d}", f"claim-{number:06d}"
    rows: list[tuple[str, dict[str, Any]]] = [
        ("debtors", {"debtor_id": debtor, **KNOWN, "birth_date": "1979-04-30"}),
        ("contact_points", {"debtor_id": debtor, **POINT}),
        ("claims", {"debtor_id": debtor, "claim_id": claim, **CLAIM, "registered_at": "2026-01-10T12:00:00Z"}),
        ("claim_events", {"claim_id": claim, "at": "2026-02-01T12:00:00Z", "kind": "stage", "stage": "reminder"}),
    ]
    for place, (table, row) in enumerate(rows):
        told = theirs.post("/v1/events", {"event_id": f"{debtor}-{place}", "table": table, "row": row})
        assert told is not None
        assert told.status == 200, told.body
    answer = theirs.post(*decide(debtor), once=f"once-{debtor}")
    assert answer is not None
    assert answer.json["channel"] == "sms", answer.body
    page = settings.workspace / THEIRS / "reports" / f"uplift-{number:06d}.html"
    page.write_text(f"<p>{debtor}</p>", encoding="utf-8")
    return Named(debtor, claim, answer.json["decision_id"], page.stem)


def _unknown(number: int) -> Named:
    """What nobody knows, of the same length."""
    return Named(f"nobody-{number:06d}", f"nones-{number:06d}", f"{number:032x}", f"nonono-{number:06d}")


def _try_all(port: int, keys: Mapping[str, str], known: list[Named], seen: Seen) -> None:
    callers = {role: Caller(port, keys[role]) for role in {one.role for one in TRIES}}
    for number, theirs in enumerate(known):
        for place, one in enumerate(TRIES):
            pair = [(theirs, f"once-{theirs.debtor}"), (_unknown(number), f"once-nobody-{number:06d}")]
            pair = [(named, f"{once}-{place}" if one.call[1] == "/v1/events" else once) for named, once in pair]
            turn = pair if number % 2 else pair[::-1]
            found = {named: _timed(one, callers[one.role], named, once) for named, once in turn}
            (answer, ms), (nobodys, nobodys_ms) = (found[named] for named, _ in pair)
            seen.requests += 2
            what = f"{one.call[0]} {one.call[1]}"
            seen.differences_ms.setdefault(what, []).append(ms - nobodys_ms)
            seen.wrong += [f"{what} as {one.role}: {fault}" for fault in _told_apart(answer, nobodys, theirs)]
            time.sleep(0.002)  # below the limits on how often a key may ask
    for caller in callers.values():
        caller.close()


def _timed(one: Try, caller: Caller, named: Named, once: str) -> tuple[Answer | None, float]:
    begun = time.perf_counter()
    answer = one.send(caller, named, once)
    return answer, (time.perf_counter() - begun) * 1_000


def _told_apart(answer: Answer | None, nobodys: Answer | None, theirs: Named) -> Iterator[str]:
    if answer is None or nobodys is None:
        yield "no answer"
        return
    if (answer.status, answer.body) != (nobodys.status, nobodys.body):
        yield f"{answer.status} {answer.body[:120]!r}, for nobody {nobodys.status} {nobodys.body[:120]!r}"
    if answer.status == 429 or answer.status >= 500:
        yield f"{answer.status}"
    if any(one.encode() in answer.body for one in (theirs.debtor, theirs.report)):
        yield "something of theirs"
    if answer.headers.keys() != nobodys.headers.keys():
        yield f"headers {sorted(answer.headers.keys() ^ nobodys.headers.keys())}"


def _entries(settings: ServiceSettings) -> tuple[int, int, int]:
    """Events, decisions and leaves in the other tenant's log."""
    stored = stored_in_place(LogPlace(settings.workspace / THEIRS, settings.database, THEIRS))
    return len(stored.events), len(stored.rows), sum(stored.confirmed.values())


def _still_there(theirs: Caller, known: list[Named]) -> list[str]:
    """What the other tenant can still do with its own."""
    answers = [theirs.post(f"/v1/decisions/{one.decision}/confirm") for one in known]
    return [
        f"{one.debtor}: its own tenant may not send what it decided"
        for one, answer in zip(known, answers, strict=True)
        if answer is None or answer.status != 200
    ]
