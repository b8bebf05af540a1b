"""Identifiers used twice, and the same thing under two identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.quality.finding import SLIP, Finding, share_of
from data.quality.linked import Linked
from data.quality.tally import Sums, Tally, added
from data.times import DAY_US, NEVER

HEADING = "Sequence numbers"

IDENTIFIERS = (("debtors", "debtor_id"), ("claims", "claim_id"), ("payments", "payment_id"))
EVENTS = (("contact_events", "event_id"), ("claim_events", "event_id"))

SHARED: Mapping[str, str] = {"debtor_id": "debtors", "decided_at": "moments", "channel": "channels"}
"""Column of `contacts`, and what a contact_id has several of where its rows differ in it."""

SAME: Mapping[str, Sequence[str]] = {
    "payments": ("claim_id", "paid_at", "amount", "currency"),
    "contact_events": ("contact_id", "at", "kind"),
    "claim_events": ("claim_id", "at", "kind", "stage"),
}
"""Columns in which two rows of a table are the same thing told twice."""

NEAR_SHARE = 0.01
"""Payments of the same amount on the same claim within a day: single ones are people who paid twice."""


@dataclass(frozen=True)
class Duplicates:
    """What stands twice.

    Attributes
    ----------
    repeated
        (table, column): rows with an identifier, those beyond the first with theirs.
    shared
        (column of `SHARED`): contacts, those whose rows differ in the column.
    same
        (table): rows, those that repeat another under an identifier of their own.
    near
        ("payments",): payments, those that follow one of the same amount on the same claim within a day, not at once.
    """

    repeated: Tally
    shared: Tally
    same: Tally
    near: Tally

    def plus(self, other: Duplicates) -> Duplicates:
        """Both shards together."""
        return added(self, other)

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each way of standing twice."""
        found = [(t, f"{c} used more than once", v) for (t, c), v in self.repeated.items()]
        found += [("contacts", f"contact_id of several {SHARED[str(c)]}", v) for (c,), v in self.shared.items()]
        found += [(t, "the same under two identifiers", v) for (t,), v in self.same.items()]
        found += [(t, "the same amount on the same claim within a day", v) for (t,), v in self.near.items()]
        return [
            {"table": table, "what": what, "rows": rows, "count": count, "share": share_of(count, rows)}
            for table, what, (rows, count) in found
        ]

    def findings(self) -> Iterator[Finding]:
        """The same told twice, more often than by a slip; identifiers used twice are the contract's to tell."""
        for (table,), (rows, count) in self.same.items():
            if count > SLIP * rows:
                sentence = f"rows repeat another in {', '.join(SAME[str(table)])} under an identifier of their own"
                remedy = "see whether the export tells them twice: they would count twice"
                yield Finding("look", HEADING, str(table), sentence, count, share_of(count, rows), remedy)
        for (table,), (rows, count) in self.near.items():
            if count > NEAR_SHARE * rows:
                sentence = "payments follow one of the same amount on the same claim within a day"
                remedy = "see whether booking and value date are told as two payments"
                yield Finding("look", HEADING, str(table), sentence, count, share_of(count, rows), remedy)


def duplicates(linked: Linked) -> Duplicates:
    """What stands twice in a portfolio."""
    repeated: Sums = {(t, c): _repeats(linked.tables[t].select([c]).drop_null()) for t, c in (*IDENTIFIERS, *EVENTS)}
    same: Sums = {(name,): _repeats(linked.tables[name].select(list(columns))) for name, columns in SAME.items()}
    for table, column in (*EVENTS, ("payments", "payment_id")):
        # What bears the same identifier too is told as such.
        rows, count = same[(table,)]
        same[(table,)] = rows, max(0, count - repeated[table, column][1])
    return Duplicates(repeated, _shared(linked), same, {("payments",): _near(linked)})


def _repeats(keys: pa.Table) -> tuple[int, int]:
    """Rows, and rows beyond the first with the same values."""
    distinct = keys.group_by(keys.column_names, use_threads=False).aggregate([]).num_rows
    return keys.num_rows, keys.num_rows - distinct


def _shared(linked: Linked) -> Tally:
    """Contacts, and those whose rows differ, by column."""
    found: Sums = {}
    known = linked.contact_of_row >= 0
    leading = linked.first[linked.contact_of_row[known]]
    for column in SHARED:
        whole = linked.tables["contacts"].column(column)
        code = pc.fill_null(pc.dictionary_encode(whole.combine_chunks()).indices, -1).to_numpy()
        differs = code[known] != code[leading]
        found[column,] = (len(linked.first), len(np.unique(linked.contact_of_row[known][differs])))
    return found


def _near(linked: Linked) -> tuple[int, int]:
    """Payments, and those within a day after one of the same amount on the same claim, not at the same instant."""
    payments, paid_us = linked.tables["payments"], linked.us("payments", "paid_at")
    usable = (linked.claim_of_payment >= 0) & (paid_us != NEVER)
    amount = pc.fill_null(pc.dictionary_encode(payments.column("amount").combine_chunks()).indices, -1).to_numpy()
    claim, amount, paid_us = linked.claim_of_payment[usable], amount[usable], paid_us[usable]
    order = np.lexsort((paid_us, amount, claim))
    same = (np.diff(claim[order]) == 0) & (np.diff(amount[order]) == 0)
    apart = np.diff(paid_us[order])
    return len(claim), int((same & (apart > 0) & (apart <= DAY_US)).sum())
