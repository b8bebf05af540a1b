"""No contact outside the hours and weekdays that the country's pack allows, in every zone the debtor may live in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.calendar import Place
from models.rules.local_time import over_days, slot_edges, weekday
from models.rules.pack import Pack
from models.rules.rule import Barred, Facts, Rule
from models.rules.windows import open_hours


def bars(facts: Facts) -> Barred:
    """Slots of which some minute lies outside the hours of its weekday; holidays are a rule of their own."""
    return Barred(slots=over_days(facts, _barred_on_day))


@lru_cache(maxsize=65_536)
def _barred_on_day(pack: Pack, place: Place, day: int, grid: ActionGrid) -> BoolArray:
    days, hours = slot_edges(place.zones, day, grid.hours)
    allowed = open_hours(pack, place.region, channels=grid.channels[1:], on_holidays=False)
    barred: BoolArray = ~np.all(allowed[:, weekday(days), hours], axis=1)
    return barred


RULE = Rule(
    "quiet_hours",
    "legal",
    "Contact is made only in the hours of the weekday that the country's rule pack allows for the channel, on the debtor's own clock; where "
    "the region or the time zone is not certain, only in hours that are allowed in all of them.",
    bars,
)
