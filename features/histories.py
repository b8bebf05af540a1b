"""A portfolio as time-sorted arrays per debtor: what the kernels walk through.

Rows of every table are sorted by debtor and then by time; `start[i]:start[i + 1]` are the rows of debtor i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.action_grid import local_hours
from data.calendar import Place, place_of
from data.portfolio import Portfolio
from data.times import DayArray, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS, EMPLOYMENTS, INCOME_BANDS, NONE, POINT_KINDS, STAGES
from features.columns import (
    BoolArray,
    CodeArray,
    FloatArray,
    TextArray,
    amounts,
    codes,
    days,
    first_known,
    flags,
    instants,
    known_instants,
    offsets,
    promised_ends,
    rank_of,
    rows_of,
    texts,
)

REACHING = ("opened", "clicked", "answered")
"""Events that show that a contact reached somebody."""


@dataclass(frozen=True)
class Profiles:
    """Debtor profiles; `income` and `employment` are vocabulary indices, -1 where not known."""

    start: IntArray
    valid_from_us: IntArray
    income: CodeArray
    employment: CodeArray
    other_debts: FloatArray


@dataclass(frozen=True)
class ContactPoints:
    """Contact points; `known` is False where the tenant handed over none at all."""

    start: IntArray
    channel: CodeArray
    valid_from_us: IntArray
    valid_to_us: IntArray
    verified: BoolArray
    verified_us: IntArray
    withdrawn: BoolArray
    kind: CodeArray
    known: bool


@dataclass(frozen=True)
class Claims:
    """Claims by debtor and registration; `principal` in the claim's own currency."""

    start: IntArray
    claim_id: TextArray
    debtor: IntArray
    sector: TextArray
    currency: TextArray
    principal: FloatArray
    due_day: DayArray
    registered_us: IntArray
    closed_us: IntArray
    closed_paid: BoolArray


@dataclass(frozen=True)
class ClaimEvents:
    """Events in a claim's course; `start` counts claims, not debtors; `kind` and `stage` are vocabulary indices."""

    start: IntArray
    at_us: IntArray
    known_us: IntArray
    kind: CodeArray
    stage: CodeArray
    next_due_day: DayArray


@dataclass(frozen=True)
class Contacts:
    """Decisions to contact or not, one row per `contact_id`; `channel` is the grid's code, 0 for `none`.

    `hour` is the debtor's local hour of sending, -1 for `none`.
    """

    start: IntArray
    contact_id: TextArray
    decided_us: IntArray
    known_us: IntArray
    send_us: IntArray
    channel: CodeArray
    hour: CodeArray


@dataclass(frozen=True)
class ContactEvents:
    """What happened to contacts, by debtor.

    `channel` and `sent_hour` are the contact's, `hour` the debtor's local hour of the event. `first` marks the event of
    its kind for its contact that became known first, so that ten opens of one message count once, and count from the
    moment at which one of them is known; `first_reach` does so over all kinds that show that somebody was reached.
    """

    start: IntArray
    at_us: IntArray
    known_us: IntArray
    kind: CodeArray
    channel: CodeArray
    hour: CodeArray
    sent_hour: CodeArray
    promised_us: IntArray
    first: BoolArray
    first_reach: BoolArray


@dataclass(frozen=True)
class Payments:
    """Payments by debtor; `amount` in the claim's currency; `channel` is that of the contact it came through, or -1."""

    start: IntArray
    claim: IntArray
    paid_us: IntArray
    known_us: IntArray
    reversed_us: IntArray
    amount: FloatArray
    channel: CodeArray
    hour: CodeArray
    month_day: CodeArray


@dataclass(frozen=True)
class Histories:
    """All debtors of a portfolio with everything that ever happened to them, as arrays."""

    channels: tuple[str, ...]
    debtor_id: TextArray
    country: TextArray
    language: TextArray
    places: tuple[Place, ...]
    place: IntArray
    birth_day: DayArray
    registered_us: IntArray
    blocked_us: IntArray
    cease_us: IntArray
    objected_us: IntArray
    stop_until_us: IntArray
    vulnerable_from_us: IntArray
    vulnerable_to_us: IntArray
    profiles: Profiles
    points: ContactPoints
    claims: Claims
    claim_events: ClaimEvents
    contacts: Contacts
    contact_events: ContactEvents
    payments: Payments

    @property
    def size(self) -> int:
        """Number of debtors."""
        return len(self.debtor_id)


