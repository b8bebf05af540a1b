"""What is known at this moment, of one debtor or of all: the base portfolio, and every event received since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.erasure import erased_among
from data.event_log import Received, all_events, debtor_named, events_of_debtor, events_of_parts, last_told
from data.event_rows import rows_table
from data.log_marks import Marks
from data.online_decisions import DecisionRow, contacts_decided_before, contacts_of, is_decision
from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from data.versions import versions_of
from serving.base_portfolio import BasePortfolio

IDENTITY = {
    **{name: schema.key for name, schema in SCHEMAS.items()},
    "debtor_profiles": ("debtor_id", "valid_from"),
    "contact_points": ("debtor_id", "channel", "valid_from", "address_key"),
}
"""Columns by which a later row takes the place of an earlier one."""

HAPPENED = {
    "debtors": ("blocked_at", "cease_at", "objected_at"),
    "claims": ("closed_at",),
    "contacts": ("decided_at", "known_at"),
    "claim_events": ("at", "known_at"),
    "contact_events": ("at", "known_at"),
    "payments": ("paid_at", "known_at"),
}
"""Columns that say when something happened or came to be known; neither can lie in the future."""

STOPS: Mapping[str, Mapping[str, Callable[[list[Any]], Any]]] = {
    "debtors": {"blocked_at": min, "cease_at": min, "objected_at": min, "stop_until": max},
    "claims": {"closed_at": min},
    "payments": {"reversed_at": min},
}
"""Columns that a row received later does not take back, and which of two values stands: what holds contact back longer, and
that a payment was reversed, which may be told before the payment."""

WITHDRAWN = "withdrawn"
INSTANT = timedelta(microseconds=1)

Row = dict[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Facts:
    """All rows of one debtor by table, as they stood in one transaction.

    `version` rises with every event about the debtor, every decision and every step of one; `newest_at` is when the
    last event was received, None where there was none.
    """

    debtor_id: str
    tables: Mapping[str, pa.Table]
    version: int
    newest_at: datetime | None = None

    def moment(self, now: datetime) -> datetime:
        """The present moment, but after all that was received: a clock that went back makes nothing unknown."""
        return now if self.newest_at is None else max(now, self.newest_at + INSTANT)

    @property
    def known(self) -> bool:
        """True where the debtor itself has a row."""
        return bool(self.tables["debtors"].num_rows)

    def identifiers(self, table: str) -> set[str]:
        """First key of every row of a table."""
        return set(self.tables[table][SCHEMAS[table].key[0]].to_pylist())


def facts_of(connection: sa.Connection, base: BasePortfolio, debtor_id: str, *, known: Marks | None = None) -> Facts:
    """Facts of one debtor as they stand in this transaction, or as they stood when the log had grown to `known`.

    A row received later takes the place of an earlier one with the same key, but lifts no stop of the base portfolio.
    Rows that speak of another debtor's claim or contact, or of one that has not been received, wait and are left out.
    Our own decisions that were confirmed, or of which an event has come, stand among the contacts until the collection
    system's own row arrives. Of an erased debtor nothing is known, whatever the base portfolio holds.
    """
    version = versions_of(connection, [debtor_id])[debtor_id]
    if version and erased_among(connection, [debtor_id]):
        return Facts(debtor_id, {name: schema.empty() for name, schema in SCHEMAS.items()}, version)
    tables = _slices(base, debtor_id)
    received = _own(base, debtor_id, _until(known, events_of_debtor(connection, debtor_id)))
    decided = contacts_of(connection, debtor_id, known=known)
    claims, contacts = _named(tables, received, decided)
    parts = _until(known, events_of_parts(connection, claims=claims, contacts=contacts))
    if received or decided or parts:
        change = _change(tables, _by_table([*received, *parts]), decided)
        tables = {name: _changed(tables[name], change.gone[name], change.added[name], name) for name in SCHEMAS}
    newest_at = max((event.received_at for event in (*received, *parts)), default=None)
    return Facts(debtor_id, tables, version, newest_at)


def _until(known: Marks | None, received: list[Received]) -> list[Received]:
    return received if known is None else [event for event in received if event.sequence <= known.event]


def portfolio_with_events(connection: sa.Connection, portfolio: Portfolio, *, as_of: datetime) -> Portfolio:
    """The portfolio with all that has been received, and decisions before `as_of` that became contacts.

    Every debtor of whom something was received has the rows that `facts_of` gives; the others stay as they are.
    """
    received, decided = all_events(connection), contacts_decided_before(connection, as_of)
    if not received and not decided:
        return portfolio
    base, told = BasePortfolio.of(portfolio), _Told.of(received, decided)
    gone: dict[str, list[int]] = {name: [] for name in SCHEMAS}
    added: Rows = {name: [] for name in SCHEMAS}
    for debtor_id in told.debtors(base):
        change, spans = told.change(base, debtor_id), base.spans(debtor_id)
        if not base.knows(debtor_id) and not change.added["debtors"]:
            continue
        for name in SCHEMAS:
            gone[name].extend(spans[name][0] + row for row in change.gone[name])
            added[name].extend(change.added[name])
    tables = {name: _changed(base.tables[name], gone[name], added[name], name).combine_chunks() for name in SCHEMAS}
    return Portfolio(tables, base.given | {name for name, rows in added.items() if rows})


@dataclass(frozen=True)
class _Told:
    """Everything received and decided, by the debtor, claim or contact that it names."""

    events: Mapping[tuple[str, str], Sequence[Received]]
    decided: Mapping[str, Sequence[DecisionRow]]

    @staticmethod
    def of(received: Iterable[Received], decided: Iterable[DecisionRow]) -> _Told:
        events: dict[tuple[str, str], list[Received]] = {}
        for event in received:
            events.setdefault(event.owner, []).append(event)
        contacts: dict[str, list[DecisionRow]] = {}
        for row in decided:
            contacts.setdefault(row.debtor_id, []).append(row)
        return _Told(events, contacts)

    def debtors(self, base: BasePortfolio) -> list[str]:
        """Debtors of whom something is told; one of whose claim or contact it is known by a row of its own."""
        found = set(self.decided)
        for column, value in self.events:
            parent = {"claim_id": "claims", "contact_id": "contacts"}.get(column)
            debtor_id = value if parent is None else base.debtor_named(parent, value)
            found.update(() if debtor_id is None else (debtor_id,))
        return sorted(found)

    def change(self, base: BasePortfolio, debtor_id: str) -> _Change:
        """What becomes of the rows of one debtor, as in `facts_of`."""
        tables = _slices(base, debtor_id)
        received = _own(base, debtor_id, self.events.get(("debtor_id", debtor_id), ()))
        decided = self.decided.get(debtor_id, ())
        claims, contacts = _named(tables, received, decided)
        owners = [*(("claim_id", key) for key in claims), *(("contact_id", key) for key in contacts)]
        parts = [event for owner in owners for event in self.events.get(owner, ())]
        return _change(tables, _by_table([*received, *parts]), decided)


@dataclass(frozen=True)
class _Change:
    """Rows of the base portfolio, by number, whose place is taken, and rows that are added, by table."""

    gone: Mapping[str, Sequence[int]]
    added: Rows


def portfolio_of(facts: Sequence[Facts], *, given: frozenset[str]) -> Portfolio:
    """A portfolio of several debtors; `given` are the tables of the base, those with rows are added."""
    tables = {name: pa.concat_tables([one.tables[name] for one in facts]) for name in SCHEMAS}
    return Portfolio(tables, given | {name for name, table in tables.items() if table.num_rows})


def owner_of(connection: sa.Connection, base: BasePortfolio, table: str, key: str) -> str | None:
    """Debtor of a claim or contact, whether it came with the base portfolio or as an event; None where not known."""
    return base.debtor_named(table, key) or debtor_named(connection, table, key)


def claim_currency(connection: sa.Connection, base: BasePortfolio, claim_id: str, *, debtor_id: str) -> str | None:
    """Currency of a debtor's claim as it was told last; None where the claim is not known."""
    told = last_told(connection, "claims", claim_id)
    if told is not None and told.row["debtor_id"] == debtor_id:
        return str(told.row["currency"])
    claims = base.rows("claims", debtor_id).select(["claim_id", "currency"]).to_pylist()
    return next((str(row["currency"]) for row in claims if row["claim_id"] == claim_id), None)


