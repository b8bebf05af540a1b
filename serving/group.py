"""Many requests answered together: one look into the log, one decision for all, one durable transaction.

What a group shares is what costs: the fixed price of deciding, and the disk. Each request is answered as it would be alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel

from data.decision_log import CONFIRMED
from data.event_log import Event
from data.log_marks import Marks, batches_begun, marks
from data.stored_answers import Kept, KeyReused, Once, StillRunning, StoredAnswer, keep, kept_under
from data.versions import versions_of
from serving import confirmer, decider, receiver
from serving.answers import without_log
from serving.decider import Case, Look, New, Service, models_of
from serving.live import Live
from serving.models_in_use import Models
from serving.problem_details import MEDIA_TYPE
from serving.problems import Refused
from serving.shapes import Confirmation, EventRequest, NextBestActionRequest, NextBestActions
from serving.told_action import ToldAction

ATTEMPTS = 4
"""Turns that a request takes when facts keep coming; the last of them is taken under the log's lock."""

GIVEN = 200
KEPT_STATUSES = frozenset({GIVEN, 409})
"""Answers that a key stands for; others had no effect, and the request may be sent again."""


SERVER_FAILS = 500


class Patience:
    """Whether somebody still waits for an answer."""

    def __init__(self) -> None:
        self.over = False


@dataclass(frozen=True)
class Ask:
    """What to do next about a debtor; once nobody waits any more, nothing new is decided."""

    request: NextBestActionRequest
    once: Once | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Tell:
    """A row of a contract table."""

    request: EventRequest
    once: Once | None = None


@dataclass(frozen=True)
class Leave:
    """Whether a decision may be sent."""

    decision_id: str
    once: Once | None = None


Task = Ask | Tell | Leave
Said = BaseModel | ToldAction | Refused


@dataclass(frozen=True)
class Reply:
    """What a request is answered with; `again` where it is an earlier answer under the same key, of which only the bytes are known."""

    said: Said | None
    stored: StoredAnswer
    again: bool = False


def reply_of(said: Said) -> Reply:
    """An answer or a refusal as it goes over the wire."""
    if isinstance(said, Refused):
        body = said.problem.model_dump_json(exclude_none=True).encode()
        return Reply(said, StoredAnswer(said.problem.status, body, MEDIA_TYPE))
    body = said.body if isinstance(said, ToldAction) else said.model_dump_json().encode()
    return Reply(said, StoredAnswer(GIVEN, body, "application/json"))


def stands(reply: Reply) -> bool:
    """Whether a key may stand for a reply: not for one that was given with caution, or failed in a part."""
    said = reply.said
    if isinstance(said, ToldAction):
        return not said.degraded
    if isinstance(said, NextBestActions):
        results = [one.result for one in said.answers if one.result is not None]
        errors = [one.error.status for one in said.answers if one.error is not None]
        return not any(one.degraded for one in results) and all(status < SERVER_FAILS for status in errors)
    return reply.stored.status in KEPT_STATUSES


def answer_group(service: Service, tasks: Sequence[Task]) -> list[Reply]:
    """A reply to each task, in order; what is asked of one debtor twice is answered in turn.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        The log cannot be read or written; nothing of the group is acknowledged then.
    """
    group = _Group(service, dict(enumerate(tasks)))
    while group.waiting:
        group.take_turn()
    return [group.replies[number] for number in range(len(tasks))]


@dataclass(frozen=True)
class _Found:
    """What one look into the log found for the tasks of a turn."""

    looks: Mapping[int, Look]
    leaves: Mapping[int, confirmer.Request]
    events: Mapping[int, Event]
    refused: Mapping[int, Refused]


@dataclass(frozen=True)
class _Judged:
    """What is to be said, and what is to be written before it may be."""

    said: Mapping[int, Said]
    new: Mapping[int, New]
    leaves: Mapping[int, confirmer.Request]
    events: Mapping[int, Event]


