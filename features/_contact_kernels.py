"""What contacts met with: loops over one debtor's time-sorted contacts, their events, and the payments after them.

A fact counts at a moment when it happened and was known before it. Counts in windows are by the age of the contact, not of its
event: a rate over a window never exceeds 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import DAY_US, IntArray
from data.vocabulary import CONTACT_EVENT_KINDS, DAYPARTS
from features.catalogue import MEASURES, WEEKDAYS, WINDOW_DAYS, WINDOWS
from features.columns import BoolArray
from features.tables import ContactEvents, Contacts, Payments

CLICKED = CONTACT_EVENT_KINDS.index("clicked")
ANSWERED = CONTACT_EVENT_KINDS.index("answered")
PROMISED = CONTACT_EVENT_KINDS.index("promised")
OPTED_OUT = CONTACT_EVENT_KINDS.index("opted_out")
WRONG_PERSON = CONTACT_EVENT_KINDS.index("wrong_person")
COMPLAINED = CONTACT_EVENT_KINDS.index("complained")
BOUNCED = CONTACT_EVENT_KINDS.index("bounced")

MEASURE_OF_KIND = np.array([MEASURES.index(kind) if kind in MEASURES else -1 for kind in CONTACT_EVENT_KINDS])
WINDOW_US = np.array([days * DAY_US for days in WINDOW_DAYS])


class ContactCounts(NamedTuple):
    """What is known of each debtor's contacts at its moment, d moments; instants are 0 where nothing happened.

    By channel (`none` first) and window: `sent`, `mature` (horizon over), `paid_after` (d, C, W), `hits` (d, M, C, W); by
    channel: `reached`, `responded` and the instants (d, C). By part of the day (d, 3) and weekday (d, 7): contacts made and
    reached by when they were sent, responses by when they came. `hours` sums the local hours of responses.
    """

    sent: IntArray
    mature: IntArray
    paid_after: IntArray
    hits: IntArray
    reached: IntArray
    responded: IntArray
    last_contact_us: IntArray
    last_response_us: IntArray
    opted_out_of: BoolArray
    wrong_person_on: BoolArray
    made_part: IntArray
    reached_part: IntArray
    response_part: IntArray
    made_weekday: IntArray
    reached_weekday: IntArray
    response_weekday: IntArray
    hours: IntArray
    last_days: IntArray
    last_channel: IntArray
    run: IntArray
    since_response: IntArray
    since_payment: IntArray
    refusals: IntArray
    kept: IntArray
    broken: IntArray
    promise_us: IntArray
    open_until_us: IntArray
    click_us: IntArray
    paid_us: IntArray


def no_contacts(moments: int, channels: int) -> ContactCounts:
    """Counts of nothing, to be filled by `count_contacts`."""

    def zeros(*shape: int) -> IntArray:
        return np.zeros((moments, *shape), dtype=np.int64)

    windows, parts, weekdays = len(WINDOWS), len(DAYPARTS), len(WEEKDAYS)
    by_window = [zeros(channels, windows) for _ in range(3)]
    by_channel = [zeros(channels) for _ in range(4)]
    marks = [np.zeros((moments, channels), dtype=np.bool_) for _ in range(2)]
    by_time = [zeros(parts) for _ in range(3)] + [zeros(weekdays) for _ in range(3)]
    single = [zeros() for _ in range(5)]
    return ContactCounts._make(
        [*by_window, zeros(len(MEASURES), channels, windows), *by_channel, *marks, *by_time, zeros(), zeros(3), *single[:4],
        zeros(4), single[4], *(zeros() for _ in range(5))]
    )  # fmt: skip


@njit(cache=True, nogil=True)
def count_contacts(
    debtor: IntArray,
    as_of: IntArray,
    horizon_us: int,
    contacts: Contacts,
    events: ContactEvents,
    payments: Payments,
    out: ContactCounts,
) -> None:
    """Fill `out` (comes in as zeros) for each debtor at its moment, both of shape (d,)."""
    # Each loop runs over all moments by itself: handing these tuples on costs more than looking at a fact.
    _last_payments(debtor, as_of, payments, out)
    _count_marks(debtor, as_of, events, out)
    _count_responses(debtor, as_of, events, out)
    _count_made(debtor, as_of, contacts, out)
    _count_paid_after(debtor, as_of, horizon_us, contacts, payments, out)
    _count_promises(debtor, as_of, events, payments, out)
    _add_up(out)


@njit(inline="always")
def _window(age: int) -> int:
    return 0 if age <= WINDOW_US[0] else 1 if age <= WINDOW_US[1] else 2 if age <= WINDOW_US[2] else 3


@njit(inline="always")
def _valid(now: int, paid_us: int, known_us: int, reversed_us: int) -> bool:
    """Whether a payment had come, was known and stood at a moment."""
    return paid_us < now and known_us < now and reversed_us >= now


@njit(cache=True, nogil=True)
def _last_payments(debtor: IntArray, as_of: IntArray, payments: Payments, out: ContactCounts) -> None:
    for i in range(len(debtor)):
        for p in range(payments.start[debtor[i] + 1] - 1, payments.start[debtor[i]] - 1, -1):
            if _valid(as_of[i], payments.paid_us[p], payments.known_us[p], payments.reversed_us[p]):
                out.paid_us[i] = payments.paid_us[p]
                break


@njit(cache=True, nogil=True)
def _count_marks(debtor: IntArray, as_of: IntArray, events: ContactEvents, out: ContactCounts) -> None:
    """Clicks, promises and refusals, each event on its own, through whatever channel; one outside the grid is marked at 0."""
    for i in range(len(debtor)):
        for j in range(events.start[debtor[i]], events.start[debtor[i] + 1]):
            if events.at_us[j] >= as_of[i]:
                break
            kind, channel = events.kind[j], events.channel[j]
            if events.known_us[j] >= as_of[i]:
                continue
            if kind == CLICKED:
                out.click_us[i] = events.at_us[j]
            elif kind == PROMISED:
                out.promise_us[i] = events.at_us[j]
            elif kind == BOUNCED:
                out.refusals[i, 0] += 1
            elif kind == OPTED_OUT:
                out.opted_out_of[i, max(channel, 0)] = True
                out.refusals[i, 1] += 1
            elif kind == COMPLAINED:
                out.refusals[i, 2] += 1
            elif kind == WRONG_PERSON:
                out.wrong_person_on[i, max(channel, 0)] = True
                out.refusals[i, 3] += 1


@njit(cache=True, nogil=True)
def _count_responses(debtor: IntArray, as_of: IntArray, events: ContactEvents, out: ContactCounts) -> None:
    """What contacts met with, once for each contact and kind."""
    for i in range(len(debtor)):
        for j in range(events.start[debtor[i]], events.start[debtor[i] + 1]):
            if events.at_us[j] >= as_of[i]:
                break
            kind, channel = events.kind[j], events.channel[j]
            if channel <= 0 or events.counted_us[j] >= as_of[i]:
                continue
            if events.first_reach[j]:
                out.reached[i, channel] += 1
                out.reached_part[i, events.sent_part[j]] += 1
                out.reached_weekday[i, events.sent_weekday[j]] += 1
            measure = MEASURE_OF_KIND[kind]
            if measure < 0 or not events.first[j]:
                continue
            out.hits[i, measure, channel, _window(as_of[i] - events.decided_us[j])] += 1
            if kind == CLICKED or kind == ANSWERED:
                out.responded[i, channel] += 1
                out.response_part[i, events.part[j]] += 1
                out.response_weekday[i, events.weekday[j]] += 1
                out.hours[i] += events.hour[j]
                out.last_response_us[i, channel] = events.at_us[j]


@njit(cache=True, nogil=True)
def _count_made(debtor: IntArray, as_of: IntArray, contacts: Contacts, out: ContactCounts) -> None:
    for i in range(len(debtor)):
        response_us = 0
        for channel in range(out.last_response_us.shape[1]):
            response_us = max(response_us, out.last_response_us[i, channel])
        for j in range(contacts.start[debtor[i]], contacts.start[debtor[i] + 1]):
            decided, channel = contacts.decided_us[j], contacts.channel[j]
            if decided >= as_of[i]:
                break
            if contacts.known_us[j] >= as_of[i] or channel < 0:
                continue
            age = as_of[i] - decided
            out.sent[i, channel, _window(age)] += 1
            if channel == 0:
                continue
            out.made_part[i, contacts.part[j]] += 1
            out.made_weekday[i, contacts.weekday[j]] += 1
            out.last_days[i, 0] += age <= 3 * DAY_US
            out.last_days[i, 1] += age <= 7 * DAY_US
            out.last_days[i, 2] += age <= 14 * DAY_US
            out.last_contact_us[i, channel] = decided
            out.run[i] = out.run[i] + 1 if channel == out.last_channel[i] else 1
            out.last_channel[i] = channel
            out.since_response[i] += decided > response_us
            out.since_payment[i] += decided > out.paid_us[i]


@njit(cache=True, nogil=True)
def _count_paid_after(
    debtor: IntArray, as_of: IntArray, horizon_us: int, contacts: Contacts, payments: Payments, out: ContactCounts
) -> None:
    for i in range(len(debtor)):
        p, end = payments.start[debtor[i]], payments.start[debtor[i] + 1]
        for j in range(contacts.start[debtor[i]], contacts.start[debtor[i] + 1]):
            decided, channel = contacts.decided_us[j], contacts.channel[j]
            if decided + horizon_us > as_of[i] or decided >= as_of[i]:
                break
            if contacts.known_us[j] >= as_of[i] or channel < 0:
                continue
            while p < end:
                if payments.paid_us[p] >= decided and _valid(
                    as_of[i], payments.paid_us[p], payments.known_us[p], payments.reversed_us[p]
                ):
                    break
                p += 1
            window = _window(as_of[i] - decided)
            out.mature[i, channel, window] += 1
            out.paid_after[i, channel, window] += p < end and payments.paid_us[p] < decided + horizon_us


@njit(cache=True, nogil=True)
def _count_promises(
    debtor: IntArray, as_of: IntArray, events: ContactEvents, payments: Payments, out: ContactCounts
) -> None:
    for i in range(len(debtor)):
        if out.promise_us[i] == 0:
            continue
        for j in range(events.start[debtor[i]], events.start[debtor[i] + 1]):
            if events.at_us[j] >= as_of[i]:
                break
            if events.kind[j] != PROMISED or events.known_us[j] >= as_of[i]:
                continue
            if events.promised_us[j] > as_of[i]:
                out.open_until_us[i] = max(out.open_until_us[i], events.promised_us[j])
                continue
            kept = False
            for p in range(payments.start[debtor[i]], payments.start[debtor[i] + 1]):
                in_time = events.at_us[j] <= payments.paid_us[p] <= events.promised_us[j] + 3 * DAY_US
                kept = kept or (
                    in_time and _valid(as_of[i], payments.paid_us[p], payments.known_us[p], payments.reversed_us[p])
                )
            out.kept[i] += kept
            out.broken[i] += not kept and events.promised_us[j] + 3 * DAY_US <= as_of[i]


@njit(cache=True, nogil=True)
def _add_up(out: ContactCounts) -> None:
    """Turn counts by age into counts by window: the longer ones hold the shorter ones."""
    for i in range(out.sent.shape[0]):
        for channel in range(out.sent.shape[1]):
            for w in range(1, out.sent.shape[2]):
                out.sent[i, channel, w] += out.sent[i, channel, w - 1]
                out.mature[i, channel, w] += out.mature[i, channel, w - 1]
                out.paid_after[i, channel, w] += out.paid_after[i, channel, w - 1]
                for measure in range(out.hits.shape[1]):
                    out.hits[i, measure, channel, w] += out.hits[i, measure, channel, w - 1]