def paid_in(connection: sa.Connection, base: BasePortfolio, claim_id: str, *, debtor_id: str) -> set[str]:
    """Currencies of a debtor's payments on a claim that stand, each payment as it was told last."""
    known = base.rows("payments", debtor_id).select(["payment_id", "claim_id", "currency", "reversed_at"])
    told = [one.row for one in events_of_debtor(connection, debtor_id) if one.table == "payments"]
    last = {row["payment_id"]: row for row in (*known.to_pylist(), *told)}
    standing = [row for row in last.values() if row["claim_id"] == claim_id and row.get("reversed_at") is None]
    return {str(row["currency"]) for row in standing}


def knows(connection: sa.Connection, base: BasePortfolio, table: str, key: str) -> bool:
    """True where a debtor, claim or contact has been received, or the contact is a decision of ours."""
    if table == "debtors":
        return base.knows(key) or debtor_named(connection, table, key) is not None
    if owner_of(connection, base, table, key) is not None:
        return True
    return table == "contacts" and is_decision(connection, key)


def _own(base: BasePortfolio, debtor_id: str, received: Iterable[Received]) -> list[Received]:
    """Events of a debtor without claims and contacts that the base portfolio says are another's."""
    keys = {"claims": "claim_id", "contacts": "contact_id"}
    return [
        event
        for event in received
        if event.table not in keys
        or base.debtor_named(event.table, str(event.row[keys[event.table]])) in (None, debtor_id)
    ]


