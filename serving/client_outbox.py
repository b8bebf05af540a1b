"""Events on their way to the service, kept on the caller's own disk until they are taken: while the service is away nothing is lost.

What the service does not take it promises nothing about, so whoever has an event keeps it. An outbox does that: an event that was put
in is on disk, is sent in its turn, and leaves only once it has been taken. Broken off at any point, it is sent again and counts once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple, Self

from pydantic_core import to_json

from serving.client import BODY_LIMIT, RettidClient
from serving.client_problems import NoAnswer, NotAdmitted, NotNow, Problem
from serving.shapes import EventRequest

REFUSED = frozenset({"invalid", "event-conflict", "too-large", "bad-json"})
"""Kinds of problems that speak of the event itself; after any other it stays, and is sent again later."""

ERASED = "erased"
AT_ONCE = 16
"""Events sent at the same time: the service writes those that come together in one transaction."""

PART = 256
"""Events between two times that what has been taken is noted."""

NAMES = ("debtor_id", "claim_id", "contact_id", "payment_id", "event_id", "decision_id")
"""Columns by which two rows may be about the same thing."""

WAIT_S = 30.0

_TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    refused TEXT
)
"""


class OtherFact(ValueError):
    """Another row waits under the same `event_id`."""


class Unsendable(ValueError):
    """An event that no body can carry: too large, or numbers and nesting that cannot be read back."""


@dataclass(frozen=True)
class Sent:
    """What became of events that were sent: taken by the service, refused (they are kept), dropped as their debtor is erased."""

    taken: int = 0
    refused: int = 0
    erased: int = 0


@dataclass(frozen=True)
class RefusedEvent:
    """An event that the service will not take as it is, and what it says is wrong, which repeats nothing of the row."""

    event: EventRequest
    why: str


class _Waiting(NamedTuple):
    sequence: int
    event: EventRequest


class Outbox:
    """A file of events that wait; safe to share between threads, and a context manager that closes the file.

    The file holds personal data: only its owner may read it, and what has left it is overwritten.

    Parameters
    ----------
    file
        A path on a local disk, made if it is not there.
    """

    def __init__(self, file: Path | str) -> None:
        path = Path(file)
        path.touch(mode=0o600, exist_ok=True)
        path.chmod(0o600)
        self._using, self._sending = Lock(), Lock()
        self._connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = EXTRA")  # its journal's end is on disk too
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; what waits is there when it is opened again."""
        self._connection.close()

    def put(self, events: Iterable[EventRequest]) -> None:
        """Takes events in, all or none; they are on disk once this returns.

        The same event again changes nothing. One that was refused and has been mended is put under its `event_id` again, and waits.

        Raises
        ------
        OtherFact
            Another row waits under the same `event_id`.
        Unsendable
            No body can carry an event.
        """
        rows = [(one.event_id, _body(one)) for one in events]
        with self._transaction() as connection:
            for event_id, body in rows:
                connection.execute("DELETE FROM outbox WHERE event_id = ? AND refused IS NOT NULL", (event_id,))
                found = connection.execute("SELECT body FROM outbox WHERE event_id = ?", (event_id,)).fetchone()
                if found is None:
                    connection.execute("INSERT INTO outbox (event_id, body) VALUES (?, ?)", (event_id, body))
                elif json.loads(found[0]) != json.loads(body):
                    raise OtherFact(
                        f"expected one row under event_id '{event_id}', another one waits: give it a name of its own"
                    )

    @property
    def waiting(self) -> int:
        """Events that are still to be sent."""
        with self._using:
            found: int = self._connection.execute("SELECT count(*) FROM outbox WHERE refused IS NULL").fetchone()[0]
        return found

    def refused(self) -> list[RefusedEvent]:
        """Events that the service will not take as they are: mend them and put them again, or drop them."""
        query = "SELECT body, refused FROM outbox WHERE refused IS NOT NULL ORDER BY sequence"
        with self._using:
            rows = self._connection.execute(query).fetchall()
        return [RefusedEvent(EventRequest.model_validate_json(body), why) for body, why in rows]

    def drop(self, event_ids: Iterable[str]) -> None:
        """Forgets refused events; those that wait stay."""
        with self._transaction() as connection:
            connection.executemany(
                "DELETE FROM outbox WHERE event_id = ? AND refused IS NOT NULL", [(one,) for one in event_ids]
            )

    def send(self, client: RettidClient) -> Sent:
        """Sends what waits, oldest first, until nothing does; those that name nobody in common go at the same time.

        An event that the service refuses is kept apart with what is wrong, and holds up none behind it. One that meets an error
        stays where it is and holds up those that name the same; the others go on.

        Raises
        ------
        serving.client_problems.NoAnswer, serving.client_problems.UnreadableAnswer, serving.client_problems.Problem
            The service is away (`NotNow`), lets this caller in no more (`NotAdmitted`), or is not at this address. What was taken
            by then has left; the others wait: send again later.
        """
        sent = Sent()
        with self._sending, ThreadPoolExecutor(AT_ONCE, "outbox") as pool:
            while part := self._oldest():
                lanes = [_Lane(client, lane) for lane in lanes_of(part)]
                stop = Event()
                faults = [*pool.map(lambda lane: lane.send(stop), lanes)]  # noqa: B023 (the pool is done with it by then)
                taken = [place for lane in lanes for place in lane.taken]
                refused = [place for lane in lanes for place in lane.refused]
                erased = [place for lane in lanes for place in lane.erased]
                self._note(taken + erased, refused)
                sent = Sent(sent.taken + len(taken), sent.refused + len(refused), sent.erased + len(erased))
                for fault in faults:
                    if fault is not None:
                        raise fault
        return sent

    def _oldest(self) -> list[_Waiting]:
        query = "SELECT sequence, body FROM outbox WHERE refused IS NULL ORDER BY sequence LIMIT ?"
        with self._using:
            rows = self._connection.execute(query, (PART,)).fetchall()
        return [_Waiting(sequence, EventRequest.model_validate_json(body)) for sequence, body in rows]

    def _note(self, gone: Sequence[int], refused: Sequence[tuple[str, int]]) -> None:
        """Notes what became of events by place: those that have left, and what is wrong with those refused."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM outbox WHERE sequence = ?", [(one,) for one in gone])
            connection.executemany("UPDATE outbox SET refused = ? WHERE sequence = ?", refused)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._using:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:  # whatever happened: nothing of it stays, and the next may begin
                    self._connection.execute("ROLLBACK")


