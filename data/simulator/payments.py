"""Payments of a window: which claims pay, when, through what, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.clock import Clocks
from data.simulator.debts import Claims, outstanding_cents
from data.simulator.draws import chance, pick, pick_weighted
from data.simulator.habits import LETTER, PHONE, Habits
from data.simulator.hazard import Hazard, exponentials
from data.simulator.response import QUICK_DAYS, QUICK_HOURS, SLOW_DAYS, spread
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, NEVER, IntArray

METHODS = ("bank_transfer", "card", "direct_debit", "mobile_payment")
FULL = np.array([0.93, 0.55, 0.82])
"""Chance that a payment of a small sum settles the claim, by segment."""
PART_LEAST, PART_MOST = 0.2, 0.7
TAKEN_BACK = 0.04
"""Chance that a part payment is reversed."""
SMALL_EUR = 25.0
QUIET_DAYS = 14


@dataclass(frozen=True)
class Paid:
    """Payments, shape (k,) each.

    Attributes
    ----------
    claim, cents, paid_us, known_us, reversed_us
        Row of the claim, amount, and when (`NEVER` where not reversed).
    contact
        Contact it is known to have come through, -1 where none is.
    via
        Channel of that contact, 0 without.
    cause
        Contact that brought it about, -1 where it came by itself; nobody sees this.
    cause_via
        Channel of that contact, 0 without.
    method
        Index in `METHODS`.
    planned
        It is the first instalment of a plan.
    """

    claim: IntArray
    cents: IntArray
    paid_us: IntArray
    known_us: IntArray
    reversed_us: IntArray
    contact: IntArray
    via: CodeArray
    cause: IntArray
    cause_via: CodeArray
    method: CodeArray
    planned: BoolArray


def full_chance(segment: CodeArray, outstanding_eur: FloatArray) -> FloatArray:
    """Chance that a payment settles the claim, smaller for large sums, shape (k,)."""
    share = np.clip(FULL[segment] - 0.07 * np.log(np.maximum(outstanding_eur, 150.0) / 150.0), 0.2, 1.0)
    return np.where(outstanding_eur < SMALL_EUR, 1.0, share)


def lasting(segment: CodeArray, outstanding_eur: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of a payment: chance that it is not taken back, and mean share of what is owed that stays paid, (k,) each."""
    full = full_chance(segment, outstanding_eur)
    stays = 1.0 - (1.0 - full) * TAKEN_BACK
    share = full + (1.0 - full) * (1.0 - TAKEN_BACK) * (PART_LEAST + PART_MOST) / 2
    return stays, share


