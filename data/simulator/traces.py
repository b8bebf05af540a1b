"""What a contact leaves behind: sent, delivered, opened, clicked, answered, promised, refused.

Drawn once the payments are known: who was moved to pay was reached, everybody else with the chance of the law, so that
the traces tell of habits without deciding anything.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.simulator.draws import chance
from data.simulator.habits import EMAIL, LETTER, MAILBOX, PHONE, PORTAL, SHORT, SMS, UNWILLING, Habits
from data.simulator.payments import Paid
from data.simulator.response import PLAIN
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, DayArray, IntArray
from data.vocabulary import CONTACT_EVENT_KINDS

KIND = {name: code for code, name in enumerate(CONTACT_EVENT_KINDS)}
MINUTE_US = 60_000_000
SECOND_US = 1_000_000
NO_CENTS = -1
DIGITAL = (SMS, EMAIL, MAILBOX, PORTAL)
BY_PERSON = (SMS, EMAIL, LETTER, PHONE)
"""Channels whose address may be somebody else's."""


@dataclass(frozen=True)
class Sent:
    """Contacts made in a round, shape (k,) each.

    Attributes
    ----------
    number, debtor, channel, content, send_us
        Which contact, to whom, how and when.
    reach
        Chance that the person is reached.
    leads_home
        The address is right.
    moved_us, used_us
        First payment that it brought about, and first one known to have come through it, `NEVER` without.
    owed_cents
        What the covered claims come to, in the debtor's currency.
    end_us
        End of the round.
    """

    number: IntArray
    debtor: IntArray
    channel: CodeArray
    content: CodeArray
    send_us: IntArray
    reach: FloatArray
    leads_home: BoolArray
    moved_us: IntArray
    used_us: IntArray
    owed_cents: IntArray
    end_us: IntArray


@dataclass(frozen=True)
class ContactEvents:
    """Events, shape (e,) each.

    Contact number, instant, index in `CONTACT_EVENT_KINDS`, when known; of a promise the date (`NO_DAY` without) and
    the amount (`NO_CENTS` without).
    """

    number: IntArray
    at_us: IntArray
    kind: CodeArray
    known_us: IntArray
    promised_day: DayArray
    promised_cents: IntArray


def joined(parts: list[ContactEvents]) -> ContactEvents:
    """All events in one."""
    return ContactEvents(
        *(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(ContactEvents))
    )


def traces(sent: Sent, *, habits: Habits, rng: np.random.Generator) -> ContactEvents:
    """Events of contacts; all but the earliest mail-outs lie inside their round."""
    size = len(sent.number)
    moved = sent.moved_us < NEVER
    used = sent.used_us < NEVER
    reached = sent.leads_home & (moved | used | chance(rng, sent.reach, size=size))
    delivery = _delivery(sent, rng=rng)
    digital = _digital(sent, reached=reached, habits=habits, rng=rng)
    calls = _calls(sent, reached=reached, moved=moved, habits=habits, rng=rng)
    refusals = _refusals(sent, reached=reached, habits=habits, rng=rng)
    return joined([*delivery, *digital, *calls, *refusals])


def _events(
    sent: Sent,
    which: BoolArray,
    *,
    at_us: IntArray,
    kind: str,
    delay_us: IntArray | None = None,
    day: DayArray | None = None,
) -> ContactEvents:
    """Events of one kind for the contacts in `which`; a promise (`day` given) is of all that is owed."""
    size = int(which.sum())
    at = at_us[which]
    return ContactEvents(
        number=sent.number[which],
        at_us=at,
        kind=np.full(size, KIND[kind], np.int16),
        known_us=at + (0 if delay_us is None else delay_us[which]),
        promised_day=np.full(size, NO_DAY, np.int32) if day is None else day[which],
        promised_cents=np.full(size, NO_CENTS, np.int64) if day is None else sent.owed_cents[which],
    )


def _delay(rng: np.random.Generator, size: int) -> IntArray:
    """Some events of providers come with the next file."""
    return np.where(rng.random(size) < 0.15, rng.integers(HOUR_US, 12 * HOUR_US, size), 0)


def _delivery(sent: Sent, *, rng: np.random.Generator) -> list[ContactEvents]:
    size, calls = len(sent.number), sent.channel == PHONE
    lost = chance(rng, np.where(sent.leads_home, 0.012, 0.6), size=size)
    out_us = sent.send_us + rng.integers(0, 2 * MINUTE_US, size)
    back_us = out_us + np.where(
        sent.channel == LETTER, rng.integers(6 * DAY_US, 8 * DAY_US, size), rng.integers(SECOND_US, MINUTE_US, size)
    )
    there_us = out_us + rng.integers(2 * SECOND_US, 5 * MINUTE_US, size)
    arrives = np.isin(sent.channel, DIGITAL) & ~lost
    return [
        _events(sent, ~calls, at_us=out_us, kind="sent"),
        _events(sent, ~calls & lost & (back_us < sent.end_us), at_us=back_us, kind="bounced"),
        _events(sent, arrives, at_us=there_us, kind="delivered", delay_us=_delay(rng, size)),
    ]


