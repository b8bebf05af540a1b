"""The disk full: writes are refused, reading goes on, and once there is room again everything works, without a restart."""

from __future__ import annotations

import resource
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.decision_log import FILE_NAME
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide, payment
from tests.faults.ledger import stored_in
from tests.faults.line import Line
from tests.faults.services import Running, keys_of, nursery
from tests.faults.world import claim_name, debtor_name, write_many

DEBTORS = 20
ROOM = 300_000
"""Bytes that files of the service may grow by."""

MOST = 4_000


@dataclass
class Told:
    """What was acknowledged, and what came of the requests."""

    events: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def disk_full(requests: int) -> Line:
    """A limit to the size of files (RLIMIT_FSIZE: a write beyond it fails as on a full disk), lifted afterwards."""
    with tempfile.TemporaryDirectory() as name:
        settings = replace(write_many(Path(name), debtors=DEBTORS), patience_ms=2_000)
        keys = keys_of(settings)
        with nursery(Path(name)) as found:
            found.start(settings).kill()  # so that the log is there, with its tables
            size = max(one.stat().st_size for one in settings.workspace.glob(FILE_NAME + "*"))
            running = found.start(settings, file_limit=size + ROOM)
            told = Told()
            with Caller(running.port, keys["collection_system"]) as caller:
                full_after = _fill(caller, told)
                _while_full(caller, told, requests)
                lift(running)
                back_s = _back(caller, told)
        return _line(settings, told, full_after, back_s)


def lift(running: Running) -> None:
    """Takes the limit away from the running process."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, unlimited)


def _fill(caller: Caller, told: Told) -> int:
    """Events until one is refused; how many were taken."""
    for number in range(MOST):
        answer = _tell(caller, f"fill-{number}")
        if answer is None or answer.status != 200:
            return number
        told.events.append(f"fill-{number}")
    told.wrong.append(f"expected the disk full after at most {MOST} events")
    return MOST


def _tell(caller: Caller, name: str) -> Answer | None:
    debtor = debtor_name(len(name) % DEBTORS)
    return caller.post(*payment(name, debtor, claim_name(debtor, 0), amount="0.01"))


def _while_full(caller: Caller, told: Told, requests: int) -> None:
    for number in range(requests):
        answer = _tell(caller, f"full-{number}")
        _note(told, "tell", answer, lawful=(200, 503))
        if answer is not None and answer.status == 200:
            told.events.append(f"full-{number}")
        answer = caller.post(*decide(debtor_name(number % DEBTORS), replace=True))
        _note(told, "decide", answer, lawful=(200,))
        answer = caller.post(*decide(debtor_name(number % DEBTORS), as_of="2026-03-11T08:00:00Z"))
        _note(told, "read (a dry run)", answer, lawful=(200,))


def _note(told: Told, kind: str, answer: Answer | None, *, lawful: tuple[int, ...]) -> None:
    status = 0 if answer is None else answer.status
    if status not in lawful:
        told.wrong.append(f"{kind}: {status} {b'' if answer is None else answer.body[:200]!r}")
    caution = kind != "tell" and answer is not None and status == 200 and answer.json["degraded"]
    told.statuses[f"{kind} {'caution' if caution else status}"] += 1


def _back(caller: Caller, told: Told) -> float:
    begin = time.monotonic()
    while time.monotonic() - begin < 30:
        answer = _tell(caller, "after")
        if answer is not None and answer.status == 200:
            told.events.append("after")
            return time.monotonic() - begin
        time.sleep(0.05)
    told.wrong.append("expected events taken again once there was room")
    return time.monotonic() - begin


def _line(settings: ServiceSettings, told: Told, full_after: int, back_s: float) -> Line:
    stored = stored_in(settings)
    lost = set(told.events) - {name for name, _ in stored.events}
    wrong = [*told.wrong, *stored.faults, *(f"event {one} was acknowledged and is not there" for one in lost)]
    if not told.statuses["tell 503"]:
        wrong.append("expected events refused while the disk was full")
    shown = ", ".join(f"{times} {name}" for name, times in sorted(told.statuses.items()))
    return Line(
        "disk full (limit to the size of files), sqlite",
        f"full after {full_after} events, then {sum(told.statuses.values())} requests",
        f"{shown}; {len(lost)} acknowledged and lost; takes events again {back_s:.2f} s after there was room",
        tuple(wrong[:10]),
    )
