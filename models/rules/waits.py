"""The ends of waits: from an event to the beginning of a local day, in the last of the debtor's candidate zones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from data.calendar import bank_day_after
from data.times import DAY_US, IntArray, from_day, to_day
from models.rules.pack import Pack, Wait
from models.rules.rule import Barred, Facts
from models.rules.zones import Candidates

BANK_DAY_SPAN = 4
"""Days that a bank day never takes more than, on average over a wait, the long holidays included."""


def bars_after(facts: Facts, *, after: str, since_us: IntArray) -> Barred:
    """Slots before the end of every wait after an event of each debtor; `since_us` (n,) is 0 where there was none."""
    until_us = np.zeros((facts.situation.size, len(facts.grid.channels) - 1), dtype=np.int64)
    for pack, here in facts.with_pack():
        for wait in waits_of(pack, after):
            rows = np.flatnonzero(here & may_last(wait, since_us, as_of_us=facts.situation.as_of_us))
            ends = wait_ends(facts, rows, pack=pack, wait=wait, since_us=since_us[rows])
            extend(until_us, rows, ends, channels=facts.channels_named(*wait.channels))
    return Barred(until_us=until_us)


def waits_of(pack: Pack, after: str) -> list[Wait]:
    """The pack's waits after one kind of event."""
    return [wait for wait in pack.waits if wait.after == after]


def may_last(wait: Wait, since_us: IntArray, *, as_of_us: IntArray) -> BoolArray:
    """False where a wait is over for certain, shape as given: most events lie years back."""
    days = wait.receipt_days + wait.days * (BANK_DAY_SPAN if wait.bank_days else 1)
    # A slot is never before the local date of `as_of`; three days and a fortnight of holidays are room enough.
    longest_us = (days + 3 + 14 * wait.bank_days) * DAY_US
    last: BoolArray = (since_us > 0) & (since_us > as_of_us - longest_us)
    return last


def extend(until_us: IntArray, rows: IntArray, ends_us: IntArray, *, channels: BoolArray) -> None:
    """Put off the end of some channels (C,) for some debtors; one may be named more than once. OUT: until_us (n, C)."""
    np.maximum.at(until_us, (rows[:, None], np.flatnonzero(channels)), ends_us[:, None])


def wait_ends(facts: Facts, rows: IntArray, *, pack: Pack, wait: Wait, since_us: IntArray) -> IntArray:
    """Instants at which a wait ends for some debtors, counted from an event of each; rows and result (k,)."""
    zones = Candidates.of(facts, rows)
    return zones.begins(zones.local_days(since_us), lambda day: open_day(wait, pack.country, day))


@lru_cache(maxsize=65_536)
def open_day(wait: Wait, country: str, day: int) -> int:
    """First date (days since the epoch) on which contact is free again after an event on a date.

    >>> plain = Wait("contact", ("sms",), 14, False, False, 0, (), "confirmed", "a law")
    >>> open_day(plain, "FI", 20_000)
    20014
    """
    received = day + wait.receipt_days
    over = _after_bank_days(country, received, wait.days) if wait.bank_days else received + wait.days
    return over + wait.full_days


def _after_bank_days(country: str, day: int, count: int) -> int:
    return to_day(bank_day_after(country, from_day(day), count=count))
