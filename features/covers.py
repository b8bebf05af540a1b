"""Which claims each contact covers, from the rows of the log of contacts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.times import NEVER, IntArray
from features._sorting import sorted_by_owner
from features.columns import codes, given, offsets, rows_of
from features.tables import Covers

NOTICES = ("letter", "digital_mailbox")
"""Channels through which a step that the law prescribes may be taken."""


def places_of(number: IntArray, order: IntArray, size: int) -> IntArray:
    """Place in `order` of each row's number below `size`, -1 where it is not in it, shape (rows,).

    >>> places_of(np.array([2, 0, 1, 2]), np.array([2, 0]), 3).tolist()
    [0, 1, -1, 0]
    """
    place = np.full(size + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[number]


def first_known(number: IntArray, known_us: IntArray, size: int) -> IntArray:
    """When the first row of each number below `size` came to be known, `NEVER` without one; rows of number -1 are left out.

    >>> first_known(np.array([0, -1, 0]), np.array([7, 3, 5]), 1).tolist()
    [5]
    """
    first, mine = np.full(size, NEVER), number >= 0
    np.minimum.at(first, number[mine], known_us[mine])
    return first


def covers_of(table: pa.Table, contact: IntArray, claim_keys: pa.Array, *, contacts: int, known_us: IntArray) -> Covers:
    """Claims by contact.

    Parameters
    ----------
    contact, known_us
        Contact of each row of the table, -1 where it is nobody's, and when the row came to be known, shape (rows,).
    contacts
        Number of contacts.
    """
    claim = rows_of(table["claim_id"], claim_keys)
    order = sorted_by_owner(np.where(claim >= 0, contact, -1), claim)
    statutory = given(table, "statutory_step")[order]
    notice = statutory & (codes(table, "channel", NOTICES)[order] >= 0)
    return Covers(offsets(contact[order], contacts), claim[order], known_us[order], statutory, notice)
