"""Work on the log that is done in turn by one thread of its own, and waited for only so long: a silent data base takes no other thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class HeldUp(TimeoutError):
    """The work was not done in time."""


class InTurn:
    """One thread, started with the first work, and those who wait for it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def done(self, work: Callable[[], T], *, longest_s: float, undo: Callable[[], object] | None = None) -> T:
        """What the work gives; where nobody waits for it any more, it is done all the same.

        Parameters
        ----------
        undo
            For work that is of use only to who waits: then it is left undone, or this is done behind it if it has begun.

        Raises
        ------
        HeldUp
            It took longer, or what came before it did.
        """
        doing = self._thread.submit(work)
        waited = asyncio.wrap_future(doing)
        waited.add_done_callback(lambda one: one.cancelled() or one.exception())  # told below, or to nobody
        try:
            await asyncio.wait({waited}, timeout=longest_s)
            if not waited.done():
                raise HeldUp(f"expected the log to take its turn, it did not within {longest_s:g} s: try again")
        finally:
            if not waited.done() and undo is not None and not doing.cancel():
                self._thread.submit(undo)
        return waited.result()

    def later(self, work: Callable[[], object]) -> None:
        """Has something done that nobody waits for."""
        self._thread.submit(work)

    def close(self) -> None:
        """Ends the thread, behind all that was to be done."""
        self._thread.shutdown()
