"""A stop asked for under load: whatever came before it or in its grace is answered, and the process ends by itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from serving.settings import ServiceSettings
from tests.faults.asker import Asker, Call, asking
from tests.faults.calls import Caller, decide, payment
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import ROOT, DidNotStart, Running, free_port, keys_of, wait_until_alive
from tests.faults.world import claim_name, debtor_name, write_many

CALLERS = 8
DEBTORS = 20
OK = 200
PACE_S = 0.02
GRACE_S = 2.0
"""So long after the signal callers go on, as a proxy does that has not looked yet."""

LONGEST_S = 10.0
SURE = 40
"""So many decisions in a row, each by a new connection, leave no worker that is still starting."""
SERVE = "import os; from serving.run import serve; from serving.settings import from_environment; serve(from_environment(os.environ))"


@dataclass(frozen=True)
class Stop:
    """What callers were told around one stop, events by name, and how long the end took."""

    answered: int
    told: tuple[str, ...]
    wrong: tuple[str, ...]
    seconds: float


def graceful_stop(stops: int, *, workers: int = 1) -> Line:
    """SIGTERM while eight callers ask; they go on for two seconds of the grace, as a proxy does that has not looked yet."""
    with tempfile.TemporaryDirectory() as name:
        settings = replace(write_many(Path(name), debtors=DEBTORS), workers=workers, warm_up=True, patience_ms=5_000)
        key = keys_of(settings)["collection_system"]
        found = [_one(settings, key, Path(name), number) for number in range(stops)]
        stored = {event for event, _ in stored_in(settings).events}
    wrong = [text for one in found for text in one.wrong]
    failed = len(wrong)
    wrong += [f"{name} was acknowledged and is not there" for one in found for name in one.told if name not in stored]
    longest = max(one.seconds for one in found)
    if longest > LONGEST_S:
        wrong.append(f"expected the end within {LONGEST_S:g} s, came {longest:.1f} s")
    return Line(
        f"stop (SIGTERM) under load, {workers} worker(s)",
        f"{stops} stops, {sum(one.answered for one in found)} requests",
        f"{failed} failed; ends after at most {longest:.1f} s",
        tuple(wrong[:10]),
    )


def _one(settings: ServiceSettings, key: str, folder: Path, number: int) -> Stop:
    port, log = free_port(), folder / f"stop-{number}.log"
    environment = {**os.environ, **replace(settings, port=port).to_environment()}
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE], cwd=ROOT, env=environment, stderr=written, stdout=written
        )
    try:
        wait_until_alive(Running(process.pid, port, log))
        _until_decided(port, key)
        names = [f"s-{number}-{n}" for n in range(CALLERS)]
        askers = [Asker(port, key, _in_turn(name), PACE_S, seed=n, anew=True) for n, name in enumerate(names)]
        with asking(askers, threading.Event()):
            time.sleep(2)
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            time.sleep(GRACE_S)
        process.wait(3 * LONGEST_S)
        return _judged(dict(zip(names, askers, strict=True)), until=begin + GRACE_S, seconds=time.monotonic() - begin)
    finally:
        process.kill()
        process.wait()


def _in_turn(name: str) -> Callable[[int, random.Random], Call]:
    """Tells and asks in turn."""

    def call(number: int, rng: random.Random) -> Call:
        debtor = debtor_name(rng.randrange(DEBTORS))
        if number % 2:
            return decide(debtor)
        return payment(f"{name}-{number}", debtor, claim_name(debtor, 0), amount="0.01")

    return call


def _judged(askers: Mapping[str, Asker], *, until: float, seconds: float) -> Stop:
    """What was asked in the time in which everything must be answered."""
    asked = [(name, one) for name, asker in askers.items() for one in asker.said if one.begun < until]
    good = [(name, one.number) for name, one in asked if one.answer is not None and one.answer.status == OK]
    wrong = [
        f"{name}-{one.number}: {'no answer' if one.answer is None else one.answer.status}"
        for name, one in asked
        if (name, one.number) not in set(good)
    ]
    told = tuple(f"{name}-{number}" for name, number in good if number % 2 == 0)
    return Stop(len(asked), told, tuple(wrong), seconds)


def _until_decided(port: int, key: str) -> None:
    """Waits until every worker has decided: before that a model is tried out, and kernels are compiled.

    Each question comes by a connection of its own, so that it may meet any worker.
    """
    in_a_row = 0
    for _ in range(600):
        in_a_row = in_a_row + 1 if _decides(port, key) else 0
        if in_a_row >= SURE:
            return
        if not in_a_row:
            time.sleep(0.5)
    raise DidNotStart(f"expected decisions on port {port} from every worker within minutes")


def _decides(port: int, key: str) -> bool:
    with Caller(port, key) as caller:
        answer = caller.post(*decide(debtor_name(0)))
        return answer is not None and answer.status == OK and not answer.json["degraded"]
