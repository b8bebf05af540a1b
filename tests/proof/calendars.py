"""Zones, holidays and bank days from other sources than the program's: lists written out, and the reviewed dates.

Nothing here is imported from `models` or from `data.calendar`; days are counted since 1 January 1970.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from dateutil.easter import easter

GOLDEN: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "golden" / "holidays_2024_2028.json").read_text(encoding="utf-8")
)
EPOCH = date(1970, 1, 1)
US_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "America/Adak", "Pacific/Honolulu",
)  # fmt: skip
BR_ZONES = ("America/Sao_Paulo", "America/Manaus", "America/Rio_Branco", "America/Noronha")
ZONES: dict[str, tuple[str, ...]] = {
    "SE": ("Europe/Stockholm",),
    "NO": ("Europe/Oslo",),
    "DK": ("Europe/Copenhagen",),
    "FI": ("Europe/Helsinki",),
    "DE": ("Europe/Berlin",),
    "GB": ("Europe/London",),
    "US": US_ZONES,
    "US-TN": ("America/Chicago", "America/New_York"),
    "US-CA": ("America/Los_Angeles",),
    "US-NY": ("America/New_York",),
    "US-AZ": ("America/Phoenix", "America/Denver"),
    "US-AK": ("America/Anchorage", "America/Adak"),
    "BR": BR_ZONES,
    "BR-SP": ("America/Sao_Paulo",),
    "BR-RJ": ("America/Sao_Paulo",),
    "BR-ES": ("America/Sao_Paulo",),
    "BR-AL": ("America/Sao_Paulo",),
    "BR-BA": ("America/Sao_Paulo",),
    "BR-AM": ("America/Manaus", "America/Rio_Branco"),
    "FR": ("Europe/Paris",),
    "XX": ("UTC",),
}
"""Zones with clocks of their own in which somebody of a country or region may live."""


def zones_of(country: str, region: str | None, zone: str | None) -> tuple[str, ...]:
    """Zones of a place: the one that is named, else those of the region, else those of the country."""
    return (zone,) if zone else ZONES.get(region or "") or ZONES[country]


@lru_cache(maxsize=1_000_000)
def clock(zone: str, second: int) -> tuple[int, int]:
    """Local date and hour of a second since the epoch."""
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    return local.toordinal() - EPOCH.toordinal(), local.hour


@lru_cache(maxsize=1_000_000)
def hour_of(zone: str, day: int, hour: int) -> int:
    """Microsecond at which an hour of a date is first shown by the clocks of a zone."""
    return (
        round(datetime.combine(when(day), datetime.min.time().replace(hour=hour), ZoneInfo(zone)).timestamp()) * 10**6
    )


def when(day: int) -> date:
    """Date of days since the epoch."""
    return EPOCH + timedelta(day)


def weekday(day: int) -> int:
    """0 = Monday."""
    return when(day).weekday()


# Holidays ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def subdivisions(country: str) -> tuple[str, ...]:
    """Regions of a country that the holiday library tells apart, by ISO name; towns and school zones are none."""
    names = holidays.list_supported_countries().get(country, [])
    return tuple(f"{country}-{name}" for name in names if len(name) <= 3)


def is_known(country: str, region: str | None) -> bool:
    """Whether it can be told which holidays a region has."""
    return not subdivisions(country) or region in subdivisions(country)


def is_holiday(pack: dict[str, Any], region: str | None, day: int) -> bool:
    """Whether a date is a holiday by a pack's document; where the region is not known, that of any will do."""
    country, sets = pack["country"], pack["holidays"]
    known = is_known(country, region)
    regions = (region if region in subdivisions(country) else None,) if known else (None, *subdivisions(country))
    days = _days_off(country, regions, when(day).year, tuple(sets["categories"]), tuple(sets["extra"]))
    return day in days