def _digital(sent: Sent, *, reached: BoolArray, habits: Habits, rng: np.random.Generator) -> list[ContactEvents]:
    size = len(sent.number)
    opens = np.isin(sent.channel, (EMAIL, MAILBOX, PORTAL))
    before_us = np.minimum(sent.used_us, sent.moved_us)
    alone_us = sent.send_us + 6 * MINUTE_US + (rng.exponential(5.0, size) * HOUR_US).astype(np.int64)
    read_us = np.where(before_us < NEVER, before_us - rng.integers(2 * MINUTE_US, 9 * MINUTE_US, size), alone_us)
    read_us = np.clip(read_us, sent.send_us + 5 * MINUTE_US, sent.end_us - MINUTE_US)
    glanced = sent.leads_home & chance(rng, 0.3 * sent.reach, size=size)
    machine = (sent.channel == EMAIL) & habits.opens_itself[sent.debtor] & sent.leads_home
    machine_us = sent.send_us + 5 * MINUTE_US + rng.integers(5 * SECOND_US, 3 * MINUTE_US, size)
    looks = np.where(habits.segment[sent.debtor] == UNWILLING, 0.15, 0.50)
    idle = reached & (before_us == NEVER) & (sent.content != PLAIN) & np.isin(sent.channel, DIGITAL)
    clicks = idle & chance(rng, looks, size=size)
    return [
        _events(sent, machine, at_us=machine_us, kind="opened"),
        _events(sent, opens & (reached | glanced), at_us=read_us, kind="opened", delay_us=_delay(rng, size)),
        _events(
            sent,
            clicks,
            at_us=read_us + rng.integers(SECOND_US, MINUTE_US, size),
            kind="clicked",
            delay_us=_delay(rng, size),
        ),
    ]


def _calls(
    sent: Sent, *, reached: BoolArray, moved: BoolArray, habits: Habits, rng: np.random.Generator
) -> list[ContactEvents]:
    size, calls = len(sent.number), sent.channel == PHONE
    ring_us = sent.send_us + rng.integers(0, 2 * MINUTE_US, size)
    taken_us = ring_us + rng.integers(8 * SECOND_US, 20 * SECOND_US, size)
    answered = calls & reached
    talks = answered & (moved | chance(rng, 0.93, size=size))
    stranger = calls & ~sent.leads_home & chance(rng, 0.45, size=size)
    other = calls & sent.leads_home & ~reached & chance(rng, 0.02, size=size)
    machine = calls & ~answered & ~stranger & ~other & chance(rng, 0.45, size=size)
    segment = habits.segment[sent.debtor]
    says = np.where(segment == SHORT, 0.35, np.where(segment == UNWILLING, 0.10, 0.25))
    promises = talks & chance(rng, np.where(moved, 0.75, says), size=size)
    said_day = sent.send_us // DAY_US + rng.integers(2, 8, size)
    day = np.where(moved, np.minimum(sent.moved_us, sent.end_us) // DAY_US + rng.integers(0, 2, size), said_day).astype(
        np.int32
    )
    return [
        _events(sent, calls, at_us=ring_us, kind="sent"),
        _events(sent, answered | stranger | other, at_us=taken_us, kind="answered"),
        _events(sent, stranger, at_us=taken_us + 10 * SECOND_US, kind="wrong_person"),
        _events(sent, other, at_us=taken_us + 10 * SECOND_US, kind="third_party"),
        _events(sent, talks, at_us=taken_us + 15 * SECOND_US, kind="conversation"),
        _events(sent, machine, at_us=taken_us + 20 * SECOND_US, kind="voicemail"),
        _events(sent, promises, at_us=taken_us + 90 * SECOND_US, kind="promised", day=day),
    ]


def _refusals(sent: Sent, *, reached: BoolArray, habits: Habits, rng: np.random.Generator) -> list[ContactEvents]:
    """Opt-outs, complaints, and strangers who answer a message that was not for them."""
    size = len(sent.number)
    angry = np.where(habits.annoyance[sent.debtor] > 0, 7.0, 1.0)
    at_us = sent.send_us + 7 * MINUTE_US + rng.integers(MINUTE_US, 40 * HOUR_US, size)
    at_us = np.minimum(at_us, sent.end_us - MINUTE_US)
    rate = np.array([0.0, 0.006, 0.006, 0.0, 0.0, 0.012, 0.0])[sent.channel]
    leaves = reached & chance(rng, rate * angry, size=size)
    complains = reached & chance(rng, 0.002 * angry, size=size)
    replies = ~sent.leads_home & np.isin(sent.channel, (SMS, EMAIL, LETTER)) & chance(rng, 0.15, size=size)
    return [
        _events(sent, leaves, at_us=at_us, kind="opted_out"),
        _events(sent, complains, at_us=at_us + SECOND_US, kind="complained"),
        _events(sent, replies, at_us=at_us + 2 * SECOND_US, kind="wrong_person"),
    ]


def clicks_of_payments(paid: Paid, *, not_before_us: IntArray, rng: np.random.Generator) -> ContactEvents:
    """A click just before each payment that came through a message; `not_before_us` has the payments' shape."""
    rows = np.flatnonzero((paid.contact >= 0) & np.isin(paid.via, DIGITAL))
    at_us = np.maximum(paid.paid_us[rows] - rng.integers(SECOND_US, 2 * MINUTE_US, len(rows)), not_before_us[rows])
    size = len(rows)
    return ContactEvents(
        number=paid.contact[rows],
        at_us=np.minimum(at_us, paid.paid_us[rows]),
        kind=np.full(size, KIND["clicked"], np.int16),
        known_us=np.minimum(at_us, paid.paid_us[rows]),
        promised_day=np.full(size, NO_DAY, np.int32),
        promised_cents=np.full(size, NO_CENTS, np.int64),
    )
