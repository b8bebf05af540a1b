"""Where and when: time zones of a place, public holidays, bank days, pay days, days in the mail.

Dates here are priors and conventions of a country; what a contact rule forbids stands in its rule pack.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
import numpy.typing as npt

from data.times import IntArray, from_day, to_day
from data.zones import zones_of

DAY = timedelta(days=1)

BANK_HOLIDAYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "SE": (("public", "de_facto"), ()),
    "DK": (("public",), ("06-05", "12-24", "12-31", "easter+40")),
    "DE": (("public",), ("12-24", "12-31")),
    "BR": (("public",), ("12-31", "easter-48", "easter-47", "easter+60")),
}
"""Days on which banks do not book: sets of the `holidays` library and extra days; elsewhere the public holidays."""

LETTER_LEAD_DAYS = {"SE": 3, "NO": 3, "DK": 3, "FI": 4, "DE": 3, "GB": 2, "US": 4, "BR": 5}
LONGEST_LEAD_DAYS = max(LETTER_LEAD_DAYS.values())


class UnknownHolidaySet(ValueError):
    """A set of holidays, or a way to write a day, that does not exist."""


@dataclass(frozen=True)
class Place:
    """A country (ISO 3166-1 alpha-2), maybe a region (ISO 3166-2), and the zones the debtor may live in.

    `zones` holds IANA names, at least one; more than one means that the zone is not certain and a slot must be
    lawful in all of them.
    """

    country: str
    region: str | None
    zones: tuple[str, ...]


@lru_cache(maxsize=65_536)
def place_of(country: str, region: str | None, time_zone: str | None) -> Place:
    """Place of a debtor with every zone it may lie in, as `data.zones.zones_of` tells them.

    Raises
    ------
    UnknownZone
        `time_zone` is not an IANA name.

    >>> place_of("SE", None, None)
    Place(country='SE', region=None, zones=('Europe/Stockholm',))
    """
    return Place(country, region or None, zones_of(country, region, time_zone=time_zone))


# Holidays -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def public_holidays(
    country: str,
    region: str | None,
    *,
    year: int,
    categories: tuple[str, ...] = ("public",),
    extra: tuple[str, ...] = (),
) -> frozenset[date]:
    """Holidays of a year at a place, as the frozen version of the `holidays` library knows them, plus extra days.

    Parameters
    ----------
    region
        ISO 3166-2; without one, or where the library does not know it, the national days (GB: those of England).
    categories
        Sets of the library, such as `public`, `optional`, `de_facto`.
    extra
        Further days as `MM-DD`, or as days from Easter Sunday such as `easter-1`.

    Returns
    -------
    Empty for a country that the library does not know.

    Raises
    ------
    UnknownHolidaySet
        The library has no such set for the country, or an extra day cannot be read.

    >>> date(2026, 4, 4) in public_holidays("NO", None, year=2026, extra=("easter-1",))
    True
    """
    days = {holiday_on(text, year=year) for text in extra}
    if country not in holidays.list_supported_countries():
        return frozenset(days)
    subdivision = _subdivision(country, region) or ("ENG" if country == "GB" else None)
    try:
        return frozenset(
            days | set(holidays.country_holidays(country, years=year, subdiv=subdivision, categories=categories))
        )
    except ValueError as error:
        raise UnknownHolidaySet(f"{country} has no holiday sets {', '.join(categories)}: {error}") from error


def holidays_anywhere(
    country: str, *, year: int, categories: tuple[str, ...] = ("public",), extra: tuple[str, ...] = ()
) -> frozenset[date]:
    """Days that are a holiday in any region of a country: the cautious answer where the region is not known."""
    regions = [None, *(f"{country}-{name}" for name in _subdivisions(country))]
    return frozenset().union(
        *(public_holidays(country, region, year=year, categories=categories, extra=extra) for region in regions)
    )


def knows_region(country: str, region: str | None) -> bool:
    """Whether holidays can be told for exactly this region (True as well where a country has the same ones all over)."""
    return not _subdivisions(country) or _subdivision(country, region) is not None


def _subdivision(country: str, region: str | None) -> str | None:
    name = (region or "").removeprefix(f"{country}-")
    return name if name in _subdivisions(country) else None


@lru_cache(maxsize=256)
def _subdivisions(country: str) -> tuple[str, ...]:
    listed: list[str] = holidays.list_supported_countries().get(country, [])
    return tuple(name for name in listed if len(name) <= 3)


def holiday_on(text: str, *, year: int) -> date:
    """Date in a year of `MM-DD` or `easter+N`.

    >>> holiday_on("easter+39", year=2026).isoformat()
    '2026-05-14'
    """
    try:
        if text.startswith("easter"):
            return easter_sunday(year) + int(text.removeprefix("easter")) * DAY
        return date.fromisoformat(f"{year}-{text}")
    except ValueError as error:
        raise UnknownHolidaySet(f"expected a day such as '12-24' or 'easter-1', came '{text}'") from error


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8).

    >>> easter_sunday(2026).isoformat()
    '2026-04-05'
    """
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


