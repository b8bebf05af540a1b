"""The contract's tables in Arrow: columns, types, what may be missing, what is unique."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from data import vocabulary as words
from data.whole import whole_file

TIME = pa.timestamp("us", tz="UTC")
DATE = pa.date32()
MONEY = pa.decimal128(18, 2)
TEXT = pa.string()
FLAG = pa.bool_()
WHOLE = pa.int64()
REAL = pa.float64()
BLOCKED = pa.list_(pa.struct([pa.field("channel", TEXT), pa.field("rule", TEXT)]))


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, type
        As the contract writes them.
    nullable
        The column may hold nulls, and may be absent altogether.
    values
        The closed vocabulary of a text column, or None where the text is free.
    """

    name: str
    type: pa.DataType
    nullable: bool = False
    values: tuple[str, ...] | None = None

    @property
    def is_identifier(self) -> bool:
        """True for an opaque identifier of 1-128 characters."""
        return self.name.endswith("_id")


@dataclass(frozen=True)
class TableSchema:
    """One table: its columns in contract order, its key, and whether it must be there.

    An empty `key` means that rows have no identifier: only whole rows must differ.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = True

    @property
    def arrow(self) -> pa.Schema:
        """Arrow schema of the contract's columns, required ones not nullable."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the contract's columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        UnknownColumn
            The contract has no such column in this table.

        >>> SCHEMAS["claims"].column("principal").type
        Decimal128Type(decimal128(18, 2))
        >>> SCHEMAS["claims"].column("amount")
        Traceback (most recent call last):
        data.schemas.UnknownColumn: "no column 'amount' in claims: it has ..."
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownColumn(f"no column {name!r} in {self.name}: it has {', '.join(self.names)}")

    def empty(self) -> pa.Table:
        """A table of no rows with every column of the contract.

        >>> SCHEMAS["payments"].empty().num_rows
        0
        """
        return self.arrow.empty_table()


class UnknownColumn(KeyError):
    """A column was asked for that the contract does not know."""


def _must(name: str, kind: pa.DataType = TEXT, *, values: tuple[str, ...] | None = None) -> Column:
    return Column(name, kind, nullable=False, values=values)


def _may(name: str, kind: pa.DataType = TEXT, *, values: tuple[str, ...] | None = None) -> Column:
    return Column(name, kind, nullable=True, values=values)


DEBTORS = TableSchema(
    name="debtors",
    key=("debtor_id",),
    columns=(
        _must("debtor_id"),
        _must("country"),
        _may("region"),
        _may("time_zone"),
        _may("language"),
        _may("birth_date", DATE),
        _must("registered_at", TIME),
        _may("blocked_at", TIME),
        _may("cease_at", TIME),
        _may("objected_at", TIME),
        _may("stop_until", TIME),
        _may("vulnerable_from", TIME),
        _may("vulnerable_to", TIME),
    ),
)

DEBTOR_PROFILES = TableSchema(
    name="debtor_profiles",
    key=(),
    required=False,
    columns=(
        _must("debtor_id"),
        _must("valid_from", TIME),
        _may("income_band", values=words.INCOME_BANDS),
        _may("employment", values=words.EMPLOYMENTS),
        _may("other_debts", WHOLE),
    ),
)

CONTACT_POINTS = TableSchema(
    name="contact_points",
    key=(),
    required=False,
    columns=(
        _must("debtor_id"),
        _must("channel", values=words.CONTACT_CHANNELS),
        _must("valid_from", TIME),
        _may("valid_to", TIME),
        _must("verified", FLAG),
        _may("verified_at", TIME),
        _must("consent", values=words.CONSENTS),
        _may("address_key"),
        _may("kind", values=words.POINT_KINDS),
    ),
)

CLAIMS = TableSchema(
    name="claims",
    key=("claim_id",),
    columns=(
        _must("claim_id"),
        _must("debtor_id"),
        _must("creditor_id"),
        _must("sector"),
        _must("principal", MONEY),
        _must("currency"),
        _must("due_on", DATE),
        _must("registered_at", TIME),
        _may("closed_at", TIME),
        _may("close_reason", values=words.CLOSE_REASONS),
    ),
)

