"""The decision log's tables as they stand now; `data/migrations` makes them and brings older ones here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from data.schemas import BLOCKED, DECISIONS, TIME, Column
from data.times import from_us, to_us

metadata = sa.MetaData()


class Instant(sa.types.TypeDecorator[datetime]):
    """Aware UTC datetime, kept as microseconds since the epoch: exact, ordered, alike in every data base."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Microseconds; raises `data.times.NaiveTime` for a time without its zone."""
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Aware datetime."""
        return None if value is None else from_us(value)


NAMED = {"debtor_id": ("debtor_ref", sa.BigInteger), "claim_id": ("claim_sealed", sa.LargeBinary)}
"""Columns of a decision that name somebody, and what stands in the log in their place: the debtor's number among the
subjects, and the claim sealed with the debtor's key."""


def _stored_column(column: Column) -> sa.Column[object]:
    name, kind = NAMED.get(column.name, (column.name, None))
    if kind is None:
        plain = {TIME: sa.BigInteger, pa.string(): sa.Text, pa.bool_(): sa.SmallInteger, pa.float64(): sa.Double}
        plain |= {BLOCKED: sa.Text}
        kind = sa.LargeBinary if column.name == "reasons" else plain[column.type]
    return sa.Column(name, kind, nullable=column.nullable)


def _chained() -> tuple[sa.Column[int], sa.Column[int]]:
    """Place of a row among those of its table, without a gap, and number of the link of the chain that speaks for it."""
    place = sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False)
    return place, sa.Column("link", sa.BigInteger, nullable=False)


about = sa.Table(
    "about",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What the log is: the secret of its pseudonyms, and the pulse that readiness writes."""

chain = sa.Table(
    "chain",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("parts", sa.Text, nullable=False),
    sa.Column("ends", sa.Text, nullable=False),
)
"""One link per writing transaction; see `data.log_chain`."""

subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("ref", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("lookup", sa.Text, nullable=False, unique=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
"""Debtors, and claims and contacts of which nobody knew the debtor: the only place that names them, and their keys.
A row is deleted when its debtor is erased; a number is never given out again."""

batches = sa.Table(
    "batches",
    metadata,
    *_chained(),
    sa.Column("batch_id", sa.Text, nullable=False, unique=True),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("portfolio", sa.Text),
    sa.Column("config_fingerprint", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

batch_parts = sa.Table(
    "batch_parts",
    metadata,
    *_chained(),
    sa.Column("batch_id", sa.Text, nullable=False, index=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
)
"""Parts of batches as they were written, so that one broken off can be gone on with."""

decision_rows = sa.Table(
    "decision_rows",
    metadata,
    *_chained(),
    *map(_stored_column, DECISIONS.columns),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text),
    sa.Column("answer_id", sa.Text, index=True),
    sa.UniqueConstraint("decision_id", "claim_sealed", "batch_id"),
    sa.Index("decision_rows_of_debtor", "debtor_ref", "decided_at"),
)
"""One row per claim decided, from batch and service alike; never changed once written. Where a batch was decided again
for the same moment, both stand here and the later one counts; rows of a batch count once it stands in `batches`."""

answers = sa.Table(
    "answers",
    metadata,
    *_chained(),
    sa.Column("answer_id", sa.Text, nullable=False, unique=True),
    sa.Column("debtor_ref", sa.BigInteger, nullable=False),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
"""What the service adds to the rows it decided, sealed: what was asked, what it saw, the other candidates."""

decision_steps = sa.Table(
    "decision_steps",
    metadata,
    *_chained(),
    sa.Column("decision_id", sa.Text, nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("reason", sa.Text),
)
"""What became of decisions, one row added per change."""

events = sa.Table(
    "events",
    metadata,
    *_chained(),
    sa.Column("event_key", sa.Text, nullable=False, unique=True),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("of_debtor", sa.BigInteger),
    sa.Column("of_claim", sa.Text),
    sa.Column("of_contact", sa.Text),
    sa.Column("of_decision", sa.Text),
    sa.Column("row_key", sa.Text),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("sealed_for", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Index("events_of_debtor", "of_debtor", "sequence"),
    sa.Index("events_of_claim", "of_claim", "sequence"),
    sa.Index("events_of_contact", "of_contact", "sequence"),
    sa.Index("events_of_decision", "of_decision", "sequence"),
    sa.Index("events_by_key", "table_name", "row_key", "sequence"),
)
"""Facts received one by one, sealed. One of the three owners is set: the debtor, else the claim or contact that the row
names, as pseudonyms; `of_decision` where the contact is a decision of ours; `row_key` is the row's own identifier, the
first part of its table's key; `kind` is that of a contact event."""

erasures = sa.Table(
    "erasures",
    metadata,
    *_chained(),
    sa.Column("debtor", sa.Text, nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
)
"""Debtors erased, by pseudonym, and how much of each table nobody can read since."""

stored_answers = sa.Table(
    "stored_answers",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    sa.Column("media_type", sa.Text),
    sa.Column("sealed_for", sa.BigInteger),
)
"""Answers kept under the pseudonym of an idempotency key; without a status the answer is still being made."""

answer_debtors = sa.Table(
    "answer_debtors",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("debtor", sa.Text, primary_key=True, index=True),
)
"""Whom a stored answer speaks of, by pseudonym."""

debtor_versions = sa.Table(
    "debtor_versions",
    metadata,
    sa.Column("debtor", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""How many writes have concerned each debtor, by pseudonym."""

CHAINED: Mapping[str, sa.Table] = {
    table.name: table for table in (batches, batch_parts, decision_rows, answers, decision_steps, events, erasures)
}
"""Tables that only grow, each row under a link of the chain."""


def counting() -> sa.ColumnElement[bool]:
    """Rows of decisions that count: those of the service, and those of a batch that was written to its end."""
    return decision_rows.c.batch_id.is_(None) | decision_rows.c.batch_id.in_(sa.select(batches.c.batch_id))
