"""What is known of one debtor at this moment: the base portfolio, and every event received since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from data.event_log import Received, debtor_named, events_of_debtor, events_of_parts, last_of
from data.event_rows import rows_table
from data.online_decisions import DecisionRow, contacts_of, is_decision, last_change
from data.portfolio import Portfolio
from data.schemas import SCHEMAS
from serving.base_portfolio import BasePortfolio

IDENTITY = {
    **{name: schema.key for name, schema in SCHEMAS.items()},
    "debtor_profiles": ("debtor_id", "valid_from"),
    "contact_points": ("debtor_id", "channel", "valid_from", "address_key"),
}
"""Columns by which a later row takes the place of an earlier one."""

Rows = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Facts:
    """All rows of one debtor by table, as they stood in one transaction.

    `mark` holds the sequence numbers of the debtor's last event, last decision row and last step of a decision.
    """

    debtor_id: str
    tables: Mapping[str, pa.Table]
    mark: tuple[int, int, int]

    @property
    def known(self) -> bool:
        """True where the debtor itself has a row."""
        return bool(self.tables["debtors"].num_rows)

    def identifiers(self, table: str) -> set[str]:
        """First key of every row of a table."""
        return set(self.tables[table][SCHEMAS[table].key[0]].to_pylist())


def facts_of(connection: sa.Connection, base: BasePortfolio, debtor_id: str) -> Facts:
    """Facts of one debtor as they stand in this transaction.

    A row received later takes the place of an earlier one with the same key. Rows that speak of another debtor's claim
    or contact, or of one that has not been received, wait and are left out. Our own decisions that were confirmed,
    or of which an event has come, stand among the contacts until the collection system's own row arrives.
    """
    tables = {name: base.rows(name, debtor_id) for name in SCHEMAS}
    received = events_of_debtor(connection, debtor_id)
    decided = contacts_of(connection, debtor_id)
    claims = _identifiers(tables["claims"], received, "claims", "claim_id")
    contacts = _identifiers(tables["contacts"], received, "contacts", "contact_id") | {r.decision_id for r in decided}
    parts = events_of_parts(connection, claims=claims, contacts=contacts)
    if received or decided or parts:
        tables = _merged(tables, _by_table([*received, *parts]), decided)
    last = max((event.sequence for event in (*received, *parts)), default=0)
    return Facts(debtor_id, tables, (last, *last_change(connection, debtor_id)))


def is_current(connection: sa.Connection, facts: Facts) -> bool:
    """True where nothing about the debtor has been received or decided since the facts were read."""
    claims, contacts = facts.identifiers("claims"), facts.identifiers("contacts")
    last = last_of(connection, facts.debtor_id, claims=claims, contacts=contacts)
    return facts.mark == (last, *last_change(connection, facts.debtor_id))


def portfolio_of(facts: Sequence[Facts], *, given: frozenset[str]) -> Portfolio:
    """A portfolio of several debtors; `given` are the tables of the base, those with rows are added."""
    tables = {name: pa.concat_tables([one.tables[name] for one in facts]) for name in SCHEMAS}
    return Portfolio(tables, given | {name for name, table in tables.items() if table.num_rows})


def owner_of(connection: sa.Connection, base: BasePortfolio, table: str, key: str) -> str | None:
    """Debtor of a claim or contact, whether it came with the base portfolio or as an event; None where not known."""
    return base.debtor_named(table, key) or debtor_named(connection, table, key)


def knows(connection: sa.Connection, base: BasePortfolio, table: str, key: str) -> bool:
    """True where a debtor, claim or contact has been received, or the contact is a decision of ours."""
    if table == "debtors":
        return base.knows(key) or debtor_named(connection, table, key) is not None
    if owner_of(connection, base, table, key) is not None:
        return True
    return table == "contacts" and is_decision(connection, key)


def _identifiers(base: pa.Table, received: Iterable[Received], table: str, column: str) -> set[str]:
    return {*base[column].to_pylist(), *(str(event.row[column]) for event in received if event.table == table)}


def _by_table(received: Iterable[Received]) -> Rows:
    """Event rows in contract types, by table, in the order of receipt."""
    found: dict[str, list[Received]] = {}
    for event in sorted(received, key=lambda one: one.sequence):
        found.setdefault(event.table, []).append(event)
    return {table: rows_table(table, [event.row for event in some]).to_pylist() for table, some in found.items()}


def _merged(tables: Mapping[str, pa.Table], received: Rows, decided: Sequence[DecisionRow]) -> dict[str, pa.Table]:
    merged = {name: table.to_pylist() for name, table in tables.items()}
    merged["contacts"] = [*map(_as_contact, decided), *merged["contacts"]]
    for name, rows in received.items():
        merged[name] = [*merged[name], *rows]
    latest = {name: _latest(rows, IDENTITY[name]) for name, rows in merged.items()}
    _leave_out_strangers(latest)
    return {name: pa.Table.from_pylist(latest[name], schema.arrow) for name, schema in SCHEMAS.items()}


def _latest(rows: list[dict[str, object]], identity: tuple[str, ...]) -> list[dict[str, object]]:
    """Of rows with the same identity the last; rows whose first key is null all stay."""
    kept: dict[tuple[object, ...], dict[str, object]] = {}
    for number, row in enumerate(rows):
        key = tuple(row[name] for name in identity)
        kept[(number,) if key[0] is None else key] = row
    return list(kept.values())


def _leave_out_strangers(rows: Rows) -> None:
    """Drops what names a claim or contact that is not this debtor's; a payment through an unknown contact stays."""
    claims = {row["claim_id"] for row in rows["claims"]}
    for table in ("claim_events", "contacts", "payments"):
        rows[table] = [row for row in rows[table] if row["claim_id"] in claims]
    contacts = {row["contact_id"] for row in rows["contacts"]}
    rows["contact_events"] = [row for row in rows["contact_events"] if row["contact_id"] in contacts]
    for row in rows["payments"]:
        row["contact_id"] = row["contact_id"] if row["contact_id"] in contacts else None


def _as_contact(row: DecisionRow) -> dict[str, object]:
    """The contact that a decision of ours became."""
    contact: dict[str, object] = dict.fromkeys(SCHEMAS["contacts"].names)
    shared = ("debtor_id", "claim_id", "decided_at", "channel", "send_at", "payment_option", "tone")
    contact.update({name: getattr(row, name) for name in shared})
    contact.update(contact_id=row.decision_id, policy=row.policy_version, action_probability=row.action_probability)
    return contact
