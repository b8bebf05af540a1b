"""Caps: slots at which one contact more would be too many, counted on the debtor's local days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from data.local_time import local_us
from data.situation import RECALL_DAYS
from data.stretches import rows_of
from data.times import DAY_US, IntArray
from models.rules.pack import BadPack, Cap, Pack
from models.rules.rule import DebtorSlots, Facts
from models.rules.zones import Candidates

LONGEST_DAYS = RECALL_DAYS - 1


@dataclass(frozen=True)
class Counted:
    """Contacts that a cap may count, each with what it is counted for: (k,) rows of contacts and of owners.

    Owners are debtors or claims; `debtor` (owners,) is the row of each owner's debtor.
    """

    contact: IntArray
    owner: IntArray
    debtor: IntArray


def shut(facts: Facts, scope: str, *, concerned: BoolArray) -> BoolArray | None:
    """Channels of caps that allow no contact at all to those concerned (n,), shape (n, C); None where no cap says so."""
    caps = [(cap, packs) for cap, packs in _caps(facts.packs_here, scope) if cap.most == 0]
    none = [(_bound(facts, packs), facts.channels_named(*cap.channels)) for cap, packs in caps]
    return np.logical_or.reduce([(here & concerned)[:, None] & channels for here, channels in none]) if none else None


def at_cap(facts: Facts, scope: str, *, counted: Counted) -> DebtorSlots | None:
    """Slots of debtors at which an owner of theirs has its full number of contacts; None where none has.

    Raises
    ------
    BadPack
        A cap counts over more days than contacts are told for.
    """
    most, found = int(np.bincount(counted.owner).max(initial=0)), []
    for cap, packs in [(cap, packs) for cap, packs in _caps(facts.packs_here, scope) if 0 < cap.most <= most]:
        contact, owner = _under(facts, cap, _bound(facts, packs), counted)
        debtor, slots = _full(facts, cap, contact, owner=owner, debtor=counted.debtor)
        found.append((debtor, facts.channels_named(*cap.channels), slots))
    return _together(facts, found)


@lru_cache(maxsize=256)
def _caps(packs: tuple[Pack, ...], scope: str) -> tuple[tuple[Cap, tuple[int, ...]], ...]:
    """Caps of one scope with the packs that they stand in; those of several countries that say the same are one."""
    found: dict[tuple[object, ...], tuple[Cap, tuple[int, ...]]] = {}
    for row, pack in enumerate(packs):
        for cap in [cap for cap in pack.caps if cap.scope == scope]:
            _check(pack, cap)
            key = (cap.channels, cap.most, cap.days)
            found[key] = (cap, (*found[key][1], row) if key in found else (row,))
    return tuple(found.values())


def _bound(facts: Facts, packs: tuple[int, ...]) -> BoolArray:
    """Debtors whom one of some packs binds, shape (n,)."""
    binds = np.zeros(len(facts.packs_here) + 1, dtype=bool)  # the last is that of nobody's pack, -1
    binds[list(packs)] = True
    return binds[facts.pack_of_debtor]


def _check(pack: Pack, cap: Cap) -> None:
    if cap.days > LONGEST_DAYS:
        raise BadPack(
            f"{pack.country} cap: expected at most {LONGEST_DAYS} days, came {cap.days}: older contacts are not told"
        )


def _under(facts: Facts, cap: Cap, here: BoolArray, counted: Counted) -> tuple[IntArray, IntArray]:
    """Contacts that a cap counts and that may still matter, with their owners; only owners who have `most` of them."""
    made = facts.situation.made
    named = np.append(np.append(False, facts.channels_named(*cap.channels)), False)
    # Code -1 is a channel that the grid has not: it may be any that the cap names and the grid does not.
    named[-1] = any(name not in facts.grid.channels for name in cap.channels)
    counts = here[made.debtor] & named[made.channel] & ~made.statutory
    counts &= made.send_us > facts.situation.as_of_us[made.debtor] - (cap.days + 1) * DAY_US
    mine = counts[counted.contact]
    contact, owner = counted.contact[mine], counted.owner[mine]
    enough = np.bincount(owner, minlength=len(counted.debtor)) >= cap.most
    return contact[enough[owner]], owner[enough[owner]]


def _full(
    facts: Facts, cap: Cap, contact: IntArray, *, owner: IntArray, debtor: IntArray
) -> tuple[IntArray, BoolArray]:
    """Debtor of each owner that has contacts, and its slots at which the cap is reached in some zone: (o,) and (o, S)."""
    if not len(owner):
        return owner, np.zeros((0, facts.grid.slots), dtype=bool)
    owners, row = np.unique(owner, return_inverse=True)
    whose = debtor[owners]
    zones = Candidates.of(facts, whose)  # each owner in each of its zones is counted by itself
    start = np.searchsorted(zones.row, np.arange(len(owners) + 1))
    each, at = rows_of(start[row], start[row + 1])
    day = local_us(zones.names, zones.zone[at], facts.situation.made.send_us[contact[each]]) // DAY_US
    full = full_days(at, day, slot_day=_slot_days(facts, zones, whose), cap=cap)
    return whose, np.logical_or.reduceat(full, start[:-1], axis=0)


def _slot_days(facts: Facts, zones: Candidates, debtor: IntArray) -> IntArray:
    """Local dates of the slots of some debtors in each of their zones, shape (q, S)."""
    keys = facts.slots.of_debtor[debtor][zones.row] * len(zones.names) + zones.zone
    distinct, which = np.unique(keys, return_inverse=True)
    of_class, zone = np.divmod(distinct, len(zones.names))
    send_us = facts.slots.send_us[of_class, 1 : facts.grid.slots + 1]
    local = local_us(zones.names, np.repeat(zone, send_us.shape[1]), send_us.reshape(-1))
    return (local // DAY_US).reshape(send_us.shape)[which]


def full_days(row: IntArray, day: IntArray, *, slot_day: IntArray, cap: Cap) -> BoolArray:
    """Slots whose date lies in some run of `cap.days` dates with `cap.most` contacts or more, shape (o, S).

    Parameters
    ----------
    row, day
        Owner and local date of each contact, (k,).
    slot_day
        Local date of each slot, in rising order, (o, S).
    """
    first, span = slot_day[:, 0], int((slot_day[:, -1] - slot_day[:, 0]).max(initial=0))
    at = day - first[row] + cap.days  # column of a date; the first slot's date stands at `cap.days`
    inside = (at > 0) & (at < span + 2 * cap.days)
    count = np.zeros((len(slot_day), span + 2 * cap.days + 1), dtype=np.int16)
    np.add.at(count, (row[inside], at[inside]), 1)
    total = np.cumsum(count, axis=1)
    run = total[:, cap.days :] - total[:, : -cap.days]  # run t ends on the t-th date from the first slot's on
    # A slot's date is in the runs that end on it or up to `days - 1` dates after it.
    worst = np.lib.stride_tricks.sliding_window_view(run, cap.days, axis=1).max(axis=2)
    full: BoolArray = np.take_along_axis(worst, slot_day - first[:, None], axis=1) >= cap.most
    return full


def _together(facts: Facts, found: list[tuple[IntArray, BoolArray, BoolArray]]) -> DebtorSlots | None:
    """Slots barred by any of several caps; each with debtors (o,), channels (C,) and slots (o, S)."""
    debtor = np.unique(np.concatenate([one for one, _, _ in found])) if found else np.zeros(0, dtype=np.int64)
    if not len(debtor):
        return None
    slots = np.zeros((len(debtor), len(facts.grid.channels) - 1, facts.grid.slots), dtype=bool)
    for whose, channels, full in found:
        mine = np.zeros((len(debtor), facts.grid.slots), dtype=bool)
        np.logical_or.at(mine, np.searchsorted(debtor, whose), full)
        slots |= channels[:, None] & mine[:, None, :]
    some = slots.any(axis=(1, 2))
    return DebtorSlots(debtor[some], slots[some])
