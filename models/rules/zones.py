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

FEW = 32
"""Up to so many are told apart without arrays, which cost more than what is asked."""


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
        if zones.one_each:
            return Candidates(zones.names, np.arange(len(place)), zones.zone[place])
        row, candidate = rows_of(zones.start[place], zones.start[place + 1])
        return Candidates(zones.names, row, zones.zone[candidate])

    def local_days(self, instants_us: IntArray) -> IntArray:
        """Local dates (q,) of an instant of each debtor (k,)."""
        return local_us(self.names, self.zone, instants_us[self.row]) // DAY_US

    def begins(self, day: IntArray) -> IntArray:
        """When dates (q,) begin, in the last zone of each debtor, shape (k,)."""
        return self.latest(of_each(lambda zone, one: local_midnight_us(self.names[zone], one), self.zone, day))

    def latest(self, instants_us: IntArray) -> IntArray:
        """The last of the instants (q,) of each debtor, shape (k,)."""
        if not len(self.row) or self.row[-1] + 1 == len(self.row):  # one zone each
            return instants_us
        return np.maximum.reduceat(instants_us, np.searchsorted(self.row, np.arange(self.row[-1] + 1)))


def of_each(ask: Callable[[int, int], int], number: IntArray, day: IntArray) -> IntArray:
    """What is said of each number and day, (q,), asked once for the same: of many debtors few differ."""
    keys = number * LATEST_DAY + day
    if len(keys) <= FEW:
        each = keys.tolist()
        known = {key: ask(*divmod(key, LATEST_DAY)) for key in set(each)}
        return np.array([known[key] for key in each], dtype=np.int64)
    distinct, which = np.unique(keys, return_inverse=True)
    told = [ask(*divmod(key, LATEST_DAY)) for key in distinct.tolist()]
    return np.array(told, dtype=np.int64)[which]
