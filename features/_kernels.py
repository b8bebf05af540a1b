"""Loops over one debtor's time-sorted facts. Arrays in, arrays filled; a fact counts when it happened and was known.

In every kernel `debtor` and `as_of` name the moments, shape (d,), int64; `start` is the offset table of the facts; the
arrays behind the star in the docstring are OUT and come in filled with zeros.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from data.times import DAY_US, DayArray, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS, daypart_of_hour
from features.columns import BoolArray, CodeArray, FloatArray

CLICKED = CONTACT_EVENT_KINDS.index("clicked")
ANSWERED = CONTACT_EVENT_KINDS.index("answered")
CONVERSATION = CONTACT_EVENT_KINDS.index("conversation")
PROMISED = CONTACT_EVENT_KINDS.index("promised")
OPTED_OUT = CONTACT_EVENT_KINDS.index("opted_out")
WRONG_PERSON = CONTACT_EVENT_KINDS.index("wrong_person")

STAGE = CLAIM_EVENT_KINDS.index("stage")
DISPUTE_OPENED = CLAIM_EVENT_KINDS.index("dispute_opened")
DISPUTE_CLOSED = CLAIM_EVENT_KINDS.index("dispute_closed")
HOLD_PLACED = CLAIM_EVENT_KINDS.index("hold_placed")
HOLD_LIFTED = CLAIM_EVENT_KINDS.index("hold_lifted")
PLAN_AGREED = CLAIM_EVENT_KINDS.index("plan_agreed")
PLAN_BROKEN = CLAIM_EVENT_KINDS.index("plan_broken")
INBOUND = CLAIM_EVENT_KINDS.index("inbound")

_part = njit(cache=True, nogil=True)(daypart_of_hour)


@njit(cache=True, nogil=True)
def walk_contacts(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    decided: IntArray,
    known: IntArray,
    channel: CodeArray,
    hour: CodeArray,
    made: IntArray,
    by_part: IntArray,
    last_30: IntArray,
    last_90: IntArray,
    last_us: IntArray,
    last_channel: IntArray,
) -> None:
    """Contacts made before each moment. OUT: made (d, C), by_part (d, 3), last_30, last_90, last_us, last_channel (d,)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if decided[j] >= as_of[i]:
                break
            if known[j] >= as_of[i] or channel[j] <= 0:
                continue
            age = as_of[i] - decided[j]
            made[i, channel[j]] += 1
            by_part[i, _part(hour[j])] += 1
            last_30[i] += age <= 30 * DAY_US
            last_90[i] += age <= 90 * DAY_US
            last_us[i] = decided[j]
            last_channel[i] = channel[j]


@njit(cache=True, nogil=True)
def walk_contact_events(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    at: IntArray,
    known: IntArray,
    kind: CodeArray,
    channel: CodeArray,
    hour: CodeArray,
    sent_hour: CodeArray,
    first: BoolArray,
    first_reach: BoolArray,
    reached: IntArray,
    responded: IntArray,
    reached_by_part: IntArray,
    by_part: IntArray,
    opted_out: BoolArray,
    wrong_person: BoolArray,
    last_us: IntArray,
) -> None:
    """Responses before each moment. OUT: reached, responded, opted_out, wrong_person (d, C); both by_part (d, 3); last_us (d,)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if at[j] >= as_of[i]:
                break
            if known[j] >= as_of[i] or channel[j] < 0:
                continue
            what, via = kind[j], channel[j]
            if what == OPTED_OUT:
                opted_out[i, via] = True
            elif what == WRONG_PERSON:
                wrong_person[i, via] = True
            if first_reach[j]:
                reached[i, via] += 1
                reached_by_part[i, _part(sent_hour[j])] += 1
            if (what == CLICKED or what == ANSWERED) and first[j]:
                responded[i, via] += 1
                by_part[i, _part(hour[j])] += 1
                last_us[i] = at[j]


@njit(cache=True, nogil=True)
def walk_promises(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    at: IntArray,
    known: IntArray,
    kind: CodeArray,
    promised_us: IntArray,
    pay_start: IntArray,
    paid_us: IntArray,
    paid_known: IntArray,
    reversed_us: IntArray,
    kept: IntArray,
    broken: IntArray,
    open_until: IntArray,
) -> None:
    """Promises before each moment. OUT (d,): kept (paid by three days after, not reversed), broken, open_until (latest not yet due)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if at[j] >= as_of[i]:
                break
            if known[j] >= as_of[i] or kind[j] != PROMISED:
                continue
            if promised_us[j] > as_of[i]:
                open_until[i] = max(open_until[i], promised_us[j])
                continue
            paid = False
            for p in range(pay_start[debtor[i]], pay_start[debtor[i] + 1]):
                in_time = at[j] <= paid_us[p] <= promised_us[j] + 3 * DAY_US
                seen = paid_us[p] < as_of[i] and paid_known[p] < as_of[i] and reversed_us[p] >= as_of[i]
                paid = paid or (in_time and seen)
            kept[i] += paid
            broken[i] += not paid


