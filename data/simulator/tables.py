"""The contract's tables from a chunk and its log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TypeVar

import numpy as np
import pyarrow as pa

from data import vocabulary as words_of
from data.config import MoneySettings
from data.schemas import SCHEMAS
from data.simulator.arrow import dates, instants, money, numbers, padded, words
from data.simulator.contacts import ContactRows
from data.simulator.countries import COUNTRIES
from data.simulator.course import ClaimEvents
from data.simulator.names import claim_names, contact_names, debtor_names
from data.simulator.payments import METHODS, Paid
from data.simulator.rounds import Log
from data.simulator.sectors import SECTORS
from data.simulator.state import Chunk
from data.simulator.traces import KIND, NO_CENTS, ContactEvents
from data.situation import BoolArray
from data.times import DAY_US, NEVER, IntArray

LOGGED = ("claim_events", "contacts", "contact_events", "payments")
"""Tables that only grow; the others are written anew from the state."""

CHUNK_IDS = 10**9
"""Numbers of events, and of payments, that a chunk has for itself: those of chunk 12 begin at 12 times this."""

CURRENCIES = tuple(one.currency for one in COUNTRIES)
Rows = TypeVar("Rows", ContactRows, ContactEvents, Paid, ClaimEvents)


def state_tables(chunk: Chunk, now_us: int) -> dict[str, pa.Table]:
    """Debtors, profiles, contact points and claims as they stand at an instant."""
    return {
        "debtors": _debtors(chunk, now_us),
        "debtor_profiles": _profiles(chunk, now_us),
        "contact_points": _points(chunk, now_us),
        "claims": _claims(chunk, now_us),
    }


def _table(name: str, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Columns in contract order and types, what is not given null; other columns after them."""
    schema = SCHEMAS[name]
    size = len(next(iter(columns.values())))
    kept = {
        c.name: columns[c.name].cast(c.type) if c.name in columns else pa.nulls(size, c.type) for c in schema.columns
    }
    return pa.table(kept | {key: value for key, value in columns.items() if key not in kept})


def _by(now_us: int, at_us: IntArray) -> IntArray:
    """Instants that have come, `NEVER` for the others."""
    return np.where(at_us <= now_us, at_us, NEVER)


def _debtors(chunk: Chunk, now_us: int) -> pa.Table:
    people = chunk.people
    regions = [name for one in COUNTRIES for name, _ in one.regions]
    zones = [name for one in COUNTRIES for name, _ in one.zones]
    first_region = np.cumsum([0] + [len(one.regions) for one in COUNTRIES[:-1]])
    first_zone = np.cumsum([0] + [len(one.zones) for one in COUNTRIES[:-1]])
    vulnerable = people.vulnerable_from_us <= now_us
    columns = {
        "debtor_id": debtor_names(people.number),
        "country": words(people.country, [one.code for one in COUNTRIES]),
        "region": pa.array(regions, pa.string()).take(pa.array(first_region[people.country] + people.region)),
        "time_zone": pa.array(zones, pa.string()).take(pa.array(first_zone[people.country] + people.zone)),
        "language": words(people.country, [one.language for one in COUNTRIES]),
        "birth_date": dates(people.birth_day),
        "registered_at": instants(people.registered_us),
        "blocked_at": instants(_by(now_us, people.blocked_us)),
        "cease_at": instants(_by(now_us, people.cease_us)),
        "objected_at": instants(_by(now_us, people.objected_us)),
        "stop_until": instants(np.where(people.stop_until_us > 0, people.stop_until_us, NEVER)),
        "vulnerable_from": instants(_by(now_us, people.vulnerable_from_us)),
        "vulnerable_to": instants(np.where(vulnerable, people.vulnerable_to_us, NEVER)),
        "audit_sex": words(people.sex, ("female", "male")),
    }
    return _table("debtors", columns)


