"""No contact in school hours at a number that may be a child's."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.calendar import Place
from models.rules.local_time import over_days, slot_edges, weekday
from models.rules.pack import Pack
from models.rules.rule import NOTHING, Barred, Facts, PointSlots, Rule

PRIVATE = 0


def bars(facts: Facts) -> Barred:
    """Points that are not known to be private, in the school hours of any zone that the debtor may live in.

    Those that are known not to be are barred for calls, SMS and e-mail at any hour; a pack may name other channels here.
    """
    if all(pack.school_hours is None for pack in facts.packs_here):
        return NOTHING
    unsure = facts.situation.points.kind != PRIVATE
    if not unsure.any():
        return NOTHING
    at_school = over_days(facts, _barred_on_day)
    return NOTHING if at_school is None else Barred(points_at=PointSlots(unsure, at_school))


@lru_cache(maxsize=65_536)
def _barred_on_day(pack: Pack, place: Place, day: int, grid: ActionGrid) -> BoolArray:
    school = pack.school_hours
    barred = np.zeros((len(grid.channels) - 1, len(grid.hours)), dtype=bool)
    if school is not None:
        days, hours = slot_edges(place.zones, day, grid.hours)
        on = np.isin(weekday(days), school.weekdays) & (hours >= school.from_hour) & (hours < school.to_hour)
        barred[[name in school.channels for name in grid.channels[1:]]] = on.any(axis=0)
    return barred


RULE = Rule(
    "school_hours",
    "identity",
    "A number or address that is not known to be the debtor's alone is not used in the school hours of the country's rule pack, holidays "
    "included: a child may answer.",
    bars,
)