def histories_of(portfolio: Portfolio, *, channels: tuple[str, ...]) -> Histories:
    """Histories of every debtor in a portfolio.

    Parameters
    ----------
    portfolio
        Checked tables of the contract.
    channels
        The grid's channels, `none` first; channel codes are indices in it.
    """
    debtors = portfolio["debtors"].sort_by("debtor_id")
    keys = pc.fill_null(debtors["debtor_id"], "").combine_chunks()
    places, place = _places(debtors)
    claims, claim_keys = _claims(portfolio["claims"], keys)
    zones = tuple(candidate.zones[0] for candidate in places)
    zone_of_debtor = np.array([zones[index] for index in place], dtype=np.object_)
    contacts = _contacts(portfolio["contacts"], keys, channels, zone_of_debtor)
    return Histories(
        channels=channels,
        debtor_id=texts(debtors, "debtor_id"),
        country=texts(debtors, "country"),
        language=texts(debtors, "language"),
        places=places,
        place=place,
        birth_day=days(debtors, "birth_date"),
        registered_us=instants(debtors, "registered_at"),
        blocked_us=instants(debtors, "blocked_at"),
        cease_us=instants(debtors, "cease_at"),
        objected_us=instants(debtors, "objected_at"),
        stop_until_us=instants(debtors, "stop_until", missing=0),
        vulnerable_from_us=instants(debtors, "vulnerable_from"),
        vulnerable_to_us=instants(debtors, "vulnerable_to"),
        profiles=_profiles(portfolio["debtor_profiles"], keys),
        points=_points(portfolio, keys, channels),
        claims=claims,
        claim_events=_claim_events(portfolio["claim_events"], claim_keys),
        contacts=contacts,
        contact_events=_contact_events(portfolio["contact_events"], contacts, zone_of_debtor),
        payments=_payments(portfolio["payments"], claim_keys, claims, contacts, zone_of_debtor),
    )


def _places(debtors: pa.Table) -> tuple[tuple[Place, ...], IntArray]:
    columns = [texts(debtors, name) for name in ("country", "region", "time_zone")]
    triples = list(zip(*columns, strict=True))
    index = {triple: number for number, triple in enumerate(dict.fromkeys(triples))}
    places = tuple(place_of(country, region=region, time_zone=zone) for country, region, zone in index)
    return places, np.array([index[triple] for triple in triples], dtype=np.int64)


def _sorted(table: pa.Table, owner: IntArray, *keys: IntArray | CodeArray | DayArray) -> tuple[pa.Table, IntArray]:
    """Rows that have an owner, by owner, times and what tells rows of one instant apart; and their owners."""
    order = np.lexsort((*keys[::-1], owner))
    order = order[owner[order] >= 0]
    return table.take(pa.array(order)), owner[order]


def _profiles(table: pa.Table, keys: pa.Array) -> Profiles:
    owner = rows_of(table["debtor_id"], keys)
    income, employment = codes(table, "income_band", INCOME_BANDS), codes(table, "employment", EMPLOYMENTS)
    debts = np.asarray(pc.fill_null(table["other_debts"], -1).to_numpy(), dtype=np.int64)
    rows, owner = _sorted(table, owner, instants(table, "valid_from"), income, employment, debts)
    return Profiles(
        start=offsets(owner, len(keys)),
        valid_from_us=instants(rows, "valid_from"),
        income=codes(rows, "income_band", INCOME_BANDS),
        employment=codes(rows, "employment", EMPLOYMENTS),
        other_debts=np.asarray(rows["other_debts"].cast(pa.float64()).to_numpy(), dtype=np.float64),
    )


def _points(portfolio: Portfolio, keys: pa.Array, channels: tuple[str, ...]) -> ContactPoints:
    table = portfolio["contact_points"]
    owner = rows_of(table["debtor_id"], keys)
    rows, owner = _sorted(table, owner, instants(table, "valid_from"))
    return ContactPoints(
        start=offsets(owner, len(keys)),
        channel=codes(rows, "channel", channels),
        valid_from_us=instants(rows, "valid_from"),
        valid_to_us=instants(rows, "valid_to"),
        verified=flags(rows, "verified"),
        verified_us=instants(rows, "verified_at", missing=0),
        withdrawn=np.asarray(pc.equal(rows["consent"], "withdrawn").to_numpy(), dtype=np.bool_),
        kind=codes(rows, "kind", POINT_KINDS),
        known="contact_points" in portfolio.given,
    )


def _claims(table: pa.Table, keys: pa.Array) -> tuple[Claims, pa.Array]:
    owner = rows_of(table["debtor_id"], keys)
    rows, owner = _sorted(table, owner, instants(table, "registered_at"), rank_of(table["claim_id"]))
    claims = Claims(
        start=offsets(owner, len(keys)),
        claim_id=texts(rows, "claim_id"),
        debtor=owner,
        sector=texts(rows, "sector"),
        currency=texts(rows, "currency"),
        principal=amounts(rows, "principal"),
        due_day=days(rows, "due_on"),
        registered_us=instants(rows, "registered_at"),
        closed_us=instants(rows, "closed_at"),
        closed_paid=np.asarray(
            pc.fill_null(pc.equal(rows["close_reason"], "paid"), fill_value=False).to_numpy(), dtype=np.bool_
        ),
    )
    return claims, rows["claim_id"].combine_chunks()


def _claim_events(table: pa.Table, claim_keys: pa.Array) -> ClaimEvents:
    owner = rows_of(table["claim_id"], claim_keys)
    kind, stage = codes(table, "kind", CLAIM_EVENT_KINDS), codes(table, "stage", STAGES)
    rows, owner = _sorted(table, owner, instants(table, "at"), kind, stage, days(table, "next_due_on"))
    return ClaimEvents(
        start=offsets(owner, len(claim_keys)),
        at_us=instants(rows, "at"),
        known_us=known_instants(rows, "at"),
        kind=codes(rows, "kind", CLAIM_EVENT_KINDS),
        stage=codes(rows, "stage", STAGES),
        next_due_day=days(rows, "next_due_on"),
    )