# Bank days ----------------------------------------------------------------------------------------------------------


def is_bank_day(country: str, day: date) -> bool:
    """Whether banks of a country book on a day: Monday to Friday, no bank holiday.

    >>> is_bank_day("SE", date(2026, 6, 19))  # Midsummer Eve
    False
    """
    return day.weekday() < 5 and day not in _bank_holidays(country, day.year)


def bank_day_on_or_before(country: str, day: date) -> date:
    """The day itself, or the last bank day before it."""
    while not is_bank_day(country, day):
        day -= DAY
    return day


def bank_day_after(country: str, day: date, *, count: int) -> date:
    """The `count`-th bank day after a day; for 0 the day itself, bank day or not.

    >>> bank_day_after("SE", date(2026, 4, 2), count=1).isoformat()  # over Easter
    '2026-04-07'
    """
    for _ in range(count):
        day += DAY
        while not is_bank_day(country, day):
            day += DAY
    return day


@lru_cache(maxsize=4_096)
def _bank_holidays(country: str, year: int) -> frozenset[date]:
    categories, extra = BANK_HOLIDAYS.get(country, (("public",), ()))
    return public_holidays(country, None, year=year, categories=categories, extra=extra)


def letter_lead_days(country: str) -> int:
    """Bank days from handing a letter to the post to its arrival; the longest known one elsewhere."""
    return LETTER_LEAD_DAYS.get(country, LONGEST_LEAD_DAYS)


# Pay days -----------------------------------------------------------------------------------------------------------


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _on_day(day_of_month: int) -> Callable[[str, int, int], tuple[date, ...]]:
    def pay(country: str, year: int, month: int) -> tuple[date, ...]:
        last = _month_end(year, month)
        return (bank_day_on_or_before(country, last.replace(day=min(day_of_month, last.day))),)

    return pay


def _twice_a_month(country: str, year: int, month: int) -> tuple[date, ...]:
    return _on_day(15)(country, year, month) + _on_day(31)(country, year, month)


def _last_friday(country: str, year: int, month: int) -> tuple[date, ...]:
    last = _month_end(year, month)
    return (bank_day_on_or_before(country, last - ((last.weekday() - 4) % 7) * DAY),)


def _fifth_business_day(country: str, year: int, month: int) -> tuple[date, ...]:
    off = public_holidays(country, None, year=year)
    days = (date(year, month, day) for day in range(1, 16))
    # Brazilian labour law counts Saturdays as business days (CLT art. 459).
    return ([day for day in days if day.weekday() < 6 and day not in off][4],)


_PAY_DAYS: Mapping[str, Callable[[str, int, int], tuple[date, ...]]] = {
    "SE": _on_day(25),
    "NO": _on_day(15),
    "FI": _on_day(15),
    "GB": _last_friday,
    "US": _twice_a_month,
    "BR": _fifth_business_day,
}


