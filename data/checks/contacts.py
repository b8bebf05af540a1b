"""Contacts in themselves: sent or not, and one decision however many claims it covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, differs, positions, report
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
        unlike = differs(contacts.column(column).take(later), contacts.column(column).take(leading))
        if count := pc.sum(unlike, min_count=0).as_py():
            row = later[pc.index(unlike, True).as_py()].as_py()
            # Which of the rows is right cannot be told: none under this contact_id can be used.
            unusable = pc.is_in(first, value_set=leading.filter(unlike.combine_chunks()))
            yield Problem(
                "contacts",
                column,
                value=str(contacts.column("contact_id")[row].as_py()),
                count=count,
                what=f"rows of one contact_id differ in {column}",
                remedy="give each decision a contact_id of its own",
                unusable=pa.chunked_array([unusable]),
            )


@dataclass(frozen=True)
class ContactCounts:
    """What a log of contacts can answer, as numbers of rows that add up over shards.

    `declined` counts decisions not to make contact, `unknown` rows without `action_probability`; None where the column
    cannot be relied on.
    """

    rows: int
    declined: int | None
    unknown: int | None

    def __add__(self, other: ContactCounts) -> ContactCounts:
        return ContactCounts(
            self.rows + other.rows, _sum(self.declined, other.declined), _sum(self.unknown, other.unknown)
        )


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


def contact_counts(scope: Scope) -> ContactCounts | None:
    """Counts of a log of contacts; None where the table as a whole cannot be relied on."""
    if not scope.sound("contacts", columns=()):
        return None
    contacts = scope.tables["contacts"]
    declined = pc.sum(pc.equal(contacts.column("channel"), NONE), min_count=0).as_py()
    unknown = contacts.column("action_probability").null_count
    return ContactCounts(
        contacts.num_rows,
        declined if scope.sound("contacts", columns=("channel",)) else None,
        unknown if scope.sound("contacts", columns=("action_probability",)) else None,
    )


def said_of_contacts(counts: ContactCounts) -> Iterator[Notice]:
    """What a log of contacts cannot answer, though nothing in it is wrong."""
    if not counts.rows:
        yield Notice("contacts", what="no rows: nothing can be learnt from them")
        return
    if counts.declined == 0:
        yield Notice("contacts", what="no rows of channel none: gain over no contact is bounded, not identified")
    if counts.unknown:
        without = f"no action_probability in {counted(counts.unknown, 'row')} of {counts.rows:,}"
        yield Notice("contacts", what=f"{without}: these are left out of off-policy evaluation")
