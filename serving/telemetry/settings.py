"""Settings of the log, read once at the start from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from serving.telemetry.logs import LEVELS, BadLogLevel

LEVEL = "RETTID_LOG_LEVEL"
SAMPLE = "RETTID_LOG_SAMPLE"


class BadSample(ValueError):
    """The sample of the log is no whole number of at least 1."""


@dataclass(frozen=True)
class LogSettings:
    """Which lines are written: from which level on, and of requests that went well every so many-th."""

    level: str = "info"
    sample_every: int = 100


def log_settings(environment: Mapping[str, str]) -> LogSettings:
    """What the environment says, else the defaults.

    Raises
    ------
    BadLogLevel, BadSample
        A variable says what cannot be followed.

    >>> log_settings({"RETTID_LOG_LEVEL": "debug", "RETTID_LOG_SAMPLE": "10"})
    LogSettings(level='debug', sample_every=10)
    """
    level, sample = environment.get(LEVEL, "info"), environment.get(SAMPLE, "100")
    if level not in LEVELS:
        raise BadLogLevel(f"{LEVEL} is {level!r}: expected one of {', '.join(LEVELS)}")
    if not (sample.isascii() and sample.isdecimal() and 0 < len(sample) < 7 and int(sample) > 0):
        raise BadSample(f"{SAMPLE} is {sample[:20]!r}: expected a whole number from 1 (each request) on")
    return LogSettings(level, int(sample))