@lru_cache(maxsize=65_536)
def pay_days(country: str, year: int, *, month: int) -> tuple[date, ...]:
    """Usual pay days of a month: a prior, to be replaced by what a debtor's own payments show.

    SE the 25th, NO and FI the 15th, each the bank day before if it is none; GB the last Friday; US the 15th and the
    month's end; BR the fifth business day, Saturdays counted; elsewhere the last bank day.

    >>> [day.isoformat() for day in pay_days("SE", 2026, month=4)]
    ['2026-04-24']
    """
    return _PAY_DAYS.get(country, _on_day(31))(country, year, month)


def pay_day(country: str, year: int, month: int) -> date:
    """Last usual pay day of a month.

    >>> pay_day("BR", 2026, 1).isoformat()  # 1 January is off, Saturday the 3rd counts, Sunday the 4th does not
    '2026-01-07'
    """
    return pay_days(country, year, month=month)[-1]


def days_since_pay_day(country: str, day: IntArray, *, day_of_month: IntArray | None = None) -> IntArray:
    """Days since the last pay day, 0 on the day itself, shape (n,); 0 to about 35.

    Parameters
    ----------
    day
        Local dates, days since the epoch, shape (n,).
    day_of_month
        Learned day 1-31 of each debtor, shape (n,), moved to the bank day before; 0 or less where none is known:
        then the country's prior. None: the prior for all.

    >>> days_since_pay_day("SE", np.array([to_day(date(2026, 4, 24)), to_day(date(2026, 4, 26))])).tolist()
    [0, 2]
    """
    since = np.zeros(len(day), dtype=np.int64)
    learned = np.zeros(len(day), dtype=np.int64) if day_of_month is None else np.maximum(day_of_month, 0)
    for one in np.unique(learned).tolist():
        here = learned == one
        since[here] = _days_since(day[here], country, one)
    return since


def _days_since(day: IntArray, country: str, day_of_month: int) -> IntArray:
    first, last = from_day(int(day.min())).year, from_day(int(day.max())).year
    paid = _pay_days_around(country, first, last, day_of_month)
    since: IntArray = day - paid[np.searchsorted(paid, day, side="right") - 1]
    return since


def _pay_days_around(country: str, first: int, last: int, day_of_month: int) -> IntArray:
    """Pay days from the year before `first` to the year after `last`, in order."""
    return np.concatenate([_pay_days_of_year(country, year, day_of_month) for year in range(first - 1, last + 2)])


@lru_cache(maxsize=1_024)
def pay_day_distances(country: str, year: int) -> npt.NDArray[np.int16]:
    """Days since the last pay day, and to the next one (0 on the day itself), of every day of a year, shape (2, 32, 366).

    The middle axis is the learned day of the month, entry 0 the country's habit; each moved to the bank day before.

    >>> pay_day_distances("SE", 2026)[:, 0, to_day(date(2026, 4, 26)) - to_day(date(2026, 1, 1))].tolist()
    [2, 29]
    """
    day = to_day(date(year, 1, 1)) + np.arange(366)
    found = np.zeros((2, 32, 366), dtype=np.int16)
    for day_of_month in range(32):
        paid = _pay_days_around(country, year, year + 1, day_of_month)
        found[0, day_of_month] = day - paid[np.searchsorted(paid, day, side="right") - 1]
        found[1, day_of_month] = paid[np.searchsorted(paid, day, side="left")] - day
    found.setflags(write=False)
    return found


@lru_cache(maxsize=16_384)
def _pay_days_of_year(country: str, year: int, day_of_month: int) -> IntArray:
    rule = _on_day(day_of_month) if day_of_month else _PAY_DAYS.get(country, _on_day(31))
    return np.array([to_day(day) for month in range(1, 13) for day in rule(country, year, month)], dtype=np.int64)
