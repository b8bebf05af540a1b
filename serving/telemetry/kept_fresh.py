"""Figures that are kept elsewhere, brought up to date while the application runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from serving.telemetry.telemetry import Telemetry

EVERY_S = 5.0


@asynccontextmanager
async def kept_fresh(telemetry: Telemetry, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Refreshes every few seconds, so that a worker that is not asked for its figures still tells them; for the lifespan."""
    task = asyncio.create_task(_refreshing(telemetry, every_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _refreshing(telemetry: Telemetry, every_s: float) -> None:
    while True:
        with suppress(Exception):  # a figure that cannot be had must not end the others
            telemetry.refresh()
        await asyncio.sleep(every_s)
