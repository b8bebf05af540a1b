"""Features of a claim at a moment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from data.times import DAY_US, NO_DAY, IntArray
from features._claim_kernels import ClaimState
from features._columns_kernels import days_between, known_above, shrunk, since_days
from features.columns import FloatArray
from features.places import ClaimPlaces, claim_places
from features.reference import PRIOR_CONTACTS, Reference, code_of
from features.tables import Claims, Histories

Matrix = npt.NDArray[np.float32]


def fill_claims(
    matrix: Matrix,
    histories: Histories,
    claim: IntArray,
    *,
    as_of_us: IntArray,
    state: ClaimState,
    total_eur: FloatArray,
    reference: Reference,
) -> None:
    """Write every column of the claim's side, OUT (m, F).

    Parameters
    ----------
    claim, as_of_us, state
        Row in the histories, moment and state of each claim, shape (m,).
    total_eur
        What its debtor owes on all open claims, shape (m,).
    """
    claims = histories.claims
    sector = code_of(histories.sectors, reference.sectors, claims.sector[claim])
    _write(matrix, claim_places(), as_of_us, claim, sector, claims, state, total_eur, reference.paid_claims_rate)


@njit(cache=True, nogil=True)
def _write(
    out: Matrix,
    at: ClaimPlaces,
    as_of: IntArray,
    claim: IntArray,
    sector: FloatArray,
    claims: Claims,
    state: ClaimState,
    total_eur: FloatArray,
    usual_paid: float,
) -> None:
    for row in range(len(claim)):
        now, today, one, owed = as_of[row], as_of[row] // DAY_US, claim[row], state.outstanding_eur[row]
        closed, paid = state.in_sector_closed[row], state.in_sector_paid[row]
        out[row, at.sector] = sector[row]
        out[row, at.outstanding_log] = np.log1p(owed)
        out[row, at.share_paid] = 1.0 - state.outstanding[row] / np.maximum(claims.principal[one], 0.01)
        out[row, at.share_of_all] = owed / total_eur[row] if total_eur[row] > 0 else np.nan
        out[row, at.days_past_due] = today - claims.due_day[one]
        out[row, at.claim_days] = since_days(now, claims.registered_us[one])
        out[row, at.claim_payments] = state.payments[row]
        out[row, at.since_claim_payment] = since_days(now, state.payment_us[row])
        out[row, at.contacts_since_claim] = state.contacts[row]
        out[row, at.sector_claims] = state.in_sector[row]
        out[row, at.sector_paid_rate] = shrunk(paid, closed, usual_paid, PRIOR_CONTACTS)
        out[row, at.creditor_claims] = state.of_creditor[row]
        out[row, at.stage] = known_above(state.stage[row], 0)
        out[row, at.stage_days] = since_days(now, state.stage_us[row])
        out[row, at.to_next_due] = days_between(state.next_due_day[row], today, NO_DAY)
        out[row, at.plans_broken] = state.plans_broken[row]
        out[row, at.disputes] = state.disputes[row]
        out[row, at.since_inbound] = since_days(now, state.inbound_us[row])
