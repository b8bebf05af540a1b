"""Contact points: which ways to reach a debtor the tenant has, and which of them secretly lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.simulator.draws import chance, pick
from data.simulator.habits import EMAIL, LETTER, MAILBOX, PHONE, PORTAL, SMS, Habits
from data.simulator.people import People, chance_of_mailbox
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import CHANNELS, CONSENTS, POINT_KINDS

HAS = {SMS: 0.90, EMAIL: 0.87, LETTER: 0.98, PHONE: 0.84}
WRONG = {SMS: 0.04, EMAIL: 0.06, MAILBOX: 0.0, LETTER: 0.04, PHONE: 0.06, PORTAL: 0.0}
UNVERIFIED = {SMS: 0.04, EMAIL: 0.07, MAILBOX: 0.0, LETTER: 0.015, PHONE: 0.05, PORTAL: 0.0}
KINDS = {SMS: (0.84, 0.03, 0.02, 0.01), EMAIL: (0.82, 0.07, 0.01, 0.0), PHONE: (0.82, 0.05, 0.03, 0.0)}
"""Shares of `vocabulary.POINT_KINDS`; what is left has no kind."""
WITHDRAWN = {SMS: 0.015, EMAIL: 0.02, PHONE: 0.02}


@dataclass(frozen=True)
class PointBook:
    """Contact points of a chunk, one entry each, shape (p,), by debtor.

    `consent` and `kind` are vocabulary indices, kind -1 where not known; `works` is hidden: False where nobody, or
    somebody else, is at the other end. `key` numbers the address.
    """

    debtor: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified: BoolArray
    consent: CodeArray
    kind: CodeArray
    works: BoolArray
    key: IntArray


def draw_points(people: People, habits: Habits, *, rng: np.random.Generator) -> PointBook:
    """Points of every debtor; a few end and are followed by another."""
    parts = [_of_channel(people, habits, channel=channel, rng=rng) for channel in range(1, len(CHANNELS))]
    whole = [np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(PointBook)]
    order = np.lexsort((whole[2], whole[1], whole[0]))
    book = PointBook(*(column[order] for column in whole))
    book.key[:] = people.number[book.debtor] * 100 + np.arange(len(order)) - np.searchsorted(book.debtor, book.debtor)
    return book


def _of_channel(people: People, habits: Habits, *, channel: int, rng: np.random.Generator) -> PointBook:
    has = chance(rng, _chance_to_have(people, habits, channel=channel), size=people.size)
    owner = np.flatnonzero(has)
    late = chance(rng, 0.08, size=len(owner)) & (channel != LETTER)
    begins = people.registered_us[owner] + late * rng.integers(5, 120, len(owner)) * DAY_US
    ends = np.where(chance(rng, 0.06, size=len(owner)), begins + rng.integers(20, 300, len(owner)) * DAY_US, NEVER)
    again = np.flatnonzero((ends < NEVER) & chance(rng, 0.8, size=len(owner)))
    owner, begins = np.concatenate([owner, owner[again]]), np.concatenate([begins, ends[again] + DAY_US])
    ends = np.concatenate([ends, np.full(len(again), NEVER)])
    size = len(owner)
    verified = ~chance(rng, UNVERIFIED[channel], size=size)
    kinds = KINDS.get(channel, (0.9, 0.0, 0.0, 0.0))
    kind = pick(rng, size, shares=[*kinds, 1 - sum(kinds)])
    return PointBook(
        debtor=owner,
        channel=np.full(size, channel, np.int16),
        valid_from_us=begins,
        valid_to_us=ends,
        verified=verified,
        consent=_consent(rng, channel, size=size),
        kind=np.where(kind < len(POINT_KINDS), kind, -1).astype(np.int16),
        works=~chance(rng, WRONG[channel] * np.where(verified, 0.8, 5.0), size=size),
        key=np.zeros(size, np.int64),
    )


def _chance_to_have(people: People, habits: Habits, *, channel: int) -> FloatArray:
    if channel == MAILBOX:
        return chance_of_mailbox(people)
    if channel == PORTAL:
        return np.where(habits.affinity[:, PORTAL] > 0, 0.75, 0.35)
    return np.full(people.size, HAS[channel])


def _consent(rng: np.random.Generator, channel: int, *, size: int) -> CodeArray:
    given, not_required, withdrawn = (CONSENTS.index(name) for name in ("given", "not_required", "withdrawn"))
    if channel == LETTER:
        return np.full(size, not_required, np.int16)
    codes = np.where(chance(rng, 0.5, size=size), given, not_required)
    return np.where(chance(rng, WITHDRAWN.get(channel, 0.0), size=size), withdrawn, codes).astype(np.int16)


def in_force(book: PointBook, at_us: IntArray) -> BoolArray:
    """Points valid at each debtor's own instant, shape (p,); `at_us` has shape (n,)."""
    moment = at_us[book.debtor]
    return (book.valid_from_us <= moment) & (moment < book.valid_to_us)


def leads_home(book: PointBook, at_us: IntArray) -> FloatArray:
    """1 where a channel has a point in force that leads to the debtor, else 0, shape (n, channels)."""
    found = np.zeros((len(at_us), len(CHANNELS)))
    rows = np.flatnonzero(in_force(book, at_us) & book.works)
    found[book.debtor[rows], book.channel[rows]] = 1.0
    return found
