"""Slots on the clocks of a place: first and last minute of each in every zone the debtor may live in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from data.action_grid import ActionGrid, BoolArray, local_hour_us
from data.calendar import Place
from data.times import IntArray, to_day
from models.rules.pack import Pack
from models.rules.rule import ClassDays, Facts

LAST_MINUTE_S = 59 * 60
DayBar = Callable[[Pack, Place, int, ActionGrid], BoolArray]


@lru_cache(maxsize=65_536)
def slot_edges(zones: tuple[str, ...], day: int, hours: tuple[int, ...]) -> tuple[IntArray, IntArray]:
    """Local dates and hours in which the first and the last minute of each slot of a day lie.

    Slots are labelled in the first zone. Windows open and close on the hour, so that a slot of sixty minutes lies
    inside them if its first and last minute do.

    Returns
    -------
    Days since the epoch and hours 0-23, each of shape (2 * zones, hours of the grid).

    >>> days, hours = slot_edges(("America/New_York", "America/Chicago"), 20_000, (8,))
    >>> hours[:, 0].tolist()
    [8, 8, 7, 7]
    """
    starts_s = [local_hour_us(zones[0], day, hour) // 1_000_000 for hour in hours]
    edges = [
        [datetime.fromtimestamp(start + shift, info) for start in starts_s]
        for info in map(ZoneInfo, zones)
        for shift in (0, LAST_MINUTE_S)
    ]
    local_day = np.array([[to_day(edge.date()) for edge in row] for row in edges], dtype=np.int64)
    return local_day, np.array([[edge.hour for edge in row] for row in edges], dtype=np.int64)


def weekday(day: IntArray) -> IntArray:
    """Weekday, 0 = Monday, of days since the epoch (which was a Thursday)."""
    return (day + 3) % 7


def over_days(facts: Facts, barred_on_day: DayBar) -> BoolArray | None:
    """Barred slots of each calendar class from the bars of single days, shape (K, C, S); None where none is barred."""
    said = [None if one is None else _said_of(one, barred_on_day) for one in facts.class_days]
    if all(one is None for one in said):
        return None
    free = np.zeros((len(facts.grid.channels) - 1, facts.grid.slots), dtype=bool)
    return np.array([free if one is None else one for one in said])


def _said_of(days: ClassDays, barred_on_day: DayBar) -> BoolArray | None:
    """Barred slots of one calendar class, shape (C, S), None where none is; worked out once."""
    if barred_on_day not in days.said:
        each = [
            barred_on_day(days.pack, days.place, days.first_day + ahead, days.grid) for ahead in range(days.grid.days)
        ]
        barred = np.concatenate(each, axis=1)
        days.said[barred_on_day] = barred if barred.any() else None
    return days.said[barred_on_day]
