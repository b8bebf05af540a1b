"""A pack in words, for people who read law rather than TOML: one row for each thing it says, with status and source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from models.rules.pack_tables import WEEKDAYS, Cap, InWriting, Pack, Promotion, SchoolHours, Wait, Window

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVENTS = {
    "contact": "any contact",
    "conversation": "a conversation by phone",
    "click": "a click on a payment link that no payment has followed",
    "inbound": "the debtor got in touch",
}
HEAD = ("rule", "what it says", "status", "source")


class ToldRow(NamedTuple):
    """One thing that a pack says; `kind` is a word such as `hours` or `cap`."""

    kind: str
    says: str
    status: str
    source: str


def told_rows(pack: Pack) -> list[ToldRow]:
    """Everything that a pack says besides its head, in the order of its tables."""
    return [*_told(pack)]


def _told(pack: Pack) -> Iterator[ToldRow]:
    for window in pack.windows:
        yield ToldRow("hours", _window(window), window.status, window.source)
    for cap in pack.caps:
        yield ToldRow("cap", _cap(cap), cap.status, cap.source)
    for wait in pack.waits:
        yield ToldRow("wait", _wait(wait), wait.status, wait.source)
    if pack.school_hours:
        yield ToldRow("school hours", _school(pack.school_hours), pack.school_hours.status, pack.school_hours.source)
    if pack.in_writing:
        yield ToldRow("in writing", _writing(pack.in_writing), pack.in_writing.status, pack.in_writing.source)
    if pack.promotion:
        yield ToldRow("promotion", _promotion(pack.promotion), pack.promotion.status, pack.promotion.source)


def validity(pack: Pack) -> str:
    """From when to when a pack holds, whether it is switched on and who has signed it."""
    until = f" to {pack.valid_to}" if pack.valid_to else ""
    on = "" if pack.enabled else ", switched off"
    return f"Valid from {pack.valid_from}{until}{on}, {f'read by {pack.reviewed_by}' if pack.reviewed_by else 'read by no lawyer yet'}"


def holidays_told(pack: Pack) -> str:
    """Which days count as holidays.

    >>> from models.rules.pack import read_packs
    >>> holidays_told(read_packs()["NO"])
    'public, 24 December, 31 December, the day before Easter Sunday'
    """
    return ", ".join([*(one.replace("_", " ") for one in pack.categories), *(_extra(one) for one in pack.extra)])


def hours_told(pack: Pack, channel: str) -> str:
    """Hours of a channel on Monday to Friday / Saturday / Sunday and holidays, each region's own after the country's.

    >>> from models.rules.pack import read_packs
    >>> hours_told(read_packs()["NO"], "phone")
    '08-21 / 09-15 / none'
    """
    groups: dict[str, list[str]] = {}
    for region in pack.regions_with_own_windows():
        groups.setdefault(_week(pack.windows_of(channel, region)), []).append(region.split("-")[1])
    everywhere = _week(pack.windows_of(channel, None))
    own = [f"{', '.join(names)} {week}" for week, names in groups.items() if week != everywhere]
    return "; ".join([everywhere, *own])


def _week(windows: Sequence[Window]) -> str:
    days = [_hours_on([window for window in windows if day in window.weekdays]) for day in range(7)]
    if all(window.holidays for window in windows):
        return " / ".join((days[0], days[5], days[6]))
    return " / ".join((days[0], days[5], "none"))


def _hours_on(windows: Sequence[Window]) -> str:
    return ", ".join(f"{one.from_hour:02d}-{one.to_hour:02d}" for one in windows) or "none"


def _extra(text: str) -> str:
    if not text.startswith("easter"):
        day = date.fromisoformat(f"2024-{text}")  # a leap year knows every day
        return f"{day.day} {day:%B}"
    apart = int(text.removeprefix("easter"))
    length = "the day" if abs(apart) == 1 else f"{abs(apart)} days"
    return f"{length} {'after' if apart > 0 else 'before'} Easter Sunday"


def _window(window: Window) -> str:
    holidays = "holidays too" if window.holidays else "not on holidays"
    regions = f", in {', '.join(window.regions)}" if window.regions else ""
    return f"{_names(window.channels)}: {_on(window.weekdays, window.from_hour, window.to_hour)}, {holidays}{regions}"


def _on(weekdays: tuple[int, ...], from_hour: int, to_hour: int) -> str:
    days = [DAY_NAMES[day] for day in sorted(weekdays)]
    run = list(range(min(weekdays), max(weekdays) + 1)) == sorted(weekdays) and len(days) > 2
    named = "all days" if len(days) == len(WEEKDAYS) else f"{days[0]} to {days[-1]}" if run else ", ".join(days)
    return f"{named} {from_hour:02d}-{to_hour:02d}"


def _cap(cap: Cap) -> str:
    together = " together" if len(cap.channels) > 1 else ""
    time = "on one day" if cap.days == 1 else f"in {cap.days} days on end"
    return f"{_names(cap.channels)}: at most {cap.most}{together} {time}, for each {cap.scope}"


def _wait(wait: Wait) -> str:
    length = f"{wait.days} {'bank ' if wait.bank_days else ''}days"
    if wait.full_days:
        length += " in full"
    if wait.receipt_days:
        length += f", counted from receipt ({wait.receipt_days} days after dispatch)"
    event = f"a claim came to {' or '.join(wait.stages)} or its letter was sent" if wait.stages else EVENTS[wait.after]
    return f"{_names(wait.channels)}: none after {event}, for {length}"


def _school(hours: SchoolHours) -> str:
    when = _on(hours.weekdays, hours.from_hour, hours.to_hour)
    return f"{_names(hours.channels)}: none {when} to a number that may be a child's"


def _writing(rule: InWriting) -> str:
    return f"{_names(rule.channels)}: only after a contact by {' or '.join(_word(one) for one in rule.by)}"


def _promotion(promotion: Promotion) -> str:
    return "a message may hold a sales promotion" if promotion.allowed else "no message holds a sales promotion"


def _names(channels: tuple[str, ...]) -> str:
    return ", ".join(_word(one) for one in channels)


def _word(channel: str) -> str:
    return channel.replace("_", " ")