def _profiles(chunk: Chunk, now_us: int) -> pa.Table:
    people = chunk.people
    debtor = np.concatenate(
        [
            np.arange(people.size),
            np.flatnonzero((people.changed_us > people.registered_us) & (people.changed_us <= now_us)),
        ]
    )
    later = (np.arange(len(debtor)) >= people.size).astype(np.int64)
    early = people.changed_us <= people.registered_us
    column = np.maximum(later, early[debtor])
    valid = np.where(later == 1, people.changed_us[debtor], people.registered_us[debtor])
    income, employment = people.income[debtor, column], people.employment[debtor, column]
    hidden = (people.number[debtor] * 7_919) % 100
    columns = {
        "debtor_id": debtor_names(people.number[debtor]),
        "valid_from": instants(valid),
        "income_band": words(np.where(hidden < 6, -1, income), words_of.INCOME_BANDS),
        "employment": words(np.where(hidden < 4, -1, employment), words_of.EMPLOYMENTS),
        "other_debts": pa.array(people.other_debts[debtor, column], mask=hidden < 3),
    }
    return _table("debtor_profiles", columns)


def _points(chunk: Chunk, now_us: int) -> pa.Table:
    book = chunk.points
    row = np.flatnonzero(book.valid_from_us <= now_us)
    valid, verified = book.valid_from_us[row], book.verified[row]
    columns = {
        "debtor_id": debtor_names(chunk.people.number[book.debtor[row]]),
        "channel": words(book.channel[row], words_of.CHANNELS),
        "valid_from": instants(valid),
        "valid_to": instants(_by(now_us, book.valid_to_us[row])),
        "verified": pa.array(verified),
        "verified_at": instants(np.where(verified, valid, NEVER)),
        "consent": words(book.consent[row], words_of.CONSENTS),
        "address_key": padded("a", book.key[row], width=9),
        "kind": words(book.kind[row], words_of.POINT_KINDS),
    }
    return _table("contact_points", columns)


def _claims(chunk: Chunk, now_us: int) -> pa.Table:
    claims, people = chunk.claims, chunk.people
    row = np.flatnonzero(claims.registered_us <= now_us)
    closed = _by(now_us, claims.closed_us[row])
    first_creditor = np.cumsum([0] + [one.creditors for one in SECTORS[:-1]])
    creditors = [f"{one.name}-{number + 1}" for one in SECTORS for number in range(one.creditors)]
    columns = {
        "claim_id": claim_names(people, claims, rows=row),
        "debtor_id": debtor_names(people.number[claims.debtor[row]]),
        "creditor_id": words(first_creditor[claims.sector[row]] + claims.creditor[row], creditors),
        "sector": words(claims.sector[row], [one.name for one in SECTORS]),
        "principal": money(claims.principal_cents[row]),
        "currency": words(people.country[claims.debtor[row]], CURRENCIES),
        "due_on": dates(claims.due_day[row]),
        "registered_at": instants(claims.registered_us[row]),
        "closed_at": instants(closed),
        "close_reason": words(np.where(closed < NEVER, claims.close_reason[row], -1), words_of.CLOSE_REASONS),
    }
    return _table("claims", columns)


def log_tables(
    chunk: Chunk, log: Log, *, given: pa.Array, index: int, rows_before: Mapping[str, int]
) -> Iterator[tuple[str, pa.Table]]:
    """What a log adds to the tables in `LOGGED`, events of the future included, one table after the other.

    The log is emptied on the way, so that it and all of its tables need not be in memory together.

    Parameters
    ----------
    given
        Names of contacts that were decided elsewhere.
    index
        Number of the chunk, which its ids of events and payments bear.
    rows_before
        Rows that the chunk's tables have already: events and payments are numbered on from there.
    """
    before = {name: index * CHUNK_IDS + rows_before[name] for name in LOGGED}
    yield "claim_events", _claim_events(chunk, _taken(log.claim_events, ClaimEvents), before=before["claim_events"])
    events = _taken(log.contact_events, ContactEvents)
    yield "contacts", _contacts(chunk, log, events=events, given=given)
    yield "contact_events", _contact_events(events, given=given, before=before["contact_events"])
    yield "payments", _payments(chunk, _taken(log.payments, Paid), given=given, before=before["payments"])


def _taken(parts: list[Rows], kind: type[Rows]) -> Rows:
    """All parts in one, taken out of their list."""
    whole = gathered(parts, kind)
    parts.clear()
    return whole


def gathered(parts: Sequence[Rows], kind: type[Rows]) -> Rows:
    """All parts in one."""
    return kind(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(kind)))


def _claim_events(chunk: Chunk, rows: ClaimEvents, *, before: int) -> pa.Table:
    columns = {
        "event_id": padded("s", before + np.arange(len(rows.claim)), width=9),
        "claim_id": claim_names(chunk.people, chunk.claims, rows=rows.claim),
        "at": instants(rows.at_us),
        "kind": words(rows.kind, words_of.CLAIM_EVENT_KINDS),
        "stage": words(rows.stage, words_of.STAGES),
        "next_due_on": dates(rows.next_due_day),
    }
    return _table("claim_events", columns)


