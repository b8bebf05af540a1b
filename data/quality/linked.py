"""The tables of a portfolio as they belong together: which row names which, found once for all measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import positions
from data.outcomes import BoolArray, instants_us
from data.times import NEVER, IntArray

BEYOND_S = 1 << 33
"""Seconds of the year 2242: later instants count as this one where claim and second share one number."""


@dataclass(frozen=True)
class Linked:
    """Tables and the rows they name; a broken reference is -1, never an error.

    Attributes
    ----------
    tables
        All contract tables in contract types.
    first
        Row of `contacts` with which each contact begins (one `contact_id` may cover several claims), shape (c,).
    contact_of_row, claim_of_row, debtor_of_row
        Contact (an index into `first`), row of `claims` and row of `debtors` of each row of `contacts`.
    contact_of_event
        Contact of each row of `contact_events`.
    claim_of_payment, debtor_of_payment
        Row of `claims` and of `debtors` of each row of `payments`.
    """

    tables: Mapping[str, pa.Table]
    first: IntArray
    contact_of_row: IntArray
    claim_of_row: IntArray
    debtor_of_row: IntArray
    contact_of_event: IntArray
    claim_of_payment: IntArray
    debtor_of_payment: IntArray

    def text(self, table: str, column: str) -> pa.Array:
        """A column of text, null as empty."""
        whole = pc.fill_null(self.tables[table].column(column), "").combine_chunks()
        return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole

    def us(self, table: str, column: str) -> IntArray:
        """A column of instants, microseconds UTC, `NEVER` for null."""
        return instants_us(self.tables[table].column(column))

    def of_contact(self, column: str) -> pa.Array:
        """A text column of `contacts`, one entry for each contact, shape (c,)."""
        return self.text("contacts", column).take(pa.array(self.first))

    def contact_us(self, column: str) -> IntArray:
        """A column of instants of `contacts`, one entry for each contact, shape (c,)."""
        return self.us("contacts", column)[self.first]


def linked(tables: Mapping[str, pa.Table]) -> Linked:
    """The tables with what their rows name."""
    contacts, events, payments = tables["contacts"], tables["contact_events"], tables["payments"]
    lead = _rows(contacts, "contact_id", among=contacts)
    first = np.flatnonzero(lead == np.arange(contacts.num_rows))
    number = np.full(contacts.num_rows + 1, -1, dtype=np.int64)
    number[first] = np.arange(len(first))
    return Linked(
        tables,
        first,
        contact_of_row=number[lead],
        claim_of_row=_rows(contacts, "claim_id", among=tables["claims"]),
        debtor_of_row=_rows(contacts, "debtor_id", among=tables["debtors"]),
        contact_of_event=number[_rows(events, "contact_id", among=contacts)],
        claim_of_payment=_rows(payments, "claim_id", among=tables["claims"]),
        debtor_of_payment=_rows(payments, "debtor_id", among=tables["debtors"]),
    )


def _rows(table: pa.Table, column: str, *, among: pa.Table) -> IntArray:
    """Row of `among` that each row of `table` names, -1 where there is none."""
    found = positions(table.column(column), among.column(column))
    rows: IntArray = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return rows


def looked_up(values: IntArray, rows: IntArray, *, absent: int = NEVER) -> IntArray:
    """`values` at `rows`, `absent` where the row is -1."""
    return np.append(values, absent)[rows]


def paid_within(linked: Linked, *, horizon_days: float) -> BoolArray:
    """Whether an unreversed payment on a covered claim came within the horizon of each contact, shape (c,).

    To the second. Whether the horizon is over is not asked here.
    """
    kept = (linked.claim_of_payment >= 0) & (linked.us("payments", "reversed_at") == NEVER)
    paid = np.sort(_claim_seconds(linked.claim_of_payment[kept], linked.us("payments", "paid_at")[kept]))
    decided_us = linked.us("contacts", "decided_at")
    usable = (linked.claim_of_row >= 0) & (decided_us != NEVER) & (linked.contact_of_row >= 0)
    begin = _claim_seconds(linked.claim_of_row[usable], decided_us[usable])
    end = begin + round(horizon_days * 86_400)
    followed = np.searchsorted(paid, end) > np.searchsorted(paid, begin)
    found: BoolArray = np.zeros(len(linked.first), dtype=bool)
    found[linked.contact_of_row[usable][followed]] = True
    return found


def _claim_seconds(claim: IntArray, instant_us: IntArray) -> IntArray:
    """Claim and second in one number, so that one search finds both."""
    seconds: IntArray = claim * BEYOND_S * 2 + np.clip(instant_us // 1_000_000, 0, BEYOND_S)
    return seconds
