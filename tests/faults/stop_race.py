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

from tests.faults.calls import Caller, decide
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.world import CLAIMS, claim_name, debtor_name, settings_of

AT = "2026-03-10T07:29:00Z"
STOPS = ("opt-out", "dispute", "payment")
AT_ONCE = 8
LATEST_S = 0.03
"""A stop is told so long at most after the questions began."""

Event = tuple[str, dict[str, object]]


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
class Contact:
    """A decision to make contact."""

    decision_id: str
    channel: str


@dataclass(frozen=True)
class Doors:
    """How a service is asked over a connection; each gives what was said in the plainest form."""

    decide: Callable[[str], Contact | None]
    confirm: Callable[[str], bool]
    tell: Callable[[str, str, dict[str, object]], bool]


def over_http(ports: list[int], key: str, *, opened: list[Caller]) -> Doors:
    """Services over one log, each thread with connections of its own, which are added to those `opened`."""
    mine, rng = threading.local(), random.Random(3)

    def caller() -> Caller:
        if not hasattr(mine, "callers"):
            mine.callers = [Caller(port, key) for port in ports]
            opened.extend(mine.callers)
        chosen: Caller = rng.choice(mine.callers)
        return chosen

    def ask(debtor: str) -> Contact | None:
        answer = caller().post(*decide(debtor))
        assert answer is not None
        assert answer.status == 200, answer.body
        told = answer.json
        if told["decision_id"] is None or told["channel"] == "none":
            return None
        return Contact(told["decision_id"], told["channel"])

    def confirm(decision_id: str) -> bool:
        answer = caller().post(f"/v1/decisions/{decision_id}/confirm")
        return answer is not None and answer.status == 200

    def tell(name: str, table: str, row: dict[str, object]) -> bool:
        answer = caller().post("/v1/events", {"event_id": name, "table": table, "row": row})
        return answer is not None and answer.status == 200

    return Doors(ask, confirm, tell)


@dataclass(frozen=True)
class Race:
    """Its counts: what was asked, leaves given, those asked for after all of the stop was acknowledged."""

    leaves: int
    refusals: int
    wrong: list[str]


def one_race(doors: Doors, pool: ThreadPoolExecutor, debtor: str, *, kind: str, rng: random.Random) -> Race:
    """One stop in the middle of questions; afterwards everything is asked once more."""
    begun = doors.decide(debtor)
    if begun is None:
        return Race(0, 0, [f"{debtor}: expected a contact to begin with"])
    asked = [pool.submit(_leave, doors, debtor, begun if n % 2 else None, rng.random()) for n in range(3)]
    time.sleep(rng.random() * LATEST_S)
    stop = [
        pool.submit(doors.tell, f"{debtor}-{n}", *one) for n, one in enumerate(stop_of(kind, debtor, begun.channel))
    ]
    if not all(one.result() for one in stop):
        return Race(0, 0, [f"{debtor}: expected the stop to be taken"])
    acknowledged = time.monotonic()
    told = [_leave(doors, debtor, begun, 0.0), _leave(doors, debtor, None, 0.0), *(one.result() for one in asked)]
    given = [one for one in told if one.given is not None]
    wrong = [
        f"{debtor}: leave by {one.given} after {kind}"
        for one in given
        if one.begun > acknowledged and (kind != "opt-out" or one.given == begun.channel)
    ]
    return Race(len(given), len(told) - len(given), wrong)


@dataclass(frozen=True)
class _Leave:
    """A leave that was asked for, when, and the channel it was given for."""

    begun: float
    given: str | None


def _leave(doors: Doors, debtor: str, contact: Contact | None, wait: float) -> _Leave:
    """Asks for a leave, of a new decision where none is given."""
    time.sleep(wait * LATEST_S)
    found = contact or doors.decide(debtor)
    begun = time.monotonic()
    if found is None or not doors.confirm(found.decision_id):
        return _Leave(begun, None)
    return _Leave(begun, found.channel)


def _races(doors: Doors, races: int, *, seed: int, at_once: int = 1) -> tuple[Race, Counter[str]]:
    """Races on a debtor each, so many at once."""
    kinds = Counter(STOPS[number % len(STOPS)] for number in range(races))
    with ThreadPoolExecutor(at_once) as racing, ThreadPoolExecutor(4 * at_once) as pool:

        def race(number: int) -> Race:
            rng = random.Random(f"{seed} {number}")
            return one_race(doors, pool, debtor_name(number), kind=STOPS[number % len(STOPS)], rng=rng)

        found = [*racing.map(race, range(races))]
    return Race(
        sum(one.leaves for one in found),
        sum(one.refusals for one in found),
        [text for one in found for text in one.wrong],
    ), kinds


def stop_race_over_http(kind: str, services: int, races: int, *, seed: int) -> Line:
    """Races over connections to several processes."""
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=races) as settings:
        patient = replace(settings, patience_ms=20_000)
        with nursery(Path(name)) as found:
            ports = [found.start(patient).port for _ in range(services)]
            opened: list[Caller] = []
            doors = over_http(ports, keys_of(settings)["collection_system"], opened=opened)
            race, kinds = _races(doors, races, seed=seed, at_once=AT_ONCE)
            for one in opened:
                one.close()
    return _line(f"{services} processes over {kind}", races, race, kinds)


def _line(where: str, races: int, found: Race, kinds: Counter[str]) -> Line:
    what = ", ".join(f"{times} {kind}" for kind, times in kinds.items())
    return Line(
        f"a stop against decide and confirm, {where}",
        f"{races} stops ({what}), {found.leaves + found.refusals} leaves asked for",
        f"{found.leaves} given before, {len(found.wrong)} after it was acknowledged",
        tuple(found.wrong[:10]),
    )
