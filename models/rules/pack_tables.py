"""What a rule pack is: the hours, caps, waits and other contact rules of one country as data, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
STATUSES = ("confirmed", "conservative_default")
WAITS = ("contact", "conversation", "click", "inbound", "stage")
SCOPES = ("debtor", "claim")


class BadPack(ValueError):
    """A rule pack cannot be read, or says something that no rule can follow."""


@dataclass(frozen=True)
class Window:
    """Local hours `[from_hour, to_hour)` on some weekdays (0 = Monday) in which some channels may be used.

    `holidays` tells whether the window holds on public holidays too; `regions` whom it binds: empty for every region
    that has no window of its own for the channel.
    """

    channels: tuple[str, ...]
    weekdays: tuple[int, ...]
    from_hour: int
    to_hour: int
    holidays: bool
    regions: tuple[str, ...]
    status: str
    source: str


@dataclass(frozen=True)
class Cap:
    """At most so many contacts through some channels, counted together, in so many local days on end.

    The day of sending counts as one of `days`; attempts that failed count. `scope` is `debtor`, or `claim`: then each claim
    that a contact covers is counted for itself.
    """

    channels: tuple[str, ...]
    most: int
    days: int
    scope: str
    status: str
    source: str


@dataclass(frozen=True)
class Wait:
    """After an event no contact through some channels for a time.

    Attributes
    ----------
    after
        One of `WAITS`: `contact` (any made before), `conversation` (by phone), `click` (on a payment link, nothing paid
        since), `inbound` (the debtor got in touch), `stage` (one of `stages` began, or its statutory letter was sent).
    days
        Length, in local days or bank days of the country.
    bank_days
        Whether `days` are bank days.
    full_days
        True: so many whole days must lie between; day 14 itself is not allowed after a wait of 14. False: it is.
    receipt_days
        Added where the law counts from receipt: the days a letter may take.
    stages
        For `after = "stage"` only.
    """

    after: str
    channels: tuple[str, ...]
    days: int
    bank_days: bool
    full_days: bool
    receipt_days: int
    stages: tuple[str, ...]
    status: str
    source: str


@dataclass(frozen=True)
class SchoolHours:
    """Local hours `[from_hour, to_hour)` on school days (0 = Monday) at which a number that may be a child's is not used."""

    channels: tuple[str, ...]
    weekdays: tuple[int, ...]
    from_hour: int
    to_hour: int
    status: str
    source: str


@dataclass(frozen=True)
class InWriting:
    """Channels that may be used only after a contact in text form (`by`) has been made."""

    channels: tuple[str, ...]
    by: tuple[str, ...]
    status: str
    source: str


@dataclass(frozen=True)
class Promotion:
    """Whether a collection message may hold a sales promotion, such as a rebate on the next purchase."""

    allowed: bool
    status: str
    source: str


@dataclass(frozen=True)
class Pack:
    """Contact rules of one country.

    `categories` and `extra` say which days count as holidays (see `data.calendar.public_holidays`). `valid_from` is
    the day since which the source holds, `valid_to` the last on which it does, None where no end is known; days before the
    country's first pack, met only in replays of old logs, are held to that one. A pack that is not `enabled` is shown, never
    in force.
    """

    country: str
    status: str
    source: str
    valid_from: date
    valid_to: date | None
    reviewed_by: str
    categories: tuple[str, ...]
    extra: tuple[str, ...]
    windows: tuple[Window, ...]
    caps: tuple[Cap, ...] = ()
    waits: tuple[Wait, ...] = ()
    school_hours: SchoolHours | None = None
    in_writing: InWriting | None = None
    promotion: Promotion | None = None
    enabled: bool = True

    def __hash__(self) -> int:
        # Packs key the calendar caches; hashing every window on each look-up would cost more than the look-up.
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.country, self.valid_from, self.source, len(self.windows)))

    def __getstate__(self) -> dict[str, object]:
        # Another process hashes words with another seed.
        return {name: value for name, value in vars(self).items() if name != "_hash"}

    def channels(self) -> frozenset[str]:
        """Channels that the pack names at all."""
        return frozenset(name for window in self.windows for name in window.channels)

    def windows_of(self, channel: str, region: str | None) -> tuple[Window, ...]:
        """Windows of a channel that bind in one region: its own, else those of the country."""
        named = [window for window in self.windows if channel in window.channels]
        own = tuple(window for window in named if region in window.regions)
        return own or tuple(window for window in named if not window.regions)

    def regions_with_own_windows(self) -> tuple[str, ...]:
        """Regions that some window names, in alphabetical order."""
        return tuple(sorted({region for window in self.windows for region in window.regions}))


Packs = Mapping[str, Pack]
"""Packs by country code."""
