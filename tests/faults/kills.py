"""The service killed while it writes, again and again: what was acknowledged is there, once and whole."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from serving.settings import ServiceSettings
from tests.faults.ledger import Ledger, compared, stored_in
from tests.faults.line import Line, percentile
from tests.faults.services import Nursery, Running, keys_of, nursery
from tests.faults.world import debtor_name, settings_of
from tests.faults.writers import Writer, writing

WRITERS = 8
DEBTORS = 160
READY_S = 5.0
PATIENCE_MS = 5_000
"""Long, so that decisions are written and not answered with caution."""


@dataclass(frozen=True)
class Order:
    """How often what is killed, over which data base; `least` acknowledged writes must come together."""

    kind: str
    kills: int
    least: int
    services: int = 1
    connections: bool = False


def kills(order: Order, *, seed: int) -> Line:
    """Kills a service (or, in PostgreSQL, all its connections) while eight write, until there were enough of both."""
    with tempfile.TemporaryDirectory() as name, settings_of(order.kind, Path(name), debtors=DEBTORS) as settings:
        patient = replace(settings, patience_ms=PATIENCE_MS)
        with nursery(Path(name)) as found:
            ledger, refused, ready = _run(order, found, patient, random.Random(seed))
        wrong = (*refused, *compared(ledger, stored_in(settings)))
    if ledger.acknowledged < order.least:
        wrong += (f"expected {order.least} acknowledged writes, came {ledger.acknowledged}",)
    if percentile(ready, 1.0) > READY_S:
        wrong += (f"expected it ready again within {READY_S:g} s, came {max(ready):.1f}",)
    return Line(
        f"{'connections cut off' if order.connections else 'kill -9'} while 8 write, {order.kind}"
        + (f", {order.services} services" if order.services > 1 else ""),
        f"{order.kills} times, {ledger.acknowledged} acknowledged writes",
        f"{len(wrong)} lost, double or half; answers again after "
        f"{percentile(ready, 0.5):.2f} s (median), {percentile(ready, 1.0):.2f} s (longest)",
        wrong[:10],
    )


def _run(
    order: Order, found: Nursery, settings: ServiceSettings, rng: random.Random
) -> tuple[Ledger, list[str], list[float]]:
    services = [found.start(settings) for _ in range(order.services)]
    key, stop = keys_of(settings)["collection_system"], threading.Event()
    debtors = [debtor_name(number) for number in range(DEBTORS)]
    writers = [
        Writer(f"w{n}", [one.port for one in services], key, debtors[n::WRITERS], stop, random.Random(rng.random()))
        for n in range(WRITERS)
    ]
    ready: list[float] = []
    with writing(writers):
        for number in range(order.kills):
            time.sleep(0.1 + 0.3 * rng.random())
            ready.append(_fault(order, number % order.services, services, found, settings))
        _wait(lambda: sum(one.ledger.acknowledged for one in writers) >= order.least)
    ledger = Ledger()
    for one in writers:
        ledger.join(one.ledger)
    return ledger, [text for one in writers for text in one.refused], ready


def _fault(order: Order, number: int, services: list[Running], found: Nursery, settings: ServiceSettings) -> float:
    """Kills, and gives the seconds until it answers again."""
    begin = time.monotonic()
    if order.connections:
        _cut_off(settings)
        return 0.0
    services[number].kill()
    services[number] = found.start(settings, port=services[number].port)
    return time.monotonic() - begin


def _cut_off(settings: ServiceSettings) -> None:
    assert settings.database is not None
    engine = sa.create_engine(settings.database)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()


def _wait(enough: Callable[[], bool], *, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not enough() and time.monotonic() < end:
        time.sleep(0.05)
