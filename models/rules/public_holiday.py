"""No contact on public holidays, save through channels whose window holds on holidays too."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.calendar import Place
from models.rules.local_time import over_days, slot_edges, weekday
from models.rules.pack import Pack
from models.rules.rule import Barred, Facts, Rule
from models.rules.windows import holidays_of, open_hours


def bars(facts: Facts) -> Barred:
    """Slots on a holiday at the debtor's place that no window open on holidays contains."""
    return Barred(slots=over_days(facts, _barred_on_day))


@lru_cache(maxsize=65_536)
def _barred_on_day(pack: Pack, place: Place, day: int, grid: ActionGrid) -> BoolArray:
    days, hours = slot_edges(place.zones, day, grid.hours)
    off = holidays_of(pack, place.region, first_day=int(days.min()), last_day=int(days.max()))
    holiday = np.isin(days, np.fromiter(off, dtype=np.int64))
    allowed = open_hours(pack, place.region, channels=grid.channels[1:], on_holidays=True)
    barred: BoolArray = np.any(holiday & ~allowed[:, weekday(days), hours], axis=1)
    return barred


RULE = Rule(
    "public_holiday",
    "legal",
    "No contact is made on a public holiday of the debtor's country and region, save through channels that the country's rule pack allows on "
    "holidays; where the region is not known, a holiday of any region counts.",
    bars,
)
