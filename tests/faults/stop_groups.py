"""Stops among leaves and questions, many debtors mixed in groups as the service makes them, by several threads over one log."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from data.stored_answers import StoredAnswer
from serving.decider import Service
from serving.group import GIVEN, Ask, Leave, Task, Tell, answer_group
from serving.group_told import Told
from serving.shapes import EventRequest, NextBestActionRequest
from serving.tenants import open_tenants
from tests.faults.line import Line
from tests.faults.stop_race import STOPS, Contact, stop_of
from tests.faults.world import debtor_name, write_many
from tests.small_service import FakeClock

THREADS = 2
TOGETHER = 16
NEAR = 24
"""Tasks of so many debtors are mixed with one another."""

LEAVES = 3
OPENED = 32


@dataclass(frozen=True)
class Mixed:
    """A task of one debtor's race."""

    number: int
    task: Task


@dataclass(frozen=True)
class Done:
    """A task with its answer; moments are those of the monotonic clock."""

    mixed: Mixed
    begun: float
    ended: float
    answer: StoredAnswer

    @property
    def good(self) -> bool:
        """Whether it was not refused."""
        return self.answer.status == GIVEN


def stop_race(races: int, *, seed: int) -> Line:
    """One stop for each debtor, among three leaves and a question; once all is told, a last leave is asked for."""
    with tempfile.TemporaryDirectory() as name:
        settings = write_many(Path(name), debtors=races)
        (tenant,) = open_tenants(settings, FakeClock(), told=Told()).values()
        try:
            contacts = _contacts(tenant.service, races)
            done = _raced(tenant.service, [*_mixed(contacts, random.Random(seed))])
            last = [Mixed(number, Leave(one.decision_id)) for number, one in contacts.items()]
            done += [told for group in _groups(last) for told in _answered(tenant.service, group)]
        finally:
            tenant.counter.close()
    given, leaves, wrong = _judged(done, contacts)
    wrong += [f"{debtor_name(n)}: expected a contact to begin with" for n in range(races) if n not in contacts]
    return Line(
        f"a stop against decide and confirm, {THREADS} threads in groups of {TOGETHER}",
        f"{races} stops ({', '.join(STOPS)} in turn), each among {LEAVES} leaves and a question: "
        f"{races * (LEAVES + 1)} interleavings; {leaves} leaves asked for",
        f"{given} given before, {len(wrong)} after it was acknowledged",
        tuple(wrong[:10]),
    )


def _contacts(service: Service, races: int) -> dict[int, Contact]:
    """A live decision to contact each debtor."""
    asked = [Mixed(number, _question(number)) for number in range(races)]
    told = [one for group in _groups(asked, OPENED) for one in _answered(service, group)]
    said = {one.mixed.number: json.loads(one.answer.body) for one in told if one.good}
    return {n: Contact(one["decision_id"], one["channel"]) for n, one in said.items() if one["channel"] != "none"}


def _question(number: int) -> Ask:
    return Ask(NextBestActionRequest(debtor_id=debtor_name(number)))


def _mixed(contacts: Mapping[int, Contact], rng: random.Random) -> Iterator[Mixed]:
    """Tasks of all races, those of debtors near each other in any order."""
    tasks = [
        (number + NEAR * rng.random(), Mixed(number, one))
        for number, of in contacts.items()
        for one in _tasks(number, of)
    ]
    yield from (one for _, one in sorted(tasks, key=lambda pair: pair[0]))


def _tasks(number: int, contact: Contact) -> Iterator[Task]:
    debtor = debtor_name(number)
    for place, (table, row) in enumerate(stop_of(STOPS[number % len(STOPS)], debtor, contact.channel)):
        yield Tell(EventRequest(event_id=f"{debtor}-{place}", table=table, row=row))
    yield from (Leave(contact.decision_id) for _ in range(LEAVES))
    yield _question(number)


def _raced(service: Service, tasks: Sequence[Mixed]) -> list[Done]:
    """Groups taken in turn by several threads, as by several processes over one log."""
    groups, taking, found = iter(_groups(tasks)), threading.Lock(), list[Done]()

    def work(_thread: int) -> None:
        while True:
            with taking:
                group = next(groups, None)
            if group is None:
                return
            found.extend(_answered(service, group))

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, range(THREADS)):
            pass
    return found


def _groups(tasks: Sequence[Mixed], size: int = TOGETHER) -> Iterable[Sequence[Mixed]]:
    return (tasks[first : first + size] for first in range(0, len(tasks), size))


def _answered(service: Service, group: Sequence[Mixed]) -> list[Done]:
    begun = time.monotonic()
    replies = answer_group(service, [one.task for one in group])
    ended = time.monotonic()
    return [Done(one, begun, ended, reply.stored) for one, reply in zip(group, replies, strict=True)]


def _judged(done: Sequence[Done], contacts: Mapping[int, Contact]) -> tuple[int, int, list[str]]:
    """Leaves given, leaves asked for, and what is wrong: a leave asked for after all of a stop was acknowledged."""
    acknowledged: dict[int, float] = {}
    wrong = list[str]()
    for one in done:
        if isinstance(one.mixed.task, Tell):
            number = one.mixed.number
            acknowledged[number] = max(acknowledged.get(number, 0.0), one.ended)
            wrong += [f"{debtor_name(number)}: the stop was refused"] if not one.good else []
    leaves = [one for one in done if isinstance(one.mixed.task, Leave)]
    given = [one for one in leaves if one.good]
    late = [one for one in given if one.begun > acknowledged[one.mixed.number]]
    wrong += [f"{debtor_name(one.mixed.number)}: a leave was given after its stop" for one in late]
    return len(given), len(leaves), wrong
