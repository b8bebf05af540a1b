"""Moments that are hard on clocks: every clock change of the zones, leap days, ends of years, Easter, and common nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.easter import easter

ODD_ZONES = (
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "America/Havana", "Africa/Cairo", "Asia/Beirut",
    "America/Asuncion", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Casablanca",
)  # fmt: skip
"""Half hours, clock changes at midnight and by half an hour, and the ends of the day's line."""

PLACES: tuple[tuple[str, str | None, str | None], ...] = (
    ("SE", None, None), ("NO", None, None), ("NO", "NO-03", None), ("DK", None, None), ("FI", None, None),
    ("DE", None, None), ("DE", "DE-BY", None), ("DE", "DE-BE", None), ("GB", None, None), ("GB", "GB-SCT", None),
    ("GB", "GB-NIR", None), ("US", None, None), ("US", "US-TN", None), ("US", "US-AZ", None), ("US", "US-AK", None),
    ("US", "US-AZ", "America/Phoenix"), ("US", "US-NY", None), ("US", None, "Pacific/Honolulu"), ("BR", None, None),
    ("BR", "BR-SP", None), ("BR", "BR-AM", None), ("BR", "BR-RJ", None), ("BR", "BR-AL", None), ("BR", "BR-BA", None),
    ("FR", None, None), ("XX", None, None), ("SE", None, "Australia/Lord_Howe"), ("DK", None, "Asia/Kathmandu"),
    ("GB", None, "Pacific/Chatham"), ("NO", None, "America/Havana"), ("FI", None, "Africa/Cairo"),
    ("DE", None, "Asia/Beirut"), ("BR", "BR-RJ", "America/Asuncion"), ("US", None, "America/St_Johns"),
    ("SE", None, "Pacific/Kiritimati"), ("US", None, "Pacific/Pago_Pago"), ("DE", "DE-BY", "Africa/Casablanca"),
)  # fmt: skip


@lru_cache(maxsize=1)
def nights() -> tuple[datetime, ...]:
    """Moments from 2024 to 2028, in order."""
    zones = ("Europe/Stockholm", "America/New_York", "America/Los_Angeles", *ODD_ZONES)
    changes = {at for zone in zones for at in _changes(zone)}
    own = set()
    for year in range(2024, 2029):
        sunday = easter(year)
        own |= {datetime(year, sunday.month, sunday.day, 12, tzinfo=UTC) + timedelta(days=d) for d in (-4, -1, 39)}
        own |= {datetime(year, 12, day, 22, tzinfo=UTC) for day in (23, 30)}
        own |= {
            datetime(year, 1, 5, 20, tzinfo=UTC),
            datetime(year, 6, 4, 22, tzinfo=UTC),
            datetime(year, 2, 28, 22, tzinfo=UTC),
        }
        own |= {datetime(year, month, 9, 3, tzinfo=UTC) for month in (2, 7, 9, 11)}
    return tuple(sorted(changes | own))


def _changes(zone: str) -> list[datetime]:
    """Hours in which a zone's clocks change."""
    info, hours = ZoneInfo(zone), 5 * 366 * 24 - 24
    found, at = [], datetime(2024, 1, 2, tzinfo=UTC)
    before = at.astimezone(info).utcoffset()
    for _ in range(hours):
        at += timedelta(hours=1)
        now = at.astimezone(info).utcoffset()
        if now != before:
            found.append(at)
        before = now
    return found