class _Group:
    """Tasks while they are being answered."""

    def __init__(self, service: Service, tasks: dict[int, Task]) -> None:
        self._service = service
        self._tasks = tasks
        self._models: Models | None = None
        self._attempts = dict.fromkeys(tasks, 0)
        self._begun: dict[int, Once] = {}
        self._written: list[New] = []
        self.waiting = list(tasks)
        self.replies: dict[int, Reply] = {}

    def take_turn(self) -> None:
        """Answers as many tasks as nothing comes between for, each debtor and key once."""
        turn = self._turn()
        now = self._service.clock()
        if max(self._attempts[number] for number in turn) >= ATTEMPTS - 1:
            with self._service.log.writing() as connection:
                replies = self._settle(connection, self._judge(self._look(connection, turn, now), now), now)
        else:
            with self._service.log.reading() as connection:
                found = self._look(connection, turn, now)
            judged = self._judge(found, now)
            replies = self._told(judged, now)
        for one in self._written:  # on disk by now
            live = one.look.live
            self._service.state.decided(live, one.decided, version=live.facts.version + 1)
        self._written.clear()
        for number in turn:
            self._attempts[number] += 1
        self.replies.update(replies)
        self.waiting = [number for number in self.waiting if number not in self.replies]

    def _turn(self) -> list[int]:
        """Tasks in order, the first about each debtor, decision or event, and under each key."""
        taken: set[object] = set()
        turn = []
        for number in self.waiting:
            task = self._tasks[number]
            marked = {_about(task), (task.once.scope, task.once.key) if task.once else number}
            if taken.isdisjoint(marked):
                turn.append(number)
                taken |= marked
        return turn

    def _look(self, connection: sa.Connection, turn: Sequence[int], now: datetime) -> _Found:
        cases: dict[int, Case] = {}
        leaves: dict[int, confirmer.Request] = {}
        events: dict[int, Event] = {}
        refused: dict[int, Refused] = {}
        for number in turn:
            task = self._tasks[number]
            try:
                if isinstance(task, Ask):
                    cases[number] = decider.case_of(self._service, task.request, now=now)
                elif isinstance(task, Tell):
                    events[number] = receiver.event_of(self._service, task.request)
                else:
                    leaves[number] = confirmer.look(connection, self._service, task.decision_id, at=now)
            except Refused as error:
                refused[number] = error
        names = [case.request.debtor_id for case in cases.values()]
        lives = self._service.state.of(connection, names, at=now) if names else {}
        looks = {number: Look(case, lives[case.request.debtor_id]) for number, case in cases.items()}
        return _Found(looks, leaves, events, refused)

    def _judge(self, found: _Found, now: datetime) -> _Judged:
        said: dict[int, Said] = dict(found.refused)
        if not found.looks and not found.leaves:
            return _Judged(said, {}, {}, found.events)
        try:
            models = self._in_use()
        except Refused as refused:  # what is told is taken all the same
            return _Judged({**said, **dict.fromkeys([*found.looks, *found.leaves], refused)}, {}, {}, found.events)
        answers = decider.judge(self._service, [*found.looks.values()], models)
        judged = dict(zip(found.looks, answers, strict=True))
        new = {number: one for number, one in judged.items() if isinstance(one, New)}
        said |= {number: one for number, one in judged.items() if not isinstance(one, New)}
        looked = confirmer.judge(self._service, [*found.leaves.values()], models=models)
        return _Judged(said, new, dict(zip(found.leaves, looked, strict=True)), found.events)

    def _in_use(self) -> Models:
        """The models, the same for the whole group."""
        if self._models is None:
            self._models = models_of(self._service)
        return self._models

    def _told(self, judged: _Judged, now: datetime) -> dict[int, Reply]:
        """Replies, once what has to be on disk is there."""
        keyed = [number for number in judged.said if self._tasks[number].once is not None]
        if not (judged.new or judged.leaves or judged.events or keyed):
            return {number: reply_of(said) for number, said in judged.said.items()}
        with self._service.log.writing() as connection:
            return self._settle(connection, judged, now)

    def _settle(self, connection: sa.Connection, judged: _Judged, now: datetime) -> dict[int, Reply]:
        """Writes what nothing came between for, events first, and keeps what is said under a key."""
        grown = marks(connection)
        again = self._begin(connection, [*judged.said, *judged.new, *judged.leaves, *judged.events], now)
        given = {n: again.pop(n) for n in judged.leaves if n in again and again[n].stored.status == GIVEN}
        said = {number: one for number, one in judged.said.items() if number not in again}
        said |= {
            number: self._write_event(connection, event, now)
            for number, event in judged.events.items()
            if number not in again
        }
        leaves = {n: one for n, one in judged.leaves.items() if n not in again}
        current = _current(connection, {n: one.live for n, one in leaves.items()}, now)
        # Leave that was given under the same key is given again only if nothing speaks against it by now.
        same = {n: reply for n, reply in given.items() if n in current and leaves[n].reason is None}
        for n in same:
            if leaves[n].decided.status != CONFIRMED:
                confirmer.write(connection, leaves[n], at=now)
        said |= self._write_leaves(connection, {n: leaves[n] for n in leaves if n in current and n not in same}, now)
        said |= self._write_new(connection, {n: one for n, one in judged.new.items() if n not in again}, grown, now)
        replies = {number: reply_of(one) for number, one in said.items()}
        self._keep(connection, replies, now)
        return {**replies, **again, **same}

    def _begin(self, connection: sa.Connection, numbers: Sequence[int], now: datetime) -> dict[int, Reply]:
        """Replies to tasks whose key was used before; the others' may be kept in the same transaction."""
        asked = {once: number for number in numbers if (once := self._tasks[number].once) is not None}
        kept = kept_under(connection, [*asked], at=now) if asked else {}
        self._begun = {number: once for once, number in asked.items() if once not in kept}
        return {asked[once]: _reply_kept(one) for once, one in kept.items()}

    def _keep(self, connection: sa.Connection, replies: Mapping[int, Reply], now: datetime) -> None:
        """Keeps replies under the keys that are free; a key whose request had no effect may be used again."""
        kept = [
            Kept(once, reply.stored, _debtors(self._tasks[number], reply.said))
            for number, once in self._begun.items()
            if (reply := replies.get(number)) is not None and stands(reply)
        ]
        keep(connection, kept, at=now)

    def _write_event(self, connection: sa.Connection, event: Event, now: datetime) -> Said:
        try:
            return receiver.write(connection, self._service, event, at=now)
        except Refused as refused:
            return refused

    def _write_leaves(
        self, connection: sa.Connection, leaves: Mapping[int, confirmer.Request], now: datetime
    ) -> dict[int, Said]:
        said: dict[int, Said] = {}
        for number, request in leaves.items():
            confirmer.write(connection, request, at=now)
            said[number] = confirmer.tell(request, at=now)
        return said

    def _write_new(
        self, connection: sa.Connection, new: Mapping[int, New], grown: Marks, now: datetime
    ) -> dict[int, Said]:
        current = _current(connection, {number: one.look.live for number, one in new.items()}, now)
        waited_for = {n: new[n] for n in current if self._is_waited_for(n)}
        given_up = {n: without_log(new[n].look.case.request, now=new[n].wish.as_of) for n in current - set(waited_for)}
        if waited_for:
            decider.reserve(connection, self._service, [*waited_for.values()], models=self._in_use(), marks=grown)
            self._written.extend(waited_for.values())
        return {**given_up, **{number: decider.tell(self._service, one) for number, one in waited_for.items()}}

    def _is_waited_for(self, number: int) -> bool:
        """Whether whoever asked has not been answered with caution meanwhile."""
        task = self._tasks[number]
        return not (isinstance(task, Ask) and task.patience.over)


