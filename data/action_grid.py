"""The action grid: `none`, then every channel at every send slot of the coming days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from data.calendar import Place
from data.config import GridSettings
from data.local_time import local_us
from data.times import DAY_US, HOUR_US, IntArray, from_day, to_us
from data.vocabulary import DAYPART_STARTS

BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int16]

NO_ACTION = 0
"""Index of `none` on the grid."""


@dataclass(frozen=True)
class ActionGrid:
    """Actions in fixed order: 0 is `none`, then channel by channel, day by day, hour by hour.

    `channel`, `day`, `hour` have one entry per action, shape (A,): channel code (0 = `none`), days after the local
    date of `as_of`, local hour; day and hour are -1 for `none`.

    >>> grid = ActionGrid.of(GridSettings())
    >>> grid.size, grid.label(1)
    (295, 'sms@0T08')
    """

    channels: tuple[str, ...]
    days: int
    hours: tuple[int, ...]

    @staticmethod
    def of(settings: GridSettings) -> ActionGrid:
        """Grid of a configuration."""
        return ActionGrid(settings.channels, settings.days, settings.hours)

    @property
    def slots(self) -> int:
        """Send slots of one channel."""
        return self.days * len(self.hours)

    @property
    def size(self) -> int:
        """Actions, `none` included."""
        return 1 + (len(self.channels) - 1) * self.slots

    @cached_property
    def channel(self) -> CodeArray:
        """Channel code of each action, shape (A,)."""
        codes = np.repeat(np.arange(1, len(self.channels)), self.slots)
        return np.concatenate([[0], codes]).astype(np.int16)

    @cached_property
    def day(self) -> CodeArray:
        """Days after the local date of `as_of`, shape (A,)."""
        one = np.repeat(np.arange(self.days), len(self.hours))
        return np.concatenate([[-1], np.tile(one, len(self.channels) - 1)]).astype(np.int16)

    @cached_property
    def hour(self) -> CodeArray:
        """Local hour, shape (A,)."""
        one = np.tile(np.array(self.hours), self.days * (len(self.channels) - 1))
        return np.concatenate([[-1], one]).astype(np.int16)

    @cached_property
    def daypart(self) -> IntArray:
        """Index in `DAYPARTS` of each action's hour, -1 for `none`, shape (A,)."""
        return dayparts_of(self.hour)

    def label(self, action: int) -> str:
        """Readable name of one action."""
        name = self.channels[self.channel[action]]
        return name if action == NO_ACTION else f"{name}@{self.day[action]}T{self.hour[action]:02d}"

    def action_of(self, channel: int, day: int, hour: int) -> int:
        """Index of channel code, day and hour; the inverse of the three arrays."""
        return 1 + (channel - 1) * self.slots + day * len(self.hours) + self.hours.index(hour)


def dayparts_of(hour: npt.NDArray[np.integer[Any]]) -> IntArray:
    """Index in `DAYPARTS` of local hours, -1 where the hour is negative (`none`), shape as given.

    >>> dayparts_of(np.array([-1, 8, 12, 17])).tolist()
    [-1, 0, 1, 2]
    """
    return np.where(hour < 0, -1, np.digitize(hour, DAYPART_STARTS)).astype(np.int64)


@dataclass(frozen=True)
class Slots:
    """When each action would be sent, by class of (zone, local date).

    Attributes
    ----------
    of_debtor
        Class of each debtor, shape (n,).
    zone
        Zone name of each class, length K.
    first_day
        Local date of `as_of`, days since the epoch, shape (K,).
    send_us
        Start of the slot, microseconds UTC, shape (K, A); -1 for `none`.
    """

    of_debtor: IntArray
    zone: tuple[str, ...]
    first_day: IntArray
    send_us: IntArray

    def past(self, as_of_us: IntArray) -> BoolArray:
        """Slots that began before `as_of`, shape (n, A); `none` never has."""
        past: BoolArray = self.send_us[self.of_debtor] < as_of_us[:, None]
        past[:, NO_ACTION] = False
        return past


@lru_cache(maxsize=65_536)
def local_midnight_us(zone: str, day: int) -> int:
    """Instant at which a date begins in a zone."""
    date = from_day(day)
    return to_us(datetime(date.year, date.month, date.day, tzinfo=ZoneInfo(zone)))


@lru_cache(maxsize=65_536)
def local_hour_us(zone: str, day: int, hour: int) -> int:
    """Instant at which a local hour of a date begins in a zone."""
    date = from_day(day)
    return to_us(datetime(date.year, date.month, date.day, hour, tzinfo=ZoneInfo(zone)))


def local_days(zone: str, instants_us: IntArray) -> IntArray:
    """Local date (days since the epoch) of instants in one zone, shape as given."""
    days = instants_us // DAY_US
    low, high = (int(days.min()) - 1, int(days.max()) + 2) if days.size else (0, 0)
    starts = np.array([local_midnight_us(zone, day) for day in range(low, high + 1)], dtype=np.int64)
    return low + np.searchsorted(starts, instants_us, side="right") - 1


def local_hours(zone: str, instants_us: IntArray) -> IntArray:
    """Wall-clock hour 0-23 of instants in one zone, shape as given."""
    days, inverse = np.unique(instants_us // HOUR_US, return_inverse=True)
    zone_info = ZoneInfo(zone)
    wall = [datetime.fromtimestamp(int(hour) * 3600, zone_info).hour for hour in days]
    if any(datetime.fromtimestamp(int(hour) * 3600, zone_info).minute for hour in days):
        each = [datetime.fromtimestamp(int(instant) // 1_000_000, zone_info).hour for instant in instants_us.ravel()]
        return np.array(each, dtype=np.int64).reshape(instants_us.shape)
    hours: IntArray = np.array(wall, dtype=np.int64)[inverse].reshape(instants_us.shape)
    return hours


def slots(grid: ActionGrid, *, places: tuple[Place, ...], place: IntArray, as_of_us: IntArray) -> Slots:
    """Send times of the grid for debtors at places, each at its own `as_of`.

    Parameters
    ----------
    places, place
        Distinct places, and the index of each debtor's place in it, shape (n,). Slots are labelled in the
        place's first candidate zone.
    as_of_us
        Shape (n,).
    """
    zones, of_place = _first_zones(places)
    zone = of_place[place]
    keys, of_debtor = np.unique(zone * 1_000_000 + local_us(zones, zone, as_of_us) // DAY_US, return_inverse=True)
    class_zone = tuple(zones[key // 1_000_000] for key in keys.tolist())
    class_day = keys % 1_000_000
    send = [_send_us(grid, zone, day) for zone, day in zip(class_zone, class_day.tolist(), strict=True)]
    send_us = np.array(send, dtype=np.int64).reshape(len(send), grid.size)
    return Slots(of_debtor.astype(np.int64), class_zone, class_day, send_us)


@lru_cache(maxsize=256)
def _first_zones(places: tuple[Place, ...]) -> tuple[tuple[str, ...], IntArray]:
    """First candidate zones of places by name, and the index of each place's among them."""
    first = [place.zones[0] for place in places]
    zones = tuple(sorted(set(first)))
    return zones, np.array([zones.index(zone) for zone in first], dtype=np.int64)


@lru_cache(maxsize=4_096)
def _send_us(grid: ActionGrid, zone: str, first_day: int) -> IntArray:
    one = [local_hour_us(zone, first_day + day, hour) for day in range(grid.days) for hour in grid.hours]
    return np.concatenate([[-1], np.tile(np.array(one, dtype=np.int64), len(grid.channels) - 1)])
