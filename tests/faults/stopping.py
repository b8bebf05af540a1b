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
from dataclasses import dataclass, field, replace
from pathlib import Path

from serving.settings import ServiceSettings
from tests.faults.calls import Caller, decide, payment
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import ROOT, DidNotStart, Running, free_port, keys_of, wait_until_alive
from tests.faults.world import claim_name, debtor_name, write_many

CALLERS = 8
LONGEST_S = 10.0
SERVE = "import os; from serving.run import serve; from serving.settings import from_environment; serve(from_environment(os.environ))"


@dataclass
class Asker:
    """One caller who goes on until nobody takes its connections any more; a new connection for each call, as behind a proxy."""

    port: int
    key: str
    number: int
    stop: threading.Event
    answered: int = 0
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Asks and tells in turn."""
        rng, number = random.Random(self.number), 0
        while not self.stop.is_set():
            number += 1
            name, debtor = f"s-{self.number}-{number}", debtor_name(rng.randrange(20))
            caller = Caller(self.port, self.key)
            tells = number % 2 == 0
            call = payment(name, debtor, claim_name(debtor, 0), amount="0.01") if tells else decide(debtor)
            answer = caller.post(*call)
            caller.close()
            if answer is None:
                if not self.stop.is_set():
                    self.wrong.append(f"{name}: no answer")
                return
            self.answered += 1
            if answer.status != 200:
                self.wrong.append(f"{name}: {answer.status}")
            elif tells:
                self.told.append(name)
            time.sleep(0.02)


def graceful_stop(stops: int, *, workers: int = 1) -> Line:
    """SIGTERM while eight callers ask; they go on for two seconds of the grace, as a proxy does that has not looked yet."""
    with tempfile.TemporaryDirectory() as name:
        settings = replace(write_many(Path(name), debtors=20), workers=workers, warm_up=True, patience_ms=5_000)
        key = keys_of(settings)["collection_system"]
        found = [_one(settings, key, Path(name), number) for number in range(stops)]
        stored = {event for event, _ in stored_in(settings).events}
    askers = [one for askers, _ in found for one in askers]
    ends = [seconds for _, seconds in found]
    wrong = [text for one in askers for text in one.wrong]
    wrong += [f"{one} was acknowledged and is not there" for a in askers for one in a.told if one not in stored]
    wrong += [f"expected the end within {LONGEST_S:g} s, came {s:.1f} s" for s in ends if s > LONGEST_S]
    return Line(
        f"stop (SIGTERM) under load, {workers} worker(s)",
        f"{stops} stops, {sum(one.answered for one in askers)} requests",
        f"{sum(len(one.wrong) for one in askers)} failed; ends after at most {max(ends):.1f} s",
        tuple(wrong[:10]),
    )


def _one(settings: ServiceSettings, key: str, folder: Path, number: int) -> tuple[list[Asker], float]:
    port, stop = free_port(), threading.Event()
    environment = {**os.environ, **replace(settings, port=port).to_environment()}
    with (folder / f"stop-{number}.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVE], cwd=ROOT, env=environment, stderr=log, stdout=log)
    try:
        wait_until_alive(Running(process.pid, port, folder / f"stop-{number}.log"))
        _until_decided(port, key)
        askers = [Asker(port, key, n + number * CALLERS, stop) for n in range(CALLERS)]
        threads = [threading.Thread(target=one.run) for one in askers]
        for one in threads:
            one.start()
        time.sleep(2)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        time.sleep(2)
        stop.set()
        for one in threads:
            one.join()
        process.wait(3 * LONGEST_S)
        return askers, time.monotonic() - begin
    finally:
        process.kill()
        process.wait()


def _until_decided(port: int, key: str) -> None:
    """Waits for the first decision: before it the model is tried out, and kernels are compiled."""
    with Caller(port, key) as caller:
        for _ in range(60):
            answer = caller.post(*decide(debtor_name(0)))
            if answer is not None and answer.status == 200 and not answer.json["degraded"]:
                return
            time.sleep(0.5)
    raise DidNotStart(f"expected a decision on port {port} within half a minute")
