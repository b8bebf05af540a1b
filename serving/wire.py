"""Bodies read strictly, and answers given once: what every POST has in common."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers

from data.decision_log import DecisionLog
from data.stored_answers import KeyReused, StillRunning, StoredAnswer, begin, finish, release
from serving.problems import Fault, Refused, invalid, problem_response

Handler = Callable[[Request], Awaitable[Response]]

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255
LONGEST_NUMBER = 64
KEPT_STATUSES = frozenset({200, 404, 409})
"""Answers that a key stands for; others had no effect, and the request may be sent again."""


def read_json(body: bytes) -> Any:  # noqa: ANN401 (a body may be any JSON)
    """The body as Python values, numbers with a fraction as `Decimal`.

    Raises
    ------
    serving.problems.Refused
        No JSON, a name twice in one object, NaN or Infinity, a number longer than 64 digits, nested too deep.
    """
    try:
        return json.loads(
            body, parse_constant=_no_constant, parse_int=_whole, parse_float=_fraction, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise _bad("the body is nested too deep", remedy="send at most a few levels") from error
    except UnicodeDecodeError as error:
        raise _bad("the body is not UTF-8", remedy="send JSON in UTF-8") from error
    except json.JSONDecodeError as error:
        raise _bad(f"not JSON from character {error.pos} on", remedy="send one JSON object") from error


def _bad(detail: str, *, remedy: str) -> Refused:
    return Refused("bad-json", detail, remedy=remedy)


def _no_constant(_name: str) -> NoReturn:
    raise _bad("NaN and Infinity are not JSON", remedy="leave the field out or send null")


def _whole(text: str) -> int:
    _must_be_short(text)
    return int(text)


def _fraction(text: str) -> Decimal:
    _must_be_short(text)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _bad("a number that cannot be held", remedy="send a smaller number") from error
    if abs(number.adjusted()) > LONGEST_NUMBER:
        raise _bad("a number that is too large or too small", remedy="send a number of usual size")
    return number


def _must_be_short(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise _bad(f"a number of more than {LONGEST_NUMBER} characters", remedy="send a number of usual size")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("a name stands twice in one object", remedy="send each name once")
    return found


class StrictRequest(Request):
    """A request whose body is read by `read_json`."""

    async def json(self) -> Any:  # noqa: ANN401 (as in the class above)
        """The body as Python values."""
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A route that takes JSON only, and answers a POST once under its `Idempotency-Key`."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The usual handler, given a strict request."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                _must_be_json(request.headers)
                await strict.body()  # read here, so that a refusal while it comes in is told as it is
            if request.method == "POST" and KEY_HEADER in request.headers:
                return await _answered_once(strict, inner)
            return await inner(strict)

        return handler


def _must_be_json(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoded = headers.get("content-encoding", "identity").lower() != "identity"
    if encoded or not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        detail = "expected a body of type application/json, not compressed"
        raise Refused("unsupported-media-type", detail, remedy="set Content-Type: application/json")


async def _answered_once(request: Request, inner: Handler) -> Response:
    """The answer kept under the key, or a new one that is then kept."""
    key = request.headers[KEY_HEADER]
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        remedy = f"1 to {LONGEST_KEY} printable ASCII characters, such as a UUID"
        raise invalid([Fault(where=f"header.{KEY_HEADER}", what="not a key", remedy=remedy)])
    log: DecisionLog = request.app.state.service.log
    once = _Once(log, request.url.path, key, request.app.state.service.clock)
    kept = await run_in_threadpool(once.begin, sha256(await request.body()).hexdigest())
    if kept is not None:
        return Response(kept.body, kept.status, {"Idempotency-Replayed": "true"}, kept.media_type)
    try:
        response = await inner(request)
    except Refused as refused:
        response = problem_response(refused.problem)
    except BaseException:
        await run_in_threadpool(once.release)
        raise
    await run_in_threadpool(once.keep, response)
    return response


class _Once:
    """One request under its key."""

    def __init__(self, log: DecisionLog, scope: str, key: str, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._mine = (scope, key)
        self._clock = clock

    def begin(self, digest: str) -> StoredAnswer | None:
        try:
            with self._log.writing() as connection:
                return begin(connection, *self._mine, digest=digest, at=self._clock())
        except KeyReused as error:
            raise Refused("key-reused", str(error), remedy="use a new key for each request") from error
        except StillRunning as error:
            raise Refused("still-running", str(error), remedy="send it again in a second") from error

    def keep(self, response: Response) -> None:
        if response.status_code not in KEPT_STATUSES:
            self.release()
            return
        kind = response.headers.get("content-type", "application/json")
        answer = StoredAnswer(response.status_code, bytes(response.body), kind)
        with self._log.writing() as connection:
            finish(connection, *self._mine, answer=answer)

    def release(self) -> None:
        try:
            with self._log.writing() as connection:
                release(connection, *self._mine)
        except SQLAlchemyError:
            return  # the lease runs out by itself
