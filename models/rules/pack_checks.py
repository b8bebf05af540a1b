"""What one pack's rows must be to each other, and packs of one country to each other in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import combinations, pairwise

from data.calendar import UnknownHolidaySet, knows_region, public_holidays
from models.rules.pack_tables import WEEKDAYS, BadPack, Pack, Window

DAY = timedelta(days=1)
COUNTRY = re.compile("[A-Z]{2}")

ALL_REGIONS_KNOWN = ("BR", "DE", "FI", "NO", "US")
"""Countries of whose regions the calendar knows all; of others it knows those with holidays of their own, or none."""


def check_whole(pack: Pack, where: str) -> None:
    """Refuse a pack whose rows contradict or double each other, or that names what is not its country's.

    Raises
    ------
    BadPack
        Validity ends before it begins, a region or a set of holidays is foreign, or two rows speak of the same.
    """
    if pack.valid_to is not None and pack.valid_to < pack.valid_from:
        raise BadPack(f"{where}: expected valid_to on or after valid_from, came {pack.valid_from} to {pack.valid_to}")
    _check_regions(pack, where)
    for one, other in combinations(range(len(pack.windows)), 2):
        shared = _overlap(pack.windows[one], pack.windows[other])
        if shared:
            raise BadPack(f"{where}: windows {one + 1} and {other + 1} both speak of {shared}; let one window say it")
    _check_doubled(pack, where)
    try:
        public_holidays(pack.country, None, year=pack.valid_from.year, categories=pack.categories, extra=pack.extra)
    except UnknownHolidaySet as error:
        raise BadPack(f"{where} [holidays]: {error}") from error


def _check_regions(pack: Pack, where: str) -> None:
    for number, window in enumerate(pack.windows, 1):
        foreign = [region for region in window.regions if not _is_region(region, pack.country)]
        if foreign:
            raise BadPack(
                f"{where} window {number}: expected regions of {pack.country} such as {pack.country}-XX "
                f"(ISO 3166-2), came {foreign}"
            )


def _is_region(region: str, country: str) -> bool:
    """Whether a region is one of the country, as far as the calendar knows them all."""
    if not re.fullmatch(f"{country}-[A-Z0-9]{{1,3}}", region):
        return False
    return country not in ALL_REGIONS_KNOWN or knows_region(country, region)


def _overlap(one: Window, other: Window) -> str:
    channels = [name for name in one.channels if name in other.channels]
    days = [WEEKDAYS[day] for day in one.weekdays if day in other.weekdays]
    same_regions = (not one.regions and not other.regions) or set(one.regions) & set(other.regions)
    low, high = max(one.from_hour, other.from_hour), min(one.to_hour, other.to_hour)
    return (
        f"{channels[0]} on {days[0]} {low:02d}-{high:02d}" if channels and days and same_regions and low < high else ""
    )


def _check_doubled(pack: Pack, where: str) -> None:
    """Two numbers for the same thing: nobody could say which of them the country means."""
    for one, other in combinations(range(len(pack.caps)), 2):
        first, second = pack.caps[one], pack.caps[other]
        if (set(first.channels), first.days, first.scope) == (set(second.channels), second.days, second.scope):
            raise BadPack(
                f"{where}: caps {one + 1} and {other + 1} both speak of {', '.join(first.channels)} in {first.days} days "
                f"by {first.scope}, most {first.most} and {second.most}; let one cap say it"
            )
    for one, other in combinations(range(len(pack.waits)), 2):
        earlier, later = pack.waits[one], pack.waits[other]
        if (
            earlier.after,
            earlier.bank_days,
            set(earlier.channels),
            set(earlier.stages),
            bool(earlier.receipt_days),
        ) == ((later.after, later.bank_days, set(later.channels), set(later.stages), bool(later.receipt_days))):
            raise BadPack(
                f"{where}: waits {one + 1} and {other + 1} both speak of {', '.join(earlier.channels)} after "
                f"{earlier.after}, {earlier.days} and {later.days} days; let one wait say it"
            )


# Packs of one country in time ---------------------------------------------------------------------------------------


def in_force(packs: Mapping[str, Pack], *, country: str, on: date | None, begun: bool = False) -> Pack | None:
    """The pack of one country in force on a day, out of all its packs by file name; None where none is switched on.

    Parameters
    ----------
    on
        None: the newest.
    begun
        False: a day before the first pack began gives the first, because replays of old logs are held to it. True, for
        debtors who may be contacted on that day: one must have begun.

    Raises
    ------
    BadPack
        Two enabled packs overlap or leave a gap between them, the last of them has ended before the day, or none has
        begun where one must have.
    """
    enabled = sorted(((name, pack) for name, pack in packs.items() if pack.enabled), key=lambda one: one[1].valid_from)
    for (before, earlier), (after, later) in pairwise(enabled):
        _check_follows(earlier, later, names=f"{before} and {after}")
    if not enabled:
        return None
    name, last = enabled[-1]
    if on is None:
        return last
    if last.valid_to is not None and last.valid_to < on:
        raise BadPack(
            f"{name}: the last pack of {country} ended on {last.valid_to}, before {on}; "
            "add the one that follows it, or give it a later valid_to once a lawyer has looked"
        )
    if begun:
        _check_begun(*enabled[0], on=on)
    holding = [pack for _, pack in enabled if pack.valid_from <= on]
    return holding[-1] if holding else enabled[0][1]


def _check_begun(name: str, first: Pack, *, on: date) -> None:
    if first.valid_from > on:
        raise BadPack(
            f"{name}: the first pack of {first.country} begins on {first.valid_from}, after {on}; add the one that holds "
            f"until then, with valid_to = {first.valid_from - DAY}"
        )


def _check_follows(earlier: Pack, later: Pack, *, names: str) -> None:
    if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
        until = earlier.valid_to or "no end"
        raise BadPack(
            f"{names} overlap: {earlier.valid_from} to {until}, and from {later.valid_from}; "
            f"expected the first to end with valid_to = {later.valid_from - DAY}"
        )
    if earlier.valid_to + DAY != later.valid_from:
        raise BadPack(
            f"{names} leave a gap from {earlier.valid_to + DAY} to {later.valid_from - DAY}; "
            f"expected the second to begin with valid_from = {earlier.valid_to + DAY}"
        )
