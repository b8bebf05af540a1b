"""Distance from pay days by table, against a walk through the calendar."""

from __future__ import annotations

import numpy as np
import pytest

from data.calendar import days_since_pay_day, pay_day_distances
from data.times import from_day
from features.pay_days import from_pay_days

COUNTRIES = ("BR", "DE", "GB", "SE", "US", "ZZ")


def test_days_since_and_to_a_pay_day_are_those_of_the_calendar() -> None:
    rng = np.random.default_rng(1)
    country, day = rng.integers(0, len(COUNTRIES), 400), rng.integers(19_000, 22_000, 400)
    learned = rng.choice([-1, 0, 1, 15, 25, 31], 400)
    since, to = from_pay_days(COUNTRIES, country, day=day, learned=learned)
    for row in range(400):
        name, kind = COUNTRIES[country[row]], np.array([learned[row]])

        def distance(one: int, name: str = name, kind: np.ndarray = kind) -> int:
            return int(days_since_pay_day(name, np.array([one]), day_of_month=kind)[0])

        assert since[row] == distance(day[row])
        assert to[row] == next(ahead for ahead in range(80) if distance(day[row] + ahead) == 0)


@pytest.mark.parametrize("year", [2024, 2025])
def test_a_table_covers_its_year_and_is_not_to_be_written_to(year: int) -> None:
    table = pay_day_distances("SE", year)
    assert table.shape == (2, 32, 366)
    assert table.min() >= 0
    assert not table.flags.writeable
    assert from_day(19_723).year == 2024  # 1 January 2024
