"""A small valid portfolio in memory: three debtors, five claims, a few contacts, events and payments.

Every call gives fresh tables, so that a test may change what it likes. Times lie in spring 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.schemas import SCHEMAS, write_table

Row = dict[str, Any]


def moment(month: int, day: int, *, hour: int = 12, minute: int = 0) -> datetime:
    """A time in 2026, UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def rows_to_table(name: str, rows: list[Row]) -> pa.Table:
    """Rows as a table of the contract; columns not named are null."""
    return pa.Table.from_pylist(rows, schema=SCHEMAS[name].arrow)


def sample_tables() -> dict[str, pa.Table]:
    """Every contract table, small, in contract types, breaking no rule."""
    return {
        "debtors": debtors(),
        "debtor_profiles": debtor_profiles(),
        "contact_points": contact_points(),
        "claims": claims(),
        "claim_events": claim_events(),
        "contacts": contacts(),
        "contact_events": contact_events(),
        "payments": payments(),
    }


def write_tables(tables: Mapping[str, pa.Table], directory: Path) -> Path:
    """Write each table as `NAME.parquet` and give the folder back."""
    for name, table in tables.items():
        write_table(table, directory / f"{name}.parquet")
    return directory


def with_column(table: pa.Table, name: str, values: list[Any], *, kind: pa.DataType | None = None) -> pa.Table:
    """The table with one column replaced, in the type that `values` have or in `kind`."""
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values, type=kind))


def with_cell(table: pa.Table, name: str, value: Any, *, row: int = 0) -> pa.Table:
    """The table with one cell replaced, the column's type kept."""
    values = table.column(name).to_pylist()
    values[row] = value
    return with_column(table, name, values, kind=table.schema.field(name).type)


def debtors() -> pa.Table:
    """d1 in Vienna, d2 in Germany without a zone, d3 in Sweden who asked for calls to cease."""
    d1: Row = {"debtor_id": "d1", "country": "AT", "region": "AT-9", "time_zone": "Europe/Vienna", "language": "de"}
    d2: Row = {"debtor_id": "d2", "country": "DE"}
    d3: Row = {"debtor_id": "d3", "country": "SE", "time_zone": "Europe/Stockholm"}
    d1 |= {"birth_date": date(1984, 5, 17), "registered_at": moment(1, 5)}
    d2 |= {"birth_date": date(1969, 11, 2), "registered_at": moment(1, 9)}
    d3 |= {"registered_at": moment(1, 20), "cease_at": moment(4, 1)}
    return rows_to_table("debtors", [d1, d2, d3])


def debtor_profiles() -> pa.Table:
    """Two profiles of d1, the second after losing work; one of d2."""
    return rows_to_table(
        "debtor_profiles",
        [
            {"debtor_id": "d1", "valid_from": moment(1, 5), "income_band": "middle", "employment": "employed"},
            {"debtor_id": "d1", "valid_from": moment(3, 1), "income_band": "low", "employment": "unemployed"},
            {"debtor_id": "d2", "valid_from": moment(1, 9), "income_band": "high", "other_debts": 1},
        ],
    )


def contact_points() -> pa.Table:
    """Verified phone numbers and addresses of d1 and d2; an unverified one of d3."""
    known: Row = {"verified": True, "consent": "given", "kind": "private"}
    sms: Row = {"channel": "sms", "valid_from": moment(1, 5), "verified_at": moment(1, 6), "address_key": "k1"}
    return rows_to_table(
        "contact_points",
        [
            {"debtor_id": "d1", **known, **sms},
            {"debtor_id": "d1", **known, "channel": "email", "valid_from": moment(1, 5), "valid_to": moment(3, 5)},
            {"debtor_id": "d2", **known, "channel": "phone", "valid_from": moment(1, 9)},
            {"debtor_id": "d2", **known, "channel": "letter", "valid_from": moment(1, 9), "consent": "not_required"},
            {"debtor_id": "d3", **known, "channel": "phone", "valid_from": moment(1, 20), "verified": False},
        ],
    )


def claims() -> pa.Table:
    """c1 and c2 of d1, c3 and c4 of d2, c5 of d3 in kronor; c4 is closed."""
    base: Row = {"creditor_id": "k-energy", "sector": "energy", "currency": "EUR"}
    first: Row = {**base, "debtor_id": "d1", "registered_at": moment(1, 10), "due_on": date(2026, 1, 31)}
    second: Row = {**base, "debtor_id": "d2", "registered_at": moment(1, 12), "due_on": date(2026, 1, 2)}
    third: Row = {**base, "debtor_id": "d3", "registered_at": moment(1, 21), "due_on": date(2026, 1, 15)}
    return rows_to_table(
        "claims",
        [
            {**first, "claim_id": "c1", "principal": Decimal("120.50")},
            {**first, "claim_id": "c2", "principal": Decimal("80.00")},
            {**second, "claim_id": "c3", "principal": Decimal("410.00")},
            {**second, "claim_id": "c4", "principal": Decimal("35.90"), "closed_at": moment(2, 20)}
            | {"close_reason": "paid"},
            {**third, "claim_id": "c5", "principal": Decimal("990.00"), "currency": "SEK"},
        ],
    )