@lru_cache(maxsize=16_384)
def _days_off(
    country: str, regions: tuple[str | None, ...], year: int, categories: tuple[str, ...], extra: tuple[str, ...]
) -> frozenset[int]:
    found: set[date] = set()
    for region in regions:
        reviewed = GOLDEN.get(region or country, {}).get(str(year))
        if reviewed is not None:
            found |= {date.fromisoformat(f"{year}-{text}") for text in reviewed}
        else:
            found |= _library_days(country, region, year, categories) | {_written(text, year) for text in extra}
    return frozenset((day - EPOCH).days for day in found)


def _library_days(country: str, region: str | None, year: int, categories: tuple[str, ...]) -> set[date]:
    part = region.split("-")[1] if region else "ENG" if country == "GB" else None
    return set(holidays.country_holidays(country, subdiv=part, years=year, categories=categories))


def _written(text: str, year: int) -> date:
    if text.startswith("easter"):
        return easter(year) + timedelta(int(text.removeprefix("easter")))
    return date.fromisoformat(f"{year}-{text}")


# Bank days --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def is_bank_day(country: str, day: int) -> bool:
    """Whether banks book on a date, by the laws of the countries as they stood from 2024 to 2028."""
    one = when(day)
    return one.weekday() < 5 and one not in _closed(country, one.year)


FIXED = {
    "SE": "01-01 01-06 05-01 06-06 12-24 12-25 12-26 12-31",
    "NO": "01-01 05-01 05-17 12-25 12-26",
    "DK": "01-01 06-05 12-24 12-25 12-26 12-31",
    "FI": "01-01 01-06 05-01 12-06 12-24 12-25 12-26",
    "DE": "01-01 05-01 10-03 12-24 12-25 12-26 12-31",
    "GB": "",
    "US": "",
    "BR": "01-01 04-21 05-01 09-07 10-12 11-02 11-15 11-20 12-25 12-31",
}
NEAR_EASTER = {
    "SE": (-2, 0, 1, 39, 49),
    "NO": (-3, -2, 0, 1, 39, 49, 50),
    "DK": (-3, -2, 0, 1, 39, 40, 49, 50),
    "FI": (-2, 0, 1, 39, 49),
    "DE": (-2, 1, 39, 50),
    "GB": (-2, 1),
    "US": (),
    "BR": (-48, -47, -2, 60),
}


@lru_cache(maxsize=256)
def _closed(country: str, year: int) -> frozenset[date]:
    days = {date.fromisoformat(f"{year}-{text}") for text in FIXED[country].split()}
    days |= {easter(year) + timedelta(shift) for shift in NEAR_EASTER[country]}
    if country in ("SE", "FI"):
        eve = _nth(year, 6, 4, first=19)
        days.add(eve)
    if country == "GB":
        days |= {_moved(date(year, 1, 1)), *_christmas(year)}
        days |= {_nth(year, 5, 0, first=1), _nth(year, 5, 0, first=25), _nth(year, 8, 0, first=25)}
    if country == "US":
        fixed = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)]
        days |= {date(year, *one) for one in fixed} | {_observed(date(year, *one)) for one in fixed}
        days |= {_observed(date(year + 1, 1, 1)), _nth(year, 1, 0, first=15), _nth(year, 2, 0, first=15)}
        days |= {_nth(year, 5, 0, first=25), _nth(year, 9, 0, first=1), _nth(year, 10, 0, first=8)}
        days.add(_nth(year, 11, 3, first=22))
    return frozenset(days)


def _nth(year: int, month: int, of_week: int, *, first: int) -> date:
    """The first such weekday of a month from a day on."""
    start = date(year, month, first)
    return start + timedelta((of_week - start.weekday()) % 7)


def _moved(day: date) -> date:
    """The Monday after where a day falls on a weekend (Banking and Financial Dealings Act 1971)."""
    return day + timedelta((7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def _christmas(year: int) -> tuple[date, date]:
    """The two days off at Christmas in England."""
    first = {4: (25, 28), 5: (27, 28), 6: (27, 26)}.get(date(year, 12, 25).weekday(), (25, 26))
    return date(year, 12, first[0]), date(year, 12, first[1])


def _observed(day: date) -> date:
    """Friday or Monday beside a weekend (5 U.S.C. 6103)."""
    return day + timedelta({5: -1, 6: 1}.get(day.weekday(), 0))
