"""What was known of each debtor at the first decision, to make comparisons of arms more precise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.outcomes import Payments, eur_rates, instants_us, payments_of
from data.portfolio import Portfolio
from data.times import DAY_US, IntArray
from training.reports.evidence import Rows
from training.reports.experiment import Entrants

FloatArray = npt.NDArray[np.float64]

YEAR_DAYS = 365
CONTACTS_DAYS = 90
COLUMNS = ("claims", "outstanding", "paid_before", "payments_before", "contacts_before", "expected_without_contact")


def background_of(entrants: Entrants, rows: Rows, portfolio: Portfolio, *, config: Config) -> FloatArray:
    """`COLUMNS` of each debtor as of the first decision, logarithms of one plus each, shape (n, 6).

    Claims open then and what was outstanding on them, EUR; EUR and number of payments in the year before on any claim;
    contacts in the 90 days before; EUR that the model expected without any contact.

    Notes
    -----
    Facts count by when they happened and when they became known. The model's chance of payment under the action chosen
    must not stand here: the arm chose the action. Its chance without contact is the same in the arms of one model.
    """
    size = len(entrants.debtor)
    left_eur = outstanding_eur(entrants, portfolio, rows, config=config)
    paid_eur, payments = _paid_before(entrants, portfolio, rows, config=config)
    first_row = _rows_at_entry(entrants, rows)
    expected = np.bincount(entrants.of_claim, weights=left_eur * rows.unaided_probability[first_row], minlength=size)
    columns = (
        np.bincount(entrants.of_claim, minlength=size),
        np.bincount(entrants.of_claim, weights=left_eur, minlength=size),
        paid_eur,
        payments,
        _contacts_before(entrants, portfolio, rows),
        expected,
    )
    found: FloatArray = np.log1p(np.column_stack(columns).astype(np.float64))
    return found


def outstanding_eur(entrants: Entrants, portfolio: Portfolio, rows: Rows, *, config: Config) -> FloatArray:
    """Principal less payments until the first decision of each claim decided on then, EUR of that day, shape (m,)."""
    table = portfolio["claims"].select(["claim_id", "principal", "currency"])
    row = pc.index_in(rows.claim_id, value_set=table["claim_id"].combine_chunks())
    claims = table.take(row.take(pa.array(entrants.claim)))
    entered_us = entrants.entered_us[entrants.of_claim]
    rate = eur_rates(claims["currency"], entered_us // DAY_US, rates=config.rates)
    owed: FloatArray = claims["principal"].cast(pa.float64()).to_numpy() * rate
    payments = payments_of(portfolio["payments"], rows.claim_id, rates=config.rates)
    paid = _paid(entrants.claim, entered_us, payments)
    return np.maximum(owed - paid, 0.0)


def _paid(claim: IntArray, until_us: IntArray, payments: Payments) -> FloatArray:
    """EUR paid on each claim before each instant, as known then."""
    row_of = np.full(int(max(claim.max(initial=0), payments.claim_row.max(initial=0))) + 2, -1)
    row_of[claim] = np.arange(len(claim))
    row = row_of[payments.claim_row]
    end_us = np.append(until_us, 0)[row]
    counts = (row >= 0) & (np.maximum(payments.paid_us, payments.known_us) < end_us) & (payments.reversed_us >= end_us)
    money = payments.amount_eur[counts]
    return np.bincount(row[counts], weights=money, minlength=len(claim)).astype(np.float64)


def _paid_before(
    entrants: Entrants, portfolio: Portfolio, rows: Rows, *, config: Config
) -> tuple[FloatArray, FloatArray]:
    """EUR and number of payments of each debtor in the year before, on any claim."""
    table = portfolio["payments"]
    size = len(entrants.debtor)
    row = _entrant_rows(table["debtor_id"], entrants, rows)
    found = payments_of(table, rows.claim_id, rates=config.rates)
    entered_us = np.append(entrants.entered_us, 0)[row]
    known = np.maximum(found.paid_us, found.known_us) < entered_us
    recent = found.paid_us >= entered_us - YEAR_DAYS * DAY_US
    here = (row >= 0) & known & recent & (found.reversed_us >= entered_us)
    money = np.bincount(row[here], weights=found.amount_eur[here], minlength=size).astype(np.float64)
    return money, np.bincount(row[here], minlength=size).astype(np.float64)


def _contacts_before(entrants: Entrants, portfolio: Portfolio, rows: Rows) -> FloatArray:
    table = portfolio["contacts"].filter(pc.not_equal(portfolio["contacts"]["channel"], "none"))
    coded = pc.dictionary_encode(table["contact_id"]).combine_chunks()
    _, first = np.unique(coded.indices.to_numpy(), return_index=True)
    one = table.take(pa.array(first))
    row = _entrant_rows(one["debtor_id"], entrants, rows)
    at_us = instants_us(one["decided_at"])
    known_us = np.maximum(at_us, instants_us(pc.coalesce(one["known_at"], one["decided_at"])))
    entered_us = np.append(entrants.entered_us, 0)[row]
    here = (row >= 0) & (known_us < entered_us) & (at_us >= entered_us - CONTACTS_DAYS * DAY_US)
    return np.bincount(row[here], minlength=len(entrants.debtor)).astype(np.float64)


def _entrant_rows(debtor_id: pa.ChunkedArray, entrants: Entrants, rows: Rows) -> IntArray:
    """Entrant of each row's debtor, -1 where there is none."""
    of_log = pc.fill_null(pc.index_in(debtor_id, value_set=rows.debtor_id.cast(pa.string())), -1).to_numpy()
    entrant = np.full(len(rows.debtor_id) + 1, -1)
    entrant[entrants.debtor] = np.arange(len(entrants.debtor))
    found: IntArray = entrant[of_log.astype(np.int64)]
    return found


def _rows_at_entry(entrants: Entrants, rows: Rows) -> IntArray:
    """Row of the log of each claim at its debtor's first decision, shape (m,)."""
    entrant = np.full(len(rows.debtor_id), -1)
    entrant[entrants.debtor] = np.arange(len(entrants.debtor))
    here = entrant[rows.debtor]
    first = np.flatnonzero((here >= 0) & (rows.decided_us == np.append(entrants.entered_us, 0)[here]))
    row_of = np.zeros(len(rows.claim_id), dtype=np.int64)
    row_of[rows.claim[first]] = first
    found: IntArray = row_of[entrants.claim]
    return found
