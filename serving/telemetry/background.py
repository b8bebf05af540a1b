"""Work that goes on beside the requests, again and again, while the application runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from serving.telemetry.logs import Log
from serving.telemetry.telemetry import Telemetry

FRESH_S = 5.0


class Work(NamedTuple):
    """One piece of a round, by a word of `serving.telemetry.vocabulary.BACKGROUND`."""

    kind: str
    run: Callable[[], Awaitable[object]]


class Failures:
    """Tells of work that failed: counted each time, written at the first, second, fourth, eighth of a kind and so on."""

    def __init__(self, telemetry: Telemetry, log: Log) -> None:
        self._telemetry = telemetry
        self._log = log
        self._times: Counter[str] = Counter()

    def tell(self, kind: str, error: Exception) -> None:
        """One piece that failed."""
        self._times[kind] += 1
        times = self._times[kind]
        self._telemetry.background_failed(kind)
        if times & (times - 1) == 0:
            self._log.warning("background_failed", work=kind, error=error)


@asynccontextmanager
async def repeated(rounds: Callable[[], Iterable[Work]], *, failures: Failures, every_s: float) -> AsyncIterator[None]:
    """Does every piece of a round, then waits; for the lifespan. A piece that fails is told of, and does not end the others."""
    task = asyncio.create_task(_repeating(rounds, failures, every_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeating(rounds: Callable[[], Iterable[Work]], failures: Failures, every_s: float) -> None:
    while True:
        for work in rounds():
            try:
                await work.run()
            except Exception as error:  # noqa: BLE001 (it is told, and the next piece is done)
                failures.tell(work.kind, error)
        await asyncio.sleep(every_s)


@asynccontextmanager
async def kept_fresh(telemetry: Telemetry, *, failures: Failures, every_s: float = FRESH_S) -> AsyncIterator[None]:
    """Refreshes figures that are kept elsewhere, so that a worker that is not asked for them still tells them."""

    async def refresh() -> None:
        telemetry.refresh()

    async with repeated(lambda: [Work("figures", refresh)], failures=failures, every_s=every_s):
        yield
