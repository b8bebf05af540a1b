"""Features of a claim at a moment."""

from __future__ import annotations

import numpy as np

from data.times import DAY_US, NO_DAY, IntArray
from features._claim_kernels import ClaimState
from features._columns_kernels import days_between, known_above, log_of, shrunk, since_days
from features.columns import FloatArray
from features.debtor import Columns
from features.reference import PRIOR_CONTACTS, Reference, code_of
from features.tables import Histories


def fill_claims(
    into: Columns,
    histories: Histories,
    claim: IntArray,
    *,
    as_of_us: IntArray,
    state: ClaimState,
    total_eur: FloatArray,
    reference: Reference,
) -> None:
    """Write every column of the claim's side.

    Parameters
    ----------
    claim, as_of_us, state
        Row in the histories, moment and state of each claim, shape (m,).
    total_eur
        What its debtor owes on all open claims, shape (m,).
    """
    claims, owed = histories.claims, state.outstanding_eur
    principal, today = np.maximum(claims.principal[claim], 0.01), as_of_us // DAY_US
    into["sector"][:] = code_of(histories.sectors, reference.sectors, claims.sector[claim])
    into["outstanding_log"][:] = log_of(owed)
    into["share_paid"][:] = 1.0 - state.outstanding / principal
    into["share_of_all"][:] = np.where(total_eur > 0, owed / np.where(total_eur > 0, total_eur, 1.0), np.nan)
    into["days_past_due"][:] = today - claims.due_day[claim]
    into["claim_days"][:] = since_days(as_of_us, claims.registered_us[claim])
    into["claim_payments"][:] = state.payments
    into["since_claim_payment"][:] = since_days(as_of_us, state.payment_us)
    into["contacts_since_claim"][:] = state.contacts
    into["sector_claims"][:] = state.in_sector
    into["sector_paid_rate"][:] = shrunk(
        state.in_sector_paid, state.in_sector_closed, reference.paid_claims_rate, PRIOR_CONTACTS
    )
    into["creditor_claims"][:] = state.of_creditor
    into["stage"][:] = known_above(state.stage, 0)
    into["stage_days"][:] = since_days(as_of_us, state.stage_us)
    into["to_next_due"][:] = days_between(state.next_due_day, today, NO_DAY)
    into["plans_broken"][:] = state.plans_broken
    into["disputes"][:] = state.disputes
    into["since_inbound"][:] = since_days(as_of_us, state.inbound_us)
