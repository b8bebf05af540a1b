"""Places, holidays against the reviewed list of dates, bank days and pay days."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import holidays
import numpy as np
import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from data.calendar import (
    LETTER_LEAD_DAYS,
    UnknownHolidaySet,
    bank_day_after,
    bank_day_on_or_before,
    days_since_pay_day,
    easter_sunday,
    holiday_on,
    holidays_anywhere,
    is_bank_day,
    letter_lead_days,
    pay_day,
    pay_days,
    place_of,
    public_holidays,
)
from data.times import to_day
from data.zones import UnknownZone
from models.rules.pack import read_packs

GOLDEN: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "golden" / "holidays_2024_2028.json").read_text(encoding="utf-8")
)
COUNTRIES = tuple(LETTER_LEAD_DAYS)


@pytest.mark.parametrize("place", sorted(GOLDEN))
def test_holidays_of_each_pack_are_the_reviewed_dates(place: str) -> None:
    pack = read_packs()[place[:2]]
    region = place if "-" in place else None
    for year, expected in GOLDEN[place].items():
        found = public_holidays(pack.country, region, year=int(year), categories=pack.categories, extra=pack.extra)
        assert sorted(day.isoformat()[5:] for day in found) == expected, year


def test_the_reviewed_list_speaks_of_every_pack_and_five_years() -> None:
    assert {place for place in GOLDEN if "-" not in place} == set(read_packs())
    assert all(list(years) == ["2024", "2025", "2026", "2027", "2028"] for years in GOLDEN.values())


def test_the_holiday_library_is_the_version_that_was_reviewed() -> None:
    assert holidays.__version__ == "0.109"


def own_days(year: int) -> dict[str, set[date]]:
    """Days that the default sets miss, from Easter Sunday as another calendar tells it and the dates of the law."""
    on, near = (lambda *each: {date(year, month, day) for month, day in each}), easter(year)
    # Midsummer Eve is the Friday from 19 to 25 June; the others are fixed, or days from Easter Sunday.
    midsummer = next(day for day in (date(year, 6, n) for n in range(19, 26)) if day.weekday() == 4)
    return {
        "SE": {midsummer} | on((12, 24), (12, 31)),
        "NO": {near - timedelta(1)} | on((12, 24), (12, 31)),
        "DK": on((6, 5), (12, 24), (12, 31)),
        "FI": {midsummer} | on((12, 24), (12, 31)),
        "DE": on((12, 24), (12, 31)),
        "BR": {near - timedelta(48), near - timedelta(47), near + timedelta(60)},
    }


@pytest.mark.parametrize("year", range(2024, 2029))
def test_days_that_the_default_sets_miss_are_holidays_of_the_pack(year: int) -> None:
    for country, days in own_days(year).items():
        reviewed = GOLDEN[country][str(year)]
        assert [day for day in sorted(days) if f"{day:%m-%d}" not in reviewed] == [], country


def test_the_reviewed_list_speaks_of_every_region_with_windows_of_its_own_and_of_every_german_state() -> None:
    of_packs = {region for pack in read_packs().values() for region in pack.regions_with_own_windows()}
    assert of_packs <= set(GOLDEN)
    assert len([place for place in GOLDEN if place.startswith("DE-")]) == 16
    assert {"GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"} <= set(GOLDEN)


@pytest.mark.parametrize(
    ("country", "day"), [("GB", date(2026, 8, 31)), ("SE", date(2026, 6, 19)), ("NO", date(2026, 4, 4))]
)
def test_a_day_known_from_the_almanac_stands_in_the_reviewed_list(country: str, day: date) -> None:
    assert f"{day:%m-%d}" in GOLDEN[country][str(day.year)]


def test_a_region_adds_its_own_days_and_an_unknown_one_none() -> None:
    assert date(2026, 1, 2) in public_holidays("GB", "GB-SCT", year=2026)
    assert date(2026, 1, 2) not in public_holidays("GB", None, year=2026)
    assert public_holidays("DE", "DE-XX", year=2026) == public_holidays("DE", None, year=2026)


def test_a_holiday_anywhere_holds_every_region_s_days() -> None:
    anywhere = holidays_anywhere("DE", year=2026)
    assert {date(2026, 1, 6), date(2026, 3, 8), date(2026, 10, 31)} <= anywhere


def test_a_country_that_the_library_does_not_know_has_only_the_extra_days() -> None:
    assert public_holidays("XX", None, year=2026, extra=("12-24",)) == {date(2026, 12, 24)}


def test_a_set_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownHolidaySet, match="SE has no holiday sets bankers"):
        public_holidays("SE", None, year=2026, categories=("bankers",))


@pytest.mark.parametrize("text", ["24-12", "easter", "easter+x", "yule"])
def test_an_extra_day_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UnknownHolidaySet, match="expected a day such as '12-24'"):
        holiday_on(text, year=2026)


@given(st.integers(1900, 2200))
def test_easter_is_where_another_calendar_puts_it(year: int) -> None:
    assert easter_sunday(year) == easter(year)


@pytest.mark.parametrize(
    ("place", "zones"),
    [
        (("SE", None, None), ("Europe/Stockholm",)),
        (("DE", None, None), ("Europe/Berlin",)),
        (("BR", "BR-SP", None), ("America/Sao_Paulo",)),
        (("BR", "BR-PE", None), ("America/Recife", "America/Noronha")),
        (("US", "US-CA", None), ("America/Los_Angeles",)),
        (("US", "US-CA", "America/Denver"), ("America/Denver",)),
        (("GL", None, "America/Nuuk"), ("America/Nuuk",)),
        (("XX", "XX-1", None), ("UTC",)),
    ],
)
def test_zones_of_a_place(place: tuple[str, str | None, str | None], zones: tuple[str, ...]) -> None:
    assert place_of(*place).zones == zones
    assert (place_of(*place).country, place_of(*place).region) == place[:2]


def test_a_country_of_many_zones_without_a_region_may_lie_in_any_of_them() -> None:
    american = place_of("US", None, None).zones
    assert american[0] == "America/New_York"
    assert {"America/Phoenix", "Pacific/Honolulu", "America/Adak"} <= set(american)
    assert place_of("BR", None, None).zones[0] == "America/Sao_Paulo"


@pytest.mark.parametrize("zone", ["Stockholm", "Europe/Atlantis", "/etc/passwd", "../UTC"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(UnknownZone, match="expected an IANA time zone"):
        place_of("SE", None, zone)


def test_bank_days_step_over_week_ends_and_holidays() -> None:
    assert not is_bank_day("DK", date(2026, 6, 5))
    assert is_bank_day("NO", date(2026, 6, 5))
    assert bank_day_on_or_before("SE", date(2026, 4, 25)) == date(2026, 4, 24)
    assert bank_day_after("GB", date(2026, 12, 24), count=2) == date(2026, 12, 30)
    assert bank_day_after("SE", date(2026, 3, 2), count=0) == date(2026, 3, 2)


def test_letters_take_the_longest_known_time_where_nothing_is_known() -> None:
    assert [letter_lead_days(country) for country in COUNTRIES] == [3, 3, 3, 4, 3, 2, 4, 5]
    assert letter_lead_days("XX") == 5


@pytest.mark.parametrize(
    ("country", "month", "expected"),
    [
        ("SE", 4, ["2026-04-24"]),  # the 25th is a Saturday
        ("SE", 12, ["2026-12-23"]),  # the 25th and 24th are off
        ("NO", 8, ["2026-08-14"]),
        ("DK", 5, ["2026-05-29"]),
        ("DK", 12, ["2026-12-30"]),
        ("DE", 1, ["2026-01-30"]),
        ("GB", 12, ["2026-12-24"]),  # the last Friday is Christmas Day
        ("US", 2, ["2026-02-13", "2026-02-27"]),
        ("BR", 1, ["2026-01-07"]),  # 2 (Fri), 3 (Sat counts), 5, 6, 7
        ("BR", 4, ["2026-04-07"]),  # 1, 2, 4 (Sat, after Good Friday), 6, 7
        ("XX", 5, ["2026-05-29"]),
    ],
)
def test_pay_days_move_before_week_ends_and_holidays(country: str, month: int, expected: list[str]) -> None:
    assert [day.isoformat() for day in pay_days(country, 2026, month=month)] == expected
    assert pay_day(country, 2026, month).isoformat() == expected[-1]


@pytest.mark.parametrize("country", COUNTRIES)
def test_days_since_pay_day_equal_a_walk_backwards(country: str) -> None:
    days = np.arange(to_day(date(2025, 12, 1)), to_day(date(2026, 7, 1)), dtype=np.int64)
    paid = {
        to_day(day) for year in (2025, 2026) for month in range(1, 13) for day in pay_days(country, year, month=month)
    }
    expected = [next(back for back in range(60) if day - back in paid) for day in days.tolist()]
    since = days_since_pay_day(country, days)
    assert since.tolist() == expected
    assert since.min() == 0
    assert since.max() <= 38


def test_a_learned_pay_day_goes_before_the_country_s() -> None:
    day = np.full(3, to_day(date(2026, 3, 12)), dtype=np.int64)
    since = days_since_pay_day("SE", day, day_of_month=np.array([0, 12, 31], dtype=np.int64))
    assert since.tolist() == [15, 0, 13]  # 25 February; the same day; 27 February


def test_no_days_ask_for_no_pay_day() -> None:
    assert days_since_pay_day("SE", np.array([], dtype=np.int64)).shape == (0,)