def draw_payments(claims: Claims, hazard: Hazard, *, habits: Habits, clocks: Clocks, rng: np.random.Generator) -> Paid:
    """At most one payment for each claim of a window; the claims' own state is left to `book`."""
    window = hazard.window
    debtor = claims.debtor[window.rows]
    by_day = hazard.base + hazard.effect.sum(axis=2)
    so_far = np.cumsum(by_day, axis=1)
    draw = exponentials(debtor, len(habits.segment), rng=rng)
    pays = np.flatnonzero(draw < so_far[:, -1]) if so_far.shape[1] else np.zeros(0, np.int64)
    day = (so_far[pays] <= draw[pays, None]).sum(axis=1)
    weights = np.concatenate([hazard.base[pays, day, None], hazard.effect[pays, day]], axis=1)
    which = pick_weighted(rng, weights).astype(np.int64) - 1
    rows = window.rows[pays]
    low, high = window.edges()
    begins, ends = low[pays, day], np.minimum(high[pays, day], NEVER // 4)
    slot = np.maximum(which, 0)
    arrives = np.where(which >= 0, claims.arrives_us[rows, slot], 0)
    begins = np.maximum(begins, arrives)
    quickly = (which >= 0) & _quickly(rng, claims.quick[rows, slot], since_us=begins - arrives, until_us=ends - arrives)
    paid_us = _usual_time(debtor[pays], begins, ends=ends, habits=habits, clocks=clocks, rng=rng)
    paid_us[quickly] = _quick_time(rng, begins[quickly], ends=ends[quickly], arrives=arrives[quickly])
    cause = np.where(which >= 0, claims.through[rows, slot], -1)
    cause_via = np.where(which >= 0, claims.via[rows, slot], 0).astype(np.int16)
    return _complete(claims, rows, paid_us=paid_us, cause=cause, cause_via=cause_via, habits=habits, rng=rng)


def _quickly(rng: np.random.Generator, quick: FloatArray, *, since_us: IntArray, until_us: IntArray) -> BoolArray:
    """Whether effects that came between two times since arrival are of the quick part."""
    one, zero = np.ones_like(quick), np.zeros_like(quick)
    fast = quick * (spread(until_us, one) - spread(since_us, one))
    slow = (1.0 - quick) * (spread(until_us, zero) - spread(since_us, zero))
    return rng.random(len(quick)) * (fast + slow) < fast


def _quick_time(rng: np.random.Generator, begins: IntArray, *, ends: IntArray, arrives: IntArray) -> IntArray:
    """Instants in [begins, ends), exponential since arrival."""
    scale = QUICK_HOURS * HOUR_US
    last = np.minimum((ends - arrives) / scale, QUICK_DAYS * 24 / QUICK_HOURS)
    first, last = np.exp(-(begins - arrives) / scale), np.exp(-last)
    since = -scale * np.log(first - rng.random(len(first)) * (first - last))
    at_us: IntArray = np.clip(arrives + np.floor(since).astype(np.int64), begins, ends - 1)
    return at_us


def _usual_time(
    debtor: IntArray, begins: IntArray, *, ends: IntArray, habits: Habits, clocks: Clocks, rng: np.random.Generator
) -> IntArray:
    """Instants in [begins, ends), at most a day long: at the person's usual hour if it lies in between."""
    hour = np.clip(habits.peak_hour[debtor] + rng.normal(0, 2.4, len(debtor)), 6.0, 23.9)
    ahead = (hour - clocks.hour_of_day(debtor, begins)) % 24.0
    usual = begins + (ahead * HOUR_US).astype(np.int64)
    any_time = begins + (rng.random(len(debtor)) * (ends - begins)).astype(np.int64)
    return np.where(usual < ends, usual, any_time)


def _complete(
    claims: Claims,
    rows: IntArray,
    *,
    paid_us: IntArray,
    cause: IntArray,
    cause_via: CodeArray,
    habits: Habits,
    rng: np.random.Generator,
) -> Paid:
    """Amounts, attribution, method, delay and reversal of payments at given times."""
    size = len(rows)
    debtor = claims.debtor[rows]
    owed = outstanding_cents(claims, rows)
    full = chance(rng, full_chance(habits.segment[debtor], owed / 100.0 * claims.rate[rows]), size=size)
    part = _part_cents(rng, owed)
    contact, via = _attributed(claims, rows, paid_us=paid_us, cause=cause, cause_via=cause_via, habits=habits, rng=rng)
    method = np.where(
        contact >= 0, pick(rng, size, shares=[0.1, 0.45, 0.0, 0.45]), pick(rng, size, shares=[0.72, 0.1, 0.1, 0.08])
    )
    method = np.where(via == LETTER, 0, method)
    slow = (method == 0) & (contact < 0) & chance(rng, 0.4, size=size)
    back = ~full & chance(rng, TAKEN_BACK, size=size)
    lag = np.where(slow & ~back, rng.integers(4 * HOUR_US, 3 * DAY_US, size), 0)
    offered = np.where(cause_via == PHONE, 0.55, np.where(cause >= 0, 0.3, 0.08))
    return Paid(
        claim=rows,
        cents=np.where(full, owed, part),
        paid_us=paid_us,
        known_us=paid_us + lag,
        reversed_us=np.where(back, paid_us + rng.integers(2 * DAY_US, 9 * DAY_US, size), NEVER),
        contact=contact,
        via=via,
        cause=cause,
        cause_via=cause_via,
        method=method.astype(np.int16),
        planned=~full & ~back & chance(rng, offered, size=size),
    )


def _part_cents(rng: np.random.Generator, owed: IntArray) -> IntArray:
    """Between a fifth and seven tenths of what is owed, in whole units where the sum is not tiny."""
    cents = owed * rng.uniform(PART_LEAST, PART_MOST, len(owed))
    return np.maximum(np.where(owed > 20_000, np.round(cents / 100) * 100, np.round(cents)), 1).astype(np.int64)


def _attributed(
    claims: Claims,
    rows: IntArray,
    *,
    paid_us: IntArray,
    cause: IntArray,
    cause_via: CodeArray,
    habits: Habits,
    rng: np.random.Generator,
) -> tuple[IntArray, CodeArray]:
    """Contact that a payment is known to have come through, and its channel.

    Most payments that a contact brought about are; and of those that came by themselves, some use the link of the
    latest contact, which then looks as if it had worked.
    """
    size = len(rows)
    seen = np.where(cause_via == LETTER, 0.35, 0.88)
    own = (cause >= 0) & chance(rng, seen, size=size)
    arrived = (claims.through[rows] >= 0) & (claims.arrives_us[rows] <= paid_us[:, None])
    recent = (
        arrived
        & (paid_us[:, None] - claims.arrives_us[rows] < SLOW_DAYS * DAY_US)
        & ~np.isin(claims.via[rows], (LETTER, PHONE))
    )
    latest = np.argmax(recent, axis=1)
    borrowed = (cause < 0) & recent.any(axis=1) & chance(rng, habits.link_use[claims.debtor[rows]], size=size)
    row = np.arange(size)
    contact = np.where(own, cause, np.where(borrowed, claims.through[rows][row, latest], -1))
    via = np.where(own, cause_via, np.where(borrowed, claims.via[rows][row, latest], 0))
    return contact, via.astype(np.int16)


def book(claims: Claims, paid: Paid) -> None:
    """Enter payments into the state of the claims."""
    rows = paid.claim
    stays = paid.reversed_us == NEVER
    claims.paid_cents[rows] += np.where(stays, paid.cents, 0)
    late = rows[paid.known_us > paid.paid_us]
    claims.unknown_cents[late] = paid.cents[paid.known_us > paid.paid_us]
    claims.unknown_until_us[late] = paid.known_us[paid.known_us > paid.paid_us]
    back = rows[~stays]
    claims.undone_cents[back], claims.undone_us[back] = paid.cents[~stays], paid.reversed_us[~stays]
    claims.quiet_until_us[rows] = paid.paid_us + QUIET_DAYS * DAY_US
    done = outstanding_cents(claims, rows) <= 0
    claims.settled_us[rows[done]] = paid.paid_us[done]
    claims.closed_us[rows[done]] = paid.known_us[done]
    claims.close_reason[rows[done]] = 0
