"""Where requests of one tenant are answered: together where it can be, with caution where the log cannot be reached."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeout

from serving.answers import without_log
from serving.decider import Service
from serving.desk import Desk, Outcome
from serving.group import Ask, Leave, Reply, Task, Tell, answer_group, reply_of
from serving.group_told import Told
from serving.in_turn import HeldUp, InTurn
from serving.problems import Refused
from serving.shapes import BATCH_LIMIT, NextBestActionRequest

STORE_FAILS = (OperationalError, InternalError, InterfaceError, SQLAlchemyTimeout)
"""What the log raises where it cannot be reached, is locked for too long, may only be read, or its disk is full."""

HELD_UP = 10
"""So many times as long as a decision an event or a leave waits: with caution it cannot be answered, only be sent again."""

T = TypeVar("T")

SOON = timedelta(hours=1)
"""A decision for another moment is a dry run: nothing of it is kept."""

YOUNG = 20_000
"""Objects made between two looks for what nobody can reach; of Python's 700 a group of decisions makes several times as many."""

FEW = 8
MANY = 64
LONGEST_QUEUE_OF_MANY = 4_000


class Counter:
    """Two desks: one for single requests, one for batches, so that a batch keeps nobody waiting."""

    def __init__(
        self, service: Service, *, patience_s: float, told: Told | None = None, to_be_warmed: bool = False
    ) -> None:
        self.service = service
        self._patience_s = patience_s
        self.warm = not to_be_warmed
        self._told = told or Told()
        self._desk = Desk(self._answer)
        self._many = Desk(self._answer, most=MANY, longest_queue=LONGEST_QUEUE_OF_MANY + BATCH_LIMIT)
        self._keys = InTurn("keys")

    def warm_up(self) -> None:
        """Decides once for nobody to hear, so that kernels are compiled before the first request that counts."""
        try:
            soon, some = (self.service.clock() + SOON).isoformat(), self.service.base.owing(FEW)
            asks = [Ask(NextBestActionRequest.model_validate({"debtor_id": one, "as_of": soon})) for one in some]
            for group in (asks[:1], asks):
                answer_group(self.service, group)
        except Exception as error:  # noqa: BLE001 (what is wrong is told, and again to the first who asks)
            self._told.not_warm(error)
        finally:
            gc.collect()
            gc.freeze()  # what stands by now stays: walking through it again and again would hold up answers
            gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
            self.warm = True

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._desk.waiting + self._many.waiting

    async def ask(self, task: Task) -> Reply:
        """The reply to one request; one about a debtor is answered within our patience, if need be with caution."""
        if not isinstance(task, Ask):
            return await self._in_the_end(task)
        if not self.warm:
            raise Refused("not-ready", "the service is starting", remedy="send it again in a second")
        if self._desk.stuck(self._patience_s):  # whoever comes now would wait in vain
            return self._with_caution(task)
        reply = await self._within(self._patience_s, task)
        return self._with_caution(task) if reply is None else reply

    async def _in_the_end(self, task: Tell | Leave) -> Reply:
        """The reply to what may be sent again: it counts once, so that whoever is told of no end loses nothing.

        Raises
        ------
        serving.problems.Refused
            The log is held up for too long; nothing was promised.
        """
        longest_s = HELD_UP * self._patience_s
        if self._desk.stuck(longest_s):
            raise log_unavailable()
        reply = await self._within(longest_s, task)
        if reply is None:
            raise log_unavailable()
        return reply

    async def _within(self, seconds: float, task: Task) -> Reply | None:
        """The reply if it came in time, however late this loop gets to look; None where it did not."""
        # `asyncio.timeout` would throw away a reply that is there, and `wait_for` make a task of each request.
        loop, reply = asyncio.get_running_loop(), self._desk.ask(task)
        late = loop.call_later(seconds, loop.call_soon, _give_up, reply)  # behind what has come by then
        try:
            found: Reply | None = await reply
        finally:
            late.cancel()
        return found

    def _with_caution(self, task: Ask) -> Reply:
        task.patience.over = True
        self._told.without_log(1, slow=True)
        return reply_of(without_log(task.request, now=self.service.clock()))

    async def ask_all(self, tasks: Sequence[Ask]) -> list[Outcome]:
        """The outcome of each entry of a batch, in order; those that the log keeps waiting are answered with caution.

        Raises
        ------
        serving.problems.Refused
            Too many wait already.
        """
        longest_s = HELD_UP * self._patience_s
        if self._many.stuck(longest_s):
            return [self._with_caution(task) for task in tasks]
        if self._many.waiting >= LONGEST_QUEUE_OF_MANY:
            raise Refused("overloaded", "more is asked than can be answered", remedy="send it again in a second")
        replies = [self._many.ask(task) for task in tasks]
        try:
            waiting = set(replies)
            while waiting and not self._many.stuck(longest_s):
                _, waiting = await asyncio.wait(waiting, timeout=self._patience_s)
            return [
                self._with_caution(task) if reply in waiting else reply.exception() or reply.result()
                for task, reply in zip(tasks, replies, strict=True)
            ]
        finally:
            for reply in replies:
                reply.cancel()  # for who has gone nothing is reserved

    async def in_turn(self, work: Callable[[], T], *, undo: Callable[[], object] | None = None) -> T:
        """What some work on the log gives that belongs to a key; `undo` as for `serving.in_turn`.

        Raises
        ------
        serving.problems.Refused
            The log is held up for too long; nothing was promised.
        """
        try:
            return await self._keys.done(work, longest_s=HELD_UP * self._patience_s, undo=undo)
        except HeldUp as error:
            raise log_unavailable() from error

    def later(self, work: Callable[[], object]) -> None:
        """Has work on the log done that nobody waits for, behind that of keys which came before."""
        self._keys.later(work)

    def close(self) -> None:
        """Answers who waits, and closes the log."""
        self._desk.close()
        self._many.close()
        self._keys.close()
        self.service.log.close()

    def _answer(self, tasks: Sequence[Task]) -> Sequence[Outcome]:
        try:
            replies = answer_group(self.service, tasks)
        except STORE_FAILS:
            self._told.without_log(len(tasks), slow=False)
            return [self._unreachable(task) for task in tasks]
        self._told.group(tasks, replies, at=self.service.clock())
        return replies

    def _unreachable(self, task: Task) -> Reply:
        """Without the log nothing is taken, and nobody is contacted: of the debtor's history nothing is known."""
        if isinstance(task, Ask):
            return reply_of(without_log(task.request, now=self.service.clock()))
        return reply_of(log_unavailable())


def log_unavailable() -> Refused:
    """The log did not take an entry: nothing was acknowledged."""
    remedy = "nothing was promised: send the request again; if it lasts, look at the disk of the workspace"
    return Refused("log-unavailable", "the log did not take the entry", remedy=remedy)


def _give_up(reply: asyncio.Future[Any]) -> None:
    """Ends the waiting for a reply that has not come."""
    if not reply.done():
        reply.set_result(None)
