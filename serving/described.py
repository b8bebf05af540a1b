"""The description of the service (OpenAPI): what FastAPI knows of the calls, with who may make them, limits, examples and problems."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.access.matrix import MATRIX, Call, Entry
from serving.access.rates import RateLimits
from serving.access.settings import COOKIE
from serving.calls import CALLS, Named, Told
from serving.examples import problem_example
from serving.problem_details import MEDIA_TYPE
from serving.problems import KINDS
from serving.settings import ServiceSettings
from serving.shapes import BATCH_LIMIT

Part = dict[str, Any]
"""A part of the document."""

ABOUT = f"""Decides, for one debtor at one moment, whether to make contact, through which channel and when.

Limits: a body has at most {ServiceSettings.body_limit:,} bytes, a batch at most {BATCH_LIMIT:,} entries; each call says how often it may be made.
A number is written with at most 64 characters, and is 0 or lies between 1e-64 and 1e65 in size.
Errors are problem details (RFC 9457). Every POST of the API takes an `Idempotency-Key`: the same key and body get the same
stored answer for 30 days.
"""

SCHEMES: Part = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key from `rettid keys add`: `rettid_...`."},
    "session": {"type": "apiKey", "in": "cookie", "name": f"__Host-{COOKIE}", "description": "A signed-in browser."},
}
PROBLEM: Part = {"$ref": "#/components/schemas/ProblemDetails"}
PARAMETERS: Mapping[str, str | bool] = {
    "Idempotency-Key": "6f1ed002-ab59-4e3c-9d21-3c2b5e5d0a11",
    "decision_id": "0f5c2a9b7d4e4c21a3b6d8e0f1a2b3c4",
    "debtor_id": "d-1042",
    "explain": True,
    "language": "sv",
    "name": "overview",
}
RETRY_AFTER: Part = {
    "Retry-After": {
        "description": "Seconds to wait before the same call may be answered.",
        "schema": {"type": "integer"},
    }
}
PER_SECOND = {"batch": "entries", "erase": "erasures"}


REPLAYED: Part = {
    "Idempotency-Replayed": {
        "description": "`true` where the answer was kept under the key of an earlier request.",
        "schema": {"type": "string", "const": "true"},
    }
}

REPLACED = frozenset({"ProblemDetails", "HTTPValidationError"})
"""Shapes of what a framework says of problems."""


class UndescribedCall(LookupError):
    """A call is answered that nothing is said of."""


class DescribedApp(FastAPI):
    """An application that describes itself in full."""

    def openapi(self) -> Part:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            plain = get_openapi(title=self.title, version=self.version, description=ABOUT, routes=self.routes)
            self.openapi_schema = described(plain)
        return self.openapi_schema


def described(plain: Part) -> Part:
    """The document with what stands in `serving.calls`, for every call in it.

    Raises
    ------
    UndescribedCall
        A call has no entry there.
    """
    document = deepcopy(plain)
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            call = (verb.upper(), path)
            if call not in CALLS:
                raise UndescribedCall(
                    f"expected an entry in serving/calls.py for each call, {verb.upper()} {path} has none"
                )
            _describe(operation, call, CALLS[call])
    document["components"]["securitySchemes"] = SCHEMES
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document


def _describe(operation: Part, call: Call, told: Told) -> None:
    entry = MATRIX[call]
    operation["summary"] = told.summary
    body = operation.get("requestBody", {}).get("content", {})
    limits = _limits(entry, has_body="application/json" in body)
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), _who(entry), limits]))
    operation["security"] = _security(entry)
    for parameter in operation.get("parameters", []):
        parameter["example"] = PARAMETERS[parameter["name"]]
    _show(body, told.asked)
    _answer(operation["responses"], told)


def _who(entry: Entry) -> str:
    if entry.open:
        return "Open to anyone."
    return f"For the roles {', '.join(f'`{role}`' for role in sorted(entry.roles))}."


def _limits(entry: Entry, *, has_body: bool) -> str:
    size = f"A body has at most {ServiceSettings.body_limit:,} bytes. " if has_body else ""
    if entry.kind is None:
        return size
    often, what = getattr(RateLimits, entry.kind), PER_SECOND.get(entry.kind, "calls")
    return f"{size}At most {often:,} {what} a second for each key, in each worker process."


def _security(entry: Entry) -> list[Part]:
    if entry.open:
        return []
    return [{"key": []}, {"session": []}] if entry.by_session else [{"key": []}]


def _answer(responses: Part, told: Told) -> None:
    """Answers with examples; problems by their kinds, in place of what the framework knows of them."""
    for status in [one for one, answer in responses.items() if _of_problem(answer)]:
        del responses[status]
    for status, answer in responses.items():
        _show(answer.get("content", {}), told.refused if status == "503" else told.answered)
    if told.led_to_sign_in:
        responses["303"] = {"description": "A browser without a session goes on at /login"}
    if "key-reused" in told.problems:
        responses["200"]["headers"] = REPLAYED
    for number, kinds in _by_status(told).items():
        answer = responses.setdefault(str(number), {})
        said = [answer["description"]] if "description" in answer else []
        answer["description"] = "; ".join([*said, *(KINDS[kind][1] for kind in kinds)])
        if "invalid" in kinds and told.beside:
            answer["description"] += f". {told.beside}"
        shown = {kind: {"value": problem_example(kind)} for kind in kinds}
        answer.setdefault("content", {})[MEDIA_TYPE] = {"schema": PROBLEM, "examples": shown}
        if number in (429, 503) or "still-running" in kinds:
            answer["headers"] = RETRY_AFTER


def _of_problem(answer: Part) -> bool:
    schemas = [media.get("schema", {}) for media in answer.get("content", {}).values()]
    return bool(schemas) and all(schema.get("$ref", "").rpartition("/")[2] in REPLACED for schema in schemas)


def _by_status(told: Told) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for kind in sorted(told.problems, key=lambda one: KINDS[one]):
        found.setdefault(KINDS[kind][0], []).append(kind)
    return found


def _show(content: Part, named: Named) -> None:
    """Examples in each kind of body that is not a page or plain text."""
    for kind, media in content.items():
        if not kind.startswith("text/"):
            media["examples"] = {name: {"value": value} for name, value in named.items()}
