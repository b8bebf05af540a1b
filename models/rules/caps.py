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
from models._cap_kernels import Counting, Told, with_enough
from models.rules.pack import BadPack, Cap, Pack
from models.rules.rule import DebtorSlots, Facts, named_channels
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


def sets_caps(facts: Facts, scope: str) -> bool:
    """Whether some pack sets a cap of a scope."""
    caps = _caps_of(facts.packs_here, scope, facts.grid.channels)
    return bool(caps.caps or caps.none.any())


def shut(facts: Facts, scope: str, *, concerned: BoolArray) -> BoolArray | None:
    """Channels of caps that allow no contact at all to those concerned (n,), shape (n, C); None where no cap says so."""
    none = _caps_of(facts.packs_here, scope, facts.grid.channels).none
    return none[facts.pack_of_debtor] & concerned[:, None] if none.any() else None


def at_cap(facts: Facts, scope: str, *, counted: Counted) -> DebtorSlots | None:
    """Slots of debtors at which an owner of theirs has its full number of contacts; None where none has.

    Raises
    ------
    BadPack
        A cap counts over more days than contacts are told for.
    """
    caps, made = _caps_of(facts.packs_here, scope, facts.grid.channels), facts.situation.made
    told = Told(
        made.debtor, made.channel, made.send_us, made.statutory, facts.situation.as_of_us, facts.pack_of_debtor
    )  # fmt: skip
    enough = with_enough(caps.counting, told, counted.contact, counted.owner, len(counted.debtor))
    found = []
    for number in dict.fromkeys(enough.cap.tolist()):
        cap, mine = caps.caps[number], enough.cap == number
        debtor, slots = _full(facts, cap, enough.contact[mine], owner=enough.owner[mine], debtor=counted.debtor)
        found.append((debtor, facts.channels_named(*cap.channels), slots))
    return _together(facts, found)


@dataclass(frozen=True, eq=False)
class _Caps:
    """Caps of one scope that allow some contact, what they count, and by pack the channels of those that allow none.

    `none` has shape (packs + 1, C), all False behind the packs.
    """

    caps: tuple[Cap, ...]
    counting: Counting
    none: BoolArray


@lru_cache(maxsize=256)
def _caps_of(packs: tuple[Pack, ...], scope: str, channels: tuple[str, ...]) -> _Caps:
    """Caps of one scope; those of several countries that say the same are one."""
    rows: dict[tuple[tuple[str, ...], int, int], list[int]] = {}
    caps, none = {}, np.zeros((len(packs) + 1, len(channels) - 1), dtype=bool)
    for row, pack in enumerate(packs):
        for cap in [cap for cap in pack.caps if cap.scope == scope]:
            _check(pack, cap)
            key = (cap.channels, cap.most, cap.days)
            if cap.most:
                rows.setdefault(key, []).append(row)
                caps[key] = cap
            else:
                none[row] |= named_channels(channels, cap.channels)
    found = tuple(caps.values())
    binds = np.zeros((len(found), len(packs) + 1), dtype=bool)
    for number, here in enumerate(rows.values()):
        binds[number, here] = True
    most, days = (
        np.array([one.most for one in found], dtype=np.int64),
        np.array([one.days for one in found], dtype=np.int64),
    )
    counts = np.array([_codes(cap, channels) for cap in found], dtype=bool).reshape(len(found), len(channels) + 1)
    return _Caps(found, Counting(most, (days + 1) * DAY_US, binds, counts), none)


def _codes(cap: Cap, channels: tuple[str, ...]) -> list[bool]:
    """Whether a cap counts each channel of a grid, by code; behind them that of code -1, which the grid has not.

    It may be any that the cap names and the grid does not.
    """
    counts = [number > 0 and name in cap.channels for number, name in enumerate(channels)]
    return [*counts, any(name not in channels for name in cap.channels)]


def _check(pack: Pack, cap: Cap) -> None:
    if cap.days > LONGEST_DAYS:
        raise BadPack(
            f"{pack.country} cap: expected at most {LONGEST_DAYS} days, came {cap.days}: older contacts are not told"
        )


def _full(
    facts: Facts, cap: Cap, contact: IntArray, *, owner: IntArray, debtor: IntArray
) -> tuple[IntArray, BoolArray]:
    """Debtor of each owner that has contacts, and its slots at which the cap is reached in some zone: (o,) and (o, S)."""
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
    if not found:
        return None
    debtor = np.unique(np.concatenate([one for one, _, _ in found]))
    slots = np.zeros((len(debtor), len(facts.grid.channels) - 1, facts.grid.slots), dtype=bool)
    for whose, channels, full in found:
        mine = np.zeros((len(debtor), facts.grid.slots), dtype=bool)
        np.logical_or.at(mine, np.searchsorted(debtor, whose), full)
        slots |= channels[:, None] & mine[:, None, :]
    some = slots.any(axis=(1, 2))
    return DebtorSlots(debtor[some], slots[some])
