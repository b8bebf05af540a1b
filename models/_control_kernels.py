"""The tenant's ladder, debtor by debtor: loops over claims and slots."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NO_STEP, NO_CHANNEL = -1, -1
NO_CLAIM_DAY = int(np.iinfo(np.int64).max)


class Ladder(NamedTuple):
    """A ladder on a grid.

    Attributes
    ----------
    starts
        Days past due from which each rung holds, ascending, shape (R,).
    channel
        Codes of each rung's channels in order of preference, `NO_CHANNEL` behind them, shape (R, C).
    hours_off
        How far each hour of the grid is from the rung's, shape (R, H).
    days, phone
        Days of the grid, and the code of the telephone there.
    gap_us, give_up_days, phone_from_eur
        As in `ControlSettings`.
    """

    starts: IntArray
    channel: IntArray
    hours_off: IntArray
    days: int
    phone: int
    gap_us: int
    give_up_days: int
    phone_from_eur: float


class Standing(NamedTuple):
    """Where each debtor stands, shape (n,) each.

    Local day and moment; last contact, 0 where none was; due day of the oldest covered claim; what is outstanding on the covered
    ones.
    """

    day: IntArray
    as_of_us: IntArray
    last_contact_us: IntArray
    due_day: IntArray
    owed_eur: FloatArray


@njit(cache=True, nogil=True)
def first_due(debtor: IntArray, due_day: npt.NDArray[np.int32], covered: BoolArray, size: int) -> IntArray:
    """Due day of each debtor's oldest covered claim, `NO_CLAIM_DAY` where none is covered, shape (size,)."""
    found = np.full(size, NO_CLAIM_DAY)
    for claim in range(len(debtor)):
        if covered[claim]:
            found[debtor[claim]] = min(found[debtor[claim]], due_day[claim])
    return found


@njit(cache=True, nogil=True)
def owed_by_debtor(debtor: IntArray, outstanding_eur: FloatArray, covered: BoolArray, size: int) -> FloatArray:
    """What is outstanding on each debtor's covered claims, shape (size,)."""
    found = np.zeros(size)
    for claim in range(len(debtor)):
        if covered[claim]:
            found[debtor[claim]] += outstanding_eur[claim]
    return found


@njit(cache=True, nogil=True)
def ladder_actions(ladder: Ladder, standing: Standing, allowed: BoolArray) -> IntArray:
    """Action of each debtor's rung, 0 where it has none, shape (n,); `allowed` has shape (n, A)."""
    day, as_of_us, last_contact_us, due_day, owed = standing
    found = np.zeros(len(allowed), np.int64)
    for row in range(len(allowed)):
        age_days = day[row] - due_day[row]
        recent = last_contact_us[row] > 0 and as_of_us[row] - last_contact_us[row] < ladder.gap_us
        step = np.searchsorted(ladder.starts, age_days, side="right") - 1
        if recent or due_day[row] == NO_CLAIM_DAY or age_days > ladder.give_up_days or step == NO_STEP:
            continue
        for channel in ladder.channel[step]:
            if channel == NO_CHANNEL or found[row]:
                break
            if channel != ladder.phone or owed[row] >= ladder.phone_from_eur:
                found[row] = _first_day_nearest_hour(allowed[row], channel, ladder.hours_off[step], ladder.days)
    return found


@njit(cache=True, nogil=True)
def _first_day_nearest_hour(allowed: BoolArray, channel: int, hours_off: IntArray, days: int) -> int:
    """Action on the channel's first day with an open slot, at the hour that is least off, the earlier of two; 0 where none is open."""
    hours = len(hours_off)
    for day in range(days):
        first, found = 1 + ((channel - 1) * days + day) * hours, 0
        for hour in range(hours):
            if allowed[first + hour] and (found == 0 or hours_off[hour] < hours_off[found - first]):
                found = first + hour
        if found:
            return found
    return 0
