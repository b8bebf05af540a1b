"""What came back from a contact: an answer of the person's own, and money through it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import BoolArray, Payments, instants_us, paid_pairs
from data.times import DAY_US, IntArray

RESPONSES = ("clicked", "answered", "conversation", "promised")
"""Events that only a person brings about. Opening is none of them: mail programs do it by themselves."""


def responded(
    contact_events: pa.Table,
    contact_id: pa.Array,
    *,
    decided_us: IntArray,
    horizon_days: float,
    known_until_us: int,
) -> BoolArray:
    """Whether a contact was answered within its horizon, as known at `known_until_us`, shape (n,).

    Parameters
    ----------
    contact_id, decided_us
        Contact and instant of each decision, shape (n,).

    >>> events = pa.table({"contact_id": ["a"], "kind": ["clicked"], "at": pa.array([5], pa.timestamp("us", "UTC")),
    ...                    "known_at": pa.array([None], pa.timestamp("us", "UTC"))})
    >>> responded(events, pa.array(["a", "b"]), decided_us=np.zeros(2, np.int64), horizon_days=1, known_until_us=9).tolist()
    [True, False]
    """
    kind = contact_events["kind"].cast(pa.string())
    chosen = contact_events.filter(pc.is_in(kind, value_set=pa.array(RESPONSES)))
    names = pc.unique(contact_id)
    at_us = instants_us(chosen["at"])
    known_us = instants_us(pc.coalesce(chosen["known_at"], chosen["at"]))
    contact = _place(chosen["contact_id"], names)
    counts = (contact >= 0) & (known_us <= known_until_us)
    first_us = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first_us, contact[counts], at_us[counts])
    answered: BoolArray = first_us[_place(contact_id, names)] < decided_us + round(horizon_days * DAY_US)
    return answered


def paid_through(
    table: pa.Table,
    payments: Payments,
    *,
    contact_id: pa.Array,
    claim_row: IntArray,
    decided_us: IntArray,
    horizon_days: float,
    known_until_us: int,
) -> BoolArray:
    """Whether something was paid on a claim through the contact's own link, code or call within the horizon, shape (n,).

    Parameters
    ----------
    table, payments
        The contract's payments, and the same as `payments_of` gives them.
    contact_id, claim_row, decided_us
        Contact, claim and instant of each decision, shape (n,).
    """
    names = pc.unique(contact_id)
    contact, own = _place(table["contact_id"], names), _place(contact_id, names)
    pairs = paid_pairs(
        decided_us, claim_row, payments=payments, horizon_days=horizon_days, known_until_us=known_until_us
    )
    mine = pairs.decision[contact[pairs.payment] == own[pairs.decision]]
    through: BoolArray = np.bincount(mine, minlength=len(own)) > 0
    return through


def _place(values: pa.Array | pa.ChunkedArray, names: pa.Array) -> IntArray:
    """Place of each value in `names`, -1 where it is not there, shape (n,)."""
    found = pc.fill_null(pc.index_in(values.cast(pa.string()), value_set=names.cast(pa.string())), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)
