"""Lines of the log hold allowed fields of the right form, and never a person."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from serving.confirmer import SENTENCES
from serving.telemetry.failures import told_of
from serving.telemetry.fields import allowed
from serving.telemetry.library_logs import LibraryHandler
from serving.telemetry.logs import REQUEST, BadLogLevel
from serving.telemetry.vocabulary import REASONS
from tests.documents.markdown import ROOT
from tests.serving.telemetry.watched import CANARIES, WORDS, lines, memory_log

OUTSIDE = ("debtor_id", "claim_id", "message", "exc_info", "stack_info", "body", "query", "headers", "path", "ip")


def test_a_line_says_when_how_grave_what_and_its_fields() -> None:
    log, stream = memory_log()
    log.warning("bundle_refused", role="champion")
    log.info("model_loaded", model_version="run-1", decisions=12, duration_ms=1.23456)
    assert lines(stream) == [
        {"time": "2026-03-10T08:00:00.000000Z", "level": "warning", "event": "other", "role": "champion"},
        {
            "time": "2026-03-10T08:00:00.000000Z",
            "level": "info",
            "event": "model_loaded",
            "model_version": "run-1",
            "decisions": 12,
            "duration_ms": 1.235,
        },
    ]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("field", sorted({*allowed(WORDS), *OUTSIDE} - {"event", "request_id"}))
def test_no_field_takes_a_name_an_identifier_a_number_or_a_key(field: str, canary: str) -> None:
    log, stream = memory_log()
    for write in (log.debug, log.info, log.error):
        for value in (canary, [canary], {canary: canary}, canary.encode(), ValueError(canary)):
            write("request", **{field: value})
    assert canary not in stream.getvalue().decode()
    assert len(lines(stream)) == 15


@pytest.mark.parametrize("canary", CANARIES)
def test_an_event_is_a_word_of_ours_or_other(canary: str) -> None:
    log, stream = memory_log()
    log.error(canary)
    log.error("refused %s", canary)
    log.error(f"request of {canary}")  # noqa: G004 (the mistake that must not matter)
    assert {line["event"] for line in lines(stream)} == {"other"}
    assert canary not in stream.getvalue().decode()


@pytest.mark.parametrize("number", [46701234567, 20123456, -1, True, 1e400, float("nan")])
def test_a_number_that_is_no_count_is_left_out(number: float) -> None:
    log, stream = memory_log()
    log.info("events_received", rows=number, status=number)
    assert not {"rows", "status"} & set(lines(stream)[0])


def test_an_exception_is_told_by_class_code_and_places_in_our_code_alone() -> None:
    log, stream = memory_log()
    try:
        json.loads("{")
    except ValueError as error:
        log.error("unhandled", error=error, exc_info=True)  # noqa: G201 (as above)
    try:
        allowed(CANARIES[0])  # type: ignore[arg-type]
    except AttributeError as error:
        log.error("unhandled", error=error)
    first, second = lines(stream)
    assert (first["error"], first["places"]) == ("JSONDecodeError", [])
    assert second["error"] == "AttributeError"
    assert [place.split(":")[0] for place in second["places"]] == ["serving.telemetry.fields"] * 2
    assert "Canary" not in stream.getvalue().decode()


def test_class_code_and_places_cannot_be_given_as_text() -> None:
    log, stream = memory_log()
    log.error("unhandled", error="Anna", cause="Anna", code="ANNAS", places=["anna.berg:1"])
    assert set(lines(stream)[0]) == {"time", "level", "event"}


def test_a_driver_s_code_is_told_and_its_message_is_not() -> None:
    class Driver(Exception):
        sqlstate = "57P01"

    class Outer(Exception):
        orig = Driver(CANARIES[0])

    assert told_of(Outer()) == {"error": "Outer", "places": [], "cause": "Driver", "code": "57P01"}


def test_the_level_decides_which_lines_are_written_not_what_stands_in_them() -> None:
    for level, count in (("debug", 2), ("info", 1), ("error", 0)):
        log, stream = memory_log(level=level)
        log.debug("request", route="/hello", message=CANARIES[0])
        log.info("request", route="/hello", message=CANARIES[0])
        assert len(lines(stream)) == count
        assert all(set(line) == {"time", "level", "event", "route"} for line in lines(stream))
    with pytest.raises(BadLogLevel, match="expected one of debug, info"):
        memory_log(level="loud")


def test_a_line_written_while_a_request_is_answered_names_it() -> None:
    log, stream = memory_log()
    mark = REQUEST.set("r-1")
    log.info("model_loaded")
    REQUEST.reset(mark)
    log.info("model_loaded")
    assert [line.get("request_id") for line in lines(stream)] == ["r-1", None]


@pytest.mark.parametrize("name", ["uvicorn.error", "sqlalchemy.engine.Engine", "asyncio", "py.warnings", "canary"])
@pytest.mark.parametrize("canary", CANARIES)
def test_a_library_s_words_are_never_written(name: str, canary: str) -> None:
    log, stream = memory_log()
    logger = logging.Logger(name, level=1)  # noqa: LOG001 (one that no other test sees)
    logger.addHandler(LibraryHandler(log))
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, 35, logging.CRITICAL):
        logger.log(level, canary)
        logger.log(level, "INSERT %s", canary)
    try:
        raise ValueError(canary)
    except ValueError:
        logger.exception(canary)
    written = lines(stream)
    assert canary not in stream.getvalue().decode()
    assert written[-1]["error"] == "ValueError"
    assert {line["event"] for line in written} == {"library"}
    assert {line["level"] for line in written} == {"warning", "error", "critical"}


def test_what_uvicorn_says_of_its_processes_becomes_an_event() -> None:
    log, stream = memory_log()
    logger = logging.Logger("uvicorn.error")  # noqa: LOG001 (as above)
    logger.addHandler(LibraryHandler(log))
    logger.info("Started server process [%d]", 12)
    logger.info("Application startup complete.")
    logger.info("Child process [7] died")
    logger.error("Child process [7] failed to start, stopping the parent process.")
    logger.error(OSError(98, "address in use"))
    logger.info("Uvicorn running on %s", "http://0.0.0.0:8000")
    events = [line["event"] for line in lines(stream)]
    assert events == ["worker_started", "service_ready", "worker_died", "worker_refused", "address_in_use"]
    assert lines(stream)[-1]["code"] == "EADDRINUSE"


PROGRAM = """
import logging, logging.config, sys, threading, warnings
from serving.telemetry.library_logs import UVICORN_LOGS, take_over
from serving.telemetry.logs import open_log
from serving.telemetry.vocabulary import Vocabulary
logging.config.dictConfig(UVICORN_LOGS)
logging.getLogger("uvicorn.error").info("Started server process [%d]", 3)
logging.getLogger("uvicorn.access").info('GET /v1/debtors/CANARY')
take_over(open_log(Vocabulary.of((), rules=()), level="debug"))
warnings.warn("CANARY")
logging.getLogger("sqlalchemy.engine").warning("CANARY")
def fail(): raise ValueError("CANARY")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""


def test_what_nobody_caught_is_told_without_its_message() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    written = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [line["event"] for line in written] == ["worker_started", "library", "library", "unhandled", "unhandled"]
    assert [line["level"] for line in written] == ["info", "warning", "warning", "error", "critical"]
    assert [line.get("library") for line in written[1:3]] == ["warnings", "sqlalchemy"]
    assert "CANARY" not in done.stderr + done.stdout


def test_every_reason_of_a_refused_confirmation_is_a_word_of_the_log() -> None:
    assert set(SENTENCES) <= REASONS