@njit(cache=True, nogil=True)
def walk_payments(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    paid: IntArray,
    known: IntArray,
    reversed_us: IntArray,
    channel: CodeArray,
    hour: CodeArray,
    month_day: CodeArray,
    ever: IntArray,
    last_90: IntArray,
    last_365: IntArray,
    through: IntArray,
    by_part: IntArray,
    by_day: IntArray,
    last_us: IntArray,
) -> None:
    """Payments before each moment, reversed ones left out. OUT: through (d, C), by_part (d, 3), by_day (d, 32), others (d,)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if paid[j] >= as_of[i]:
                break
            if known[j] >= as_of[i] or reversed_us[j] < as_of[i]:
                continue
            age = as_of[i] - paid[j]
            ever[i] += 1
            last_90[i] += age <= 90 * DAY_US
            last_365[i] += age <= 365 * DAY_US
            last_us[i] = paid[j]
            by_day[i, month_day[j]] += 1
            by_part[i, _part(hour[j])] += 1
            if channel[j] > 0:
                through[i, channel[j]] += 1


@njit(cache=True, nogil=True)
def walk_claims(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    registered: IntArray,
    closed: IntArray,
    closed_paid: BoolArray,
    is_open: IntArray,
    paid: IntArray,
    unpaid: IntArray,
    last_365: IntArray,
) -> None:
    """Claims registered by each moment. OUT (d,): is_open, paid and unpaid (closed otherwise), last_365 (registered)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if registered[j] > as_of[i]:
                break
            last_365[i] += as_of[i] - registered[j] <= 365 * DAY_US
            if closed[j] > as_of[i]:
                is_open[i] += 1
            elif closed_paid[j]:
                paid[i] += 1
            else:
                unpaid[i] += 1


@njit(cache=True, nogil=True)
def fill_open_claims(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    registered: IntArray,
    closed: IntArray,
    claim: IntArray,
    moment: IntArray,
) -> None:
    """Every open claim of every moment, in order. OUT (m,): claim, moment."""
    row = 0
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if registered[j] > as_of[i]:
                break
            if closed[j] > as_of[i]:
                claim[row] = j
                moment[row] = i
                row += 1


@njit(cache=True, nogil=True)
def walk_claim_payments(
    claim: IntArray,
    owner: IntArray,
    as_of: IntArray,
    start: IntArray,
    of_claim: IntArray,
    paid: IntArray,
    known: IntArray,
    reversed_us: IntArray,
    amount: FloatArray,
    count: IntArray,
    total: FloatArray,
) -> None:
    """Payments on each claim before its moment; `owner` is its debtor. OUT (m,): count, total (own currency)."""
    for i in range(len(claim)):
        for j in range(start[owner[i]], start[owner[i] + 1]):
            if paid[j] >= as_of[i]:
                break
            if of_claim[j] == claim[i] and known[j] < as_of[i] and reversed_us[j] >= as_of[i]:
                count[i] += 1
                total[i] += amount[j]


@njit(cache=True, nogil=True)
def walk_claim_events(
    claim: IntArray,
    as_of: IntArray,
    start: IntArray,
    at: IntArray,
    known: IntArray,
    kind: CodeArray,
    stage: CodeArray,
    next_due: DayArray,
    now_stage: IntArray,
    stage_us: IntArray,
    now_next_due: DayArray,
    disputed: BoolArray,
    held: BoolArray,
    on_plan: BoolArray,
    plans_broken: IntArray,
    inbound_us: IntArray,
) -> None:
    """State of each claim at its moment. OUT (m,): now_stage comes in as -1, now_next_due as NO_DAY."""
    for i in range(len(claim)):
        for j in range(start[claim[i]], start[claim[i] + 1]):
            if at[j] >= as_of[i]:
                break
            if known[j] >= as_of[i]:
                continue
            what = kind[j]
            if what == STAGE:
                now_stage[i], stage_us[i], now_next_due[i] = stage[j], at[j], next_due[j]
            elif what == DISPUTE_OPENED or what == DISPUTE_CLOSED:
                disputed[i] = what == DISPUTE_OPENED
            elif what == HOLD_PLACED or what == HOLD_LIFTED:
                held[i] = what == HOLD_PLACED
            elif what == PLAN_AGREED or what == PLAN_BROKEN:
                on_plan[i] = what == PLAN_AGREED
                plans_broken[i] += what == PLAN_BROKEN
            elif what == INBOUND:
                inbound_us[i] = at[j]


@njit(cache=True, nogil=True)
def last_begun(debtor: IntArray, as_of: IntArray, start: IntArray, valid_from: IntArray, row: IntArray) -> None:
    """Last row that had begun by each moment. OUT (d,): row, comes in as -1."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if valid_from[j] > as_of[i]:
                break
            row[i] = j


@njit(cache=True, nogil=True)
def usable_points(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    channel: CodeArray,
    valid_from: IntArray,
    valid_to: IntArray,
    verified: BoolArray,
    withdrawn: BoolArray,
    usable: BoolArray,
) -> None:
    """Channels with a verified, consented point at each moment. OUT: usable (d, C)."""
    for i in range(len(debtor)):
        for j in range(start[debtor[i]], start[debtor[i] + 1]):
            if channel[j] >= 0 and valid_from[j] <= as_of[i] < valid_to[j] and verified[j] and not withdrawn[j]:
                usable[i, channel[j]] = True


def learned_pay_day(by_day: IntArray, *, least: int) -> CodeArray:
    """Day of the month on or within two days of which most payments fell, shape (d,); -1 with fewer than `least` there.

    `by_day` counts payments by day of the month, shape (d, 32), column 0 unused.

    >>> counts = np.zeros((1, 32), dtype=np.int64)
    >>> counts[0, [25, 26]] = 2
    >>> learned_pay_day(counts, least=2)
    array([25], dtype=int16)
    """
    around = by_day[:, 1:] + np.roll(by_day[:, 1:], -1, axis=1) + np.roll(by_day[:, 1:], -2, axis=1)
    weight = around * 64 + by_day[:, 1:]
    best = np.argmax(weight, axis=1)
    enough = around[np.arange(len(best)), best] >= least
    return np.where(enough, best + 1, -1).astype(np.int16)
