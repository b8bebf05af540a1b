"""A desk: requests wait at it for a moment, and are answered together by one thread.

Requests that come while a group is being answered make up the next one, so that a group grows with the load by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread

from serving.group import Reply, Task
from serving.problems import Refused

MOST = 32
"""Requests answered together at most."""

LONGEST_QUEUE = 256
"""Requests that may wait; one more is refused: it would be answered too late to be of use."""

GATHERING_S = 0.0002
"""How long a group waits for one more request, each time one has come."""

GATHERING_MORE_S = 0.001
"""How long instead while it is smaller than the group before: those who were answered together mostly ask again together."""


class DeskFailed(RuntimeError):
    """What answered a request meant to end the process: the request failed, and the desk goes on."""


Outcome = Reply | BaseException
Waiting = tuple[Task, "asyncio.Future[Reply]"]


class Desk:
    """One thread, started with the first request, and those who wait for it."""

    def __init__(
        self,
        answer: Callable[[Sequence[Task]], Sequence[Outcome]],
        *,
        most: int = MOST,
        longest_queue: int = LONGEST_QUEUE,
    ) -> None:
        self._answer = answer
        self._most = most
        self._longest = longest_queue
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._begun_s: float | None = None
        self._before = 1

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._queue.qsize()

    def stuck(self, seconds: float) -> bool:
        """Whether one group has been answered for so long by now."""
        begun_s = self._begun_s
        return begun_s is not None and time.perf_counter() - begun_s > seconds

    def ask(self, task: Task) -> asyncio.Future[Reply]:
        """The reply to a task, whatever else is asked at the same time.

        Raises
        ------
        serving.problems.Refused
            Too many wait already.
        """
        if self._queue.qsize() >= self._longest:
            raise Refused("overloaded", "more is asked than can be answered", remedy="send it again in a second")
        return self._put(task)

    def close(self) -> None:
        """Answers who waits, and ends the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _put(self, task: Task) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._queue.put((task, future))
        if self._thread is None or not self._thread.is_alive():
            self._start()
        return future

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._serve, name="desk", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            gathered, more = self._gathered(first)
            group = [one for one in gathered if not one[1].done()]  # for who has gone nothing is reserved
            self._begun_s = time.perf_counter()
            outcomes = self._outcomes([task for task, _ in group]) if group else []
            self._begun_s = None
            _deliver(group, outcomes)
            if not more:
                return

    def _gathered(self, first: Waiting) -> tuple[list[Waiting], bool]:
        """The first request with those that have come by now; False where the desk is to close behind them."""
        group, more = [first], True
        while more and len(group) < self._most and self._comes(more_likely=len(group) < self._before):
            one = self._queue.get_nowait()
            if one is None:
                more = False
            else:
                group.append(one)
        self._before = len(group)
        return group, more

    def _comes(self, *, more_likely: bool) -> bool:
        """Whether there is one more, or will be in a moment; the loop that reads requests gets its turn meanwhile."""
        longest_s, begun_s = GATHERING_MORE_S if more_likely else GATHERING_S, time.perf_counter()
        while self._queue.empty():
            if time.perf_counter() - begun_s >= longest_s:
                return False
            time.sleep(GATHERING_S)
        return True

    def _outcomes(self, tasks: Sequence[Task]) -> Sequence[Outcome]:
        try:
            return self._answer(tasks)
        except BaseException as error:  # noqa: BLE001 (it is told to whoever asked, and the desk goes on)
            if len(tasks) == 1:
                return [error if isinstance(error, Exception) else DeskFailed()]
            return [outcome for task in tasks for outcome in self._outcomes([task])]


def _deliver(group: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Tells all of a group, each in the loop it waits in."""
    of_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Reply], Outcome]]] = {}
    for (_, future), outcome in zip(group, outcomes, strict=True):
        of_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, told in of_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, told)


def _tell(told: Sequence[tuple[asyncio.Future[Reply], Outcome]]) -> None:
    for future, outcome in told:
        if future.done():
            continue  # whoever asked has gone
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
