"""Microseconds of processor for each part of a decision, in process, for groups of 1, 8 and 16 that are answered together.

Functions of the service are wrapped by name: time counts for the innermost one that is named, so that parts add up to the whole,
which is also measured unwrapped. What is not named counts for the group. `python service_parts.py --folder DIR` prints it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import numpy as np
from fastapi import FastAPI
from service_contenders import PATH, empty_app, service_app
from service_world import asked_in, make_world
from starlette.requests import Request

from data.decision_log import DecisionLog
from serving.admission import admitted
from serving.counter import Counter
from serving.group import Ask
from serving.shapes import NextBestActionRequest
from serving.tenants import MAIN
from serving.wire import read_json

GROUPS, CALLS = (1, 8, 16), 1_000
FACTS, FEATURES, RULES, GRID, VALUES, CHOOSE, TABLE, ANSWER, COUNTS, READ, WRITE, COMMIT, GROUP = (
    "facts (live state)", "features", "rules", "grid scored", "values", "choose", "decision table", "answer (tell, JSON)",
    "metrics and log line", "log read", "log write (statements)", "commit (fsync)", "rest of the group",
)  # fmt: skip
NAMED: tuple[tuple[str, str], ...] = (
    ("serving.live.LiveState.of", FACTS),
    ("serving.live.LiveState.joined", FACTS),
    ("serving.live.LiveState.decided", FACTS),
    ("serving.engine.decide", CHOOSE),
    ("models.decide.prepare", RULES),
    ("models.prepare.open_targets", FEATURES),
    ("models.prepare.build", FEATURES),
    ("models.decide.score", VALUES),
    ("models.decide.grid_probability", GRID),
    ("serving.engine.decision_columns", TABLE),
    ("serving.engine.DecideEngine._verdicts", TABLE),
    ("serving.decider.reserve", WRITE),
    ("serving.decider.tell", ANSWER),
    ("serving.group.reply_of", ANSWER),
    ("serving.group.marks", WRITE),
    ("serving.group.versions_of", WRITE),
    ("serving.counter.Told.group", COUNTS),
)
"""Functions by the name under which they are called, and the part that each is of."""


@dataclass
class Watch:
    """Nanoseconds by part, of this thread's processor and of the clock on the wall, each for the innermost part that is on."""

    cpu: dict[str, int] = field(default_factory=dict)
    wall: dict[str, int] = field(default_factory=dict)
    _on: list[str] = field(default_factory=lambda: [GROUP])
    _last: tuple[int, int] = (0, 0)

    def begin(self) -> None:
        """Starts counting, for the group."""
        self._last = time.thread_time_ns(), time.perf_counter_ns()

    def lap(self) -> None:
        """Counts what has gone by for the part that is on."""
        now, part = (time.thread_time_ns(), time.perf_counter_ns()), self._on[-1]
        self.cpu[part] = self.cpu.get(part, 0) + now[0] - self._last[0]
        self.wall[part] = self.wall.get(part, 0) + now[1] - self._last[1]
        self._last = now

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts for a part until it is left."""
        self.lap()
        self._on.append(name)
        try:
            yield
        finally:
            self.lap()
            self._on.pop()

    def wrapped(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, counted for a part."""

        def counted(*given: Any, **named: Any) -> Any:
            with self.part(name):
                return function(*given, **named)

        return counted

    def transaction(self, function: Callable[..., Any], inside: str, end: str) -> Callable[..., Any]:
        """A transaction of the log, its beginning and its end counted."""

        @contextmanager
        def counted(log: DecisionLog) -> Iterator[Any]:
            with self.part(inside):
                transaction: AbstractContextManager[Any] = function(log)
                connection = transaction.__enter__()
            try:
                yield connection
            except BaseException as error:
                transaction.__exit__(type(error), error, error.__traceback__)
                raise
            with self.part(end):
                transaction.__exit__(None, None, None)

        return counted


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Within it the named functions are counted."""
    changes = [patch(name, watch.wrapped(_found(name), part)) for name, part in NAMED]
    changes += [
        patch.object(DecisionLog, "reading", watch.transaction(DecisionLog.reading, READ, READ)),
        patch.object(DecisionLog, "writing", watch.transaction(DecisionLog.writing, WRITE, COMMIT)),
    ]
    for one in changes:
        one.start()
    try:
        yield
    finally:
        for one in changes:
            one.stop()


def _found(name: str) -> Callable[..., Any]:
    """The function of a name, its room and module first."""
    parts = name.split(".")
    found: Any = importlib.import_module(".".join(parts[:2]))
    for part in parts[2:]:
        found = getattr(found, part)
    function: Callable[..., Any] = found
    return function


@dataclass(frozen=True)
class Spent:
    """Microseconds a decision: processor and wall by part, and the whole without a watch on it."""

    cpu_us: dict[str, float]
    wall_us: dict[str, float]
    whole_us: float


class InProcess:
    """The service in this process, asked without HTTP."""

    def __init__(self, folder: Path) -> None:
        self.app = service_app(folder, "parts")
        self._counter = self.app.state.tenants[MAIN].counter
        self._asked, self._turn = asked_in(folder), count()

    def group(self, size: int, **said: bool) -> list[Ask]:
        """Requests about the next debtors."""
        names = (self._asked[next(self._turn) % len(self._asked)] for _ in range(size))
        return [Ask(NextBestActionRequest(debtor_id=name, replace=True, **said)) for name in names]

    def answer(self, size: int, **said: bool) -> float:
        """Microseconds of processor for each decision of one group."""
        tasks = self.group(size, **said)
        begin = time.thread_time_ns()
        replies = self._counter._answer(tasks)
        spent = time.thread_time_ns() - begin
        for reply in replies:
            assert reply.said.decision_id, reply
            assert not reply.said.reused, reply
        return spent / size / 1e3

    def replies(self, size: int) -> Sequence[Any]:
        """Answers to one group."""
        return self._counter._answer(self.group(size))

    def parts(self, size: int, *, decisions: int) -> Spent:
        """Means over groups of a size; groups with a watch on them and without take turns."""
        watch, whole = Watch(), []
        groups = max(decisions // size, 1)
        for _ in range(groups):
            whole.append(self.answer(size))
            tasks = self.group(size)
            with watched(watch):
                watch.begin()
                self._counter._answer(tasks)
                watch.lap()
        cpu, wall = ({part: ns / groups / size / 1e3 for part, ns in one.items()} for one in (watch.cpu, watch.wall))
        return Spent(cpu, wall, float(np.mean(whole)))

    def close(self) -> None:
        """Closes the log."""
        self._counter.close()


def at_the_door(service: InProcess, folder: Path) -> dict[str, float]:
    """Microseconds outside a group: reading and checking the body, asking who calls, and the whole of both applications.

    The service's application is given a ready answer, so that no group is in it; the server around them (sockets, HTTP) is in neither.
    """
    body = json.dumps({"debtor_id": asked_in(folder)[0], "replace": True}).encode()
    scope = _scope(service.app, folder, "parts")

    def read() -> None:
        NextBestActionRequest.model_validate(read_json(body))

    async def outside() -> dict[str, float]:
        admission = await _each(lambda: admitted(Request({**scope, "state": {}}), path=PATH))
        [ready] = service.replies(1)
        with patch.object(Counter, "ask", AsyncMock(return_value=ready)):
            ours = await _each(lambda: _call(service.app, scope, body))
        empty = empty_app(folder)
        theirs = await _each(lambda: _call(empty, _scope(empty, folder, "empty"), body))
        return {"admission": admission, "our application without the group": ours, "the empty application": theirs}

    begin = time.thread_time_ns()
    for _ in range(CALLS):
        read()
    return {"parse and validate": (time.thread_time_ns() - begin) / CALLS / 1e3, **asyncio.run(outside())}


async def _each(call: Callable[[], Awaitable[object]]) -> float:
    """Microseconds of processor for a call."""
    for _ in range(CALLS // 10):
        await call()
    begin = time.thread_time_ns()
    for _ in range(CALLS):
        await call()
    return (time.thread_time_ns() - begin) / CALLS / 1e3


def _scope(app: FastAPI, folder: Path, name: str) -> dict[str, Any]:
    """A request as a server hands it to an application."""
    key = (folder / f"{name}.key").read_text(encoding="utf-8")
    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", f"Bearer {key}".encode()),
        (b"content-type", b"application/json"),
    ]
    said = {"type": "http", "http_version": "1.1", "method": "POST", "path": PATH, "raw_path": PATH.encode()}
    place = {"scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": ""}
    return {**said, **place, "query_string": b"", "headers": headers, "app": app, "asgi": {"version": "3.0"}}


async def _call(app: FastAPI, scope: dict[str, Any], body: bytes) -> None:
    told: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    await app({**scope, "state": {}}, receive, send)
    assert told[0]["status"] == 200, told


def measure(folder: Path, *, decisions: int) -> tuple[dict[str, float], dict[int, Spent], dict[int, float]]:
    """What comes before a group, parts by size of group, and what `explain` adds to a decision."""
    service = InProcess(folder)
    for size in (*GROUPS, *GROUPS):
        service.answer(size)
    for _ in range(
        len(asked_in(folder)) // 16 + 1
    ):  # everybody's facts are in memory, as they are in a service that runs
        service.answer(16)
    found = {size: service.parts(size, decisions=decisions) for size in GROUPS}
    explained = {size: _explained(service, size) for size in (1, 16)}
    door = at_the_door(service, folder)
    service.close()
    return door, found, explained


def _explained(service: InProcess, size: int) -> float:
    """Microseconds that `explain` adds to a decision, the median of the differences of groups in turn."""
    service.answer(size, explain=True)
    return float(
        np.median([service.answer(size, explain=True) - service.answer(size) for _ in range(max(64 // size, 8))])
    )


def show(door: dict[str, float], found: dict[int, Spent], explained: dict[int, float]) -> None:
    """Prints the table."""
    print("| part | " + " | ".join(f"group of {size}, us a decision (wall)" for size in found) + " |")
    print("| --- |" + " ---: |" * len(found))
    for part, spent in door.items():
        print(f"| {part} | " + " | ".join([f"{spent:.1f}"] * len(found)) + " |")
    names = (FACTS, FEATURES, RULES, GRID, VALUES, CHOOSE, TABLE, ANSWER, COUNTS, READ, WRITE, COMMIT, GROUP)
    for part in names:
        cells = (f"{one.cpu_us.get(part, 0):.1f} ({one.wall_us.get(part, 0):.1f})" for one in found.values())
        print(f"| {part} | " + " | ".join(cells) + " |")
    sums = (f"**{sum(one.cpu_us.values()):.0f}** ({sum(one.wall_us.values()):.0f})" for one in found.values())
    print("| sum of the group's parts | " + " | ".join(sums) + " |")
    print("| the same without a watch | " + " | ".join(f"{one.whole_us:.0f}" for one in found.values()) + " |")
    for size, spent in explained.items():
        print(f"`explain` adds {spent:.0f} us of processor to a decision in a group of {size}")


def main() -> None:
    """Print the parts alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(".rettid/bench-service"))
    parser.add_argument("--debtors", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=2_000, help="decisions for each size of group")
    given = parser.parse_args()
    make_world(given.folder, debtors=given.debtors)
    show(*measure(given.folder, decisions=given.decisions))


if __name__ == "__main__":
    main()
