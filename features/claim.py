"""Features and state of a claim at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import DAY_US, NO_DAY, DayArray, IntArray
from features import _kernels as kernels
from features.columns import BoolArray, FloatArray
from features.debtor import Columns, since_days
from features.histories import Histories
from features.reference import Reference, code_of


@dataclass(frozen=True)
class ClaimState:
    """Each claim at its moment, shape (m,): what is owed and where its course stands.

    `outstanding` is in the claim's own currency, never below 0; `stage` -1 and `next_due_day` `NO_DAY` where not known;
    instants are 0 where nothing happened.
    """

    outstanding: FloatArray
    payments: IntArray
    stage: IntArray
    stage_us: IntArray
    next_due_day: DayArray
    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray
    plans_broken: IntArray
    inbound_us: IntArray


def claim_state(histories: Histories, claim: IntArray, *, as_of_us: IntArray) -> ClaimState:
    """State of claims (rows in `histories.claims`), each at its own moment, shape (m,)."""
    count, total = _paid(histories, claim, as_of_us)
    events, size = histories.claim_events, len(claim)
    stage, stage_us = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
    next_due = np.full(size, NO_DAY, dtype=np.int32)
    disputed, held, on_plan = (np.zeros(size, dtype=np.bool_) for _ in range(3))
    broken, inbound_us = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    kernels.walk_claim_events(
        claim,
        as_of_us,
        events.start,
        events.at_us,
        events.known_us,
        events.kind,
        events.stage,
        events.next_due_day,
        stage,
        stage_us,
        next_due,
        disputed,
        held,
        on_plan,
        broken,
        inbound_us,
    )
    # Sums of floats miss zero by a hair, and a claim paid to the cent would still count as owed.
    outstanding = np.maximum(np.round(histories.claims.principal[claim] - total, 2), 0.0)
    return ClaimState(outstanding, count, stage, stage_us, next_due, disputed, held, on_plan, broken, inbound_us)


def _paid(histories: Histories, claim: IntArray, as_of_us: IntArray) -> tuple[IntArray, FloatArray]:
    payments = histories.payments
    count, total = np.zeros(len(claim), dtype=np.int64), np.zeros(len(claim), dtype=np.float64)
    kernels.walk_claim_payments(
        claim,
        histories.claims.debtor[claim],
        as_of_us,
        payments.start,
        payments.claim,
        payments.paid_us,
        payments.known_us,
        payments.reversed_us,
        payments.amount,
        count,
        total,
    )
    return count, total


def claim_columns(
    histories: Histories,
    claim: IntArray,
    *,
    as_of_us: IntArray,
    state: ClaimState,
    outstanding_eur: FloatArray,
    reference: Reference,
) -> Columns:
    """Features of each claim at its moment, one float array of shape (m,) per name."""
    claims = histories.claims
    principal = np.maximum(claims.principal[claim], 0.01)
    today = as_of_us / DAY_US
    return {
        "sector": code_of(claims.sector, reference.sectors)[claim],
        "outstanding_log": np.log1p(outstanding_eur),
        "share_paid": 1.0 - state.outstanding / principal,
        "days_past_due": np.floor(today - claims.due_day[claim]),
        "claim_days": since_days(as_of_us, claims.registered_us[claim]),
        "claim_payments": state.payments.astype(np.float64),
        "stage": np.where(state.stage >= 0, state.stage, np.nan).astype(np.float64),
        "stage_days": since_days(as_of_us, state.stage_us),
        "to_next_due": np.where(state.next_due_day == NO_DAY, np.nan, state.next_due_day - np.floor(today)),
        "plans_broken": state.plans_broken.astype(np.float64),
        "since_inbound": since_days(as_of_us, state.inbound_us),
    }
