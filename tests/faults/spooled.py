"""Events that came while the service was away: kept in an outbox on disk, sent when it is back, the sender killed meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from serving.client_outbox import Outbox
from serving.settings import ServiceSettings
from serving.shapes import EventRequest
from tests.faults.calls import payment
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import ROOT, keys_of, nursery
from tests.faults.world import CLAIMS, claim_name, debtor_name, settings_of

DEBTORS = 64
LONGEST_S = 60.0
CENT = Decimal("0.01")
SEND = """
import sys
from serving.client import RettidClient
from serving.client_outbox import Outbox
with Outbox(sys.argv[1]) as outbox, RettidClient(sys.argv[2], key=sys.argv[3]) as client:
    outbox.send(client)
"""


@dataclass(frozen=True)
class Drained:
    """How often the sender was killed while events waited, and seconds until none did."""

    kills: int
    seconds: float


def spooled(kind: str, events: int, *, kills: int, seed: int) -> Line:
    """So many events wait; the service starts, and the sender is killed while it sends them."""
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=DEBTORS) as settings:
        file, told = Path(name) / "outbox.db", [_event(number) for number in range(events)]
        with Outbox(file) as outbox:
            outbox.put(told)
        with nursery(Path(name)) as some:
            url = f"http://127.0.0.1:{some.start(settings).port}"
            found = _drain(file, url, keys_of(settings)["collection_system"], kills=kills, rng=random.Random(seed))
        wrong = _wrong(settings, file, [one.event_id for one in told], found)
    return Line(
        f"sender killed while it sends what waited, {kind}",
        f"{events:,} events, {found.kills} kills",
        f"{len(wrong)} wrong; sent within {found.seconds:.0f} s",
        tuple(wrong[:10]),
    )


def _event(number: int) -> EventRequest:
    debtor = debtor_name(number % DEBTORS)
    _, body = payment(f"o-{number}", debtor, claim_name(debtor, number % CLAIMS), amount=str(CENT))
    return EventRequest.model_validate(body)


def _drain(file: Path, url: str, key: str, *, kills: int, rng: random.Random) -> Drained:
    """Starts the sender again and again until it has come to its end by itself."""
    begin, killed = time.monotonic(), 0
    while True:
        sender = subprocess.Popen([sys.executable, "-c", SEND, str(file), url, key], cwd=ROOT)
        try:
            status = sender.wait(None if killed == kills else rng.uniform(0.6, 2.0))
        except subprocess.TimeoutExpired:
            sender.kill()
            sender.wait()
            killed += 1
            continue
        if status:
            raise RuntimeError(f"expected the sender to come to its end, came {status}: see its standard error")
        return Drained(killed, time.monotonic() - begin)


def _wrong(settings: ServiceSettings, file: Path, told: list[str], found: Drained) -> list[str]:
    """What is not there once, what is still in the outbox, money that differs, and an end that came too late."""
    stored = stored_in(settings)
    times = Counter(name for name, _ in stored.events)
    wrong = [f"{name} is there {times[name]} times" for name in told if times[name] != 1]
    with Outbox(file) as outbox:
        wrong += [f"{outbox.waiting} still wait"] * bool(outbox.waiting)
        wrong += [f"{one.event.event_id} was refused: {one.why}" for one in outbox.refused()]
    paid = sum(stored.paid.values())
    wrong += [f"expected {len(told) * CENT} paid, came {paid}"] * (paid != len(told) * CENT)
    wrong += [f"expected the end within {LONGEST_S:g} s, came {found.seconds:.0f} s"] * (found.seconds > LONGEST_S)
    return [*wrong, *stored.faults]