def _body(event: EventRequest) -> bytes:
    try:
        body = to_json(event.model_dump())
        EventRequest.model_validate_json(body)
    except ValueError:
        raise Unsendable(
            f"expected a row that can be read back, came another under event_id '{event.event_id}'"
        ) from None
    if len(body) > BODY_LIMIT:
        raise Unsendable(f"expected at most {BODY_LIMIT:,} bytes, came {len(body):,} under event_id '{event.event_id}'")
    return body


class _Lane:
    """Events that are sent one after the other, and what became of each."""

    def __init__(self, client: RettidClient, events: Sequence[_Waiting]) -> None:
        self._client, self._events = client, events
        self.taken: list[int] = []
        self.erased: list[int] = []
        self.refused: list[tuple[str, int]] = []

    def send(self, stop: Event) -> Exception | None:
        """Sends until one is held up, or another lane has met a service that is away; gives why.

        What speaks neither of the event nor of a service that is away, such as an error of ours, holds up this lane alone: those
        behind may be about the same thing.
        """
        for sequence, event in self._events:
            if stop.is_set():
                return None
            try:
                self._client.tell(event.event_id, event.table, event.row)
            except (NoAnswer, NotAdmitted, NotNow) as fault:
                stop.set()
                return fault
            except Problem as problem:
                if problem.kind == ERASED:
                    self.erased.append(sequence)
                elif problem.kind in REFUSED:
                    self.refused.append((str(problem), sequence))
                else:
                    return problem
            except Exception as fault:  # noqa: BLE001 (whatever it is, it is raised once it is noted what was taken)
                return fault
            else:
                self.taken.append(sequence)
        return None


def lanes_of(events: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Events that name somebody or something in common together, in order: a later row about it must not come before an earlier one.

    >>> def row(number, **names): return _Waiting(number, EventRequest(event_id=f"e{number}", table="claims", row=names))
    >>> lanes = lanes_of([row(1, claim_id="c1"), row(2, debtor_id="d2"), row(3, claim_id="c1", debtor_id="d2"), row(4, debtor_id="d3")])
    >>> [[one.sequence for one in lane] for lane in lanes]
    [[1, 2, 3], [4]]
    """
    lane_of: dict[tuple[str, object], list[_Waiting]] = {}
    alone: list[list[_Waiting]] = []
    for one in events:
        names = _names(one)
        joined = {id(lane): lane for name in names if (lane := lane_of.get(name)) is not None}.values()
        lane = sorted([one, *(other for found in joined for other in found)], key=lambda each: each.sequence)
        if not names:
            alone.append(lane)
        lane_of |= {name: lane for each in lane for name in _names(each)}
    return [*{id(lane): lane for lane in lane_of.values()}.values(), *alone]


def _names(one: _Waiting) -> list[tuple[str, object]]:
    row = one.event.row
    return [(column, row[column]) for column in NAMES if isinstance(row.get(column), str)]
