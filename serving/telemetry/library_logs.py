"""What libraries write to Python's own logging, and what nobody caught: brought into the service's form.

Their words are not ours to judge (a statement with its values, an address with its identifiers), so none of them is written:
only which library, how grave, the class of an exception, and for what uvicorn says of its processes which event it was.
"""

from __future__ import annotations

import errno
import logging
import sys
import threading
from types import TracebackType

from serving.telemetry.fields import LIBRARIES
from serving.telemetry.logs import Log, open_log
from serving.telemetry.vocabulary import OTHER, Vocabulary

BEGINNINGS = (
    ("Started server process", "worker_started"),
    ("Started parent process", "service_starting"),
    ("Application startup complete", "service_ready"),
    ("Shutting down", "service_stopping"),
    ("Finished server process", "service_stopped"),
    ("Stopping parent process", "service_stopped"),
    ("Child process", "worker_died"),
)
"""How uvicorn begins to say what becomes of its processes, and our word for it."""

ABOVE = logging.WARNING
"""Of other libraries only this and graver: what they say below it tells of rows and statements."""

UVICORN_LOGS: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"rettid": {"()": "serving.telemetry.library_logs.LibraryHandler"}},
    "root": {"handlers": ["rettid"], "level": "WARNING"},
    "loggers": {
        "uvicorn": {"level": "INFO", "handlers": [], "propagate": True},
        "uvicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "uvicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}
"""To hand to `uvicorn.run(log_config=...)`: holds in the parent process and in each worker."""


class LibraryHandler(logging.Handler):
    """Writes a library's record in the service's form, to standard error where no log is given."""

    def __init__(self, log: Log | None = None) -> None:
        super().__init__()
        self._log = log or open_log(Vocabulary.of((), rules=()))

    def emit(self, record: logging.LogRecord) -> None:
        """One line, without the record's words."""
        library = record.name.partition(".")[0].lstrip("_").removeprefix("py")
        library = "warnings" if record.name == "py.warnings" else library
        event = _event(record) if library == "uvicorn" else "library"
        if event == "library" and record.levelno < ABOVE:
            return
        known = library if library in LIBRARIES else OTHER
        self._log.log(_level(record), event, library=known, error=_error(record), pid=record.process)


def _level(record: logging.LogRecord) -> int:
    """One of the standard levels: the library may have made up its own."""
    return min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)


def _event(record: logging.LogRecord) -> str:
    error = _error(record)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "address_in_use"
    message = record.msg if isinstance(record.msg, str) else ""
    if message.startswith("Child process") and "failed to start" in message:
        return "worker_refused"
    return next((event for beginning, event in BEGINNINGS if message.startswith(beginning)), "library")


def _error(record: logging.LogRecord) -> BaseException | None:
    if record.exc_info and record.exc_info[1] is not None:
        return record.exc_info[1]
    said = (record.msg, *(record.args if isinstance(record.args, tuple) else ()))
    return next((one for one in said if isinstance(one, BaseException)), None)


def take_over(log: Log) -> None:
    """Sends to `log` what libraries write, what warnings say, and what nobody caught, in this process.

    Called once in each worker, at its start.
    """
    root = logging.getLogger()
    root.handlers = [LibraryHandler(log)]
    root.setLevel(ABOVE)
    logging.captureWarnings(capture=True)
    sys.excepthook = _Uncaught(log).in_main
    threading.excepthook = _Uncaught(log).in_thread


class _Uncaught:
    """What ends a process or a thread, told without its message."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def in_main(self, kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            self._log.critical("unhandled", error=error)

    def in_thread(self, what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
            self._log.error("unhandled", error=what.exc_value)
