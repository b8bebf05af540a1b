"""Around the whole application: an identifier for each request, its time and status counted, a line in the log.

Outermost of all, so that it sees what the application answers and what it throws. Plain ASGI: a few microseconds a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.telemetry.logs import REQUEST, Log
from serving.telemetry.telemetry import Telemetry

HEADER = b"x-request-id"
FORM = re.compile(rb"[A-Za-z0-9-]{1,64}")
UNMATCHED = "unmatched"
GONE = 499
"""Status of a request whose caller went away before any answer."""

TOLD = ("tenant", "key_id", "kind", "class", "model_version", "rules_version", "decisions", "events")
"""What the application may leave in the request's state (`request.state.tenant = ...`) for its line in the log."""


class Observed:
    """An application, watched.

    Parameters
    ----------
    app
        What answers.
    failed
        What answers in its place when it throws before it has begun to answer; the exception goes no further.
    sample_every
        Of requests that went well (or came too fast) every so many-th has a line in the log; of the others each.
    """

    def __init__(
        self, app: ASGIApp, *, telemetry: Telemetry, log: Log, failed: ASGIApp, sample_every: int = 100
    ) -> None:
        self.app = app
        self._telemetry = telemetry
        self._log = log
        self._failed = failed
        self._every = max(sample_every, 1)
        self._number = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on and tells of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = request_id(scope["headers"])
        header = (HEADER, identifier.encode())
        scope.setdefault("state", {})["request_id"] = identifier
        mark = REQUEST.set(identifier)
        status, whole = 0, False
        begun = perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            else:
                whole = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told and answered)
            self._log.error("request_failed", error=error, route=_route(scope), method=scope["method"])
            if status and not whole:  # half an answer is out: the server cuts the connection, which the caller notices
                raise ResponseCut from None
            if not status:
                await self._failed(scope, receive, sending)
        finally:
            self._tell(scope, status or GONE, seconds=perf_counter() - begun)
            REQUEST.reset(mark)

    def _tell(self, scope: Scope, status: int, *, seconds: float) -> None:
        route, method = _route(scope), scope["method"]
        self._telemetry.request(route, method, status=status, seconds=seconds)
        if (status < 400 or status == 429) and next(self._number) % self._every:
            return
        state: dict[str, Any] = scope["state"]
        told = {name: state[name] for name in TOLD if name in state}
        self._log.info("request", route=route, method=method, status=status, duration_ms=seconds * 1e3, **told)


class ResponseCut(RuntimeError):
    """An answer broke off after it had begun; what happened stands in the log."""


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's `X-Request-Id` where it has the form of one, else a new one.

    >>> request_id([(b"x-request-id", b"a-1")])
    'a-1'
    >>> len(request_id([(b"x-request-id", b"Anna Berg")]))
    32
    """
    for name, value in headers:
        if name == HEADER and FORM.fullmatch(value):
            return value.decode("ascii")
    return uuid4().hex


def _route(scope: Scope) -> str:
    """The template that the call matched; known once the application has routed it."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else UNMATCHED
