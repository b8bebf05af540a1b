"""The course of claims besides contact: stages, disputes, holds, plans, inbound calls, and closing without payment.

Nothing of this happens to a claim in a window in which it is paid, so that it takes nothing from the chance of payment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.debts import STAGE_FROM_DAYS, Claims, outstanding_cents
from data.simulator.draws import chance
from data.simulator.habits import SHORT, UNWILLING, Habits
from data.simulator.payments import METHODS, Paid
from data.situation import CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, DayArray, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CLOSE_REASONS, STAGES

KIND = {name: code for code, name in enumerate(CLAIM_EVENT_KINDS)}
REASON = {name: code for code, name in enumerate(CLOSE_REASONS)}
STEP_DAYS = 14
"""Days from the beginning of a stage to the next due date."""
KEPT = 0.88
"""Chance that an instalment is paid."""
INSTALMENT_DAYS = 30


@dataclass(frozen=True)
class ClaimEvents:
    """Events, shape (e,) each: claim row, instant, index in `CLAIM_EVENT_KINDS`, stage or -1, date or `NO_DAY`."""

    claim: IntArray
    at_us: IntArray
    kind: CodeArray
    stage: CodeArray
    next_due_day: DayArray


def plain_events(claim: IntArray, at_us: IntArray, *, kind: str) -> ClaimEvents:
    """Events of one kind without a stage."""
    size = len(claim)
    return ClaimEvents(
        claim, at_us, np.full(size, KIND[kind], np.int16), np.full(size, -1, np.int16), np.full(size, NO_DAY, np.int32)
    )


def stage_events(claim: IntArray, at_us: IntArray, *, stage: CodeArray) -> ClaimEvents:
    """Beginnings of stages, each with its next due date."""
    due = (at_us // DAY_US + STEP_DAYS).astype(np.int32)
    return ClaimEvents(claim, at_us, np.full(len(claim), KIND["stage"], np.int16), stage, due)


def register(claims: Claims, rows: IntArray) -> ClaimEvents:
    """First stage of claims that come in, entered into their state: that of their age on the day."""
    age = claims.registered_us[rows] // DAY_US - claims.due_day[rows]
    stage = (np.searchsorted(STAGE_FROM_DAYS, age - claims.habit_days[rows], side="right") - 1).astype(np.int16)
    claims.stage[rows] = np.where(age < 0, 0, np.maximum(stage, 1))
    return stage_events(rows, claims.registered_us[rows] + 1_000_000, stage=claims.stage[rows].copy())


def move_stages(claims: Claims, rows: IntArray, *, start_us: IntArray, end_us: IntArray) -> ClaimEvents:
    """Next stage of claims whose time has come inside [start, end) of each, entered into their state; shape (k,)."""
    waits = claims.disputed[rows] | claims.held[rows] | claims.on_plan[rows] | (claims.stage[rows] >= len(STAGES) - 1)
    following = np.minimum(claims.stage[rows] + 1, len(STAGES) - 1)
    from_day = claims.due_day[rows] + np.array(STAGE_FROM_DAYS)[following] + claims.habit_days[rows]
    begins = np.maximum(from_day * DAY_US + 6 * HOUR_US, np.maximum(start_us, claims.registered_us[rows]) + HOUR_US)
    moves = ~waits & (begins < end_us) & (claims.settled_us[rows] > begins)
    claims.stage[rows[moves]] += 1
    return stage_events(rows[moves], begins[moves], stage=claims.stage[rows[moves]].copy())


def pay_instalments(
    claims: Claims, rows: IntArray, *, end_us: IntArray, rng: np.random.Generator
) -> tuple[Paid, ClaimEvents]:
    """Instalments of plans due before each row's end: paid, or the plan is broken; entered into the plan's state."""
    due = np.flatnonzero(claims.on_plan[rows] & (claims.plan_next_us[rows] < end_us))
    rows = rows[due]
    kept = chance(rng, KEPT, size=len(rows))
    at_us = claims.plan_next_us[rows] + rng.integers(0, 8 * HOUR_US, len(rows))
    broken = plain_events(rows[~kept], at_us[~kept], kind="plan_broken")
    claims.on_plan[rows[~kept]] = False
    paying, at_us = rows[kept], at_us[kept]
    claims.plan_next_us[paying] += INSTALMENT_DAYS * DAY_US
    claims.plan_left[paying] -= 1
    owed = outstanding_cents(claims, paying)
    cents = np.where(claims.plan_left[paying] <= 0, owed, np.minimum(claims.plan_cents[paying], owed))
    size = len(paying)
    none = np.full(size, -1)
    paid = Paid(
        claim=paying,
        cents=cents,
        paid_us=at_us,
        known_us=at_us,
        reversed_us=np.full(size, NEVER),
        contact=none,
        via=np.zeros(size, np.int16),
        cause=none,
        cause_via=np.zeros(size, np.int16),
        method=np.full(size, METHODS.index("direct_debit"), np.int16),
        planned=np.zeros(size, np.bool_),
    )
    return paid, broken


def agree_plans(claims: Claims, paid: Paid, *, rng: np.random.Generator) -> ClaimEvents:
    """Plans whose first instalment was just paid, entered into the state of their claims."""
    agreed = paid.planned & (claims.settled_us[paid.claim] == NEVER)
    rows, at_us = paid.claim[agreed], paid.paid_us[agreed]
    left = rng.integers(2, 6, len(rows))
    claims.on_plan[rows] = True
    claims.plan_left[rows] = left
    claims.plan_cents[rows] = -(-outstanding_cents(claims, rows) // left)
    claims.plan_next_us[rows] = (at_us // DAY_US + INSTALMENT_DAYS) * DAY_US + 9 * HOUR_US
    return plain_events(rows, at_us, kind="plan_agreed")


def trouble(
    claims: Claims, rows: IntArray, *, from_us: IntArray, end_us: IntArray, habits: Habits, rng: np.random.Generator
) -> list[ClaimEvents]:
    """Disputes, holds and inbound calls of unpaid claims, at an instant of [from, end) each, entered into their state."""
    days = np.maximum(end_us - from_us, 0) / DAY_US
    per_fortnight = days / 14.0
    at_us = from_us + (rng.random(len(rows)) * np.maximum(end_us - from_us - 1, 0)).astype(np.int64)
    segment = habits.segment[claims.debtor[rows]]
    free = (days > 0) & ~claims.disputed[rows] & ~claims.held[rows]
    draw = rng.random(len(rows))
    disputes = np.where(segment == UNWILLING, 0.03, 0.008) * per_fortnight
    opened = free & (draw < disputes)
    held = free & ~opened & (draw < disputes + 0.004 * per_fortnight)
    closed = claims.disputed[rows] & (draw < 0.35 * per_fortnight)
    lifted = claims.held[rows] & (draw < 0.40 * per_fortnight)
    calls = free & ~opened & ~held & (draw > 1 - np.where(segment == SHORT, 0.03, 0.012) * per_fortnight)
    claims.disputed[rows[opened]], claims.disputed[rows[closed]] = True, False
    claims.held[rows[held]], claims.held[rows[lifted]] = True, False
    happened = (
        ("dispute_opened", opened), ("dispute_closed", closed), ("hold_placed", held), ("hold_lifted", lifted), ("inbound", calls),
    )  # fmt: skip
    return [plain_events(rows[which], at_us[which], kind=name) for name, which in happened]


def close_unpaid(
    claims: Claims, rows: IntArray, *, from_us: IntArray, end_us: IntArray, rng: np.random.Generator
) -> None:
    """Claims withdrawn, sold or written off at an instant of [from, end) each, entered into their state."""
    per_fortnight = np.maximum(end_us - from_us, 0) / (14 * DAY_US)
    at_us = from_us + (rng.random(len(rows)) * np.maximum(end_us - from_us - 1, 0)).astype(np.int64)
    age: FloatArray = from_us / DAY_US - claims.due_day[rows]
    withdrawn = np.where(claims.disputed[rows], 0.06, 0.004)
    written_off = np.where(age > 240, 0.05, 0.0)
    sold = np.where(age > 180, 0.01, 0.0002)
    draw = rng.random(len(rows)) / np.maximum(per_fortnight, 1e-9)
    bounds = np.cumsum([withdrawn, written_off, sold], axis=0)
    ends = draw < bounds[-1]
    reason = np.array([REASON["withdrawn"], REASON["written_off"], REASON["sold"]])[
        (draw >= bounds).sum(axis=0).clip(max=2)
    ]
    claims.settled_us[rows[ends]] = claims.closed_us[rows[ends]] = at_us[ends]
    claims.close_reason[rows[ends]] = reason[ends]
