"""Bodies read strictly, and answers given once: what every call with a body has in common."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from hashlib import sha256
from typing import Any, NoReturn, TypeVar, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers

from data.stored_answers import KeyReused, Once, StillRunning, StoredAnswer, begin, finish, release
from serving.admission import admitted
from serving.decider import Service
from serving.group import Reply, stands
from serving.path_segments import given_back
from serving.problem_details import Fault
from serving.problems import Refused, faults_of, invalid, kind_of, retry_after
from serving.shapes import Request as Body
from serving.tenants import Tenant

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 255
LONGEST_NUMBER = 64
AnyBody = TypeVar("AnyBody", bound=Body)


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

    read: Any = None

    async def json(self) -> Any:  # noqa: ANN401 (as above)
        """The body as Python values, read before."""
        return self.read


class StrictRoute(APIRoute):
    """A route that takes JSON only, from those who may call it."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The usual handler, given a strict request.

        A call that is made of a body and nothing else is handed its body at once: FastAPI's way there looks at the
        signature anew for each request, which takes as long as everything else around an answer.
        """
        inner, path, asked = super().get_route_handler(), self.path, _body_of(self)

        async def handler(request: Request) -> Response:
            await admitted(request, path=path)
            found = request.scope.get("path_params", {})
            request.scope["path_params"] = {name: given_back(value) for name, value in found.items()}
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                _must_be_json(request.headers)
                strict.read = read_json(await strict.body())  # here, so that a refusal is told as it is
            answer: Response
            if asked is None:
                answer = await inner(strict)
            else:
                answer = await self.endpoint(strict, sound(asked, strict.read))
            return answer

        return handler


def _body_of(route: APIRoute) -> type[Body] | None:
    """The body of a call that answers by itself and takes nothing but it and an idempotency key; None for another call."""
    found = [kind for kind in get_type_hints(route.endpoint).values() if isinstance(kind, type)]
    bodies = [kind for kind in found if issubclass(kind, Body)]
    return bodies[0] if bodies and Response in found and not route.param_convertors else None


def sound(kind: type[AnyBody], read: object) -> AnyBody:
    """A body, if it is one.

    Raises
    ------
    serving.problems.Refused
        It is not; what is wrong with it is told.
    """
    try:
        return kind.model_validate(read)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        raise invalid(faults_of(found)) from error


def _must_be_json(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    encoded = headers.get("content-encoding", "identity").lower() != "identity"
    if encoded or not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        detail = "expected a body of type application/json, not compressed"
        raise Refused("unsupported-media-type", detail, remedy="set Content-Type: application/json")


async def once_of(request: Request) -> Once | None:
    """The idempotency key that the request came with.

    Raises
    ------
    serving.problems.Refused
        It is no key.
    """
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        remedy = f"1 to {LONGEST_KEY} printable ASCII characters, such as a UUID"
        raise invalid([Fault(where=f"header.{KEY_HEADER}", what="not a key", remedy=remedy)])
    return Once(given_back(request.scope["path"]), key, sha256(await request.body()).hexdigest())


def response_of(reply: Reply) -> Response:
    """A reply as it goes over the wire."""
    stored, said = reply.stored, reply.said
    headers = {"Idempotency-Replayed": "true"} if reply.again else {}
    if stored.status != 200:
        kind = kind_of(said.problem) if isinstance(said, Refused) else ""
        headers |= retry_after(stored.status, kind)
    return Response(stored.body, stored.status, headers, stored.media_type)


async def answered_once(
    tenant: Tenant, once: Once | None, answer: Callable[[], Awaitable[Reply]], *, debtors: Sequence[str]
) -> Response:
    """The answer about some debtors kept under a key, or a new one that is then kept: for requests of many transactions.

    While it is being answered the key is held, for a minute at most.

    Raises
    ------
    serving.problems.Refused
        The log is held up for too long. What was decided by then stands, and is answered under the key once that is on disk.
    """
    if once is None:
        return response_of(await answer())
    keeper, counter = _Keeper(tenant.service, once), tenant.counter
    kept = await counter.in_turn(keeper.begin, undo=keeper.release)
    if kept is not None:
        return response_of(Reply(None, kept, again=True))
    try:
        reply = await answer()
    except BaseException:
        counter.later(keeper.release)
        raise
    if stands(reply):
        await counter.in_turn(partial(keeper.keep, reply, debtors))
    else:
        counter.later(keeper.release)
    return response_of(reply)


class _Keeper:
    """One request under its key."""

    def __init__(self, service: Service, once: Once) -> None:
        self._service = service
        self._once = once
        self._held = False

    def begin(self) -> StoredAnswer | None:
        once, service = self._once, self._service
        try:
            with service.log.writing() as connection:
                found = begin(connection, once.scope, once.key, digest=once.digest, at=service.clock())
        except KeyReused as error:
            raise Refused("key-reused", str(error), remedy="use a new key for each request") from error
        except StillRunning as error:
            raise Refused("still-running", str(error), remedy="send it again in a second") from error
        self._held = found is None
        return found

    def keep(self, reply: Reply, debtors: Sequence[str]) -> None:
        with self._service.log.writing() as connection:
            finish(connection, self._once.scope, self._once.key, answer=reply.stored, debtors=debtors)

    def release(self) -> None:
        if not self._held:
            return  # it is another request's, or there is an answer under it
        try:
            with self._service.log.writing() as connection:
                release(connection, self._once.scope, self._once.key)
        except SQLAlchemyError:
            return  # the lease runs out by itself