CLAIM_EVENTS = TableSchema(
    name="claim_events",
    key=("event_id",),
    required=False,
    columns=(
        _may("event_id"),
        _must("claim_id"),
        _must("at", TIME),
        _must("kind", values=words.CLAIM_EVENT_KINDS),
        _may("stage", values=words.STAGES),
        _may("next_due_on", DATE),
        _may("known_at", TIME),
    ),
)

CONTACTS = TableSchema(
    name="contacts",
    key=("contact_id", "claim_id"),
    columns=(
        _must("contact_id"),
        _must("debtor_id"),
        _must("claim_id"),
        _must("decided_at", TIME),
        _must("channel", values=words.CHANNELS),
        _may("send_at", TIME),
        _may("payment_option", values=words.PAYMENT_OPTIONS),
        _may("tone", values=words.TONES),
        _may("content", values=words.CONTENTS),
        _may("template_id"),
        _may("statutory_step"),
        _must("policy"),
        _may("action_probability", REAL),
        _may("cost", MONEY),
        _may("known_at", TIME),
    ),
)

CONTACT_EVENTS = TableSchema(
    name="contact_events",
    key=("event_id",),
    required=False,
    columns=(
        _must("event_id"),
        _must("contact_id"),
        _must("at", TIME),
        _must("kind", values=words.CONTACT_EVENT_KINDS),
        _may("promised_for", DATE),
        _may("promised_amount", MONEY),
        _may("known_at", TIME),
    ),
)

PAYMENTS = TableSchema(
    name="payments",
    key=("payment_id",),
    columns=(
        _must("payment_id"),
        _must("claim_id"),
        _must("debtor_id"),
        _must("paid_at", TIME),
        _must("amount", MONEY),
        _must("currency"),
        _may("method"),
        _may("contact_id"),
        _may("reversed_at", TIME),
        _may("known_at", TIME),
    ),
)

DECISIONS = TableSchema(
    name="decisions",
    key=("claim_id",),
    columns=(
        _must("decision_id"),
        _must("debtor_id"),
        _must("claim_id"),
        _must("lead", FLAG),
        _must("decided_at", TIME),
        _must("valid_until", TIME),
        _must("channel", values=words.CHANNELS),
        _may("send_at", TIME),
        _may("payment_option", values=words.PAYMENT_OPTIONS),
        _may("tone", values=words.TONES),
        _must("payment_probability", REAL),
        _must("uplift", REAL),
        _must("expected_value", REAL),
        _must("currency"),
        # Null where a hard limit displaced the decision after its draw: no probability is true of it.
        _may("action_probability", REAL),
        _may("arm_probability", REAL),
        _may("channel_probability", REAL),
        _may("channel_daypart_probability", REAL),
        _must("explored", FLAG),
        _must("arm", values=words.ARMS),
        _must("segment", values=words.SEGMENTS),
        _must("model_version"),
        _must("policy_version"),
        _must("rules_version"),
        _may("reasons", pa.list_(TEXT)),
        _must("blocked", BLOCKED),
    ),
)
"""Decisions out: one row per open claim; several claims under one contact share a `decision_id`."""

DECISION_SCHEMA: pa.Schema = DECISIONS.arrow

_TABLES_IN = (DEBTORS, DEBTOR_PROFILES, CONTACT_POINTS, CLAIMS, CLAIM_EVENTS, CONTACTS, CONTACT_EVENTS, PAYMENTS)

SCHEMAS: Mapping[str, TableSchema] = MappingProxyType({schema.name: schema for schema in _TABLES_IN})
"""Tables in, by name, in the order in which each may refer to those before it."""


def write_table(table: pa.Table, path: Path | str) -> None:
    """Write `table` as one Parquet file that is there whole or not at all.

    Written beside `path` under a hidden name, then renamed; missing folders are made.

    Raises
    ------
    OSError
        The disk is full or the place may not be written; an older file at `path` is unharmed.
    """
    with whole_file(Path(path)) as unfinished:
        pq.write_table(table, unfinished, compression="zstd")
