"""A stop (opt-out, dispute, payment in full) against decide and confirm: no leave after it was acknowledged."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from serving.decider import Service
from serving.group import Ask, Leave, Tell, answer_group
from serving.group_told import Told
from serving.problems import Refused
from serving.shapes import Confirmation, EventRequest, NextBestAction, NextBestActionRequest
from serving.tenants import open_tenants
from tests.faults.calls import Caller, decide
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import CLAIMS, claim_name, debtor_name, settings_of, write_many
from tests.small_service import FakeClock

AT = "2026-03-10T07:29:00Z"
STOPS = ("opt-out", "dispute", "payment")
LATEST_S = 0.03
"""A stop is told so long at most after the questions began."""

Event = tuple[str, dict[str, object]]
Done = tuple[float, float]
"""When something was asked, and when it was answered."""


def stop_of(kind: str, debtor: str, channel: str) -> list[Event]:
    """Events after which nothing may go to a debtor by a channel: all of them acknowledged, it is a stop."""
    if kind == "opt-out":
        point = {"debtor_id": debtor, "channel": channel, "valid_from": "2026-01-05T12:00:00Z", "verified": True}
        return [("contact_points", point | {"consent": "withdrawn", "kind": "private"})]
    claims = [claim_name(debtor, number) for number in range(CLAIMS)]
    if kind == "dispute":
        return [("claim_events", {"claim_id": one, "at": AT, "kind": "dispute_opened"}) for one in claims]
    paid = {"debtor_id": debtor, "paid_at": AT, "amount": "9000.00", "currency": "SEK"}
    return [("payments", paid | {"claim_id": one, "payment_id": f"all-{one}"}) for one in claims]


@dataclass(frozen=True)
class Doors:
    """How a service is asked, in process or over a connection; each gives what was said in the plainest form."""

    decide: Callable[[str], str | None]
    channel: Callable[[str], str]
    confirm: Callable[[str], bool]
    tell: Callable[[str, str, dict[str, object]], bool]


def in_process(service: Service) -> Doors:
    """The group itself, from threads."""
    of: dict[str, str] = {}

    def said(task: Ask | Leave | Tell) -> object:
        return answer_group(service, [task])[0].said

    def ask(debtor: str) -> str | None:
        told = said(Ask(NextBestActionRequest(debtor_id=debtor)))
        assert isinstance(told, NextBestAction), told
        if told.decision_id is None or told.channel == "none":
            return None
        of[debtor] = told.channel
        return told.decision_id

    def tell(name: str, table: str, row: dict[str, object]) -> bool:
        return not isinstance(said(Tell(EventRequest(event_id=name, table=table, row=row))), Refused)

    return Doors(ask, of.__getitem__, lambda one: isinstance(said(Leave(one)), Confirmation), tell)


def over_http(ports: list[int], key: str) -> Doors:
    """Services over one log, each thread with connections of its own."""
    mine, of, rng = threading.local(), dict[str, str](), random.Random(3)

    def caller() -> Caller:
        if not hasattr(mine, "callers"):
            mine.callers = [Caller(port, key) for port in ports]
        chosen: Caller = rng.choice(mine.callers)
        return chosen

    def ask(debtor: str) -> str | None:
        answer = caller().post(*decide(debtor))
        assert answer is not None
        assert answer.status == 200, answer.body
        told = answer.json
        if told["decision_id"] is None or told["channel"] == "none":
            return None
        of[debtor] = told["channel"]
        name: str = told["decision_id"]
        return name

    def confirm(decision_id: str) -> bool:
        answer = caller().post(f"/v1/decisions/{decision_id}/confirm")
        return answer is not None and answer.status == 200

    def tell(name: str, table: str, row: dict[str, object]) -> bool:
        answer = caller().post("/v1/events", {"event_id": name, "table": table, "row": row})
        return answer is not None and answer.status == 200

    return Doors(ask, of.__getitem__, confirm, tell)


@dataclass(frozen=True)
class Race:
    """Its counts: what was asked, leaves given, those given after all of the stop was acknowledged."""

    leaves: int
    refusals: int
    wrong: list[str]


def one_race(doors: Doors, pool: ThreadPoolExecutor, debtor: str, *, kind: str, rng: random.Random) -> Race:
    """One stop in the middle of questions; afterwards everything is asked once more."""
    begun = doors.decide(debtor)
    if begun is None:
        return Race(0, 0, [f"{debtor}: expected a contact to begin with"])
    waits, acknowledged = rng.random() * LATEST_S, float("inf")

    def ask(number: int) -> tuple[Done, bool]:
        time.sleep(rng.random() * LATEST_S)
        start = time.monotonic()
        decision = doors.decide(debtor) if number % 2 else begun
        given = decision is not None and doors.confirm(decision)
        return (start, time.monotonic()), given

    asked = [pool.submit(ask, number) for number in range(3)]
    time.sleep(waits)
    if not all([doors.tell(f"{debtor}-{n}", *one) for n, one in enumerate(stop_of(kind, debtor, doors.channel(debtor)))]):
        return Race(0, 0, [f"{debtor}: expected the stop to be taken"])
    acknowledged = time.monotonic()
    channel = doors.channel(debtor)
    late = [ask(0)]
    told = [one.result() for one in asked]
    wrong = [f"{debtor}: leave after {kind}" for (start, _), given in (*told, *late) if given and start > acknowledged]
    after = doors.decide(debtor)
    if after is not None and (kind != "opt-out" or doors.channel(debtor) == channel):
        wrong.append(f"{debtor}: decided by {doors.channel(debtor)} after {kind}")
    leaves = sum(given for _, given in told)
    return Race(leaves, len(told) + 1 - leaves, wrong)


def _races(doors: Doors, races: int, *, seed: int) -> tuple[Race, Counter[str]]:
    rng, kinds = random.Random(seed), Counter[str]()
    leaves, refusals, wrong = 0, 0, list[str]()
    with ThreadPoolExecutor(4) as pool:
        for number in range(races):
            kind = STOPS[number % len(STOPS)]
            kinds[kind] += 1
            found = one_race(doors, pool, debtor_name(number), kind=kind, rng=rng)
            leaves, refusals, wrong = leaves + found.leaves, refusals + found.refusals, wrong + found.wrong
    return Race(leaves, refusals, wrong), kinds


def stop_race(races: int, *, seed: int) -> Line:
    """Races in process: threads over one service."""
    with tempfile.TemporaryDirectory() as name:
        settings = write_many(Path(name), debtors=races)
        (tenant,) = open_tenants(settings, FakeClock(), told=Told()).values()
        try:
            found, kinds = _races(in_process(tenant.service), races, seed=seed)
        finally:
            tenant.counter.close()
    return _line("threads of one process", races, found, kinds)


def stop_race_over_http(kind: str, services: int, races: int, *, seed: int) -> Line:
    """Races over connections to several processes."""
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=races) as settings:
        patient = replace(settings, patience_ms=20_000)
        with nursery(Path(name)) as found:
            ports = [found.start(patient).port for _ in range(services)]
            race, kinds = _races(over_http(ports, keys_of(settings)["collection_system"]), races, seed=seed)
    return _line(f"{services} processes over {kind}", races, race, kinds)


def _line(where: str, races: int, found: Race, kinds: Counter[str]) -> Line:
    what = ", ".join(f"{times} {kind}" for kind, times in kinds.items())
    return Line(
        f"a stop against decide and confirm, {where}",
        f"{races} stops ({what}), {found.leaves + found.refusals} leaves asked for",
        f"{found.leaves} given before, {len(found.wrong)} after it was acknowledged",
        tuple(found.wrong[:10]),
    )
