"""Work that goes on beside the requests, again and again, while the application runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from serving.telemetry.telemetry import Telemetry

Work = Callable[[], Awaitable[object]]

FRESH_S = 5.0


@asynccontextmanager
async def repeated(rounds: Callable[[], Iterable[Work]], *, every_s: float) -> AsyncIterator[None]:
    """Does every piece of a round, then waits; for the lifespan. A piece that fails does not end the others."""
    task = asyncio.create_task(_repeating(rounds, every_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeating(rounds: Callable[[], Iterable[Work]], every_s: float) -> None:
    while True:
        for work in rounds():
            with suppress(Exception):
                await work()
        await asyncio.sleep(every_s)


@asynccontextmanager
async def kept_fresh(telemetry: Telemetry, *, every_s: float = FRESH_S) -> AsyncIterator[None]:
    """Refreshes figures that are kept elsewhere, so that a worker that is not asked for them still tells them."""

    async def refresh() -> None:
        telemetry.refresh()

    async with repeated(lambda: [refresh], every_s=every_s):
        yield
