"""Pay days as a table: how long ago each class of people was last paid, for every day of a simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.calendar import days_since_pay_day
from data.simulator.habits import PAY_DAYS
from data.simulator.worlds import World
from data.situation import FloatArray
from data.times import DAY_US, IntArray

BASE_LIFT = (0.5, 2.6, 0.3)
EFFECT_LIFT = (0.4, 2.4, 0.3)
"""How much more is paid on pay day, by segment: without contact, and after one. A third of it is left in three days."""
FADES_DAYS = 2.7
WEEKDAY = (1.15, 1.05, 1.0, 1.0, 1.2, 0.85, 0.75)
"""Payment by itself, Monday to Sunday."""


@dataclass(frozen=True)
class PayDays:
    """Factors by pay-day class, segment and day, (classes, 3, days); days count from `first_us` in steps of 24 h.

    `base` multiplies payment by itself and has mean 1 over time; `effect` multiplies the effect of a contact that
    arrives on the day.
    """

    first_us: int
    base: FloatArray
    effect: FloatArray

    def day(self, at_us: IntArray) -> IntArray:
        """Index of the day an instant lies in."""
        return (at_us - self.first_us) // DAY_US


def pay_day_table(first_us: int, days: int, *, world: World) -> PayDays:
    """Factors for `days` days from an instant on."""
    dates = first_us // DAY_US + np.arange(days)
    since = np.stack([_since(dates, country, day=day) for country, day in PAY_DAYS])
    near = np.exp(-since / FADES_DAYS)[:, None, :]
    mean = near.mean(axis=2, keepdims=True)
    weekday = np.array(WEEKDAY)[(dates + 3) % 7] / np.mean(WEEKDAY)
    lift, more = np.array(BASE_LIFT)[:, None], np.array(EFFECT_LIFT)[:, None] * world.pay_day_effect
    base = (1 + lift * near) / (1 + lift * mean) * weekday
    return PayDays(first_us, base, (1 + more * near) / (1 + more * mean))


def _since(dates: IntArray, country: str, *, day: int) -> IntArray:
    return days_since_pay_day(country, dates, day_of_month=np.full(len(dates), day))
