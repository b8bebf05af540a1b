"""Wall-clock times of many instants at once, against one at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.local_time import local_us
from data.times import from_us, to_us

ZONES = (
    "Europe/Stockholm", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca", "UTC",
)  # fmt: skip
FROM, TO = to_us(datetime(1995, 1, 1, tzinfo=UTC)), to_us(datetime(2040, 1, 1, tzinfo=UTC))


def slowly(zone: str, instant_us: int) -> datetime:
    return from_us(instant_us).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, len(ZONES) - 1), st.integers(FROM, TO)), min_size=1, max_size=20))
def test_every_instant_has_the_wall_clock_of_its_own_zone(rows: list[tuple[int, int]]) -> None:
    zone, instants = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    found = local_us(ZONES, zone, instants)
    assert [from_us(one) for one in found.tolist()] == [slowly(ZONES[z], us) for z, us in rows]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_the_clock_changes_to_the_second(zone: str, month: int) -> None:
    """Every quarter of an hour of a month in which clocks change, and the seconds on both sides of it."""
    begin = datetime(2025, month, 1, tzinfo=UTC)
    quarters = [to_us(begin + timedelta(minutes=15 * k)) for k in range(31 * 96)]
    instants = np.array([us + second * 1_000_000 for us in quarters for second in (-1, 0, 1)])
    found = local_us((zone,), np.zeros(len(instants), dtype=np.int64), instants)
    assert [from_us(one) for one in found.tolist()] == [slowly(zone, us) for us in instants.tolist()]


def test_no_instant_has_no_wall_clock() -> None:
    assert local_us(("UTC",), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).shape == (0,)
