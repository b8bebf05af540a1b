"""A small application that is watched, and what it leaves in its log."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serving.telemetry.logs import Log, open_log
from serving.telemetry.observed import Observed
from serving.telemetry.telemetry import Telemetry
from serving.telemetry.vocabulary import Vocabulary

NOW = datetime(2026, 3, 10, 8, tzinfo=UTC)
WORDS = Vocabulary.of(("none", "sms", "email"), rules=("quiet_hours", "disputed_claim"))

CANARIES = (
    "Canary Annasdotter Berg",
    "D-900017-CANARY",
    "+46701234567",
    "0701234567",
    "46701234567",
    "20123456",
    "canary@example.org",
    "19820411-2384",
    "rk_live_CANARYh8Fh2kQ0sX",
    "SELECT * FROM debtors WHERE name = 'Canary'",
)
"""A name, an identifier, telephone numbers, an address, a national number, a key, a statement."""


def memory_log(*, level: str = "debug") -> tuple[Log, io.BytesIO]:
    """A log, and where it writes."""
    stream = io.BytesIO()
    return open_log(WORDS, level=level, stream=stream, clock=lambda: NOW), stream


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def telemetry() -> Telemetry:
    return Telemetry(WORDS, lambda: NOW)


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello", headers={"X-Own": "1"})


async def told(request: Request) -> Response:
    request.state.tenant, request.state.kind = "tenant-a", "unknown-debtor"
    return JSONResponse({"id": request.state.request_id}, 404)


async def broken(request: Request) -> Response:
    raise RuntimeError(f"no room for {request.path_params['debtor_id']} of {CANARIES[0]}")


async def half(request: Request) -> Response:
    async def parts():
        yield b"half"
        raise RuntimeError(CANARIES[0])

    return StreamingResponse(parts())


async def too_fast(request: Request) -> Response:
    return PlainTextResponse("wait", 429)


async def gone(request: Request) -> Response:
    raise asyncio.CancelledError


ROUTES = [
    Route("/hello", hello),
    Route("/v1/debtors/{debtor_id}", told),
    Route("/v1/broken/{debtor_id}", broken, methods=["POST"]),
    Route("/half", half),
    Route("/too-fast", too_fast),
    Route("/gone", gone),
]


class Watched:
    """The application with what watches it."""

    def __init__(self, *, sample_every: int = 1) -> None:
        self.log, self.stream = memory_log()
        self.telemetry = telemetry()
        failed = JSONResponse({"title": "failed"}, 500)
        app = Starlette(routes=ROUTES)
        self.app = Observed(app, telemetry=self.telemetry, log=self.log, failed=failed, sample_every=sample_every)
        self.client = TestClient(self.app)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return lines(self.stream)

    @property
    def figures(self) -> str:
        return self.telemetry.text().decode()
