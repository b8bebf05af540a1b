"""Which claims each contact covers, from the rows of the log of contacts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.times import NEVER, IntArray
from features._sorting import sorted_by_owner
from features.columns import known_instants, offsets, rows_of
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


def covers_of(table: pa.Table, contact: IntArray, claim_keys: pa.Array, contacts: int) -> Covers:
    """Claims by contact; `contact` (rows,) is the contact of each row of the table, -1 where it is nobody's."""
    claim = rows_of(table["claim_id"], claim_keys)
    order = sorted_by_owner(np.where(claim >= 0, contact, -1), claim)
    known = known_instants(table, "decided_at")[order]
    statutory = np.asarray(table["statutory_step"].is_valid().to_numpy(), dtype=np.bool_)
    written = np.asarray(pc.is_in(table["channel"], pa.array(NOTICES)).to_numpy(), dtype=np.bool_)
    notice = statutory & written
    return Covers(offsets(contact[order], contacts), claim[order], known, statutory[order], notice[order])


def bounces_of(events: pa.Table, contact_keys: pa.Array) -> IntArray:
    """When each contact's first bounce came to be known, `NEVER` where none is told, shape (contacts,)."""
    bounced = events.filter(pc.equal(events["kind"], "bounced"))
    contact, found = rows_of(bounced["contact_id"], contact_keys), np.full(len(contact_keys), NEVER)
    mine = contact >= 0
    np.minimum.at(found, contact[mine], known_instants(bounced, "at")[mine])
    return found
