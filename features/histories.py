"""A portfolio as time-sorted arrays per debtor: what the kernels walk through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.action_grid import dayparts_of
from data.calendar import Place, place_of
from data.local_time import local_us
from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, DayArray, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS, EMPLOYMENTS, INCOME_BANDS, NONE, POINT_KINDS, STAGES
from features._sorting import first_of_keys, sorted_by_owner
from features.columns import (
    CodeArray,
    amounts,
    codes,
    days,
    flags,
    instants,
    known_instants,
    offsets,
    promised_ends,
    rank_of,
    rows_of,
    texts,
    worded,
)
from features.covers import bounces_of, covers_of, places_of
from features.tables import (
    ClaimEvents,
    Claims,
    ContactEvents,
    ContactPoints,
    Contacts,
    Histories,
    Payments,
    Profiles,
)

REACHING = ("opened", "clicked", "answered")
"""Events that show that a contact reached somebody."""


@dataclass(frozen=True)
class _Clock:
    """Zones by name, and that of each debtor."""

    zones: tuple[str, ...]
    zone: IntArray

    def of(self, owner: IntArray, instants_us: IntArray) -> _Local:
        """Local time of instants, each in the zone of its debtor, both of shape (n,)."""
        return _Local(local_us(self.zones, self.zone[owner], instants_us))


@dataclass(frozen=True)
class _Local:
    """Wall-clock times, shape (n,)."""

    us: IntArray

    @property
    def hour(self) -> CodeArray:
        """Hour 0-23."""
        return (self.us // HOUR_US % 24).astype(np.int16)

    @property
    def part(self) -> CodeArray:
        """Index in `DAYPARTS`."""
        return dayparts_of(self.hour).astype(np.int16)

    @property
    def weekday(self) -> CodeArray:
        """0 = Monday."""
        return ((self.us // DAY_US + 3) % 7).astype(np.int16)

    @property
    def month_day(self) -> CodeArray:
        """Day of the month, 1-31."""
        day = (self.us // DAY_US).astype("datetime64[D]")
        number: CodeArray = ((day - day.astype("datetime64[M]")).astype(np.int64) + 1).astype(np.int16)
        return number


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
    countries, country = worded(debtors["country"])
    places, place = _places(debtors)
    zones = tuple(candidate.zones[0] for candidate in places)
    clock = _Clock(zones, place)
    sectors, sector = worded(portfolio["claims"]["sector"])
    currencies, currency = worded(portfolio["claims"]["currency"])
    creditors, _ = worded(portfolio["claims"]["creditor_id"])
    claims, claim_keys = _claims(portfolio["claims"], keys, sector, currency, clock)
    contacts, contact_keys, contact = _contacts(portfolio["contacts"], keys, channels, clock)
    contacts = contacts._replace(bounced_us=bounces_of(portfolio["contact_events"], contact_keys))
    return Histories(
        channels=channels,
        countries=countries,
        sectors=sectors,
        currencies=currencies,
        creditors=creditors,
        debtor_id=texts(debtors, "debtor_id"),
        claim_id=np.asarray(claim_keys.to_numpy(zero_copy_only=False), dtype=np.object_),
        country=country,
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
        points=_points(portfolio["contact_points"], keys, channels),
        missing=tuple(name for name, schema in SCHEMAS.items() if not schema.required and name not in portfolio.given),
        claims=claims,
        claim_events=_claim_events(portfolio["claim_events"], claim_keys),
        contacts=contacts,
        covers=covers_of(portfolio["contacts"], contact, claim_keys, len(contact_keys)),
        contact_events=_contact_events(portfolio["contact_events"], contacts, contact_keys, clock),
        payments=_payments(portfolio["payments"], claim_keys, claims, contacts, contact_keys, clock),
    )


def _places(debtors: pa.Table) -> tuple[tuple[Place, ...], IntArray]:
    columns = [texts(debtors, name) for name in ("country", "region", "time_zone")]
    triples = list(zip(*columns, strict=True))
    index = {triple: number for number, triple in enumerate(dict.fromkeys(triples))}
    places = tuple(place_of(country, region=region, time_zone=zone) for country, region, zone in index)
    return places, np.array([index[triple] for triple in triples], dtype=np.int64)


def _order(owner: IntArray, time: IntArray, *ties: npt.NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """Rows that have an owner, by owner, time and what tells rows of one instant apart; and the owners in that order."""
    order = sorted_by_owner(owner, time)
    again = np.flatnonzero((np.diff(owner[order]) == 0) & (np.diff(time[order]) == 0))
    if len(again) and ties:
        tied = np.unique(np.concatenate([again, again + 1]))
        rows = order[tied]
        order[tied] = rows[np.lexsort((*(one[rows] for one in ties[::-1]), time[rows], owner[rows]))]
    return order, owner[order]


def _profiles(table: pa.Table, keys: pa.Array) -> Profiles:
    income, employment = codes(table, "income_band", INCOME_BANDS), codes(table, "employment", EMPLOYMENTS)
    debts = np.asarray(pc.fill_null(table["other_debts"].cast(pa.float64()), np.nan).to_numpy(), dtype=np.float64)
    since = instants(table, "valid_from")
    ties = (income, employment, np.nan_to_num(debts, nan=-1.0).astype(np.int64))
    order, owner = _order(rows_of(table["debtor_id"], keys), since, *ties)
    return Profiles(offsets(owner, len(keys)), since[order], income[order], employment[order], debts[order])


def _points(table: pa.Table, keys: pa.Array, channels: tuple[str, ...]) -> ContactPoints:
    since = instants(table, "valid_from")
    order, owner = _order(rows_of(table["debtor_id"], keys), since)
    withdrawn = pc.fill_null(pc.equal(table["consent"], "withdrawn"), fill_value=False)
    return ContactPoints(
        start=offsets(owner, len(keys)),
        channel=codes(table, "channel", channels)[order],
        valid_from_us=since[order],
        valid_to_us=instants(table, "valid_to")[order],
        verified=flags(table, "verified")[order],
        verified_us=instants(table, "verified_at", missing=0)[order],
        withdrawn=np.asarray(withdrawn.to_numpy(), dtype=np.bool_)[order],
        kind=codes(table, "kind", POINT_KINDS)[order],
    )


def _claims(
    table: pa.Table, keys: pa.Array, sector: IntArray, currency: IntArray, clock: _Clock
) -> tuple[Claims, pa.Array]:
    registered = instants(table, "registered_at")
    order, owner = _order(rows_of(table["debtor_id"], keys), registered, rank_of(table["claim_id"]))
    _, creditor = worded(table["creditor_id"])
    paid = pc.fill_null(pc.equal(table["close_reason"], "paid"), fill_value=False)
    closed = instants(table, "closed_at")[order]
    claims = Claims(
        start=offsets(owner, len(keys)),
        debtor=owner,
        sector=sector[order],
        creditor=creditor[order],
        currency=currency[order],
        principal=amounts(table, "principal")[order],
        due_day=days(table, "due_on")[order],
        registered_us=registered[order],
        closed_us=closed,
        closed_paid=np.asarray(paid.to_numpy(), dtype=np.bool_)[order],
        closed_day=_local_day(clock, owner, closed),
    )
    return claims, table["claim_id"].combine_chunks().take(pa.array(order))


def _local_day(clock: _Clock, owner: IntArray, at_us: IntArray) -> DayArray:
    """Local date of instants, `NO_DAY` of `NEVER`, shape (n,)."""
    day, once = np.full(len(at_us), NO_DAY, dtype=np.int32), np.flatnonzero(at_us < NEVER)
    day[once] = clock.of(owner[once], at_us[once]).us // DAY_US
    return day


def _claim_events(table: pa.Table, claim_keys: pa.Array) -> ClaimEvents:
    kind, stage = codes(table, "kind", CLAIM_EVENT_KINDS), codes(table, "stage", STAGES)
    at, due = instants(table, "at"), days(table, "next_due_on")
    order, owner = _order(rows_of(table["claim_id"], claim_keys), at, kind, stage, due)
    known = known_instants(table, "at")[order]
    return ClaimEvents(offsets(owner, len(claim_keys)), at[order], known, kind[order], stage[order], due[order])


def _contacts(
    table: pa.Table, keys: pa.Array, channels: tuple[str, ...], clock: _Clock
) -> tuple[Contacts, pa.Array, IntArray]:
    """One row for each contact, whatever number of claims it covers, the contacts' identifiers, and each table row's contact."""
    encoded = table["contact_id"].combine_chunks().dictionary_encode()
    owner = rows_of(table["debtor_id"], keys)
    number = np.where(owner >= 0, np.asarray(encoded.indices.to_numpy(), dtype=np.int64), -1)
    one = np.flatnonzero(first_of_keys(number, np.zeros(len(number), dtype=np.int64), len(encoded.dictionary)))
    owner, names = owner[one], encoded.dictionary.take(pa.array(number[one]))
    decided, channel = instants(table, "decided_at")[one], codes(table, "channel", channels)[one]
    # The order of decisions of one instant matters for contacts alone, and few share one: only those are ranked.
    order, owner = _order(owner, decided, np.where(channel > 0, 1, 0), _ranks(names, owner, decided, channel))
    made = channel[order] > 0
    send = instants(table, "send_at")[one][order]
    local = clock.of(owner, np.where(made & (send < NEVER), send, decided[order]))
    contact = places_of(number, number[one][order], len(encoded.dictionary))
    contacts = Contacts(
        start=offsets(owner, len(keys)),
        decided_us=decided[order],
        known_us=_first_known(number, known_instants(table, "decided_at"), len(encoded.dictionary))[number[one]][order],
        channel=channel[order],
        part=np.where(made, local.part, -1).astype(np.int16),
        weekday=np.where(made, local.weekday, -1).astype(np.int16),
        send_us=np.where(channel[order] == 0, NEVER, np.where(send < NEVER, send, decided[order])),
        bounced_us=np.full(len(order), NEVER),
    )
    return contacts, names.take(pa.array(order)), contact


def _first_known(number: IntArray, known_us: IntArray, size: int) -> IntArray:
    """When the first row of each contact came to be known, shape (contacts,); rows of number -1 are left out."""
    first = np.full(size, NEVER)
    np.minimum.at(first, number[number >= 0], known_us[number >= 0])
    return first


def _ranks(names: pa.Array, owner: IntArray, decided: IntArray, channel: CodeArray) -> IntArray:
    """Place in the order of their names of contacts that share debtor and instant with another, 0 for the others."""
    rank = np.zeros(len(names), dtype=np.int64)
    made = np.flatnonzero(channel > 0)
    order = made[sorted_by_owner(owner[made], decided[made])]
    again = np.flatnonzero((np.diff(owner[order]) == 0) & (np.diff(decided[order]) == 0))
    tied = order[np.unique(np.concatenate([again, again + 1]))]
    if len(tied):
        rank[tied] = rank_of(pa.chunked_array([names.take(pa.array(tied))]))
    return rank


def _contact_events(table: pa.Table, contacts: Contacts, contact_keys: pa.Array, clock: _Clock) -> ContactEvents:
    row = rows_of(table["contact_id"], contact_keys)
    owners = np.append(np.repeat(np.arange(len(contacts.start) - 1), np.diff(contacts.start)), -1)
    at, kind = instants(table, "at"), codes(table, "kind", CONTACT_EVENT_KINDS)
    order, owner = _order(owners[row], at, kind)
    row, kind, at = row[order], kind[order], at[order]
    known = known_instants(table, "at")[order]
    counted = np.maximum(known, contacts.known_us[row]) if len(row) else known
    reaching = np.isin(kind, [CONTACT_EVENT_KINDS.index(name) for name in REACHING])
    local = clock.of(owner, at)
    return ContactEvents(
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
        promised_us=promised_ends(table)[order],
        first=first_of_keys(
            row * len(CONTACT_EVENT_KINDS) + kind, counted, len(contact_keys) * len(CONTACT_EVENT_KINDS)
        ),
        first_reach=first_of_keys(np.where(reaching, row, -1), counted, len(contact_keys)),
    )


def _payments(
    table: pa.Table, claim_keys: pa.Array, claims: Claims, contacts: Contacts, contact_keys: pa.Array, clock: _Clock
) -> Payments:
    claim = rows_of(table["claim_id"], claim_keys)
    owner = np.append(claims.debtor, -1)[claim]
    paid, amount = instants(table, "paid_at"), amounts(table, "amount")
    order, owner = _order(owner, paid, claim, np.round(amount * 100).astype(np.int64))
    through = np.where(table["contact_id"].is_null().to_numpy(), -1, rows_of(table["contact_id"], contact_keys))[order]
    paid, claim = paid[order], claim[order]
    # A contact decided on later cannot have brought the payment in, whatever the row says.
    earlier = (through >= 0) & (np.append(contacts.known_us, 0)[through] <= paid)
    local = clock.of(owner, paid)
    return Payments(
        start=offsets(owner, len(contacts.start) - 1),
        claim=claim,
        paid_us=paid,
        known_us=known_instants(table, "paid_at")[order],
        reversed_us=instants(table, "reversed_at")[order],
        amount=amount[order],
        currency=claims.currency[claim],
        channel=np.where(earlier, np.append(contacts.channel, -1)[through], -1).astype(np.int16),
        hour=local.hour,
        part=local.part,
        weekday=local.weekday,
        month_day=local.month_day,
    )


def has_none_rows(histories: Histories) -> bool:
    """True where the log also records decisions not to make contact."""
    return bool(np.any(histories.contacts.channel == histories.channels.index(NONE)))