def _contacts(chunk: Chunk, log: Log, *, events: ContactEvents, given: pa.Array) -> pa.Table:
    if not log.contacts:
        return SCHEMAS["contacts"].empty()
    rows = _taken(log.contacts, ContactRows)
    cents = _cost_cents(rows, events, costs=chunk.config.costs)
    texts = [f"{channel}-{content}-2" for channel in words_of.CHANNELS for content in words_of.CONTENTS]
    template = np.where(rows.channel == 0, -1, rows.channel * len(words_of.CONTENTS) + rows.content)
    columns = {
        "contact_id": contact_names(rows.number, given),
        "debtor_id": debtor_names(chunk.people.number[rows.debtor]),
        "claim_id": claim_names(chunk.people, chunk.claims, rows=rows.claim),
        "decided_at": instants(rows.decided_us),
        "channel": words(rows.channel, words_of.CHANNELS),
        "send_at": instants(rows.send_us),
        "payment_option": words(rows.option, words_of.PAYMENT_OPTIONS),
        "tone": words(rows.tone, words_of.TONES),
        "content": words(rows.content, words_of.CONTENTS),
        "template_id": words(template, texts),
        "policy": pa.array(rows.policy, pa.string()),
        "action_probability": numbers(rows.action_probability),
        "cost": money(np.maximum(cents, 0), missing=cents < 0),
    }
    return _table("contacts", columns)


def _cost_cents(rows: ContactRows, events: ContactEvents, *, costs: MoneySettings) -> IntArray:
    """Cost on the first row of each contact that went out, in hundredths of EUR; below 0 elsewhere."""
    sent = np.unique(events.number[events.kind == KIND["sent"]])
    answered = np.unique(events.number[events.kind == KIND["answered"]])
    cents = np.full(len(rows.number), -1, np.int64)
    if not len(cents):
        return cents
    counts: BoolArray = rows.first & ((rows.channel == 0) | np.isin(rows.number, sent))
    row = np.flatnonzero(counts)
    pairs = rows.channel[row].astype(np.int64) * 1_000_000 + rows.decided_us[row] // DAY_US
    distinct, inverse = np.unique(pairs, return_inverse=True)
    prices = [costs.on(words_of.CHANNELS[pair // 1_000_000], pair % 1_000_000) for pair in distinct.tolist()]
    amount = np.array([price.amount for price in prices])[inverse]
    per_answer = np.array([price.per_answer for price in prices])[inverse]
    cents[row] = np.round(100 * (amount + per_answer * np.isin(rows.number[row], answered)))
    return cents


def _contact_events(rows: ContactEvents, *, given: pa.Array, before: int) -> pa.Table:
    late = rows.known_us > rows.at_us
    columns = {
        "event_id": padded("e", before + np.arange(len(rows.number)), width=10),
        "contact_id": contact_names(rows.number, given),
        "at": instants(rows.at_us),
        "kind": words(rows.kind, words_of.CONTACT_EVENT_KINDS),
        "promised_for": dates(rows.promised_day),
        "promised_amount": money(np.maximum(rows.promised_cents, 0), missing=rows.promised_cents == NO_CENTS),
        "known_at": instants(np.where(late, rows.known_us, NEVER)),
    }
    return _table("contact_events", columns)


def _payments(chunk: Chunk, rows: Paid, *, given: pa.Array, before: int) -> pa.Table:
    debtor = chunk.claims.debtor[rows.claim]
    columns = {
        "payment_id": padded("p", before + np.arange(len(rows.claim)), width=9),
        "claim_id": claim_names(chunk.people, chunk.claims, rows=rows.claim),
        "debtor_id": debtor_names(chunk.people.number[debtor]),
        "paid_at": instants(rows.paid_us),
        "amount": money(rows.cents),
        "currency": words(chunk.people.country[debtor], CURRENCIES),
        "method": words(rows.method, METHODS),
        "contact_id": contact_names(rows.contact, given),
        "reversed_at": instants(rows.reversed_us),
        "known_at": instants(np.where(rows.known_us > rows.paid_us, rows.known_us, NEVER)),
    }
    return _table("payments", columns)
