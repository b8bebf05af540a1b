"""Time zones a debtor may live in, by country and region."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAIN_ZONE = {"BR": "America/Sao_Paulo"}
"""First candidate where the zone database does not list the most populous zone first."""


class UnknownZone(ValueError):
    """A time zone that the zone database does not know."""


def zones_of(country: str, region: str | None, *, time_zone: str | None) -> tuple[str, ...]:
    """Zones that a place may lie in, IANA names, the main one first; at least one.

    `time_zone` if given; else those of the region; else those of the country (zones whose clocks have agreed since
    2015 count once); else UTC, for a country that the zone database does not know.

    Raises
    ------
    UnknownZone
        `time_zone` is not an IANA name.

    >>> zones_of("US", "US-TN", time_zone=None)
    ('America/Chicago', 'America/New_York')
    >>> zones_of("SE", None, time_zone="Stockholm")
    Traceback (most recent call last):
    data.zones.UnknownZone: expected an IANA time zone such as Europe/Stockholm, came 'Stockholm'
    """
    if time_zone:
        return (_known_zone(time_zone),)
    named = _zones_by_region().get(country, {}).get(region or "") or _zones_by_country().get(country)
    return _distinct(tuple(named or ("UTC",)))


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"expected an IANA time zone such as Europe/Stockholm, came '{name}'") from error
    return name


@lru_cache(maxsize=1)
def _zones_by_country() -> Mapping[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            table.setdefault(country, []).append(zone)
    return {
        country: tuple(sorted(zones, key=lambda zone: zone != MAIN_ZONE.get(country)))
        for country, zones in table.items()
    }


@lru_cache(maxsize=1)
def _zones_by_region() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((files("data") / "regions.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def _distinct(zones: tuple[str, ...]) -> tuple[str, ...]:
    first: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones if len(zones) > 1 else ():
        first.setdefault(_clock(zone), zone)
    return tuple(first.values()) or zones


@lru_cache(maxsize=256)
def _clock(zone: str) -> tuple[timedelta | None, ...]:
    start, info, week = datetime(2015, 1, 1, tzinfo=UTC), ZoneInfo(zone), timedelta(days=7)
    return tuple((start + number * week).astimezone(info).utcoffset() for number in range(20 * 52))
