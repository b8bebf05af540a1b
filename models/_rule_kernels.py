"""Loops over debtors, channels and slots: what is left of the grid while the rules speak.

Shapes: n debtors, C contact channels, S slots of a channel in order of time, K calendar classes, k debtors with barred slots
of their own. `send_us` (K', S) are the slots' instants by class of (zone, local date), `of_debtor` (n,) each debtor's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.action_grid import BoolArray, CodeArray
from data.times import NEVER, NO_DAY, DayArray, IntArray

NONE_LEFT = np.int16(np.iinfo(np.int16).max)
"""In place of the first slot that is left, where none is."""


class Open(NamedTuple):
    """What is left to each debtor's channel: the slots in `[low, min(high, reach))`, less what is barred.

    Attributes
    ----------
    low, high, reach
        Slot numbers, shapes (n, C), (n,), (n, C).
    sure
        From this slot on also less those at which no point may be used (`at`), shape (n, C).
    of_class
        Calendar class of each debtor, shape (n,).
    slots, at
        Slots that are open by class, and those at which unsure points may not be used, shape (K, C, S).
    own_row, own
        Row of each debtor in `own`, -1 for none, shape (n,); barred slots, shape (k, C, S).
    """

    low: CodeArray
    high: CodeArray
    reach: CodeArray
    sure: CodeArray
    of_class: IntArray
    slots: BoolArray
    at: BoolArray
    own_row: IntArray
    own: BoolArray


@njit(cache=True, nogil=True)
def _begun(send_us: IntArray, instant_us: int) -> int:
    """Number of slots that begin before an instant."""
    if instant_us == NEVER:
        return len(send_us)
    count = 0
    for slot in range(len(send_us)):
        count += send_us[slot] < instant_us
    return count


@njit(cache=True, nogil=True)
def begin_at(until_us: IntArray, of_debtor: IntArray, send_us: IntArray, low: CodeArray) -> bool:
    """Put off first slots to the first that does not begin before an instant, (n, C), or (n, 1) for all channels; IN/OUT `low`.

    Gives whether any was.
    """
    some, wide = False, until_us.shape[1] > 1
    for i in range(len(low)):
        mine, number = send_us[of_debtor[i]], 0
        for c in range(low.shape[1]):
            if c == 0 or wide:
                instant_us = until_us[i, c if wide else 0]
                number = _begun(mine, instant_us) if instant_us > mine[0] else 0
            if number > low[i, c]:
                low[i, c] = number
                some = True
    return some


@njit(cache=True, nogil=True)
def end_at(from_us: IntArray, of_debtor: IntArray, send_us: IntArray, high: CodeArray) -> bool:
    """Bring ends forward to the first slot that does not begin before an instant (n,); IN/OUT `high`. Gives whether any was."""
    some = False
    for i in range(len(high)):
        number = _begun(send_us[of_debtor[i]], from_us[i])
        if number < high[i]:
            high[i] = number
            some = True
    return some


@njit(cache=True, nogil=True)
def reach_of(
    points: BoolArray,
    debtor: IntArray,
    channel: CodeArray,
    valid_to_us: IntArray,
    of_debtor: IntArray,
    send_us: IntArray,
    reach: CodeArray,
) -> None:
    """Number of slots that begin before the last of some points ends; points (p,), OUT `reach` (n, C), 0 without a point."""
    until_us = np.zeros(reach.shape, np.int64)
    for p in range(len(points)):
        if points[p]:
            i, c = debtor[p], channel[p] - 1
            until_us[i, c] = max(until_us[i, c], valid_to_us[p])
    for i in range(len(reach)):
        for c in range(reach.shape[1]):
            reach[i, c] = _begun(send_us[of_debtor[i]], until_us[i, c])


@njit(cache=True, nogil=True)
def maybe_minors(
    birth_day: DayArray, local_day: IntArray, debtor: IntArray, due_day: DayArray, adult_days: int
) -> tuple[IntArray, IntArray]:
    """Rows of debtors (k,) of unknown age or born less than some days before the first of today and their claims' due dates, and that date.

    `birth_day` and `local_day` (today) are (n,), claims (m,).
    """
    first, rows = local_day.copy(), np.empty(len(local_day), np.int64)
    for claim in range(len(debtor)):
        first[debtor[claim]] = min(first[debtor[claim]], due_day[claim])
    count = 0
    for i in range(len(first)):
        if birth_day[i] == NO_DAY or birth_day[i] + adult_days > first[i]:
            rows[count] = i
            count += 1
    return rows[:count], first[rows[:count]]


@njit(cache=True, nogil=True)
def drop(points: BoolArray, kept: BoolArray) -> bool:
    """Leave out some points, both (p,); IN/OUT `kept`. Gives whether any of them was still there."""
    some = False
    for p in range(len(kept)):
        some |= points[p] and kept[p]
        kept[p] &= not points[p]
    return some


@njit(cache=True, nogil=True)
def close(barred: BoolArray, slots: BoolArray) -> bool:
    """Close slots of calendar classes, both (K, C, S); IN/OUT `slots`. Gives whether any was open."""
    some = False
    for k in range(slots.shape[0]):
        for c in range(slots.shape[1]):
            for slot in range(slots.shape[2]):
                some |= barred[k, c, slot] and slots[k, c, slot]
                slots[k, c, slot] &= not barred[k, c, slot]
    return some


@njit(cache=True, nogil=True)
def shut(channels: BoolArray, number: int, first: CodeArray, channel_rule: CodeArray) -> None:
    """Name the rule that shuts channels, where one had a slot left; IN/OUT `first` and names, all (n, C)."""
    for i in range(len(first)):
        for c in range(first.shape[1]):
            if channels[i, c] and first[i, c] != NONE_LEFT:
                first[i, c], channel_rule[i, c] = NONE_LEFT, number


@njit(cache=True, nogil=True)
def hold(
    claims: BoolArray, number: int, debtor: IntArray, claim_rule: CodeArray, first: CodeArray, channel_rule: CodeArray
) -> None:
    """Name the rule that holds some claims (m,) that none held, and shuts debtors without a free claim. IN/OUT the last three."""
    some = False
    for claim in range(len(claims)):
        if claims[claim]:
            some = True
            if claim_rule[claim] < 0:
                claim_rule[claim] = number
    if not some:
        return
    free = np.zeros(len(first), np.bool_)
    for claim in range(len(claims)):
        free[debtor[claim]] |= claim_rule[claim] < 0
    for i in range(len(first)):
        for c in range(first.shape[1]):
            if not free[i] and first[i, c] != NONE_LEFT:
                first[i, c], channel_rule[i, c] = NONE_LEFT, number


@njit(cache=True, nogil=True)
def advance(left: Open, number: int, first: CodeArray, channel_rule: CodeArray) -> None:
    """Go on to the first slot that is still left, and name the rule where there is none any more; IN/OUT `first` and names (n, C).

    What was barred stays so: slots before the first one left are not looked at again.
    """
    low, high, reach, sure, of_class, slots, at, own_row, own = left
    for i in range(len(first)):
        k, mine = of_class[i], own_row[i]
        for c in range(first.shape[1]):
            if first[i, c] == NONE_LEFT:
                continue
            slot, end = max(first[i, c], low[i, c]), min(high[i], reach[i, c])
            while slot < end and not (
                slots[k, c, slot] and (slot < sure[i, c] or not at[k, c, slot]) and (mine < 0 or not own[mine, c, slot])
            ):
                slot += np.int16(1)
            if slot < end:
                first[i, c] = slot
            else:
                first[i, c] = NONE_LEFT
                channel_rule[i, c] = number


@njit(cache=True, nogil=True)
def write_allowed(left: Open, first: CodeArray, allowed: BoolArray) -> None:
    """Slots that are left, channel by channel behind action 0; OUT `allowed` (n, 1 + C * S), False where nothing is written."""
    _, high, reach, sure, of_class, slots, at, own_row, own = left
    width = slots.shape[2]
    for i in range(len(first)):
        k, mine = of_class[i], own_row[i]
        for c in range(first.shape[1]):
            for slot in range(first[i, c], min(high[i], reach[i, c])):
                allowed[i, 1 + c * width + slot] = (
                    slots[k, c, slot] and (slot < sure[i, c] or not at[k, c, slot])
                    and (mine < 0 or not own[mine, c, slot])
                )  # fmt: skip
