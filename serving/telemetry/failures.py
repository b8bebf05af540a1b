"""What may be told of an exception: its class, its cause's class, a driver's code, and where in our own code it passed.

Never its message: messages repeat what was sent, or the statement with its values.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from traceback import walk_tb
from types import TracebackType

OURS = frozenset({"data", "features", "models", "training", "serving", "rettid"})
DEEPEST = 6


def told_of(error: BaseException) -> dict[str, object]:
    """Fields of a log line for an exception.

    >>> told_of(ValueError("Anna Berg"))
    {'error': 'ValueError', 'places': []}
    >>> told_of(OSError(28, "No space left on device: /home/anna"))
    {'error': 'OSError', 'places': [], 'code': 'ENOSPC'}
    """
    found: dict[str, object] = {"error": type(error).__name__, "places": places(error.__traceback__)}
    cause = getattr(error, "orig", None) or error.__cause__
    if isinstance(cause, BaseException):
        found["cause"] = type(cause).__name__
    code = _code(cause) or _code(error)
    return found if code is None else {**found, "code": code}


def _code(error: object) -> str | None:
    """The name or number of a known mistake: of the system, of SQLite (`SQLITE_FULL`), of PostgreSQL (`57P01`)."""
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno)
    found = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return found if isinstance(found, str) else None


def places(trace: TracebackType | None) -> list[str]:
    """`module:line` of our own frames, the innermost last, at most six."""
    return list(_places(trace))[-DEEPEST:]


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in walk_tb(trace):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS:
            yield f"{module}:{line}"
