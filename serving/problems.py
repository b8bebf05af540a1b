"""Errors on the wire: RFC 9457 problem details that say what was wrong, where, and what would be right.

Nothing the caller sent is repeated in them: a body may hold anything, and an error is what ends up in log files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails

from serving.problem_details import MEDIA_TYPE, PREFIX, Fault, ProblemDetails

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-json": (400, "The body is not JSON that can be read"),
    "unauthenticated": (401, "Nobody is signed in"),
    "forbidden": (403, "This may not be done with this key"),
    "csrf": (403, "The form was not one of ours"),
    "not-found": (404, "There is nothing here"),
    "unknown-debtor": (404, "The debtor is not known"),
    "unknown-decision": (404, "The decision is not known"),
    "method-not-allowed": (405, "This address does not take this method"),
    "not-to-be-sent": (409, "The decision may not be sent"),
    "erased": (409, "The debtor was erased"),
    "event-conflict": (409, "The event identifier stands for another event"),
    "still-running": (409, "The same request is being answered"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is not of a type that can be read"),
    "invalid": (422, "The request breaks the contract"),
    "key-reused": (422, "The Idempotency-Key stands for another request"),
    "too-many-requests": (429, "More was asked than this key may ask"),
    "failed": (500, "The service failed"),
    "not-ready": (503, "The service is not ready"),
    "overloaded": (503, "The service has too much to do"),
    "log-unavailable": (503, "The decision log cannot be written"),
}
"""Status and title of every kind of problem."""


class Refused(ValueError):
    """A request is answered by a problem."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        remedy: str | None = None,
        reason: str | None = None,
        errors: Sequence[Fault] = (),
    ) -> None:
        super().__init__(detail)
        status, title = KINDS[kind]
        self.problem = ProblemDetails(
            type=f"{PREFIX}{kind}",
            title=title,
            status=status,
            detail=detail,
            remedy=remedy,
            reason=reason,
            errors=list(errors),
        )


def problem_response(problem: ProblemDetails, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as an answer; one that may pass by itself says when to ask again."""
    content = problem.model_dump(exclude_none=True)
    told = {**retry_after(problem.status, kind_of(problem)), **(headers or {})}
    return JSONResponse(content, problem.status, headers=told, media_type=MEDIA_TYPE)


def kind_of(problem: ProblemDetails) -> str:
    """Its name in `KINDS`."""
    return problem.type.removeprefix(PREFIX)


def retry_after(status: int, kind: str | None) -> dict[str, str]:
    """When to ask again, as a header, where the same request may be answered then; `kind` is None where it is not known.

    >>> retry_after(409, "still-running"), retry_after(409, "erased"), retry_after(503, "overloaded")
    ({'Retry-After': '1'}, {}, {'Retry-After': '1'})
    """
    passes = status in (429, 503) or (status == 409 and kind in (None, "still-running"))
    return {"Retry-After": "1"} if passes else {}


def invalid(errors: Sequence[Fault]) -> Refused:
    """A problem for a body that breaks the contract in some ways."""
    first = errors[0]
    rest = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Refused("invalid", f"{first.where}: {first.what}{rest}", remedy=first.remedy, errors=errors)


def faults_of(errors: Sequence[ErrorDetails | Mapping[str, Any]]) -> list[Fault]:
    """Pydantic's findings as faults, without the values and without names that the caller made up."""
    return [_fault(error) for error in errors[:20]]


def _fault(error: ErrorDetails | Mapping[str, Any]) -> Fault:
    kind, place = str(error["type"]), [str(part) for part in error["loc"]]
    if kind == "extra_forbidden":
        where = ".".join(place[:-1])
        return Fault(where=where, what="a field that is not known", remedy="see the fields in /openapi.json")
    if kind == "timezone_aware":
        return Fault(where=".".join(place), what="a time without its zone", remedy="add Z or an offset such as +01:00")
    if kind == "missing":
        return Fault(where=".".join(place), what="a required field is missing", remedy="see /openapi.json")
    if kind == "value_error" and "ctx" in error:
        return Fault(where=".".join(place), what=str(error["ctx"]["error"]), remedy=None)
    return Fault(where=".".join(place), what=str(error["msg"]), remedy="see /openapi.json")


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": "; ".join(sorted(t for s, t in KINDS.values() if s == status)), "model": ProblemDetails}
    for status in sorted({status for status, _ in KINDS.values()} - {404, 405, 409, 500})
}
"""Problems that any call with a body may answer with, for the description of the API."""
