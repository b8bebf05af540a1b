"""The data base gone, silent, slow or locked: caution from decide, 503 from the others, and soon well again."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.decision_log import FILE_NAME
from serving.app import OUTAGE_GRACE_S
from serving.settings import ServiceSettings
from tests.faults.asker import Asker, Call, Said, asking
from tests.faults.calls import Caller, decide, payment
from tests.faults.cuttable import Cuttable, cuttable
from tests.faults.ledger import stored_in
from tests.faults.line import Line, percentile
from tests.faults.services import Running, keys_of, nursery
from tests.faults.world import claim_name, debtor_name, settings_of

DEBTORS = 40
CALLERS = 36
KINDS = ("decide", "decide", "decide", "decide", "tell", "confirm")
PER_SECOND = 75
P99_MS = 500.0
GRACE_S = OUTAGE_GRACE_S - 2.0
"""Keys hold for so long without their store, which here is the same data base: after that a 503 is lawful."""

BACK_S = 10.0
MOST_THREADS = 120

Fault = Callable[[], None]


@dataclass
class Seen:
    """What callers saw: times and statuses while the fault lasted, the rest all the time."""

    ms: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    statuses: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class During:
    """When the fault lasted, in seconds of the monotonic clock."""

    begin: float
    end: float
    back_s: float
    threads: int


def _call(number: int, decisions: Sequence[str]) -> Callable[[int, random.Random], Call]:
    """What a caller of this number asks, one kind alone: one who waits for an event holds up no question."""
    kind = KINDS[number % len(KINDS)]

    def call(turn: int, rng: random.Random) -> Call:
        debtor = debtor_name(rng.randrange(DEBTORS))
        if kind == "decide":
            return decide(debtor)
        if kind == "tell":
            return payment(_event(number, turn), debtor, claim_name(debtor, 0), amount="0.01")
        return f"/v1/decisions/{rng.choice(decisions)}/confirm", None

    return call


def _event(number: int, turn: int) -> str:
    return f"o-{number}-{turn}"


def _seen(asker: Asker, number: int, during: During) -> Seen:
    """What one caller was told, in the time of the fault and before and after it."""
    found, kind = Seen(), KINDS[number % len(KINDS)]
    for one in asker.said:
        status, wrong = _judged(kind, one, graced=one.begun < during.begin + GRACE_S)
        found.wrong += [f"{kind}: {wrong}"] if wrong else []
        found.told += [_event(number, one.number)] if (kind, status) == ("tell", "200") else []
        if during.begin <= one.begun < during.end:
            found.statuses[f"{kind} {status}"] += 1
            found.ms[kind].append(one.ms)
    return found


def _judged(kind: str, said: Said, *, graced: bool) -> tuple[str, str]:
    """What an answer was, and what is wrong with it: decide is answered as long as keys hold."""
    answer = said.answer
    if answer is None:
        return "nothing", "no answer"
    if kind == "decide" and answer.status == 200 and answer.json["degraded"]:
        contact = answer.json["channel"] != "none" or answer.json["decision_id"] is not None
        return "caution", f"caution with a contact: {answer.body[:200]!r}" if contact else ""
    lawful = {"decide": (200,) if graced else (200, 503), "tell": (200, 503), "confirm": (200, 409, 503)}[kind]
    if answer.status not in lawful:
        return str(answer.status), f"{answer.status} {answer.body[:150]!r}"
    silent = answer.status == 503 and not answer.headers.get("retry-after")
    return str(answer.status), "503 without Retry-After" if silent else ""


@dataclass(frozen=True)
class Trouble:
    """A fault by name, how it begins and how it ends."""

    name: str
    begin: Fault
    end: Fault


def over_postgresql(seconds: float, *, names: tuple[str, ...] = ("cut off", "silent", "2 s slower")) -> list[Line]:
    """One fault after the other, each on a service of its own."""
    found = []
    for name in names:
        with _behind_a_line() as (settings, folder, line):
            found.append(_outage(_trouble(name, line), settings, folder, seconds, kind="postgresql"))
    return found


@contextmanager
def _behind_a_line() -> Iterator[tuple[ServiceSettings, Path, Cuttable]]:
    with tempfile.TemporaryDirectory() as name, settings_of("postgresql", Path(name), debtors=DEBTORS) as settings:
        assert settings.database is not None
        with cuttable(settings.database) as (line, url):
            yield replace(settings, database=url), Path(name), line


def _trouble(name: str, line: Cuttable) -> Trouble:
    def begin() -> None:
        if name == "cut off":
            line.break_all()
        line.stalled, line.delay_s = name == "silent", 2.0 if name == "2 s slower" else 0.0

    return Trouble(f"data base {name}", begin, line.mend)


def sqlite_locked(seconds: float) -> Line:
    """The file locked by another process' transaction."""
    with tempfile.TemporaryDirectory() as name, settings_of("sqlite", Path(name), debtors=DEBTORS) as settings:
        other = sqlite3.connect(settings.workspace / FILE_NAME, isolation_level=None, check_same_thread=False)
        trouble = Trouble("file locked", lambda: _do(other, "BEGIN IMMEDIATE"), lambda: _do(other, "ROLLBACK"))
        try:
            return _outage(trouble, settings, Path(name), seconds, kind="sqlite")
        finally:
            other.close()


