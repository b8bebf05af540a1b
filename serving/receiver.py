"""Events on their way in: held against the contract, stored durably, and only then acknowledged."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from data.erasure import erased_among
from data.event_log import ConflictingEvent, Event, decided_for, last_told, record
from data.event_rows import BadRow, Row, typed_row
from data.schemas import SCHEMAS
from data.subjects import CLAIM, CONTACT, DEBTOR
from serving.decider import Service
from serving.problem_details import Fault
from serving.problems import Refused, invalid
from serving.shapes import EventAnswer, EventRequest
from serving.state import claim_currency, knows, owner_of, paid_in

NAMED = {
    "debtor_profiles": ("debtors", "debtor_id"),
    "contact_points": ("debtors", "debtor_id"),
    "claims": ("debtors", "debtor_id"),
    "claim_events": ("claims", "claim_id"),
    "contacts": ("claims", "claim_id"),
    "contact_events": ("contacts", "contact_id"),
    "payments": ("claims", "claim_id"),
}
"""The table whose row an event's row must find, and the column that names it."""

STAYS = {"payments": "payment_id", "claim_events": "event_id"}
"""Rows on claims by the column that tells them apart."""


def event_of(service: Service, request: EventRequest) -> Event:
    """The event in contract types.

    Raises
    ------
    serving.problems.Refused
        The row breaks the contract.
    """
    return Event(request.event_id, request.table, _row(service, request))


def write(connection: sa.Connection, service: Service, event: Event, *, at: datetime) -> EventAnswer:
    """The event stored, within the caller's transaction; sent again it is told as a duplicate, and changes nothing.

    Raises
    ------
    serving.problems.Refused
        It contradicts what is known, or its identifier stands for another event; nothing is written then.
    """
    owner = _owner(connection, service, event)
    if _is_erased(connection, event, owner):
        remedy = "stop sending rows about this debtor: nothing of it is kept"
        raise Refused("erased", "the debtor was erased", remedy=remedy)
    _must_agree(connection, service, event, owner)
    _must_stay(connection, service, event, owner)
    try:
        new = record(connection, event, at=at, debtor_id=owner)
    except ConflictingEvent as error:
        remedy = "give each event an event_id of its own"
        raise Refused("event-conflict", str(error), remedy=remedy) from error
    waits_for = _waits_for(connection, service, event)
    return EventAnswer(event_id=event.event_id, duplicate=not new, waits_for=waits_for)


def _is_erased(connection: sa.Connection, event: Event, owner: str | None) -> bool:
    """Whether the debtor whom the event is about, or the claim or contact it names, has been erased."""
    named = {DEBTOR: owner, CLAIM: event.row.get("claim_id"), CONTACT: event.row.get("contact_id")}
    if event.table == "payments":
        named[CONTACT] = None  # whoever pays through another's link pays all the same
    if any(erased_among(connection, [str(one)], kind=kind) for kind, one in named.items() if one is not None):
        return True
    if named[CONTACT] is None:
        return False
    ours, subject = decided_for(connection, str(named[CONTACT]))
    return ours and subject is None


def _owner(connection: sa.Connection, service: Service, event: Event) -> str | None:
    """Debtor that the event is about: that of the claim or contact it names, else the one it names itself."""
    if event.table in ("claim_events", "payments"):
        found = owner_of(connection, service.base, "claims", str(event.row["claim_id"]))
    elif event.table == "contact_events":
        found = _contacted(connection, service, str(event.row["contact_id"]))
    else:
        found = None
    named = event.row.get("debtor_id")
    return found or (None if named is None else str(named))


def _row(service: Service, request: EventRequest) -> Row:
    if request.table not in SCHEMAS:
        remedy = f"use one of {', '.join(SCHEMAS)}"
        raise invalid([Fault(where="body.table", what="not a table of the contract", remedy=remedy)])
    given = request.row
    if "event_id" in SCHEMAS[request.table].names and given.get("event_id") is None:
        given = {**given, "event_id": request.event_id}
    try:
        row = typed_row(request.table, given, channels=service.config.grid.channels)
    except BadRow as bad:
        raise invalid([_fault(fault.column, fault.what, fault.remedy) for fault in bad.faults]) from bad
    currency, known = row.get("currency"), service.config.rates.rows
    if currency is not None and currency not in known:
        remedy = f"use one of {', '.join(sorted(known))}, or add it under [rates] in rettid.toml"
        raise invalid([_fault("currency", "a currency without an exchange rate", remedy)])
    return row


def _fault(column: str | None, what: str, remedy: str) -> Fault:
    return Fault(where="body.row" if column is None else f"body.row.{column}", what=what, remedy=remedy)


def _contacted(connection: sa.Connection, service: Service, contact_id: str) -> str | None:
    """Debtor that a contact is with, whether it came from outside or is a decision of ours."""
    _, subject = decided_for(connection, contact_id)
    ours = None if subject is None else subject.id
    return owner_of(connection, service.base, "contacts", contact_id) or ours


def _must_agree(connection: sa.Connection, service: Service, event: Event, owner: str | None) -> None:
    """A claim stays with its debtor, a payment in its claim's currency: an event that says otherwise is refused."""
    debtor_id, claim_id = event.row.get("debtor_id"), event.row.get("claim_id")
    if debtor_id is None or claim_id is None:
        return
    if event.table != "payments":
        owner = owner_of(connection, service.base, "claims", str(claim_id))
    if owner is not None and owner != debtor_id:
        remedy = "name the claim's own debtor, as in claims"
        raise invalid([_fault("debtor_id", "the claim is not this debtor's", remedy)])
    contacted = _contacted(connection, service, str(event.row["contact_id"])) if event.table == "contacts" else None
    if contacted not in (None, debtor_id):
        remedy = "give each contact a contact_id of its own"
        raise invalid([_fault("contact_id", "the contact is another debtor's", remedy)])
    if event.table == "claims":
        paid = paid_in(connection, service.base, str(claim_id), debtor_id=str(debtor_id))
        if not paid <= {event.row["currency"]}:
            remedy = "tell such payments first, as reversed (reversed_at), or, if the claim is new, in its currency"
            raise invalid([_fault("currency", "differs from that of a payment on the claim", remedy)])
    if owner is not None and event.table == "payments":
        currency = claim_currency(connection, service.base, str(claim_id), debtor_id=owner)
        if currency not in (None, event.row["currency"]):
            remedy = "enter the amount as credited to the claim, in the claim's currency"
            raise invalid([_fault("currency", "differs from the claim's currency", remedy)])


def _must_stay(connection: sa.Connection, service: Service, event: Event, owner: str | None) -> None:
    """A row with an identifier stays with its debtor: told of another it would count for both."""
    column = STAYS.get(event.table)
    key = None if column is None else event.row.get(column)
    if column is None or key is None or owner is None:
        return
    told = last_told(connection, event.table, str(key))
    before = None if told is None else owner_of(connection, service.base, "claims", str(told.row["claim_id"]))
    if before is None and event.table == "payments":
        before = service.base.debtor_named("payments", str(key))
    if before not in (None, owner):
        remedy = (
            "tell it with reversed_at on its claim, and the right one under a payment_id of its own"
            if event.table == "payments"
            else "give each event of a claim an event_id of its own"
        )
        raise invalid([_fault(column, "the row is known as another debtor's", remedy)])


def _waits_for(connection: sa.Connection, service: Service, event: Event) -> str | None:
    """Table whose row this one speaks of and which has not been received; None where nothing is missing."""
    if event.table not in NAMED:
        return None
    table, column = NAMED[event.table]
    return None if knows(connection, service.base, table, str(event.row[column])) else table
