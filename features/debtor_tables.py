"""What a portfolio says of debtors and their claims as time-sorted arrays: profiles, points, claims, their course, payments."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.times import NEVER, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONSENTS, EMPLOYMENTS, INCOME_BANDS, POINT_KINDS, STAGES
from features._sorting import ordered
from features.addresses import Rows, words_against
from features.clock import Clock
from features.columns import (
    amounts,
    codes,
    days,
    flags,
    given,
    instants,
    offsets,
    rank_of,
    rows_of,
    told_instants,
)
from features.tables import ClaimEvents, Claims, ContactPoints, Contacts, Payments, Profiles


def profiles_of(table: pa.Table, keys: pa.Array) -> Profiles:
    """Profiles by debtor (`keys`) and the moment from which they hold."""
    income, employment = codes(table, "income_band", INCOME_BANDS), codes(table, "employment", EMPLOYMENTS)
    debts, since = amounts(table, "other_debts"), instants(table, "valid_from")
    ties = (income, employment, np.nan_to_num(debts, nan=-1.0).astype(np.int64))
    order, owner = ordered(rows_of(table["debtor_id"], keys), since, *ties)
    return Profiles(offsets(owner, len(keys)), since[order], income[order], employment[order], debts[order])


def points_of(table: pa.Table, keys: pa.Array, channels: tuple[str, ...]) -> ContactPoints:
    """Contact points by debtor (`keys`) and the moment from which they hold."""
    since = instants(table, "valid_from")
    order, owner = ordered(rows_of(table["debtor_id"], keys), since)
    verified_us = np.where(flags(table, "verified"), instants(table, "verified_at", missing=0), NEVER)[order]
    channel, kind = codes(table, "channel", channels)[order], codes(table, "kind", POINT_KINDS)[order]
    rows = Rows(owner, channel, since[order], verified_us, codes(table, "consent", CONSENTS)[order], kind)
    return ContactPoints(
        start=offsets(owner, len(keys)),
        channel=channel,
        valid_from_us=rows.since_us,
        valid_to_us=instants(table, "valid_to")[order],
        verified_us=verified_us,
        kind=kind,
        **words_against(rows, table["address_key"], order)._asdict(),
    )


def claims_of(table: pa.Table, keys: pa.Array, coded: tuple[IntArray, ...], clock: Clock) -> tuple[Claims, pa.Array]:
    """Claims by debtor (`keys`) and registration, and their identifiers; `coded` are sector, creditor and currency of each row."""
    registered = instants(table, "registered_at")
    order, owner = ordered(rows_of(table["debtor_id"], keys), registered, rank_of(table["claim_id"]))
    sector, creditor, currency = (one[order] for one in coded)
    closed = instants(table, "closed_at")[order]
    claims = Claims(
        start=offsets(owner, len(keys)),
        debtor=owner,
        sector=sector,
        creditor=creditor,
        currency=currency,
        principal=amounts(table, "principal")[order],
        due_day=days(table, "due_on")[order],
        registered_us=registered[order],
        closed_us=closed,
        closed_paid=codes(table, "close_reason", ("paid",))[order] == 0,
        closed_day=clock.days(owner, closed),
    )
    return claims, table["claim_id"].combine_chunks().take(pa.array(order))


def claim_events_of(table: pa.Table, claim_keys: pa.Array) -> ClaimEvents:
    """Events in the course of claims (`claim_keys`), by claim and time."""
    kind, stage = codes(table, "kind", CLAIM_EVENT_KINDS), codes(table, "stage", STAGES)
    at, due = instants(table, "at"), days(table, "next_due_on")
    order, owner = ordered(rows_of(table["claim_id"], claim_keys), at, kind, stage, due)
    known = told_instants(table, at)[order]
    return ClaimEvents(offsets(owner, len(claim_keys)), at[order], known, kind[order], stage[order], due[order])


def payments_of(
    table: pa.Table, claim_keys: pa.Array, claims: Claims, contacts: Contacts, contact_keys: pa.Array, clock: Clock
) -> Payments:
    """Payments by debtor and time; those on claims or through contacts that are not known are left out, or come through none."""
    claim = rows_of(table["claim_id"], claim_keys)
    owner = np.append(claims.debtor, -1)[claim]
    paid_us, amount = instants(table, "paid_at"), amounts(table, "amount")
    order, owner = ordered(owner, paid_us, claim, np.round(amount * 100).astype(np.int64))
    through = np.where(given(table, "contact_id"), rows_of(table["contact_id"], contact_keys), -1)[order]
    paid, claim = paid_us[order], claim[order]
    # A contact decided on later cannot have brought the payment in, whatever the row says.
    earlier = (through >= 0) & (np.append(contacts.known_us, 0)[through] <= paid)
    local = clock.of(owner, paid)
    return Payments(
        start=offsets(owner, len(contacts.start) - 1),
        claim=claim,
        paid_us=paid,
        known_us=told_instants(table, paid_us)[order],
        reversed_us=instants(table, "reversed_at")[order],
        amount=amount[order],
        currency=claims.currency[claim],
        channel=np.where(earlier, np.append(contacts.channel, -1)[through], -1).astype(np.int16),
        hour=local.hour,
        part=local.part,
        weekday=local.weekday,
        month_day=local.month_day,
    )
