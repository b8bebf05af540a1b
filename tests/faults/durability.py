"""What is told as taken was synchronised before: each acknowledgement is held against the calls of fsync that were traced."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from data.log_engine import WeakDurability, open_engine
from serving.settings import ServiceSettings
from tests.faults.calls import Answer, Caller, decide, payment
from tests.faults.line import Line
from tests.faults.services import keys_of, nursery
from tests.faults.strace import traced
from tests.faults.world import claim_name, debtor_name, own_database, settings_of

DEBTORS = 40
AT_ONCE = 8
SYNCED = re.compile(r"(?:^|\s)(?P<begun>\d+\.\d+) f(?:data)?sync\(\d+<(?P<file>[^>]*)>\) += 0 <(?P<took_s>[\d.]+)>")
SYNCS = ("-ttt", "-T", "-y", "-e", "trace=fsync,fdatasync")
"""Each fsync and fdatasync with its file, moment and length."""

HALF = re.compile(r"(?P<thread>^\d+) +(?P<begun>\d+\.\d+) f(?:data)?sync\(\d+<(?P<file>[^>]*)> <unfinished")
REST = re.compile(r"(?P<thread>^\d+) +(?P<ended>\d+\.\d+) <\.\.\. f(?:data)?sync resumed>\) += 0 <")
LOG_FILES = {"sqlite": "decisions.db-wal", "postgresql": "pg_wal"}
"""What the name of the file says that a commit goes to first."""


@dataclass(frozen=True)
class Synced:
    """A file that was synchronised, between two moments of the clock."""

    begun: float
    ended: float
    file: str


@dataclass(frozen=True)
class Taken:
    """A write that was acknowledged: when its request was sent, and when the answer had come."""

    name: str
    sent: float
    told: float


def durability(kind: str, writes: int) -> Line:
    """Writes one after the other, then eight at a time, each of which needs a synchronisation of its own or its group's."""
    if shutil.which("strace") is None:
        return Line(
            f"synchronised before it is told, {kind}", "0", "not traced", ("expected strace: apt install strace",)
        )
    with tempfile.TemporaryDirectory() as name, settings_of(kind, Path(name), debtors=DEBTORS) as settings:
        patient = replace(settings, patience_ms=20_000)
        with nursery(Path(name)) as found:
            running = found.start(patient)
            key = keys_of(settings)["collection_system"]
            with Caller(running.port, key) as caller:
                _one(caller, 0)  # connections are open, kernels compiled
            with traced(_writers(settings, running.pid), Path(name) / "syncs", options=SYNCS) as trace:
                alone = [_one(caller, n) for n in range(writes)]
                together = _at_once(running.port, key, writes)
        synced = [one for one in read_trace(trace) if LOG_FILES[kind] in one.file]
    return _line(kind, alone, together, synced)


def _writers(settings: ServiceSettings, pid: int) -> list[int]:
    """The processes that synchronise the log: the service itself, or those that PostgreSQL serves it with."""
    if settings.database is None:
        return [pid]
    engine = sa.create_engine(settings.database)
    with engine.connect() as connection:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
        found = [int(one) for one in connection.exec_driver_sql(f"{asked} UNION {others}").scalars()]
    engine.dispose()
    return found


def read_trace(trace: Path) -> list[Synced]:
    """All that was synchronised; a call that another one was noted within is put together again."""
    found, halves = [], dict[str, tuple[float, str]]()
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        if whole := SYNCED.search(line):
            begun = float(whole["begun"])
            found.append(Synced(begun, begun + float(whole["took_s"]), whole["file"]))
        elif half := HALF.match(line):
            halves[half["thread"]] = float(half["begun"]), half["file"]
        elif (rest := REST.match(line)) and rest["thread"] in halves:
            begun, file = halves.pop(rest["thread"])
            found.append(Synced(begun, float(rest["ended"]), file))
    return found


def _one(caller: Caller, number: int) -> Taken | str:
    """One write: an event, or a decision that is new; what was refused is told."""
    debtor = debtor_name(number % DEBTORS)
    call = decide(debtor, replace=True)
    if number % 2:
        call = payment(f"p-{number}", debtor, claim_name(debtor, 0), amount="0.01")
    sent = time.time()
    answer = caller.post(*call)
    return Taken(f"{call[0]} {number}", sent, time.time()) if _kept(answer) else f"{call[0]} {number} was refused"


def _kept(answer: Answer | None) -> bool:
    if answer is None or answer.status != 200:
        return False
    return "decision_id" not in answer.json or answer.json["decision_id"] is not None


def _at_once(port: int, key: str, writes: int) -> list[Taken | str]:
    callers = [Caller(port, key) for _ in range(AT_ONCE)]

    def some(number: int) -> list[Taken | str]:
        first = 1_000_000 + number * writes
        return [_one(callers[number], first + n) for n in range(max(1, writes // AT_ONCE))]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [one for of in pool.map(some, range(AT_ONCE)) for one in of]
    for caller in callers:
        caller.close()
    return found


def _line(kind: str, alone: Sequence[Taken | str], together: Sequence[Taken | str], synced: Sequence[Synced]) -> Line:
    taken = [one for one in (*alone, *together) if isinstance(one, Taken)]
    wrong = [one for one in (*alone, *together) if isinstance(one, str)]
    without = [one.name for one in taken if not any(one.sent < s.begun and s.ended < one.told for s in synced)]
    wrong += [f"{name} was told before the log was synchronised" for name in without]
    own = [one for one in alone if isinstance(one, Taken)]
    used = {s for one in own for s in synced if one.sent < s.begun and s.ended < one.told}
    if len(used) < len(own):
        wrong.append(f"expected {len(own)} synchronisations for as many writes one after the other, came {len(used)}")
    wrong += _refuses_less(kind)
    return Line(
        f"synchronised before it is told (strace), {kind}",
        f"{len(own)} writes one after the other, {len(taken) - len(own)} by {AT_ONCE} at a time",
        f"{len(taken) - len(without)} of {len(taken)} after a synchronisation of the log begun behind the request; "
        f"{len(synced)} in all; refuses to start with less",
        tuple(wrong[:10]),
    )


def _refuses_less(kind: str) -> list[str]:
    """Whether a log that would not wait for its disk is refused."""
    if kind == "sqlite":
        return [] if _is_refused("sqlite://") else ["a log that SQLite keeps in memory was opened"]
    with own_database() as url:
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {sa.make_url(url).database} SET synchronous_commit = off")
        engine.dispose()
        return [] if _is_refused(url) else ["a log with synchronous_commit off was opened"]


def _is_refused(url: str) -> bool:
    engine = open_engine(url)
    try:
        with engine.connect():
            return False
    except WeakDurability:
        return True
    finally:
        engine.dispose()
