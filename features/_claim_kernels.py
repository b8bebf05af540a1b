"""Claims at a moment: loops over one debtor's claims, the events in their course, and the payments on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import DAY_US, NO_DAY, DayArray, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS
from features.catalogue import WINDOW_DAYS, WINDOWS
from features.columns import BoolArray, FloatArray
from features.tables import ClaimEvents, Claims, Contacts, Payments

STAGE = CLAIM_EVENT_KINDS.index("stage")
DISPUTE_OPENED = CLAIM_EVENT_KINDS.index("dispute_opened")
DISPUTE_CLOSED = CLAIM_EVENT_KINDS.index("dispute_closed")
HOLD_PLACED = CLAIM_EVENT_KINDS.index("hold_placed")
HOLD_LIFTED = CLAIM_EVENT_KINDS.index("hold_lifted")
PLAN_AGREED = CLAIM_EVENT_KINDS.index("plan_agreed")
PLAN_BROKEN = CLAIM_EVENT_KINDS.index("plan_broken")
INBOUND = CLAIM_EVENT_KINDS.index("inbound")

WINDOW_US = np.array([days * DAY_US for days in WINDOW_DAYS])
LAST_WINDOW = len(WINDOWS) - 1


class ClaimState(NamedTuple):
    """Each open claim at its moment, shape (m,): what is owed and where its course stands.

    `outstanding` is in the claim's own currency, never below 0, `outstanding_eur` the same in EUR; `stage` is -1 and
    `next_due_day` `NO_DAY` where not known; instants are 0 where nothing happened. `in_sector`, `in_sector_paid`,
    `in_sector_closed`, `of_creditor` count the debtor's claims so far in the same sector, and of the same creditor.
    """

    outstanding: FloatArray
    outstanding_eur: FloatArray
    payments: IntArray
    payment_us: IntArray
    contacts: IntArray
    in_sector: IntArray
    in_sector_closed: IntArray
    in_sector_paid: IntArray
    of_creditor: IntArray
    stage: IntArray
    stage_us: IntArray
    next_due_day: DayArray
    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray
    plans_broken: IntArray
    disputes: IntArray
    inbound_us: IntArray


class ClaimCounts(NamedTuple):
    """A debtor's claims at a moment, d moments.

    `registered` by window (d, W); `open`, `paid`, `unpaid`, `disputed`, `held`, `on_plan`, `open_sectors` (d,); `paid_days` sums the
    days from due date to closing of those closed as paid. `main_sector` and `stage` are -1, `due_day` and `next_due_day`
    (earliest of the open claims) `NO_DAY` where there is none.
    """

    registered: IntArray
    open: IntArray
    paid: IntArray
    unpaid: IntArray
    disputed: IntArray
    held: IntArray
    on_plan: IntArray
    open_sectors: IntArray
    paid_days: FloatArray
    last_us: IntArray
    main_sector: IntArray
    stage: IntArray
    due_day: IntArray
    next_due_day: IntArray
    total_eur: FloatArray
    largest_eur: FloatArray


def no_state(claims: int) -> ClaimState:
    """State to be filled by `describe_claims`."""
    count = [np.zeros(claims, dtype=np.int64) for _ in range(11)]
    marks = [np.zeros(claims, dtype=np.bool_) for _ in range(3)]
    stage, due = np.full(claims, -1, dtype=np.int64), np.full(claims, NO_DAY, dtype=np.int32)
    owed = [np.zeros(claims), np.zeros(claims)]
    return ClaimState._make([*owed, *count[:7], stage, count[7], due, *marks, *count[8:]])


def no_claims(moments: int) -> ClaimCounts:
    """Counts of nothing, to be filled by `describe_claims`."""
    count = [np.zeros(moments, dtype=np.int64) for _ in range(8)]
    below = [np.full(moments, missing, dtype=np.int64) for missing in (-1, -1, NO_DAY, NO_DAY)]
    registered = np.zeros((moments, len(WINDOWS)), dtype=np.int64)
    days, total, largest = (np.zeros(moments) for _ in range(3))
    return ClaimCounts._make([registered, *count[:7], days, count[7], *below, total, largest])


class OpenRows(NamedTuple):
    """Every open claim of some moments: `claim` and `moment` (m,), in order; `start[i]:start[i + 1]` are those of moment i."""

    start: IntArray
    claim: IntArray
    moment: IntArray


def open_rows(debtor: IntArray, as_of: IntArray, claims: Claims) -> OpenRows:
    """Every open claim of debtors at their moments, both of shape (d,)."""
    start = np.zeros(len(debtor) + 1, dtype=np.int64)
    _count_open(debtor, as_of, claims.start, claims.registered_us, claims.closed_us, start)
    rows = OpenRows(start, np.empty(start[-1], dtype=np.int64), np.empty(start[-1], dtype=np.int64))
    _fill_open(debtor, as_of, claims.start, claims.registered_us, claims.closed_us, rows)
    return rows


@njit(cache=True, nogil=True)
def _count_open(
    debtor: IntArray, as_of: IntArray, first: IntArray, registered_us: IntArray, closed_us: IntArray, start: IntArray
) -> None:
    for i in range(len(debtor)):
        start[i + 1] = start[i]
        for j in range(first[debtor[i]], first[debtor[i] + 1]):
            if registered_us[j] > as_of[i]:
                break
            start[i + 1] += closed_us[j] > as_of[i]


@njit(cache=True, nogil=True)
def _fill_open(
    debtor: IntArray, as_of: IntArray, first: IntArray, registered_us: IntArray, closed_us: IntArray, rows: OpenRows
) -> None:
    for i in range(len(debtor)):
        row = rows.start[i]
        for j in range(first[debtor[i]], first[debtor[i] + 1]):
            if registered_us[j] > as_of[i]:
                break
            if closed_us[j] > as_of[i]:
                rows.claim[row], rows.moment[row] = j, i
                row += 1


@njit(cache=True, nogil=True)
def describe_claims(
    debtor: IntArray,
    as_of: IntArray,
    eur: FloatArray,
    rate_row: IntArray,
    sectors: int,
    rows: OpenRows,
    claims: Claims,
    events: ClaimEvents,
    payments: Payments,
    contacts: Contacts,
    state: ClaimState,
    out: ClaimCounts,
) -> None:
    """Fill `state` for every open claim, in the order of `rows`, and `out` for every moment.

    `eur[rate_row[i], k]` is EUR for a unit of currency k at moment i; `sectors` is the number of sectors.
    """
    _count_claims(debtor, as_of, claims, out)
    _count_alike(debtor, as_of, sectors, rows, claims, state, out)
    _walk_courses(as_of, rows, events, state)
    _count_paid(debtor, as_of, rows, payments, state)
    _count_contacts(debtor, as_of, rows, claims, contacts, state)
    _owe(eur, rate_row, rows, claims, state)
    _sum_up(rows, claims, state, out)


@njit(cache=True, nogil=True)
def _count_claims(debtor: IntArray, as_of: IntArray, claims: Claims, out: ClaimCounts) -> None:
    for i in range(len(debtor)):
        for j in range(claims.start[debtor[i]], claims.start[debtor[i] + 1]):
            age = as_of[i] - claims.registered_us[j]
            if age < 0:
                break
            for w in range(len(WINDOW_US)):
                out.registered[i, w] += age <= WINDOW_US[w]
            out.registered[i, LAST_WINDOW] += 1
            out.last_us[i] = claims.registered_us[j]
            if claims.closed_us[j] > as_of[i]:
                out.open[i] += 1
            elif claims.closed_paid[j]:
                out.paid[i] += 1
                out.paid_days[i] += claims.closed_us[j] / DAY_US - claims.due_day[j]
            else:
                out.unpaid[i] += 1


@njit(cache=True, nogil=True)
def _count_alike(
    debtor: IntArray, as_of: IntArray, sectors: int, rows: OpenRows, claims: Claims, state: ClaimState, out: ClaimCounts
) -> None:
    """Claims of the same sector, and of the same creditor."""
    so_far, closed, paid = np.zeros((3, sectors), dtype=np.int64)
    for i in range(len(debtor)):
        so_far[:], closed[:], paid[:] = 0, 0, 0
        end = claims.start[debtor[i]]
        while end < claims.start[debtor[i] + 1] and claims.registered_us[end] <= as_of[i]:
            if claims.sector[end] >= 0:
                gone = claims.closed_us[end] <= as_of[i]
                so_far[claims.sector[end]] += 1
                closed[claims.sector[end]] += gone
                paid[claims.sector[end]] += gone and claims.closed_paid[end]
            end += 1
        most = 0
        for sector in range(sectors):
            if so_far[sector] > most:
                most, out.main_sector[i] = so_far[sector], sector
        for row in range(rows.start[i], rows.start[i + 1]):
            claim = rows.claim[row]
            sector = claims.sector[claim]
            if sector >= 0:
                state.in_sector[row], state.in_sector_closed[row] = abs(so_far[sector]) - 1, closed[sector]
                state.in_sector_paid[row] = paid[sector]
                out.open_sectors[i] += so_far[sector] > 0
                so_far[sector] = -abs(so_far[sector])  # seen among the open ones
            for other in range(claims.start[debtor[i]], end):
                state.of_creditor[row] += other != claim and claims.creditor[other] == claims.creditor[claim]


@njit(cache=True, nogil=True)
def _walk_courses(as_of: IntArray, rows: OpenRows, events: ClaimEvents, state: ClaimState) -> None:
    for row in range(len(rows.claim)):
        now = as_of[rows.moment[row]]
        for j in range(events.start[rows.claim[row]], events.start[rows.claim[row] + 1]):
            if events.at_us[j] >= now:
                break
            if events.known_us[j] >= now:
                continue
            kind, at = events.kind[j], events.at_us[j]
            if kind == STAGE:
                state.stage[row], state.stage_us[row] = events.stage[j], at
                state.next_due_day[row] = events.next_due_day[j]
            elif kind == DISPUTE_OPENED or kind == DISPUTE_CLOSED:
                state.disputed[row] = kind == DISPUTE_OPENED
                state.disputes[row] += kind == DISPUTE_OPENED
            elif kind == HOLD_PLACED or kind == HOLD_LIFTED:
                state.held[row] = kind == HOLD_PLACED
            elif kind == PLAN_AGREED or kind == PLAN_BROKEN:
                state.on_plan[row] = kind == PLAN_AGREED
                state.plans_broken[row] += kind == PLAN_BROKEN
            elif kind == INBOUND:
                state.inbound_us[row] = at


@njit(cache=True, nogil=True)
def _count_paid(debtor: IntArray, as_of: IntArray, rows: OpenRows, payments: Payments, state: ClaimState) -> None:
    """Sum what was paid on each open claim; `outstanding` holds the sum until `_owe` takes it from the principal."""
    for i in range(len(debtor)):
        first, end = rows.start[i], rows.start[i + 1]
        for p in range(payments.start[debtor[i]], payments.start[debtor[i] + 1]):
            if payments.paid_us[p] >= as_of[i]:
                break
            if payments.known_us[p] >= as_of[i] or payments.reversed_us[p] < as_of[i]:
                continue
            row = first
            while row < end and rows.claim[row] < payments.claim[p]:
                row += 1
            if row < end and rows.claim[row] == payments.claim[p]:
                state.payments[row] += 1
                state.payment_us[row] = payments.paid_us[p]
                state.outstanding[row] += payments.amount[p]


@njit(cache=True, nogil=True)
def _count_contacts(
    debtor: IntArray, as_of: IntArray, rows: OpenRows, claims: Claims, contacts: Contacts, state: ClaimState
) -> None:
    """Contacts since each open claim was registered: claims and contacts both from the latest to the earliest."""
    for i in range(len(debtor)):
        c, made = contacts.start[debtor[i] + 1] - 1, 0
        for row in range(rows.start[i + 1] - 1, rows.start[i] - 1, -1):
            registered = claims.registered_us[rows.claim[row]]
            while c >= contacts.start[debtor[i]] and contacts.decided_us[c] >= registered:
                known = contacts.decided_us[c] < as_of[i] and contacts.known_us[c] < as_of[i]
                made += known and contacts.channel[c] > 0
                c -= 1
            state.contacts[row] = made


@njit(cache=True, nogil=True)
def _owe(eur: FloatArray, rate_row: IntArray, rows: OpenRows, claims: Claims, state: ClaimState) -> None:
    for row in range(len(rows.claim)):
        claim = rows.claim[row]
        # Sums of floats miss zero by a hair, and a claim paid to the cent would still count as owed.
        cents = np.floor((claims.principal[claim] - state.outstanding[row]) * 100.0 + 0.5)
        state.outstanding[row] = max(cents / 100.0, 0.0)
        state.outstanding_eur[row] = state.outstanding[row] * eur[rate_row[rows.moment[row]], claims.currency[claim]]


@njit(cache=True, nogil=True)
def _sum_up(rows: OpenRows, claims: Claims, state: ClaimState, out: ClaimCounts) -> None:
    """What the open claims of each moment come to."""
    for row in range(len(rows.claim)):
        i, due, soon = rows.moment[row], claims.due_day[rows.claim[row]], state.next_due_day[row]
        out.total_eur[i] += state.outstanding_eur[row]
        out.largest_eur[i] = max(out.largest_eur[i], state.outstanding_eur[row])
        out.disputed[i] += state.disputed[row]
        out.held[i] += state.held[row]
        out.on_plan[i] += state.on_plan[row]
        out.stage[i] = max(out.stage[i], state.stage[row])
        if out.due_day[i] == NO_DAY or due < out.due_day[i]:
            out.due_day[i] = due
        if soon != NO_DAY and (out.next_due_day[i] == NO_DAY or soon < out.next_due_day[i]):
            out.next_due_day[i] = soon
