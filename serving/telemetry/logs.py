"""The service's log: one JSON object a line on standard error, of allowed fields only.

The level decides which lines are written, never what stands in them. `error=` takes the exception itself: of it only what
`serving.telemetry.failures` gives is written.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from serving.telemetry.failures import told_of
from serving.telemetry.fields import Form, allowed
from serving.telemetry.vocabulary import Vocabulary

Log = FilteringBoundLogger
Line = MutableMapping[str, Any]

REQUEST: ContextVar[str | None] = ContextVar("rettid_request", default=None)
"""Identifier of the request being answered, in every line that is written while it is."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class BadLogLevel(ValueError):
    """A level of the log that is none."""


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def open_log(
    words: Vocabulary,
    *,
    level: str = "info",
    stream: BinaryIO | None = None,
    clock: Callable[[], datetime] = now,
) -> Log:
    """The log: `log.info("model_loaded", model_version="m-1")`; what is not allowed is left out without a word.

    Parameters
    ----------
    words
        The closed lists that words in it come from.
    level
        One of debug, info, warning, error.
    stream
        Where lines go; None: standard error.

    Raises
    ------
    BadLogLevel
        The level is another word.
    """
    if level not in LEVELS:
        raise BadLogLevel(f"log level {level!r}: expected one of {', '.join(LEVELS)}; set RETTID_LOG_LEVEL")
    found = structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stderr.buffer),
        processors=[_stamped(clock), AllowList(allowed(words)), _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return cast(Log, found.bind())


class AllowList:
    """Keeps the fields of a line that are allowed and have their form."""

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = forms

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        """The line with what may stand in it."""
        error = line.pop("error", None)
        line.pop("exc_info", None)
        for name in ("cause", "code", "places"):
            line.pop(name, None)
        if isinstance(error, BaseException):
            line.update(told_of(error))
        kept = {}
        for name, value in line.items():
            form = self._forms.get(name)
            sound = None if form is None else form(value)
            if sound is not None:
                kept[name] = sound
        return kept


def _stamped(clock: Callable[[], datetime]) -> Callable[[object, str, Line], Line]:
    def stamped(_logger: object, method: str, line: Line) -> Line:
        begun: Line = {"time": clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "level": method, "event": line.pop("event")}
        request = REQUEST.get()
        if request is not None:
            begun["request_id"] = request
        return {**line, **begun}

    return stamped


def _as_json(_logger: object, _method: str, line: Line) -> bytes:
    return orjson.dumps(line)
