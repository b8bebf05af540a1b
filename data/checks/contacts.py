"""Contacts in themselves: sent or not, and one decision however many claims it covers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, positions, report
from data.problems import Notice, Problem, counted
from data.vocabulary import NONE

SHARED = ("debtor_id", "decided_at", "channel", "send_at")
"""What all rows of one contact have in common."""


def send_times(scope: Scope) -> Iterator[Problem]:
    """A contact has its time of sending; the decision not to make contact has none."""
    none = pc.equal(scope.column("contacts", "channel"), NONE)
    unsent = pc.is_null(scope.column("contacts", "send_at"))
    if not scope.sound("contacts", columns=("send_at",)):
        return
    yield from report(
        scope,
        "contacts",
        column="channel, send_at",
        mask=pc.and_(none, pc.invert(unsent)),
        what="send_at where channel is none",
        remedy="leave send_at null for none",
    )
    yield from report(
        scope,
        "contacts",
        column="channel, send_at",
        mask=pc.and_(pc.invert(none), unsent),
        what="no send_at though contact was made",
        remedy="give the time at which it was or is to be sent",
    )


def one_decision(scope: Scope) -> Iterator[Problem]:
    """Rows under one `contact_id` agree on debtor, channel and times."""
    contacts = scope.tables["contacts"]
    if not contacts.num_rows or not scope.sound("contacts", columns=("contact_id",)):
        return
    first = positions(contacts.column("contact_id"), contacts.column("contact_id")).combine_chunks()
    rows = pa.array(np.arange(contacts.num_rows, dtype=np.int32))
    follows = pc.not_equal(first, rows)
    later, leading = rows.filter(follows), first.filter(follows)
    for column in SHARED:
        differs = _differs(contacts.column(column).take(later), contacts.column(column).take(leading))
        if count := pc.sum(differs, min_count=0).as_py():
            row = later[pc.index(differs, True).as_py()].as_py()
            yield Problem(
                "contacts",
                column,
                value=str(contacts.column("contact_id")[row].as_py()),
                count=count,
                what=f"rows of one contact_id differ in {column}",
                remedy="give each decision a contact_id of its own",
            )


def _differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    """True where two values differ, or one of them only is null."""
    one_null = pc.xor(pc.is_null(left), pc.is_null(right))
    return pc.or_kleene(pc.not_equal(left, right), one_null)


def said_of_contacts(scope: Scope) -> Iterator[Notice]:
    """What a log of contacts cannot answer, though nothing in it is wrong."""
    contacts = scope.tables["contacts"]
    rows = contacts.num_rows
    if not rows:
        yield Notice("contacts", what="no rows: nothing can be learnt from them")
        return
    declined = pc.any(pc.equal(contacts.column("channel"), NONE)).as_py()
    if not declined and scope.sound("contacts", columns=("channel",)):
        yield Notice("contacts", what="no rows of channel none: gain over no contact is bounded, not identified")
    unknown = contacts.column("action_probability").null_count
    if unknown and scope.sound("contacts", columns=("action_probability",)):
        without = f"no action_probability in {counted(unknown, 'row')} of {rows:,}"
        yield Notice("contacts", what=f"{without}: these are left out of off-policy evaluation")
