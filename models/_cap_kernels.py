"""Loops over contacts that caps may count: which owners have as many of them as a cap allows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import IntArray
from features.columns import BoolArray, CodeArray


class Counting(NamedTuple):
    """What caps count, q of them.

    Attributes
    ----------
    most
        Contacts that are allowed, each at least 1, shape (q,).
    age_us
        Age from which on a contact counts no more for certain, shape (q,).
    packs
        Packs that a cap stands in, False behind them for none, shape (q, packs + 1).
    channels
        Channels by code that it counts, `none` first, behind them those that the grid has not (-1), shape (q, C + 2).
    """

    most: IntArray
    age_us: IntArray
    packs: BoolArray
    channels: BoolArray


class Enough(NamedTuple):
    """Contacts that a cap counts for an owner who has its full number of them, by cap; number of each, shape (k,)."""

    cap: IntArray
    contact: IntArray
    owner: IntArray


class Told(NamedTuple):
    """Contacts (c,), as `data.situation.Made` tells them, and when and under whose pack (-1 for none) their debtors are asked about (n,)."""

    debtor: IntArray
    channel: CodeArray
    send_us: IntArray
    statutory: BoolArray
    as_of_us: IntArray
    pack: IntArray


@njit(cache=True, nogil=True)
def with_enough(counting: Counting, told: Told, contact: IntArray, owner: IntArray, owners: int) -> Enough:
    """Contacts of owners, each a pair (l,), that are as many as a cap allows or more; owners are counted from 0 to `owners`."""
    most, age_us, packs, channels = counting
    debtor, channel, send_us, statutory, as_of_us, pack = told
    found, size = Enough(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)), 0
    counted, count = np.empty(len(contact), np.bool_), np.zeros(owners, np.int64)
    for again in range(2):
        if again and size:
            found, size = Enough(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)), 0
        elif again:
            break
        for cap in range(len(most)):
            for pair in range(len(contact)):
                row, i = contact[pair], debtor[contact[pair]]
                named = packs[cap, pack[i]] and channels[cap, channel[row]] and not statutory[row]
                counted[pair] = named and send_us[row] > as_of_us[i] - age_us[cap]
                count[owner[pair]] += counted[pair]
            for pair in range(len(contact)):
                if counted[pair] and count[owner[pair]] >= most[cap]:
                    if again:
                        found.cap[size], found.contact[size], found.owner[size] = cap, contact[pair], owner[pair]
                    size += 1
            count[owner] = 0
    return found
