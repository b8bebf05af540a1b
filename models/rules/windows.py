"""What a pack allows at a place: open hours by channel and weekday, and the days that count as holidays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from data.calendar import holidays_anywhere, knows_region, public_holidays
from data.times import from_day, to_day
from models.rules.pack import Pack


@lru_cache(maxsize=4_096)
def open_hours(pack: Pack, region: str | None, *, channels: tuple[str, ...], on_holidays: bool) -> BoolArray:
    """Open local hours by channel, weekday (0 = Monday) and hour, shape (C, 7, 24).

    With `on_holidays` only windows that hold on holidays count. Where the region is not known, an hour is open only
    if it is so in every region.
    """
    certain = knows_region(pack.country, region)
    regions = [region] if certain else [None, *pack.regions_with_own_windows()]
    hours = np.zeros((len(regions), len(channels), 7, 24), dtype=bool)
    for row, one in enumerate(regions):
        for column, channel in enumerate(channels):
            for window in pack.windows_of(channel, one):
                if window.holidays or not on_holidays:
                    hours[row, column, list(window.weekdays), window.from_hour : window.to_hour] = True
    open_everywhere: BoolArray = np.logical_and.reduce(hours, axis=0)
    open_everywhere.flags.writeable = False
    return open_everywhere


def holidays_of(pack: Pack, region: str | None, *, first_day: int, last_day: int) -> frozenset[int]:
    """Holidays (days since the epoch) of the years from `first_day` to `last_day`; of any region where it is not known."""
    years = range(from_day(first_day).year, from_day(last_day).year + 1)
    return frozenset().union(*(_holidays_of_year(pack, region, year) for year in years))


@lru_cache(maxsize=4_096)
def _holidays_of_year(pack: Pack, region: str | None, year: int) -> frozenset[int]:
    if knows_region(pack.country, region):
        days = public_holidays(pack.country, region, year=year, categories=pack.categories, extra=pack.extra)
    else:
        days = holidays_anywhere(pack.country, year=year, categories=pack.categories, extra=pack.extra)
    return frozenset(to_day(day) for day in days)
