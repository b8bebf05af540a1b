"""The data base gone, silent, slow or locked: caution from decide, 503 from the others, and soon well again."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.decision_log import FILE_NAME
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide, payment
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
BACK_S = 10.0
MOST_THREADS = 120

Fault = Callable[[], None]


@dataclass
class Seen:
    """What callers saw while the fault lasted."""

    ms: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    threads: int = 0


@dataclass
class Asker:
    """One caller: decides, tells and confirms at an even pace, and notes what it is told."""

    port: int
    key: str
    number: int
    decisions: list[str]
    stop: threading.Event
    before: Seen = field(default_factory=Seen)
    seen: Seen = field(default_factory=Seen)
    during: bool = False

    def run(self) -> None:
        """Asks until told to stop."""
        caller, rng, number = Caller(self.port, self.key, timeout_s=60), random.Random(self.number), 0
        due = time.monotonic() + self.number / PER_SECOND
        while not self.stop.wait(max(0.0, due - time.monotonic())):
            number, due = number + 1, max(due + CALLERS / PER_SECOND, time.monotonic() - 1.0)
            self._once(caller, f"o-{self.number}-{number}", rng)
        caller.close()

    def _once(self, caller: Caller, name: str, rng: random.Random) -> None:
        debtor = debtor_name(rng.randrange(DEBTORS))
        kind = KINDS[self.number % len(KINDS)]  # one who waits for an event holds up no question
        during, begin = self.during, time.monotonic()
        if kind == "decide":
            answer = caller.post(*decide(debtor))
        elif kind == "tell":
            answer = caller.post(*payment(name, debtor, claim_name(debtor, 0), amount="0.01"))
        else:
            answer = caller.post(f"/v1/decisions/{rng.choice(self.decisions)}/confirm")
        seen = self.seen if during and self.during else self.before
        self._note(seen, kind, answer, name=name, ms=(time.monotonic() - begin) * 1_000)

    def _note(self, seen: Seen, kind: str, answer: Answer | None, *, name: str, ms: float) -> None:
        status = "nothing" if answer is None else str(answer.status)
        if kind == "decide":
            seen.ms.append(ms)
            if answer is not None and answer.status == 200 and answer.json["degraded"]:
                status = "caution"
                if answer.json["channel"] != "none" or answer.json["decision_id"] is not None:
                    seen.wrong.append(f"caution with a contact: {answer.body[:200]!r}")
            elif status != "200":
                seen.wrong.append(f"decide: {status} {b'' if answer is None else answer.body[:150]!r}")
        elif kind == "tell" and status == "200":
            seen.told.append(name)
        if status == "503" and answer is not None and not answer.headers.get("retry-after"):
            seen.wrong.append(f"{kind}: 503 without Retry-After")
        if status not in ("200", "409", "503", "caution"):
            seen.wrong.append(f"{kind}: {status}")
        seen.statuses[f"{kind} {status}"] += 1


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
        askers, back_s, threads = _asked(trouble, running, key, seconds)
        told = [name for one in askers for seen in (one.before, one.seen) for name in seen.told]
    stored = {name for name, _ in stored_in(settings).events}
    wrong = [text for one in askers for text in (*one.seen.wrong, *one.before.wrong)]
    wrong += [f"event {one} was acknowledged and is not there" for one in told if one not in stored]
    ms = [value for one in askers for value in one.seen.ms]
    during = sum((one.seen.statuses for one in askers), Counter[str]())
    if percentile(ms, 0.99) > P99_MS:
        wrong.append(f"expected decide within {P99_MS:g} ms at p99, came {percentile(ms, 0.99):.0f} ms")
    if back_s > BACK_S:
        wrong.append(f"expected it well within {BACK_S:g} s, came {back_s:.1f} s")
    if threads > MOST_THREADS:
        wrong.append(f"expected at most {MOST_THREADS} threads, came {threads}")
    shown = ", ".join(f"{times} {name}" for name, times in sorted(during.items()))
    result = (
        f"{shown}; decide p99 {percentile(ms, 0.99):.0f} ms, longest {percentile(ms, 1.0):.0f} ms; {threads} threads; "
        f"decides again after {back_s:.1f} s"
    )
    return Line(
        f"{trouble.name} for {seconds:g} s, {kind}", f"{sum(during.values())} requests", result, tuple(wrong[:10])
    )


def _asked(trouble: Trouble, running: Running, key: str, seconds: float) -> tuple[list[Asker], float, int]:
    """Asks before, during and after; seconds until a decision is no longer cautious; most threads seen."""
    decisions = _decisions(running.port, key)
    stop = threading.Event()
    askers = [Asker(running.port, key, number, decisions, stop) for number in range(CALLERS)]
    threads = [threading.Thread(target=one.run) for one in askers]
    for one in threads:
        one.start()
    time.sleep(2)
    trouble.begin()
    time.sleep(0.2)
    most = _during(askers, running, seconds)
    trouble.end()
    back_s = _back(running.port, key)
    time.sleep(1)
    stop.set()
    for one in threads:
        one.join()
    return askers, back_s, most


def _during(askers: list[Asker], running: Running, seconds: float) -> int:
    for one in askers:
        one.during = True
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, running.threads())
        time.sleep(0.1)
    for one in askers:
        one.during = False
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
