"""Facts received one by one, kept in the decision log's file: stored before they are acknowledged, counted once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import events
from data.event_rows import Row, to_json
from data.schemas import SCHEMAS

OWNERS = {"claim_events": "claim_id", "contact_events": "contact_id"}
"""Tables whose rows do not name their debtor, and the column that leads to it."""


class ConflictingEvent(ValueError):
    """Another event was stored under the same identifier."""


@dataclass(frozen=True)
class Event:
    """One row of a contract table, in contract types, under the sender's identifier."""

    event_id: str
    table: str
    row: Row

    @property
    def owner(self) -> tuple[str, str]:
        """Column that leads to the debtor, and its value."""
        column = OWNERS.get(self.table, "debtor_id")
        return column, str(self.row[column])


@dataclass(frozen=True)
class Received:
    """An event as stored; `row` as `data.event_rows.to_json` gave it, `sequence` rises in the order of receipt."""

    sequence: int
    event_id: str
    table: str
    row: Mapping[str, str | int | float | bool]
    received_at: datetime

    @property
    def owner(self) -> tuple[str, str]:
        """Column that leads to the debtor, and its value."""
        column = OWNERS.get(self.table, "debtor_id")
        return column, str(self.row[column])


def record(connection: sa.Connection, event: Event, *, at: datetime) -> bool:
    """Stores an event within the caller's transaction; False where the same event was stored before.

    Raises
    ------
    ConflictingEvent
        The identifier stands for an event of another content.
    """
    row = to_json(event.row)
    digest = hashlib.sha256(json.dumps([event.table, row], sort_keys=True).encode()).hexdigest()
    standing = connection.scalar(sa.select(events.c.digest).where(events.c.event_id == event.event_id))
    if standing is not None:
        if standing != digest:
            raise ConflictingEvent("another event was stored under this event_id: give each event an id of its own")
        return False
    column, owner = event.owner
    values = {"debtor_id": "of_debtor", "claim_id": "of_claim", "contact_id": "of_contact"}
    connection.execute(
        sa.insert(events).values(
            event_id=event.event_id,
            table_name=event.table,
            row_key=_key(event),
            digest=digest,
            row=row,
            received_at=at,
            **{values[column]: owner},
        )
    )
    return True


def events_of_debtor(connection: sa.Connection, debtor_id: str) -> list[Received]:
    """Events whose row names the debtor, in the order of receipt."""
    return _found(connection, events.c.of_debtor == debtor_id)


def events_of_parts(connection: sa.Connection, *, claims: Collection[str], contacts: Collection[str]) -> list[Received]:
    """Events whose row names one of these claims or contacts and no debtor, in the order of receipt."""
    return _found(connection, events.c.of_claim.in_(claims) | events.c.of_contact.in_(contacts))


def all_events(connection: sa.Connection) -> list[Received]:
    """Every event, in the order of receipt."""
    return _found(connection, sa.true())


def last_of(connection: sa.Connection, debtor_id: str, *, claims: Collection[str], contacts: Collection[str]) -> int:
    """Sequence number of the last event of a debtor and of these claims and contacts, 0 where there is none."""
    mine = (events.c.of_debtor == debtor_id) | events.c.of_claim.in_(claims) | events.c.of_contact.in_(contacts)
    return connection.scalar(sa.select(sa.func.max(events.c.sequence)).where(mine)) or 0


def debtor_named(connection: sa.Connection, table: str, key: str) -> str | None:
    """Debtor that the last event of a table names for a row of that key; None where no such event came."""
    query = (
        sa.select(events.c.of_debtor)
        .where(events.c.table_name == table, events.c.row_key == key)
        .order_by(events.c.sequence.desc())
        .limit(1)
    )
    return connection.scalar(query)


def _key(event: Event) -> str | None:
    key = SCHEMAS[event.table].key
    value = event.row[key[0]] if key else None
    return None if value is None else str(value)


def _found(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Received]:
    columns = (events.c.sequence, events.c.event_id, events.c.table_name, events.c.row, events.c.received_at)
    query = sa.select(*columns).where(where).order_by(events.c.sequence)
    return [Received(*row) for row in connection.execute(query)]
