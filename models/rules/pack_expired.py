"""No contact under rules that have run out."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.calendar import Place
from data.times import to_day
from models.rules.local_time import over_days, slot_edges
from models.rules.pack import Pack
from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Slots on dates after the last for which the pack of the debtor's country holds."""
    if all(pack.valid_to is None for pack in facts.packs_here):
        return NOTHING
    return Barred(slots=over_days(facts, _barred_on_day))


@lru_cache(maxsize=65_536)
def _barred_on_day(pack: Pack, place: Place, day: int, grid: ActionGrid) -> BoolArray:
    barred = np.zeros((len(grid.channels) - 1, len(grid.hours)), dtype=bool)
    if pack.valid_to is not None:
        days, _ = slot_edges(place.zones, day, grid.hours)
        barred[:] = (days > to_day(pack.valid_to)).any(axis=0)
    return barred


RULE = Rule(
    "pack_expired",
    "legal",
    "No contact is set for a day after the last one for which the country's rule pack holds.",
    bars,
)