def _contacts(table: pa.Table, keys: pa.Array, channels: tuple[str, ...], zones: TextArray) -> Contacts:
    owner = rows_of(table["debtor_id"], keys)
    rows, owner = _sorted(table, owner, instants(table, "decided_at"), rank_of(table["contact_id"]))
    contact_id = texts(rows, "contact_id")
    new = np.ones(len(contact_id), dtype=np.bool_)
    new[1:] = contact_id[1:] != contact_id[:-1]
    rows, owner = rows.filter(pa.array(new)), owner[new]
    channel, send_us = codes(rows, "channel", channels), instants(rows, "send_at")
    hour = _local_hour(np.where(channel > 0, send_us, 0), zones[owner])
    return Contacts(
        start=offsets(owner, len(keys)),
        contact_id=contact_id[new],
        decided_us=instants(rows, "decided_at"),
        known_us=known_instants(rows, "decided_at"),
        send_us=send_us,
        channel=channel,
        hour=np.where(channel > 0, hour, -1).astype(np.int16),
    )


def _owners(start: IntArray) -> IntArray:
    """Debtor of each row."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def _local_hour(instants_us: IntArray, zone: TextArray) -> CodeArray:
    hours = np.full(len(instants_us), -1, dtype=np.int16)
    for name in sorted(set(zone.tolist())):
        here = zone == name
        hours[here] = local_hours(name, instants_us[here])
    return hours


def _contact_events(table: pa.Table, contacts: Contacts, zones: TextArray) -> ContactEvents:
    row = rows_of(table["contact_id"], pa.array(contacts.contact_id, pa.string()))
    owners = _owners(contacts.start)
    owner = np.where(row >= 0, owners[row] if len(owners) else -1, -1)
    at, kind = instants(table, "at"), codes(table, "kind", CONTACT_EVENT_KINDS)
    order = np.lexsort((kind, at, owner))
    order = order[owner[order] >= 0]
    rows, owner, row = table.take(pa.array(order)), owner[order], row[order]
    pairs = row * len(CONTACT_EVENT_KINDS) + kind[order]
    known = known_instants(rows, "at")
    reaching = np.isin(kind[order], [CONTACT_EVENT_KINDS.index(name) for name in REACHING])
    return ContactEvents(
        start=offsets(owner, len(contacts.start) - 1),
        at_us=instants(rows, "at"),
        known_us=known,
        kind=kind[order],
        channel=contacts.channel[row] if len(row) else np.zeros(0, dtype=np.int16),
        hour=_local_hour(instants(rows, "at"), zones[owner]),
        sent_hour=contacts.hour[row] if len(row) else np.zeros(0, dtype=np.int16),
        promised_us=promised_ends(rows),
        first=first_known(pairs, known),
        first_reach=first_known(np.where(reaching, row, -1), known),
    )


def _payments(table: pa.Table, claim_keys: pa.Array, claims: Claims, contacts: Contacts, zones: TextArray) -> Payments:
    claim = rows_of(table["claim_id"], claim_keys)
    owner = np.where(claim >= 0, claims.debtor[claim] if len(claims.debtor) else -1, -1)
    paid = instants(table, "paid_at")
    order = np.lexsort((amounts(table, "amount"), claim, paid, owner))
    order = order[owner[order] >= 0]
    rows, owner = table.take(pa.array(order)), owner[order]
    through = rows_of(rows["contact_id"], pa.array(contacts.contact_id, pa.string()))
    through = np.where(rows["contact_id"].is_null().to_numpy(), -1, through)
    paid = paid[order]
    # A contact decided on later cannot have brought the payment in, whatever the row says.
    earlier = (through >= 0) & (contacts.known_us[through] <= paid) if len(contacts.channel) else through >= 0
    channel = np.where(earlier, contacts.channel[through] if len(contacts.channel) else -1, -1)
    return Payments(
        start=offsets(owner, len(contacts.start) - 1),
        claim=claim[order],
        paid_us=paid,
        known_us=known_instants(rows, "paid_at"),
        reversed_us=instants(rows, "reversed_at"),
        amount=amounts(rows, "amount"),
        channel=channel.astype(np.int16),
        hour=_local_hour(paid, zones[owner]),
        month_day=_month_day(paid),
    )


def _month_day(instants_us: IntArray) -> CodeArray:
    """Day of the month, 1-31, of instants in UTC."""
    days_64 = instants_us.astype("datetime64[us]").astype("datetime64[D]")
    day: CodeArray = ((days_64 - days_64.astype("datetime64[M]")).astype(np.int64) + 1).astype(np.int16)
    return day


def has_none_rows(histories: Histories) -> bool:
    """True where the log also records decisions not to make contact."""
    return bool(np.any(histories.contacts.channel == histories.channels.index(NONE)))