def _named(
    tables: Mapping[str, pa.Table], received: Sequence[Received], decided: Sequence[DecisionRow]
) -> tuple[set[str], set[str]]:
    """Identifiers of a debtor's claims, and of its contacts."""
    claims = _identifiers(tables["claims"], received, "claims", "claim_id")
    contacts = _identifiers(tables["contacts"], received, "contacts", "contact_id")
    return claims, contacts | {row.decision_id for row in decided}


def _identifiers(base: pa.Table, received: Iterable[Received], table: str, column: str) -> set[str]:
    return {*base[column].to_pylist(), *(str(event.row[column]) for event in received if event.table == table)}


def _by_table(received: Iterable[Received]) -> Rows:
    """Event rows in contract types, by table, in the order of receipt."""
    found: dict[str, list[Received]] = {}
    for event in sorted(received, key=lambda one: one.sequence):
        found.setdefault(event.table, []).append(event)
    return {table: _happened(table, some) for table, some in found.items()}


def _happened(table: str, received: Sequence[Received]) -> list[Row]:
    """Rows of events in contract types; none happened after it was received, whatever the sender's clock says.

    A dispute dated two minutes ahead must hold back the contact that is asked about in the next second.
    """
    rows: list[Row] = rows_table(table, [event.row for event in received]).to_pylist()
    for row, event in zip(rows, received, strict=True):
        for column in HAPPENED.get(table, ()):
            if row.get(column) is not None:
                row[column] = min(row[column], event.received_at)
    return rows


def _slices(base: BasePortfolio, debtor_id: str) -> dict[str, pa.Table]:
    spans = base.spans(debtor_id)
    return {name: base.tables[name].slice(first, last - first) for name, (first, last) in spans.items()}