def _do(connection: sqlite3.Connection, statement: str) -> None:
    connection.execute(statement)


def _outage(trouble: Trouble, settings: ServiceSettings, folder: Path, seconds: float, *, kind: str) -> Line:
    with nursery(folder) as found:
        running = found.start(settings)
        key = keys_of(settings)["collection_system"]
        askers, during = _asked(trouble, running, key, seconds)
    seen = [_seen(one, number, during) for number, one in enumerate(askers)]
    stored = {name for name, _ in stored_in(settings).events}
    wrong = [text for one in seen for text in one.wrong]
    wrong += [
        f"event {name} was acknowledged and is not there" for one in seen for name in one.told if name not in stored
    ]
    ms = {kind: [value for one in seen for value in one.ms[kind]] for kind in KINDS}
    wrong += _too_slow(ms["decide"], during)
    statuses = sum((one.statuses for one in seen), Counter[str]())
    shown = ", ".join(f"{times} {name}" for name, times in sorted(statuses.items()))
    result = (
        f"{shown}; decide p99 {percentile(ms['decide'], 0.99):.0f} ms, longest {percentile(ms['decide'], 1.0):.0f} ms, "
        f"events {percentile(ms['tell'], 1.0):.0f} ms; {during.threads} threads; decides again after {during.back_s:.1f} s"
    )
    return Line(
        f"{trouble.name} for {seconds:g} s, {kind}", f"{sum(statuses.values())} requests", result, tuple(wrong[:10])
    )


def _too_slow(ms: Sequence[float], during: During) -> list[str]:
    """What took longer, or took more, than was promised."""
    wrong = []
    if percentile(ms, 0.99) > P99_MS:
        wrong.append(f"expected decide within {P99_MS:g} ms at p99, came {percentile(ms, 0.99):.0f} ms")
    if during.back_s > BACK_S:
        wrong.append(f"expected it well within {BACK_S:g} s, came {during.back_s:.1f} s")
    if during.threads > MOST_THREADS:
        wrong.append(f"expected at most {MOST_THREADS} threads, came {during.threads}")
    return wrong


def _asked(trouble: Trouble, running: Running, key: str, seconds: float) -> tuple[list[Asker], During]:
    """Asks before, during and after."""
    decisions = _decisions(running.port, key)
    pace_s = CALLERS / PER_SECOND
    askers = [Asker(running.port, key, _call(number, decisions), pace_s, seed=number) for number in range(CALLERS)]
    with asking(askers, threading.Event()):
        time.sleep(2)
        trouble.begin()
        begin = time.monotonic()
        most = _most_threads(running, begin + seconds)
        end = time.monotonic()
        trouble.end()
        back_s = _back(running.port, key)
        time.sleep(1)
    return askers, During(begin, end, back_s, most)


def _most_threads(running: Running, until: float) -> int:
    most = 0
    while time.monotonic() < until:
        most = max(most, running.threads())
        time.sleep(0.1)
    return most


def _decisions(port: int, key: str) -> list[str]:
    found = []
    with Caller(port, key) as caller:
        for number in range(20 * DEBTORS):
            answer = caller.post(*decide(debtor_name(number % DEBTORS)))
            if answer is not None and answer.status == 200 and answer.json["decision_id"] is not None:
                found.append(answer.json["decision_id"])
            if len(found) == DEBTORS:
                break
    return found


def _back(port: int, key: str) -> float:
    begin = time.monotonic()
    with Caller(port, key, timeout_s=60) as caller:
        while time.monotonic() - begin < 6 * BACK_S:
            decided = caller.post(*decide(debtor_name(0), replace=True))
            if decided is not None and decided.status == 200 and not decided.json["degraded"]:
                break
            time.sleep(0.05)
    return time.monotonic() - begin
