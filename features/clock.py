"""Wall-clock time of facts, each on the clock of its debtor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.action_grid import dayparts_of
from data.local_time import local_us
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, DayArray, IntArray
from features.columns import CodeArray

PART_OF_HOUR: CodeArray = dayparts_of(np.arange(24)).astype(np.int16)


@dataclass(frozen=True)
class Clock:
    """Zones by name, and that of each debtor."""

    zones: tuple[str, ...]
    zone: IntArray

    def of(self, owner: IntArray, instants_us: IntArray) -> Local:
        """Local time of instants, each in the zone of its debtor, both of shape (n,)."""
        return Local(local_us(self.zones, self.zone[owner], instants_us))

    def days(self, owner: IntArray, at_us: IntArray) -> DayArray:
        """Local date of instants, `NO_DAY` of `NEVER`, shape (n,)."""
        day, once = np.full(len(at_us), NO_DAY, dtype=np.int32), np.flatnonzero(at_us < NEVER)
        day[once] = local_us(self.zones, self.zone[owner[once]], at_us[once]) // DAY_US
        return day


class Local:
    """Wall-clock times: `hour` 0-23, `part` as an index in `DAYPARTS`, `weekday` with 0 = Monday, shape (n,)."""

    def __init__(self, us: IntArray) -> None:
        self._day = us // DAY_US
        hour = (us - self._day * DAY_US) // HOUR_US
        self.hour: CodeArray = hour.astype(np.int16)
        self.part: CodeArray = PART_OF_HOUR[hour]
        self.weekday: CodeArray = ((self._day + 3) % 7).astype(np.int16)

    @property
    def month_day(self) -> CodeArray:
        """Day of the month, 1-31."""
        day = self._day.astype("datetime64[D]")
        number: CodeArray = ((day - day.astype("datetime64[M]")).astype(np.int64) + 1).astype(np.int16)
        return number