def claim_events() -> pa.Table:
    """Stages of c1, a dispute of c3 that is over, an event without an id of its own."""
    return rows_to_table(
        "claim_events",
        [
            {"event_id": "e1", "claim_id": "c1", "at": moment(1, 10), "kind": "stage", "stage": "pre_due"},
            {"event_id": "e2", "claim_id": "c1", "at": moment(2, 2), "kind": "stage", "stage": "reminder"},
            {"event_id": "e3", "claim_id": "c3", "at": moment(1, 15), "kind": "dispute_opened"},
            {"event_id": "e4", "claim_id": "c3", "at": moment(1, 25), "kind": "dispute_closed"},
            {"claim_id": "c5", "at": moment(2, 10), "kind": "inbound", "known_at": moment(2, 11)},
        ],
    )


def contacts() -> pa.Table:
    """p1 covers c1 and c2; p2 to p5 one claim each; p4 is the decision not to make contact."""
    sms: Row = {"channel": "sms", "send_at": moment(2, 3, hour=17), "tone": "friendly", "payment_option": "link"}
    p1: Row = {"contact_id": "p1", "debtor_id": "d1", "decided_at": moment(2, 3), **sms}
    p1 |= {"policy": "incumbent", "action_probability": 0.5, "content": "link", "cost": Decimal("0.07")}
    p2: Row = {"contact_id": "p2", "debtor_id": "d2", "claim_id": "c3", "decided_at": moment(2, 5)}
    p2 |= {"channel": "phone", "send_at": moment(2, 6, hour=9), "policy": "incumbent", "action_probability": 0.9}
    p3: Row = {"contact_id": "p3", "debtor_id": "d2", "claim_id": "c4", "decided_at": moment(2, 7)}
    p3 |= {"channel": "letter", "send_at": moment(2, 9), "policy": "incumbent", "action_probability": 1.0}
    p4: Row = {"contact_id": "p4", "debtor_id": "d3", "claim_id": "c5", "decided_at": moment(2, 8)}
    p4 |= {"channel": "none", "policy": "explore", "action_probability": 0.1}
    p5: Row = {"contact_id": "p5", "debtor_id": "d1", "claim_id": "c1", "decided_at": moment(3, 2)}
    p5 |= {"channel": "email", "send_at": moment(3, 2, hour=14), "policy": "incumbent", "action_probability": 0.3}
    return rows_to_table("contacts", [{**p1, "claim_id": "c1"}, {**p1, "claim_id": "c2"}, p2, p3, p4, p5])


def contact_events() -> pa.Table:
    """p1 was delivered and clicked; p2 was answered and ended in a promise."""
    promise: Row = {"promised_for": date(2026, 2, 20), "promised_amount": Decimal("100.00")}
    return rows_to_table(
        "contact_events",
        [
            {"event_id": "x1", "contact_id": "p1", "at": moment(2, 3, hour=17), "kind": "sent"},
            {"event_id": "x2", "contact_id": "p1", "at": moment(2, 3, hour=17, minute=1), "kind": "delivered"},
            {"event_id": "x3", "contact_id": "p1", "at": moment(2, 3, hour=19), "kind": "clicked"},
            {"event_id": "x4", "contact_id": "p2", "at": moment(2, 6, hour=9), "kind": "answered"},
            {"event_id": "x5", "contact_id": "p2", "at": moment(2, 6, hour=9, minute=4), "kind": "promised", **promise},
        ],
    )


def payments() -> pa.Table:
    """c1 paid in part through p1's link, c3 in part and reversed, c4 in full, c5 in part."""
    y1: Row = {"payment_id": "y1", "claim_id": "c1", "debtor_id": "d1", "paid_at": moment(2, 3, hour=20)}
    y1 |= {"amount": Decimal("60.00"), "currency": "EUR", "method": "card", "contact_id": "p1"}
    y2: Row = {"payment_id": "y2", "claim_id": "c3", "debtor_id": "d2", "paid_at": moment(2, 15)}
    y2 |= {"amount": Decimal("100.00"), "currency": "EUR", "reversed_at": moment(2, 25)}
    y3: Row = {"payment_id": "y3", "claim_id": "c4", "debtor_id": "d2", "paid_at": moment(2, 19)}
    y3 |= {"amount": Decimal("35.90"), "currency": "EUR"}
    y4: Row = {"payment_id": "y4", "claim_id": "c5", "debtor_id": "d3", "paid_at": moment(2, 28)}
    y4 |= {"amount": Decimal("200.00"), "currency": "SEK"}
    return rows_to_table("payments", [y1, y2, y3, y4])
