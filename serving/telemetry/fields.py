"""The fields a log line may have, and the form each value must have; anything else is left out.

A form is as narrow as what we issue ourselves: a count stays below ten million, so that a telephone number is none; words
come from closed lists; a name of ours holds a letter. No field takes free text: there is none for a message.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from serving.problems import KINDS
from serving.telemetry.vocabulary import (
    BACKGROUND,
    CHECKS,
    EVENTS,
    FALLBACKS,
    METHODS,
    OTHER,
    RATE_CLASSES,
    ROLES,
    SIGN_IN_FAILURES,
    Vocabulary,
)

Value = str | int | float | bool | list[str]
Form = Callable[[object], Value | None]
"""The value as it may be written, or None."""

LARGEST_COUNT = 10_000_000
LONGEST_S = 1e7

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
NAME = re.compile(r"(?=[a-z0-9_-]*[a-z])[a-z0-9_-]{1,64}")
"""Tenants, keys' identifiers, model versions: letters, digits, dashes, at least one letter."""

DIGEST = re.compile(r"[0-9a-f]{16}|[0-9a-f]{64}")
TEMPLATE = re.compile(r"(/(v\d|[a-z_.-]{1,40}|\{[a-z_]{1,40}(:path)?\}))+|/|unmatched")
CODE = re.compile(r"[A-Z_]{1,40}|[0-9A-Z]{5}")
CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
PLACE = re.compile(r"[a-z_.]{1,80}:\d{1,5}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def matching(pattern: re.Pattern[str]) -> Form:
    """Text that the pattern matches from end to end.

    >>> matching(NAME)("tenant-1"), matching(NAME)("46701234567"), matching(NAME)("Anna Berg")
    ('tenant-1', None, None)
    """
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def one_of(words: frozenset[str]) -> Form:
    """A word of a closed list, else `other`.

    >>> one_of(frozenset({"sms"}))("sms"), one_of(frozenset({"sms"}))("Anna")
    ('sms', 'other')
    """
    return lambda value: value if isinstance(value, str) and value in words else OTHER


def count(value: object) -> int | None:
    """A whole number from 0 to less than ten million.

    >>> count(12), count(46701234567), count(True), count("12")
    (12, None, None, None)
    """
    return value if type(value) is int and 0 <= value < LARGEST_COUNT else None


def measure(value: object) -> float | None:
    """A finite number of at least 0, to three places.

    >>> measure(1.23456), measure(float("nan"))
    (1.235, None)
    """
    if not isinstance(value, float | int) or isinstance(value, bool):
        return None
    return round(float(value), 3) if math.isfinite(value) and 0 <= value < LONGEST_S else None


def flag(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def places(value: object) -> list[str] | None:
    """Modules and lines of our own frames."""
    if not isinstance(value, list):
        return None
    return [one for one in value if isinstance(one, str) and PLACE.fullmatch(one)]


def allowed(words: Vocabulary) -> Mapping[str, Form]:
    """Every field there is, and its form."""
    return {**_of_requests(), **_of_decisions(words), **_of_running()}


def _of_requests() -> dict[str, Form]:
    return {
        "request_id": matching(REQUEST_ID),
        "tenant": matching(NAME),
        "key_id": matching(NAME),
        "route": matching(TEMPLATE),
        "method": one_of(METHODS),
        "status": count,
        "duration_ms": measure,
        "kind": one_of(frozenset(KINDS)),
        "class": one_of(RATE_CLASSES),
        "sign_in": one_of(SIGN_IN_FAILURES),
    }


def _of_decisions(words: Vocabulary) -> dict[str, Form]:
    return {
        "model_version": matching(NAME),
        "policy_version": matching(NAME),
        "rules_version": matching(DIGEST),
        "role": one_of(ROLES),
        "channel": one_of(words.channels),
        "arm": one_of(words.arms),
        "rule": one_of(words.rules),
        "reason": one_of(words.reasons),
        "table": one_of(words.tables),
        "fallback": one_of(FALLBACKS),
        "ratio": measure,
        **dict.fromkeys(("decisions", "events", "duplicates", "debtors", "claims", "rows", "group_size"), count),
    }


def _of_running() -> dict[str, Form]:
    return {
        "time": matching(TIME),
        "level": one_of(frozenset({"debug", "info", "warning", "error", "critical"})),
        "event": one_of(EVENTS),
        "error": matching(CLASS),
        "cause": matching(CLASS),
        "code": matching(CODE),
        "places": places,
        "library": one_of(LIBRARIES),
        "check": one_of(CHECKS),
        "work": one_of(BACKGROUND),
        "ok": flag,
        "draining": flag,
        "queue_length": count,
        "seconds": measure,
        **dict.fromkeys(("pid", "port", "workers"), count),
    }


LIBRARIES = frozenset({
    "uvicorn", "fastapi", "starlette", "sqlalchemy", "alembic", "asyncio", "psycopg", "numba", "lightgbm", "structlog",
    "concurrent", "limits", "warnings",
})  # fmt: skip
"""Whose own messages are told of, without their words."""
