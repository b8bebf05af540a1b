"""Facts received one by one, kept in the decision log's file: stored before they are acknowledged, counted once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import decision_rows, events, subjects
from data.event_rows import Row, to_json
from data.log_transaction import append, transaction_of
from data.schemas import SCHEMAS
from data.sealing import Key
from data.subject_names import Subject
from data.subjects import CLAIM, CONTACT, DEBTOR, one_found, one_named, owners, pseudonym
from data.times import to_us
from data.versions import bump

PLACE = b"events.row"
ROW = "row"
"""Kind of the pseudonym of a row's own identifier."""

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


def record(connection: sa.Connection, event: Event, *, at: datetime, debtor_id: str | None = None) -> bool:
    """Stores an event within the caller's transaction; False where the same event was stored before.

    Parameters
    ----------
    debtor_id
        Whom the event concerns, where its row names only a claim or contact and the caller knows whose it is.

    Raises
    ------
    ConflictingEvent
        The identifier stands for an event of another content.
    """
    new = Received(0, event.event_id, event.table, to_json(event.row), at)
    return keep(connection, new, debtor_id=debtor_id)


def keep(connection: sa.Connection, new: Received, *, debtor_id: str | None) -> bool:
    """The same for a row that `to_json` gave; its place in the log is a new one."""
    digest = pseudonym(connection, "digest", json.dumps([new.table, dict(new.row)], sort_keys=True))
    key = pseudonym(connection, "event", new.event_id)
    standing = connection.scalar(sa.select(events.c.digest).where(events.c.event_key == key))
    if standing is not None:
        if standing != digest:
            raise ConflictingEvent("another event was stored under this event_id: give each event an id of its own")
        return False
    owner = _owner(connection, new, debtor_id)
    at_us, sealed = to_us(new.received_at), owner.subject.key.seal([new.event_id, dict(new.row)], place=PLACE)
    kind = new.row.get("kind") if new.table == "contact_events" else None
    what = (key, new.table, kind, *owner.named, _row_key(connection, new), digest)
    append(connection, events, [(*what, owner.subject.ref, sealed, at_us)], at_us=at_us)
    bump(connection, () if owner.debtor_id is None else (owner.debtor_id,))
    return True


def events_of_debtor(connection: sa.Connection, debtor_id: str) -> list[Received]:
    """Events whose row names the debtor, in the order of receipt."""
    subject = one_found(connection, DEBTOR, debtor_id)
    return [] if subject is None else _found(connection, events.c.of_debtor == subject.ref)


def events_of_parts(connection: sa.Connection, *, claims: Collection[str], contacts: Collection[str]) -> list[Received]:
    """Events whose row names one of these claims or contacts and no debtor, in the order of receipt."""
    return _found(connection, _of_parts(connection, claims, contacts)) if claims or contacts else []


def all_events(connection: sa.Connection) -> list[Received]:
    """Every event that can be read, in the order of receipt."""
    return _found(connection, sa.true())


def debtor_named(connection: sa.Connection, table: str, key: str) -> str | None:
    """Debtor that the last event of a table names for a row of that key; None where no such event came."""
    query = (
        sa.select(subjects.c.id)
        .join_from(events, subjects, subjects.c.ref == events.c.of_debtor)
        .where(events.c.table_name == table, events.c.row_key == pseudonym(connection, ROW, table, key))
        .order_by(events.c.sequence.desc())
        .limit(1)
    )
    return connection.scalar(query)


def last_told(connection: sa.Connection, table: str, key: str) -> Received | None:
    """The last event of a table with a row of that key; None where none came, or nobody can read it any more."""
    mine = (events.c.table_name == table) & (events.c.row_key == pseudonym(connection, ROW, table, key))
    last = sa.select(sa.func.max(events.c.sequence)).where(mine).scalar_subquery()
    return next(iter(_found(connection, events.c.sequence == last)), None)


def decided_for(connection: sa.Connection, contact_id: str) -> tuple[bool, Subject | None]:
    """Whether a contact is a decision of ours, and its debtor unless that one was erased."""
    mine = sa.select(decision_rows.c.debtor_ref).where(decision_rows.c.decision_id == contact_id).limit(1)
    ref = connection.scalar(mine)
    return ref is not None, None if ref is None else owners(connection, (ref,)).get(ref)


@dataclass(frozen=True)
class _Owner:
    """Under whose key an event is sealed, whom it is known to concern, and its columns `of_...`."""

    subject: Subject
    debtor_id: str | None
    named: tuple[int | None, str | None, str | None, str | None]


def _owner(connection: sa.Connection, new: Received, debtor_id: str | None) -> _Owner:
    column, name = new.owner
    if column == "debtor_id":
        subject = one_named(connection, DEBTOR, name)
        return _Owner(subject, name, (subject.ref, None, None, None))
    kind = CLAIM if column == "claim_id" else CONTACT
    decided, known = decided_for(connection, name) if kind == CONTACT else (False, None)
    concerned = debtor_id or (None if known is None else known.id)
    subject = one_named(connection, kind, name) if concerned is None else one_named(connection, DEBTOR, concerned)
    hidden = pseudonym(connection, kind, name)
    claim, contact = (hidden, None) if kind == CLAIM else (None, hidden)
    return _Owner(subject, concerned, (None, claim, contact, name if decided else None))


def _row_key(connection: sa.Connection, new: Received) -> str | None:
    key = SCHEMAS[new.table].key
    value = new.row.get(key[0]) if key else None
    return None if value is None else pseudonym(connection, ROW, new.table, str(value))


def _of_parts(connection: sa.Connection, claims: Collection[str], contacts: Collection[str]) -> sa.ColumnElement[bool]:
    of = transaction_of(connection).names.pseudonyms.of
    return events.c.of_claim.in_([of(CLAIM, one) for one in claims]) | events.c.of_contact.in_(
        [of(CONTACT, one) for one in contacts]
    )


def _found(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Received]:
    """Events whose owner has not been erased."""
    columns = (events.c.sequence, events.c.table_name, events.c.received_at, events.c.sealed, subjects.c.key)
    query = sa.select(*columns).join_from(events, subjects, subjects.c.ref == events.c.sealed_for)
    found = []
    for sequence, table, received_at, sealed, key in connection.execute(query.where(where).order_by(events.c.sequence)):
        event_id, row = Key(key).open(sealed, place=PLACE)
        found.append(Received(sequence, event_id, table, row, received_at))
    return found
