"""Facts in any order over connections to a running service: the same decision, leave and outcome as told in order, once."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults.calls import Caller, decide
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.shuffled import ASKED_FOR, REFERENCES, TOLD_FROM, anonymous, ending_of, tellings_of
from tests.faults.stories import LEAVES, Decided, Event
from tests.faults.world import debtor_name, settings_of
from tests.small_service import NOW

AT_ONCE = 4
"""Callers; each tells of one debtor at a time."""

INSTANT = timedelta(microseconds=1)
GIVEN = 200


@dataclass(frozen=True)
class Answered:
    """What the service answers of one debtor in the end, its own names and moments taken out; `leave` as in `shuffled.Came`."""

    decision: str
    leave: str | None
    outcome: str


def shuffled_over_http(kind: str, orders: int, *, seed: int) -> Line:
    """So many orders, each on a debtor of its own, to one process."""
    with (
        tempfile.TemporaryDirectory() as name,
        settings_of(kind, Path(name), debtors=REFERENCES + orders) as settings,
        nursery(Path(name)) as found,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        found.began -= (TOLD_FROM - NOW).total_seconds()
        port = found.start(replace(settings, patience_ms=20_000)).port
        key = keys_of(settings)["collection_system"]
        decided = [*pool.map(lambda n: _decided(port, key, debtor_name(n)), range(REFERENCES + orders))]
        tellings = tellings_of(decided, random.Random(seed))
        refused = [one for some in pool.map(lambda told: _tell(port, key, told), tellings) for one in some]
        came = [*pool.map(lambda one: _came(port, key, one), decided)]
    wrong = [*refused, *_wrong(came)]
    return Line(
        f"the same over HTTP, {AT_ONCE} callers, {kind}",
        f"{orders} orders of {REFERENCES} stories, {sum(map(len, tellings))} events told",
        f"{len({*came})} different outcome(s); decisions, leaves and outcomes {'differ' if wrong else 'the same'}",
        tuple(wrong[:10]),
    )


def _decided(port: int, key: str, debtor: str) -> Decided:
    """A decision to contact a debtor."""
    with Caller(port, key) as caller:
        said = _said(caller, *decide(debtor))
    return Decided(debtor, said["decision_id"], said["channel"], datetime.fromisoformat(said["decided_at"]), INSTANT)


def _tell(port: int, key: str, told: Iterable[Event]) -> list[str]:
    """Tells of one debtor; what was not taken."""
    refused = []
    with Caller(port, key) as caller:
        for name, table, row in told:
            answer = caller.post("/v1/events", {"event_id": name, "table": table, "row": row})
            if answer is None or answer.status != GIVEN:
                refused.append(f"{name}: {None if answer is None else answer.body!r}")
    return refused


def _came(port: int, key: str, one: Decided) -> Answered:
    with Caller(port, key) as caller:
        answer = caller.post(*decide(one.debtor, as_of=ASKED_FOR.isoformat()))
        stored = caller.get(f"/v1/decisions/{one.decision_id}")
        leave = caller.post(f"/v1/decisions/{one.decision_id}/confirm")
    assert answer is not None
    assert stored is not None
    assert leave is not None
    decision = anonymous(one, answer.body.decode())
    return Answered(
        decision, None if leave.status == GIVEN else leave.json["reason"], _outcome(one, stored.json["outcome"])
    )


def _outcome(decided: Decided, told: dict[str, Any]) -> str:
    """What came of the decision, moments counted from it, in no order."""
    events = sorted((one["kind"], _since(decided, one["at"])) for one in told["contact_events"])
    payments = sorted(anonymous(decided, repr(_without_moment(decided, one))) for one in told["payments"])
    return repr((events, payments, told["mature"]))


def _without_moment(decided: Decided, payment: dict[str, Any]) -> dict[str, Any]:
    return payment | {"paid_at": _since(decided, payment["paid_at"])}


def _since(decided: Decided, moment: str) -> int:
    return (datetime.fromisoformat(moment) - decided.at) // INSTANT


def _said(caller: Caller, path: str, body: object) -> dict[str, Any]:
    answer = caller.post(path, body)
    assert answer is not None
    assert answer.status == GIVEN, answer.body
    return answer.json


def _wrong(came: Sequence[Answered]) -> list[str]:
    """What is not as the story says, and what differs from the debtor who was told of in order."""
    wrong = []
    for number, one in enumerate(came):
        ending, like = ending_of(number), came[number % REFERENCES]
        if one.leave != LEAVES[ending]:
            wrong.append(f"{debtor_name(number)}, {ending}: leave {one.leave}, expected {LEAVES[ending]}")
        if one != like:
            wrong.append(f"{debtor_name(number)}, {ending}: another decision or outcome")
    return wrong
