"""A desk: requests wait at it for a moment, and are answered together, by one of two threads in turn.

Requests that come while a group is being decided make up the next one, so that a group grows with the load by itself. While
one thread waits for the disk, the other decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread, get_ident

from serving.group import Reply, Task
from serving.problems import Refused

MOST = 32
"""Requests answered together at most."""

LONGEST_QUEUE = 256
"""Requests that may wait; one more is refused: it would be answered too late to be of use."""

THREADS = 2
"""One writes while the other decides; the interpreter does no more at a time."""

GATHERING_S = 0.0002
"""How long a group waits for one more request, each time one has come."""

GATHERING_MORE_S = 0.001
"""How long instead while it is smaller than the group before: those who were answered together mostly ask again together."""


class DeskFailed(RuntimeError):
    """What answered a request meant to end the process: the request failed, and the desk goes on."""


Outcome = Reply | BaseException
Waiting = tuple[Task, "asyncio.Future[Reply]"]
Answer = Callable[[Sequence[Task], Callable[[], None]], Sequence[Outcome]]
"""Answers a group of tasks; says meanwhile, if it likes, that all are decided and wait only to be written."""


class _Turn:
    """A thread's turn to gather and to decide; over when it says so, at the end of its block at the latest."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._mine = False

    def __enter__(self) -> _Turn:
        self._lock.acquire()
        self._mine = True
        return self

    def __exit__(self, *_: object) -> None:
        self.over()

    def over(self) -> None:
        """Lets the other thread begin."""
        if self._mine:
            self._mine = False
            self._lock.release()


class Desk:
    """Two threads, started with the first request, and those who wait for them."""

    def __init__(
        self,
        answer: Answer,
        *,
        most: int = MOST,
        longest_queue: int = LONGEST_QUEUE,
    ) -> None:
        self._answer = answer
        self._most = most
        self._longest = longest_queue
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._starting, self._turns = Lock(), Lock()
        self._threads: tuple[Thread, ...] = ()
        self._begun_s: dict[int, float] = {}
        self._before = 1

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._queue.qsize()

    def stuck(self, seconds: float) -> bool:
        """Whether one group has been answered for so long by now."""
        begun_s = min(self._begun_s.copy().values(), default=None)
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

    async def ask_all(self, tasks: Sequence[Task]) -> list[Reply | BaseException]:
        """Replies to many tasks of one request, in order; what failed is among them."""
        if self._queue.qsize() >= self._longest:
            raise Refused("overloaded", "more is asked than can be answered", remedy="send it again in a second")
        return await asyncio.gather(*(self._put(task) for task in tasks), return_exceptions=True)

    def close(self) -> None:
        """Answers who waits, and ends the threads."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _put(self, task: Task) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._queue.put((task, future))
        if not self._at_work():
            self._start()
        return future

    def _at_work(self) -> bool:
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _start(self) -> None:
        with self._starting:
            if not self._at_work():
                missing = THREADS - sum(thread.is_alive() for thread in self._threads)
                new = [Thread(target=self._serve, name="desk", daemon=True) for _ in range(missing)]
                self._threads = (*(one for one in self._threads if one.is_alive()), *new)
                for thread in new:
                    thread.start()

    def _serve(self) -> None:
        more = True
        while more:
            with _Turn(self._turns) as turn:
                first = self._queue.get()
                if first is None:
                    return
                gathered, more = self._gathered(first)
                group = [one for one in gathered if not one[1].done()]  # for who has gone nothing is reserved
                self._begun_s[get_ident()] = time.perf_counter()
                outcomes = self._outcomes([task for task, _ in group], turn.over) if group else []
                del self._begun_s[get_ident()]
            _deliver(group, outcomes)

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

    def _outcomes(self, tasks: Sequence[Task], decided: Callable[[], None]) -> Sequence[Outcome]:
        try:
            return self._answer(tasks, decided)
        except BaseException as error:  # noqa: BLE001 (it is told to whoever asked, and the desk goes on)
            if len(tasks) == 1:
                return [error if isinstance(error, Exception) else DeskFailed()]
            return [outcome for task in tasks for outcome in self._outcomes([task], decided)]


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
