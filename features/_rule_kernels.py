"""What contact rules ask of the past at a moment: loops over one debtor's contacts, their events, and the course of its claims.

A fact counts when it happened and was known before the moment; a contact happens when it is decided on, sent or not yet.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.situation import RECALL_DAYS
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS
from features.columns import BoolArray, CodeArray
from features.tables import ClaimEvents, Claims, ContactEvents, ContactPoints, Contacts, Covers, Payments

CONVERSATION = CONTACT_EVENT_KINDS.index("conversation")
CLICKED = CONTACT_EVENT_KINDS.index("clicked")
PROMISED = CONTACT_EVENT_KINDS.index("promised")
INBOUND = CLAIM_EVENT_KINDS.index("inbound")
RECALL_US = RECALL_DAYS * DAY_US


class Marks(NamedTuple):
    """Last conversation, last click after which nothing was paid, last sign of the debtor; claims paid, and late; (d,) each."""

    talked_us: IntArray
    clicked_us: IntArray
    inbound_us: IntArray
    paid_claims: IntArray
    paid_late: IntArray


class Sent(NamedTuple):
    """Contacts by when they were sent: the last of each moment (d,), how many are recalled and linked (d,), and by open claim.

    `first_us` is (m, C) with the grid's channels and `first_statutory_us` (m,) the first statutory letter, of those not known
    to have bounced; `statutory_us` (m,) is the last statutory step.
    """

    last_us: IntArray
    recalled: IntArray
    linked: IntArray
    first_us: IntArray
    first_statutory_us: IntArray
    statutory_us: IntArray


class Recalled(NamedTuple):
    """Single contacts (k,) and their links to open claims (l,), as `data.situation.Made` tells them; `row` is the contact's.

    A contact is `statutory` if it is a statutory letter on every claim that it is known to cover.
    """

    moment: IntArray
    row: IntArray
    statutory: BoolArray
    link_contact: IntArray
    link_claim: IntArray


def no_sent(moments: int, claims: int, channels: int) -> Sent:
    """Nothing sent, to be filled by `walk_sent`."""
    last, recalled, linked = np.zeros((3, moments), dtype=np.int64)
    first, first_statutory = np.full((claims, channels), NEVER), np.full(claims, NEVER)
    return Sent(last, recalled, linked, first, first_statutory, np.zeros(claims, dtype=np.int64))


def no_recalled(sent: Sent) -> Recalled:
    """Room for the contacts that `sent` counted, to be filled by `recall`."""
    contacts, links = int(sent.recalled.sum()), int(sent.linked.sum())
    moment, row = np.zeros((2, contacts), dtype=np.int64)
    link_contact, link_claim = np.zeros((2, links), dtype=np.int64)
    return Recalled(moment, row, np.zeros(contacts, dtype=np.bool_), link_contact, link_claim)


@njit(cache=True, nogil=True)
def mark(
    debtor: IntArray,
    as_of: IntArray,
    claims: Claims,
    courses: ClaimEvents,
    events: ContactEvents,
    payments: Payments,
    phone: int,
    out: Marks,
) -> None:
    """Fill `out` (comes in as zeros) for each debtor at its moment; `phone` is the code of calls."""
    _mark_events(debtor, as_of, events, payments, phone, out)
    _mark_claims(debtor, as_of, claims, courses, out)


@njit(cache=True, nogil=True)
def _mark_events(
    debtor: IntArray, as_of: IntArray, events: ContactEvents, payments: Payments, phone: int, out: Marks
) -> None:
    for i in range(len(debtor)):
        for j in range(events.start[debtor[i]], events.start[debtor[i] + 1]):
            if events.at_us[j] >= as_of[i]:
                break
            if events.counted_us[j] >= as_of[i]:
                continue
            # Who promises on the phone has been talked to, whether or not the conversation has a row of its own.
            promised = events.kind[j] == PROMISED and events.channel[j] == phone
            if promised or events.kind[j] == CONVERSATION:
                out.talked_us[i] = events.at_us[j]
            elif events.kind[j] == CLICKED:
                out.clicked_us[i] = events.at_us[j]
        for p in range(payments.start[debtor[i]], payments.start[debtor[i] + 1]):
            if payments.paid_us[p] >= as_of[i]:
                break
            stands = payments.known_us[p] < as_of[i] and payments.reversed_us[p] >= as_of[i]
            if stands and payments.paid_us[p] >= out.clicked_us[i]:
                out.clicked_us[i] = 0


@njit(cache=True, nogil=True)
def _mark_claims(debtor: IntArray, as_of: IntArray, claims: Claims, courses: ClaimEvents, out: Marks) -> None:
    for i in range(len(debtor)):
        for claim in range(claims.start[debtor[i]], claims.start[debtor[i] + 1]):
            if claims.registered_us[claim] > as_of[i]:
                break
            if claims.closed_us[claim] <= as_of[i] and claims.closed_paid[claim]:
                out.paid_claims[i] += 1
                out.paid_late[i] += claims.closed_day[claim] > claims.due_day[claim]
            for j in range(courses.start[claim], courses.start[claim + 1]):
                if courses.at_us[j] >= as_of[i]:
                    break
                if courses.kind[j] == INBOUND and courses.known_us[j] < as_of[i]:
                    out.inbound_us[i] = max(out.inbound_us[i], courses.at_us[j])


@njit(inline="always")
def _row_of(claim: int, open_claim: IntArray, first: int, end: int) -> int:
    """Row of a claim among the open ones of a moment, -1 where it is none of them."""
    for row in range(first, end):
        if open_claim[row] == claim:
            return row
    return -1


@njit(cache=True, nogil=True)
def walk_sent(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    open_claim: IntArray,
    contacts: Contacts,
    covers: Covers,
    out: Sent,
) -> None:
    """Fill `out` for each debtor at its moment; `open_claim[start[i]:start[i + 1]]` are its open claims."""
    for i in range(len(debtor)):
        for j in range(contacts.start[debtor[i]], contacts.start[debtor[i] + 1]):
            if contacts.decided_us[j] >= as_of[i]:
                break
            if contacts.channel[j] == 0 or contacts.known_us[j] >= as_of[i]:
                continue
            send, channel = contacts.send_us[j], contacts.channel[j]
            recent = send >= as_of[i] - RECALL_US
            out.last_us[i] = max(out.last_us[i], send)
            out.recalled[i] += recent
            for link in range(covers.start[j], covers.start[j + 1]):
                row = _row_of(covers.claim[link], open_claim, start[i], start[i + 1])
                if row < 0 or covers.known_us[link] >= as_of[i]:
                    continue
                out.linked[i] += recent
                arrived = contacts.bounced_us[j] >= as_of[i]
                if arrived and channel > 0:
                    out.first_us[row, channel] = min(out.first_us[row, channel], send)
                if arrived and covers.notice[link]:
                    out.first_statutory_us[row] = min(out.first_statutory_us[row], send)
                if covers.statutory[link]:
                    out.statutory_us[row] = max(out.statutory_us[row], send)


@njit(cache=True, nogil=True)
def recall(
    debtor: IntArray,
    as_of: IntArray,
    start: IntArray,
    open_claim: IntArray,
    contacts: Contacts,
    covers: Covers,
    out: Recalled,
) -> None:
    """Fill `out` with every contact that `walk_sent` counted as recalled, and its links, in order of moments."""
    place, link_place = 0, 0
    for i in range(len(debtor)):
        for j in range(contacts.start[debtor[i]], contacts.start[debtor[i] + 1]):
            if contacts.decided_us[j] >= as_of[i]:
                break
            known = contacts.channel[j] != 0 and contacts.known_us[j] < as_of[i]
            if not known or contacts.send_us[j] < as_of[i] - RECALL_US:
                continue
            out.moment[place], out.row[place] = i, j
            covered, statutory = 0, 0
            for link in range(covers.start[j], covers.start[j + 1]):
                if covers.known_us[link] >= as_of[i]:
                    continue
                covered, statutory = covered + 1, statutory + covers.notice[link]
                row = _row_of(covers.claim[link], open_claim, start[i], start[i + 1])
                if row >= 0:
                    out.link_contact[link_place], out.link_claim[link_place] = place, row
                    link_place += 1
            out.statutory[place] = covered > 0 and statutory == covered
            place += 1


class Begun(NamedTuple):
    """Contact points that had begun (p,), as `data.situation.Points` tells them."""

    debtor: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified: BoolArray
    withdrawn: BoolArray
    kind: CodeArray


@njit(cache=True, nogil=True)
def begun(debtor: IntArray, as_of: IntArray, points: ContactPoints) -> Begun:
    """Points of each debtor that had begun by its moment, and what had been said of them by then."""
    size = 0
    for one in debtor:
        size += points.start[one + 1] - points.start[one]
    owner, since, until = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    channel, kind = np.empty(size, dtype=np.int16), np.empty(size, dtype=np.int16)
    verified, withdrawn = np.empty(size, dtype=np.bool_), np.empty(size, dtype=np.bool_)
    k = 0
    for i in range(len(debtor)):
        for j in range(points.start[debtor[i]], points.start[debtor[i] + 1]):
            if points.valid_from_us[j] > as_of[i]:
                break
            if points.channel[j] < 0:
                continue
            owner[k], channel[k], since[k], until[k] = (
                i,
                points.channel[j],
                points.valid_from_us[j],
                points.valid_to_us[j],
            )
            verified[k] = points.verified_us[j] <= as_of[i] < points.doubted_us[j]
            withdrawn[k] = points.withdrawn_us[j] <= as_of[i]
            kind[k] = points.other_kind[j] if points.other_us[j] <= as_of[i] else points.kind[j]
            k += 1
    return Begun(owner[:k], channel[:k], since[:k], until[:k], verified[:k], withdrawn[:k], kind[:k])