def _current(connection: sa.Connection, lives: Mapping[int, Live], now: datetime) -> set[int]:
    """Those of whom nothing has come since, and since when no night has decided for everybody."""
    if not lives:
        return set()
    versions = versions_of(connection, [one.debtor_id for one in lives.values()])
    begun = batches_begun(connection, at=now)
    return {n for n, one in lives.items() if (one.facts.version, one.begun) == (versions[one.debtor_id], begun)}


def _reply_kept(kept: StoredAnswer | KeyReused | StillRunning) -> Reply:
    """What is answered under a key that was used before."""
    if isinstance(kept, KeyReused):
        return reply_of(Refused("key-reused", str(kept), remedy="use a new key for each request"))
    if isinstance(kept, StillRunning):
        return reply_of(Refused("still-running", str(kept), remedy="send it again in a second"))
    return Reply(None, kept, again=True)


def _debtors(task: Task, said: Said | None) -> list[str]:
    """Whom a stored answer speaks of: it is deleted when they are erased."""
    if isinstance(task, Ask):
        return [task.request.debtor_id]
    if isinstance(task, Tell):
        named = task.request.row.get("debtor_id")
        return [named] if isinstance(named, str) else []
    return [said.debtor_id] if isinstance(said, Confirmation) else []


def _about(task: Task) -> tuple[str, str]:
    """What one task of a turn may be about alone."""
    if isinstance(task, Ask):
        return "debtor", task.request.debtor_id
    return ("event", task.request.event_id) if isinstance(task, Tell) else ("decision", task.decision_id)
