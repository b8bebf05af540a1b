"""Local clocks of places over the days of a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from data.action_grid import local_days, local_hours
from data.calendar import Place, place_of
from data.simulator.countries import COUNTRIES
from data.simulator.people import People
from data.situation import CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, IntArray, from_us


@dataclass(frozen=True)
class Clocks:
    """Where debtors live, and how far their clocks are from UTC.

    Attributes
    ----------
    places, place
        Distinct places, and the index of each debtor's, shape (n,).
    offset_us
        Local time less UTC by place and day, (places, days); days count from `first_us` in steps of 24 h.
    """

    places: tuple[Place, ...]
    place: IntArray
    first_us: int
    offset_us: IntArray

    def hour_of_day(self, debtor: IntArray, at_us: IntArray) -> FloatArray:
        """Local hour with its fraction, [0, 24), of one instant for each debtor row."""
        offset = self.offset_us[self.place[debtor], (at_us - self.first_us) // DAY_US]
        return (at_us + offset) % DAY_US / HOUR_US

    def wall(self, debtor: IntArray, at_us: IntArray) -> tuple[CodeArray, CodeArray]:
        """Hour on the wall and weekday there, 0 for Monday, of one instant for each debtor row; exact."""
        hour, weekday = np.zeros(len(at_us), np.int16), np.zeros(len(at_us), np.int16)
        for index in np.unique(self.place[debtor]).tolist():
            here, zone = self.place[debtor] == index, self.places[index].zones[0]
            hour[here] = local_hours(zone, at_us[here])
            weekday[here] = (local_days(zone, at_us[here]) + 3) % 7
        return hour, weekday


def clocks_of(people: People, *, first_us: int, days: int) -> Clocks:
    """Clocks of people for `days` days from an instant on; a place's clock is that of its first candidate zone."""
    keys = np.stack([people.country, people.region, people.zone], axis=1)
    distinct, place = np.unique(keys, axis=0, return_inverse=True)
    places = tuple(_place(country, region, zone=zone) for country, region, zone in distinct.tolist())
    offset = [[_offset_us(place.zones[0], first_us + day * DAY_US) for day in range(days)] for place in places]
    return Clocks(places, place.reshape(-1).astype(np.int64), first_us, np.array(offset, dtype=np.int64))


def _place(country: int, region: int, *, zone: int) -> Place:
    home = COUNTRIES[country]
    return place_of(home.code, home.regions[region][0], home.zones[zone][0])


def _offset_us(zone: str, at_us: int) -> int:
    offset = from_us(at_us).astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds()) * 1_000_000