def _change(tables: Mapping[str, pa.Table], received: Rows, decided: Sequence[DecisionRow]) -> _Change:
    """What a debtor's rows of the base portfolio become."""
    ours = _latest("contacts", [*map(_as_contact, decided)])
    standing = {name: _standing(name, tables[name]) for name in {*received, *(["contacts"] if ours else [])}}
    added: Rows = {name: [] for name in SCHEMAS}
    for name, rows in received.items():
        before = standing[name]
        found = [(row, before.get(_identity(name, row))) for row in rows]
        added[name] = [row if at is None else _stopped(name, row, tables[name].slice(at, 1)) for row, at in found]
    new = [row for row in ours if _identity("contacts", row) not in standing["contacts"]]
    added["contacts"] = [*new, *added["contacts"]]
    added = {name: _latest(name, rows) for name, rows in added.items()}
    _leave_out_strangers(tables, added)
    taken = {name: [standing[name].get(_identity(name, row)) for row in rows] for name, rows in added.items() if rows}
    return _Change({name: [at for at in taken.get(name, ()) if at is not None] for name in SCHEMAS}, added)


def _standing(table: str, rows: pa.Table) -> dict[tuple[object, ...], int]:
    """Number of each row by its identity; rows whose first key is null have none."""
    columns = [rows[name].to_pylist() for name in IDENTITY[table]]
    return {key: number for number, key in enumerate(zip(*columns, strict=True)) if key[0] is not None}


def _changed(base: pa.Table, gone: Sequence[int], added: list[Row], table: str) -> pa.Table:
    """A table without some rows and with others at its end."""
    if gone:
        keep = np.ones(base.num_rows, dtype=np.bool_)
        keep[list(gone)] = False
        base = base.filter(pa.array(keep))
    return pa.concat_tables([base, pa.Table.from_pylist(added, SCHEMAS[table].arrow)]) if added else base


def _stopped(table: str, row: Row, base: pa.Table) -> Row:
    """A received row with the stops of the base portfolio's row: nobody knows which of the two is the newer."""
    (standing,) = base.to_pylist()
    kept: Row = {}
    for column, stricter in STOPS.get(table, {}).items():
        told = [one[column] for one in (row, standing) if one[column] is not None]
        kept[column] = stricter(told) if told else None
    if table == "claims" and kept["closed_at"] != row["closed_at"]:
        kept["close_reason"] = standing["close_reason"]
    if table == "contact_points" and standing["consent"] == WITHDRAWN:
        kept["consent"] = WITHDRAWN
    return row | kept


def _identity(table: str, row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in IDENTITY[table])


def _latest(table: str, rows: list[Row]) -> list[Row]:
    """Of rows with the same identity the last; rows whose first key is null all stay."""
    kept: dict[tuple[object, ...], Row] = {}
    for number, row in enumerate(rows):
        identity = _identity(table, row)
        key = (number,) if identity[0] is None else identity
        if table == "payments" and key in kept:
            row["reversed_at"] = row["reversed_at"] or kept[key]["reversed_at"]
        kept[key] = row
    return list(kept.values())


def _leave_out_strangers(tables: Mapping[str, pa.Table], added: Rows) -> None:
    """Drops what names a claim or contact that is not this debtor's; a payment through an unknown contact stays."""
    claims = {*tables["claims"]["claim_id"].to_pylist(), *(row["claim_id"] for row in added["claims"])}
    for table in ("claim_events", "contacts", "payments"):
        added[table] = [row for row in added[table] if row["claim_id"] in claims]
    contacts = {*tables["contacts"]["contact_id"].to_pylist(), *(row["contact_id"] for row in added["contacts"])}
    added["contact_events"] = [row for row in added["contact_events"] if row["contact_id"] in contacts]
    for row in added["payments"]:
        row["contact_id"] = row["contact_id"] if row["contact_id"] in contacts else None


def _as_contact(row: DecisionRow) -> Row:
    """The contact that a decision of ours became."""
    contact: Row = dict.fromkeys(SCHEMAS["contacts"].names)
    shared = ("debtor_id", "claim_id", "decided_at", "channel", "send_at", "payment_option", "tone")
    contact.update({name: getattr(row, name) for name in shared})
    contact.update(contact_id=row.decision_id, policy=row.policy_version, action_probability=row.action_probability)
    return contact
