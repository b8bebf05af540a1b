"""How often a caller may call: a count for each key and kind of call within a window.

The counts are this process's own: N workers give N times each limit. The library `limits` takes about 5 microseconds a
check and asks the wall clock itself, beside a thread that it starts a hundred times a second; here the moment is an
argument, a check takes less than one microsecond, and the same count serves sign-ins.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock
from typing import Literal

Kind = Literal["decide", "batch", "confirm", "events", "read", "erase", "operate"]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
LARGEST_BATCH = 1_000


class BadRates(ValueError):
    """A limit under which a lawful call could never be made."""


@dataclass(frozen=True)
class RateLimits:
    """Limits for each key: calls a second by kind, `batch` in entries; and failed sign-ins in a quarter of an hour.

    >>> RateLimits(batch=10)
    Traceback (most recent call last):
    serving.access.rates.BadRates: expected batch of at least 1000, came 10: a batch may have so many entries
    """

    decide: int = 2_000
    batch: int = 10_000
    confirm: int = 2_000
    events: int = 2_000
    read: int = 500
    erase: int = 50
    operate: int = 100
    failures_of_user: int = 10
    failures_of_address: int = 50

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if given < 1:
                raise BadRates(f"expected {field.name} of at least 1, came {given}")
        if self.batch < LARGEST_BATCH:
            raise BadRates(
                f"expected batch of at least {LARGEST_BATCH}, came {self.batch}: a batch may have so many entries"
            )


class Window:
    """Counts by name within windows of one length; each window begins empty.

    >>> calls = Window(limit=2, length_us=SECOND_US)
    >>> [calls.take("a", now_us=400_000) for _ in range(3)]
    [0, 0, 600000]
    >>> calls.take("b", now_us=400_000), calls.take("a", now_us=SECOND_US)
    (0, 0)
    """

    def __init__(self, *, limit: int, length_us: int) -> None:
        self._limit = limit
        self._length_us = length_us
        self._number = -1
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def take(self, name: str, *, now_us: int, cost: int = 1) -> int:
        """0 where the call is within the limit and counted; else how many microseconds are left of the window."""
        number = now_us // self._length_us
        with self._lock:
            if number != self._number:
                self._number, self._counts = number, {}
            count = self._counts.get(name, 0) + cost
            if count > self._limit:
                return (number + 1) * self._length_us - now_us
            self._counts[name] = count
        return 0

    def give_back(self, name: str, *, now_us: int) -> None:
        """One that was counted does not count after all."""
        with self._lock:
            if now_us // self._length_us == self._number and self._counts.get(name):
                self._counts[name] -= 1


@dataclass(frozen=True)
class Rates:
    """The counts of one process."""

    of_kind: dict[str, Window]
    of_user: Window
    of_address: Window


def rates_of(limits: RateLimits) -> Rates:
    """Counts that begin empty."""
    kinds: tuple[Kind, ...] = ("decide", "batch", "confirm", "events", "read", "erase", "operate")
    return Rates(
        {kind: Window(limit=getattr(limits, kind), length_us=SECOND_US) for kind in kinds},
        Window(limit=limits.failures_of_user, length_us=15 * MINUTE_US),
        Window(limit=limits.failures_of_address, length_us=15 * MINUTE_US),
    )
