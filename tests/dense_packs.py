"""Packs that use everything a pack can say, for tests: the shipped windows with caps, waits and hours of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from data.vocabulary import CONTACT_CHANNELS
from models.rules.pack import Cap, InWriting, Pack, Packs, SchoolHours, Wait, read_packs

AUTHORITY = ("conservative_default", "made up for tests")
LOUD = ("phone", "sms")


def cap(most: int, days: int, *channels: str, scope: str = "debtor") -> Cap:
    """A cap; through every channel where none is named."""
    return Cap(channels or CONTACT_CHANNELS, most, days, scope, *AUTHORITY)


def wait(
    after: str,
    days: int,
    *channels: str,
    bank: bool = False,
    full: bool = False,
    receipt: int = 0,
    stages: tuple[str, ...] = (),
) -> Wait:
    """A wait; for every channel where none is named."""
    return Wait(after, channels or CONTACT_CHANNELS, days, bank, full, receipt, stages, *AUTHORITY)


def school(from_hour: int = 8, to_hour: int = 16) -> SchoolHours:
    """School from Monday to Friday, for calls and SMS."""
    return SchoolHours(LOUD, (0, 1, 2, 3, 4), from_hour, to_hour, *AUTHORITY)


def in_writing(*by: str) -> InWriting:
    """Calls and SMS only after a text in one of these forms."""
    return InWriting(LOUD, by, *AUTHORITY)


def plain_packs() -> Packs:
    """The shipped packs without anything but windows and holidays, and without an end."""
    nothing = {"caps": (), "waits": (), "school_hours": None, "in_writing": None, "valid_to": None}
    return {country: replace(pack, **nothing) for country, pack in read_packs().items()}


def dense_packs() -> Packs:
    """Packs in which every rule binds somebody, each country its own way."""
    plain = plain_packs()
    return {country: _dense(pack, number) for number, (country, pack) in enumerate(sorted(plain.items()))}


def _dense(pack: Pack, number: int) -> Pack:
    """Some of everything, other things in each country."""
    bank, full = number % 2 == 0, number % 3 == 0
    return replace(
        pack,
        caps=(
            cap(1, 1, *LOUD),
            cap(2, 3 + number, "phone", "letter", "email"),
            cap(1, 2 + number % 3, scope="claim"),
            cap(6, 31),
            *([cap(0, 1, "portal", scope="claim")] if number == 4 else []),
        ),
        waits=(
            wait("contact", number % 4, "letter", full=full),
            wait("contact", 2, "phone", bank=bank),
            wait("conversation", 3 + number, "phone", full=full),
            wait("click", 2, bank=True, full=not full),
            wait("inbound", 2 + number % 3),
            wait("stage", 4, "phone", "letter", bank=bank, full=full, receipt=2, stages=("notice", "collection")),
            wait("stage", 1 + number, "sms", stages=("reminder", "legal")),
        ),
        school_hours=school(8, 13 + number % 4) if number % 4 else None,
        in_writing=in_writing("letter", "email") if number % 2 else None,
        valid_to=date(2026, 10, 26) if number % 3 == 0 else None,
    )
