"""Local dates in every zone in which debtors may live, and the instants at which dates begin there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.action_grid import local_midnight_us
from data.local_time import local_us
from data.stretches import rows_of
from data.times import DAY_US, IntArray
from models.rules.rule import Facts

LATEST_DAY = 1_000_000


@dataclass(frozen=True)
class Candidates:
    """Candidate zones of some debtors (k,): `row` (q,) from 0 to k, rising, and `zone` (q,), the index of one of its zones."""

    names: tuple[str, ...]
    row: IntArray
    zone: IntArray

    @staticmethod
    def of(facts: Facts, debtor: IntArray) -> Candidates:
        """Those of debtors, each of whom may be named more than once."""
        zones = facts.zones
        place = facts.situation.place[debtor]
        row, candidate = rows_of(zones.start[place], zones.start[place + 1])
        used, zone = np.unique(zones.zone[candidate], return_inverse=True)
        return Candidates(tuple(zones.names[one] for one in used.tolist()), row, zone.astype(np.int64))

    def local_days(self, instants_us: IntArray) -> IntArray:
        """Local dates (q,) of an instant of each debtor (k,)."""
        return local_us(self.names, self.zone, instants_us[self.row]) // DAY_US

    def begins(self, day: IntArray, after: Callable[[int], int] = lambda day: day) -> IntArray:
        """When the dates begin that come `after` some dates (q,), in the last zone of each debtor, shape (k,)."""
        if not len(day):
            return np.zeros(0, dtype=np.int64)
        keys, which = np.unique(self.zone * LATEST_DAY + day, return_inverse=True)
        pairs = [divmod(key, LATEST_DAY) for key in keys.tolist()]
        begin = np.array([local_midnight_us(self.names[zone], after(one)) for zone, one in pairs], dtype=np.int64)
        return np.maximum.reduceat(begin[which], np.searchsorted(self.row, np.arange(self.row[-1] + 1)))
