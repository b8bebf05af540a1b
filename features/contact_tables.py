"""What a portfolio says of contacts as time-sorted arrays: decisions, the claims that they cover, what they met with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data.times import NEVER, IntArray
from data.vocabulary import CONTACT_EVENT_KINDS
from features._sorting import first_of_keys, ordered, same_instant, sorted_by_owner
from features.clock import Clock
from features.columns import (
    CodeArray,
    codes,
    instants,
    offsets,
    promised_ends,
    rank_of,
    rows_of,
    told_instants,
)
from features.covers import covers_of, first_known, places_of
from features.tables import ContactEvents, Contacts, Covers

REACHING = ("opened", "clicked", "answered")
"""Events that show that a contact reached somebody."""

REACHES = np.array([kind in REACHING for kind in CONTACT_EVENT_KINDS] + [False])
"""Whether an event of each kind does, of no kind last."""

BOUNCED = CONTACT_EVENT_KINDS.index("bounced")


class Made(NamedTuple):
    """Contacts, their identifiers in the same order, and the claims that they cover."""

    contacts: Contacts
    keys: pa.Array
    covers: Covers


def contacts_of(table: pa.Table, keys: pa.Array, claim_keys: pa.Array, channels: tuple[str, ...], clock: Clock) -> Made:
    """One row for each contact, whatever number of claims it covers, by debtor (`keys`) and decision; none has bounced yet."""
    encoded = table["contact_id"].combine_chunks().dictionary_encode()
    owner, size = rows_of(table["debtor_id"], keys), len(encoded.dictionary)
    number = np.where(owner >= 0, np.asarray(encoded.indices.to_numpy(), dtype=np.int64), -1)
    one = np.flatnonzero(first_of_keys(number, np.zeros(len(number), dtype=np.int64), size))
    owner, names = owner[one], encoded.dictionary.take(pa.array(number[one]))
    decided_us, code = instants(table, "decided_at"), codes(table, "channel", channels)
    known_us = told_instants(table, decided_us)
    decided, channel = decided_us[one], code[one]
    # The order of decisions of one instant matters for contacts alone, and few share one: only those are ranked.
    order, owner = ordered(owner, decided, np.where(channel > 0, 1, 0), _ranks(names, owner, decided, channel))
    kept, decided, channel = one[order], decided[order], channel[order]
    made, send = channel > 0, instants(table, "send_at")[kept]
    local = clock.of(owner, np.where(made & (send < NEVER), send, decided))
    contacts = Contacts(
        start=offsets(owner, len(keys)),
        decided_us=decided,
        known_us=first_known(number, known_us, size)[number[kept]],
        channel=channel,
        part=np.where(made, local.part, -1).astype(np.int16),
        weekday=np.where(made, local.weekday, -1).astype(np.int16),
        send_us=np.where(channel == 0, NEVER, np.where(send < NEVER, send, decided)),
        bounced_us=np.full(len(order), NEVER),
    )
    covers = covers_of(table, places_of(number, number[kept], size), claim_keys, contacts=len(order), known_us=known_us)
    return Made(contacts, names.take(pa.array(order)), covers)


def _ranks(names: pa.Array, owner: IntArray, decided: IntArray, channel: CodeArray) -> IntArray:
    """Place in the order of their names of contacts that share debtor and instant with another, 0 for the others."""
    rank = np.zeros(len(names), dtype=np.int64)
    made = np.flatnonzero(channel > 0)
    order = made[sorted_by_owner(owner[made], decided[made])]
    tied = order[same_instant(order, owner, decided)]
    if len(tied):
        rank[tied] = rank_of(pa.chunked_array([names.take(pa.array(tied))]))
    return rank


def contact_events_of(table: pa.Table, made: Made, clock: Clock) -> tuple[ContactEvents, IntArray]:
    """Events of contacts by debtor and time, and when each contact's first bounce came to be known (`NEVER` without), (contacts,)."""
    contacts, size = made.contacts, len(made.keys)
    row, kind = rows_of(table["contact_id"], made.keys), codes(table, "kind", CONTACT_EVENT_KINDS)
    owners = np.append(np.repeat(np.arange(len(contacts.start) - 1), np.diff(contacts.start)), -1)
    at_us = instants(table, "at")
    known_us = told_instants(table, at_us)
    order, owner = ordered(owners[row], at_us, kind)
    bounced_us = first_known(np.where(kind == BOUNCED, row, -1), known_us, size)
    row, kind, at, known = row[order], kind[order], at_us[order], known_us[order]
    counted = np.maximum(known, contacts.known_us[row]) if len(row) else known
    local = clock.of(owner, at)
    events = ContactEvents(
        start=offsets(owner, len(contacts.start) - 1),
        at_us=at,
        known_us=known,
        counted_us=counted,
        kind=kind,
        channel=contacts.channel[row],
        decided_us=contacts.decided_us[row],
        hour=local.hour,
        part=local.part,
        weekday=local.weekday,
        sent_part=contacts.part[row],
        sent_weekday=contacts.weekday[row],
        promised_us=promised_ends(table, at_us)[order],
        first=first_of_keys(row * len(CONTACT_EVENT_KINDS) + kind, counted, size * len(CONTACT_EVENT_KINDS)),
        first_reach=first_of_keys(np.where(REACHES[kind], row, -1), counted, size),
    )
    return events, bounced_us
