"""A portfolio as time-sorted arrays per debtor: what the kernels walk through."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.calendar import Place, place_of
from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.times import IntArray
from data.vocabulary import NONE
from features.clock import Clock
from features.columns import days, instants, texts, worded
from features.contact_tables import contact_events_of, contacts_of
from features.debtor_tables import claim_events_of, claims_of, payments_of, points_of, profiles_of
from features.tables import Histories


def histories_of(portfolio: Portfolio, *, channels: tuple[str, ...]) -> Histories:
    """Histories of every debtor in a portfolio.

    Parameters
    ----------
    portfolio
        Checked tables of the contract.
    channels
        The grid's channels, `none` first; channel codes are indices in it.
    """
    debtors = _by_identifier(portfolio["debtors"])
    keys = pc.fill_null(debtors["debtor_id"], "").combine_chunks()
    countries, country = worded(debtors["country"])
    places, place = _places(debtors)
    clock = Clock(tuple(candidate.zones[0] for candidate in places), place)
    (sectors, sector), (creditors, creditor), (currencies, currency) = (
        worded(portfolio["claims"][name]) for name in ("sector", "creditor_id", "currency")
    )
    claims, claim_keys = claims_of(portfolio["claims"], keys, (sector, creditor, currency), clock)
    made = contacts_of(portfolio["contacts"], keys, claim_keys, channels, clock)
    contact_events, bounced_us = contact_events_of(portfolio["contact_events"], made, clock)
    contacts = made.contacts._replace(bounced_us=bounced_us)
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
        profiles=profiles_of(portfolio["debtor_profiles"], keys),
        points=points_of(portfolio["contact_points"], keys, channels),
        missing=tuple(name for name, schema in SCHEMAS.items() if not schema.required and name not in portfolio.given),
        claims=claims,
        claim_events=claim_events_of(portfolio["claim_events"], claim_keys),
        contacts=contacts,
        covers=made.covers,
        contact_events=contact_events,
        payments=payments_of(portfolio["payments"], claim_keys, claims, contacts, made.keys, clock),
    )


def _by_identifier(debtors: pa.Table) -> pa.Table:
    """In order of their identifiers; one debtor, as the service asks for it, is in order."""
    return debtors.sort_by("debtor_id") if debtors.num_rows > 1 else debtors


def _places(debtors: pa.Table) -> tuple[tuple[Place, ...], IntArray]:
    columns = [texts(debtors, name) for name in ("country", "region", "time_zone")]
    triples = list(zip(*columns, strict=True))
    found = {one: place_of(one[0], region=one[1], time_zone=one[2]) for one in dict.fromkeys(triples)}
    # A zone that is told and the only one of the country are the same place.
    index = {place: number for number, place in enumerate(dict.fromkeys(found.values()))}
    code = {one: index[place] for one, place in found.items()}
    return tuple(index), np.array([code[one] for one in triples], dtype=np.int64)


def has_none_rows(histories: Histories) -> bool:
    """True where the log also records decisions not to make contact."""
    return bool(np.any(histories.contacts.channel == histories.channels.index(NONE)))
