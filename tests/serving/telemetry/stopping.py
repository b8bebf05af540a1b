"""A service that is asked to stop: run as a program, `python -m tests.serving.telemetry.stopping PORT WORKERS GRACE`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from serving.telemetry.checks import disk_space, not_draining
from serving.telemetry.draining import FINISH_S, Draining
from serving.telemetry.library_logs import UVICORN_LOGS
from serving.telemetry.readiness import look


def application() -> Starlette:
    draining = Draining(grace_s=float(os.environ["GRACE"]))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with draining.on_stop_signals(asyncio.get_running_loop()):
            yield

    def readyz(request: Request) -> Response:
        found = look((not_draining(draining), disk_space(Path(), told=lambda _: None, at_least_bytes=1)))
        return JSONResponse(found.as_json(), found.status)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("alive")

    async def slow(request: Request) -> Response:
        await asyncio.sleep(1.0)
        return PlainTextResponse("done")

    return Starlette(
        routes=[Route("/readyz", readyz), Route("/healthz", healthz), Route("/slow", slow)], lifespan=lifespan
    )


if __name__ == "__main__":
    os.environ["GRACE"] = sys.argv[3]
    uvicorn.run(
        "tests.serving.telemetry.stopping:application",
        factory=True,
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        log_config=UVICORN_LOGS,
        access_log=False,
        timeout_graceful_shutdown=FINISH_S,
    )
