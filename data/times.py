"""Instants and dates as integers: microseconds and days since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
DayArray = npt.NDArray[np.int32]

NEVER = int(np.iinfo(np.int64).max)
"""Instant of what has not happened."""

NO_DAY = int(np.iinfo(np.int32).min)
"""Date that is not known."""

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

EPOCH = date(1970, 1, 1)
EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


class NaiveTime(ValueError):
    """A time came without its zone."""


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime.

    Raises
    ------
    NaiveTime
        `moment` has no zone: it could be any of several instants.

    >>> to_us(datetime(1970, 1, 2, tzinfo=UTC)) == DAY_US
    True
    """
    if moment.tzinfo is None:
        raise NaiveTime(f"expected a time with its zone, came {moment.isoformat()}: add Z or an offset")
    delta = moment - EPOCH_START
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class BadMoment(ValueError):
    """A moment that cannot be read, or one without its zone."""


def read_moment(text: str) -> datetime:
    """Aware datetime of a text such as 2026-03-02T05:00Z.

    Raises
    ------
    BadMoment
        The text is no moment, or has no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadMoment(f"expected a moment such as 2026-03-02T05:00Z, came '{text}'") from error
    if moment.tzinfo is None:
        raise BadMoment(f"expected a moment with its zone, came '{text}': write {text}Z for UTC")
    return moment


def from_us(instant_us: int) -> datetime:
    """Aware UTC datetime of microseconds since the epoch.

    >>> from_us(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return EPOCH_START + timedelta(microseconds=int(instant_us))


def to_day(day: date) -> int:
    """Days since the epoch of a calendar date.

    >>> to_day(date(1970, 1, 3))
    2
    """
    return (day - EPOCH).days


def from_day(day: int) -> date:
    """Calendar date of days since the epoch.

    >>> from_day(2).isoformat()
    '1970-01-03'
    """
    return date.fromordinal(EPOCH.toordinal() + int(day))
