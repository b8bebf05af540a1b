"""The debtors' own clocks: zones of many debtors at once, and the local time of day of many instants."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.times import DAY_US, HOUR_US, IntArray, to_day
from data.zones import UnknownZone, zones_of

EARLIEST_US, LATEST_US = (to_day(datetime(year, 1, 1, tzinfo=UTC).date()) * DAY_US for year in (1970, 2200))
"""Instants outside have no local hour here: no calendar of zones reaches there with sense."""

DAY_S = 86_400

SEPARATOR = "\x1f"
"""Between parts of a key: the control character made for it, which no identifier of a place holds."""


def zones_of_debtors(debtors: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Country and main zone of each debtor, empty where there is no country, shape (n,) each.

    A zone of the debtor's that the zone database does not know counts as none given.
    """
    columns = [pc.fill_null(debtors.column(name), "").combine_chunks() for name in ("country", "region", "time_zone")]
    place = pc.dictionary_encode(pc.binary_join_element_wise(*columns, SEPARATOR))
    zones = [_main_zone(*str(one).split(SEPARATOR)[:3]) for one in place.dictionary.to_pylist()]
    return columns[0], pa.array(zones, pa.string()).take(place.indices)


@lru_cache(maxsize=65_536)
def _main_zone(country: str, region: str, zone: str) -> str:
    try:
        return zones_of(country, region or None, time_zone=zone or None)[0]
    except UnknownZone:
        return zones_of(country, region or None, time_zone=None)[0]


def second_of_day(zone: str, instants_us: IntArray) -> IntArray:
    """Wall-clock second 0-86,399 of instants in one zone, -1 for those outside the years 1970 to 2199, shape as given.

    >>> (second_of_day("Europe/Stockholm", np.array([0])) / 3600).tolist()
    [1.0]
    """
    known = (instants_us >= EARLIEST_US) & (instants_us < LATEST_US)
    inside = np.where(known, instants_us, EARLIEST_US)
    # Clocks change at full hours and quarters of UTC, of which there are few: one look at the zone for each.
    quarter = inside // (HOUR_US // 4)
    present = np.flatnonzero(np.bincount(quarter - quarter.min())) if len(quarter) else quarter
    low = int(quarter.min()) if len(quarter) else 0
    days, inverse = np.unique((present + low) // 96, return_inverse=True)
    offset = np.array([_offset_s(zone, int(day)) for day in days], dtype=np.int64)[inverse]
    for place in np.flatnonzero(offset == CHANGES).tolist():
        offset[place] = _offset_at(zone, (int(present[place]) + low) * 900)
    table = np.zeros(int(present[-1]) + 1 if len(present) else 0, dtype=np.int64)
    table[present] = offset
    local = (inside // 1_000_000 + table[quarter - low]) % DAY_S
    return np.where(known, local, -1)


CHANGES = -(10**6)
"""Stands for the offset of a day in which the clock changes."""


@lru_cache(maxsize=262_144)
def _offset_s(zone: str, day: int) -> int:
    """Seconds by which a zone's clock is ahead of UTC throughout a day of UTC, or `CHANGES`."""
    first, last = _offset_at(zone, day * DAY_S), _offset_at(zone, (day + 1) * DAY_S)
    return first if first == last else CHANGES


def _offset_at(zone: str, second: int) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
