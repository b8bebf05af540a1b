"""The post: on which day a letter sent on a day arrives, by country."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.calendar import bank_day_after, letter_lead_days
from data.simulator.countries import COUNTRIES
from data.situation import CodeArray
from data.times import DAY_US, HOUR_US, IntArray, from_day, to_day

FALLS_AT_US = 11 * HOUR_US


@dataclass(frozen=True)
class Post:
    """Date of arrival by country and date of sending, (countries, days); dates of sending count from `first_day`."""

    first_day: int
    arrives_day: IntArray

    def arrival_us(self, country: CodeArray, send_us: IntArray) -> IntArray:
        """Instants at which letters arrive, broadcast: about eleven, after the country's bank days in the mail."""
        day = np.clip(send_us // DAY_US - self.first_day, 0, self.arrives_day.shape[1] - 1)
        return self.arrives_day[country, day] * DAY_US + FALLS_AT_US


def post_of(first_us: int, days: int) -> Post:
    """The post for `days` days from an instant on."""
    first = first_us // DAY_US
    arrives = [
        [
            to_day(bank_day_after(one.code, from_day(first + day), count=letter_lead_days(one.code)))
            for day in range(days)
        ]
        for one in COUNTRIES
    ]
    return Post(first, np.array(arrives, dtype=np.int64))
