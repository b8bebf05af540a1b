"""The ends of waits: from an event to the beginning of a local day, in the last of the debtor's candidate zones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray, local_midnight_us
from data.calendar import bank_day_after
from data.times import DAY_US, IntArray, from_day, to_day
from data.vocabulary import STAGES
from models._wait_kernels import Begun, after_event, put_off
from models.rules.pack import Pack, Wait
from models.rules.rule import NOTHING, Barred, Facts, named_channels
from models.rules.zones import Candidates, of_each

BANK_DAY_SPAN = 4
"""Days that a bank day never takes more than, on average over a wait, the long holidays included."""


@dataclass(frozen=True, eq=False)
class Waits:
    """The waits of some packs after one kind of event, W of them.

    Attributes
    ----------
    wait, country
        Each wait, and the country of its pack, length W.
    pack
        Index of its pack, shape (W,).
    longest_us
        Time after which it is over for certain, shape (W,).
    channels
        Contact channels of the grid that it is about, shape (W, C).
    stages
        Stages in `vocabulary.STAGES` that begin it, and behind them False for one not known, shape (W, stages + 1).
    """

    wait: tuple[Wait, ...]
    country: tuple[str, ...]
    pack: IntArray
    longest_us: IntArray
    channels: BoolArray
    stages: BoolArray

    def __len__(self) -> int:
        return len(self.wait)


@lru_cache(maxsize=256)
def waits_of(packs: tuple[Pack, ...], after: str, channels: tuple[str, ...]) -> Waits:
    """The waits of packs after one kind of event, for the channels of a grid, `none` first."""
    found = [(row, pack, wait) for row, pack in enumerate(packs) for wait in pack.waits if wait.after == after]
    named = [named_channels(channels, wait.channels) for _, _, wait in found]
    begun_by = [[name in wait.stages for name in (*STAGES, None)] for _, _, wait in found]
    return Waits(
        tuple(wait for _, _, wait in found),
        tuple(pack.country for _, pack, _ in found),
        np.array([row for row, _, _ in found], dtype=np.int64),
        np.array([longest_us(wait) for _, _, wait in found], dtype=np.int64),
        np.array(named, dtype=bool).reshape(len(found), len(channels) - 1),
        np.array(begun_by, dtype=bool).reshape(len(found), len(STAGES) + 1),
    )


def longest_us(wait: Wait) -> int:
    """Time after which a wait is over for certain: most events lie years back."""
    days = wait.receipt_days + wait.days * (BANK_DAY_SPAN if wait.bank_days else 1)
    # A slot is never before the local date of `as_of`; three days and a fortnight of holidays are room enough.
    return (days + 3 + 14 * wait.bank_days) * DAY_US


def bars_after(facts: Facts, *, after: str, since_us: IntArray) -> Barred:
    """Slots before the end of every wait after an event of each debtor; `since_us` (n,) is 0 where there was none."""
    waits = waits_of(facts.packs_here, after, facts.grid.channels)
    begun = after_event(since_us, facts.situation.as_of_us, facts.pack_of_debtor, waits.pack, waits.longest_us)
    if not len(begun.debtor):
        return NOTHING
    until_us = no_wait(facts)
    put_off(until_us, begun.debtor, wait_ends(facts, begun, waits=waits), begun.wait, waits.channels)
    return Barred(until_us=until_us)


def no_wait(facts: Facts) -> IntArray:
    """Ends of waits where there is none, shape (n, C)."""
    return np.zeros((facts.situation.size, len(facts.grid.channels) - 1), dtype=np.int64)


def wait_ends(facts: Facts, begun: Begun, *, waits: Waits) -> IntArray:
    """Instants at which waits that have begun end where their debtors live, shape (k,)."""
    zones, several = Candidates.of(facts, begun.debtor), len(waits)

    def end_us(number: int, day: int) -> int:
        zone, one = divmod(number, several)
        return local_midnight_us(zones.names[zone], open_day(waits.wait[one], waits.country[one], day))

    number = zones.zone * several + begun.wait[zones.row]
    return zones.latest(of_each(end_us, number, zones.local_days(begun.since)))


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
