"""The decision log's tables, and how its file is opened so that nothing acknowledged is lost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.pool import ConnectionPoolEntry

from data.schemas import BLOCKED, DECISIONS, TIME
from data.times import from_us, to_us

LAYOUT = "1"
"""Version of the tables below, stored in the log; another version is refused."""

SYNCHRONOUS_FULL = 2
BUSY_MS = 10_000
WRITES = "rettid_writes"
"""Execution option of the engine whose transactions take the write lock at their start."""

metadata = sa.MetaData()


class WeakDurability(ValueError):
    """The data base would acknowledge what a power cut can still take away."""


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


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if kind == TIME:
        return Instant()
    if kind == BLOCKED or pa.types.is_list(kind):
        return sa.JSON(none_as_null=True)
    plain: dict[pa.DataType, sa.types.TypeEngine[Any]] = {
        pa.string(): sa.String(),
        pa.bool_(): sa.Boolean(),
        pa.float64(): sa.Double(),
    }
    return plain[kind]


about = sa.Table(
    "about",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""What the log is: its layout's version, and the pulse that readiness writes."""

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_id", sa.String, primary_key=True),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("portfolio", sa.String),
    sa.Column("config_fingerprint", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
)

decision_rows = sa.Table(
    "decision_rows",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(column.name, _sql_type(column.type), nullable=column.nullable) for column in DECISIONS.columns),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("batch_id", sa.String),
    sa.Column("answer_id", sa.String, index=True),
    sa.UniqueConstraint("decision_id", "claim_id", "batch_id"),
    sa.Index("decision_rows_of_debtor", "debtor_id", "decided_at"),
    sqlite_autoincrement=True,
)
"""One row per claim decided, from batch and service alike; never changed once written. Where a batch was decided again
for the same moment, both stand here and the later one counts."""

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("answer_id", sa.String, primary_key=True),
    sa.Column("debtor_id", sa.String, nullable=False),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("asked", sa.JSON, nullable=False),
    sa.Column("seen", sa.JSON, nullable=False),
    sa.Column("alternatives", sa.JSON, nullable=False),
)
"""What the service adds to the rows it decided: what was asked, which events it saw, the other candidates."""

decision_steps = sa.Table(
    "decision_steps",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("decision_id", sa.String, nullable=False, index=True),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("reason", sa.String),
    sqlite_autoincrement=True,
)
"""What became of decisions, one row added per change."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String, nullable=False, unique=True),
    sa.Column("table_name", sa.String, nullable=False),
    sa.Column("of_debtor", sa.String),
    sa.Column("of_claim", sa.String),
    sa.Column("of_contact", sa.String),
    sa.Column("row_key", sa.String),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("row", sa.JSON, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Index("events_of_debtor", "of_debtor", "sequence"),
    sa.Index("events_of_claim", "of_claim", "sequence"),
    sa.Index("events_of_contact", "of_contact", "sequence"),
    sa.Index("events_by_key", "table_name", "row_key", "sequence"),
    sqlite_autoincrement=True,
)
"""Facts received one by one. One of the three owners is set: the debtor, else the claim or contact that the row names;
`row_key` is the row's own identifier, the first part of its table's key."""

stored_answers = sa.Table(
    "stored_answers",
    metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    sa.Column("media_type", sa.String),
)
"""Answers kept under an idempotency key; without a status the answer is still being made."""


def open_engine(url: str) -> sa.Engine:
    """An engine whose every connection is durable and whose tables are there.

    Raises
    ------
    WeakDurability
        The data base did not take write-ahead logging or full synchronisation.
    """
    engine = sa.create_engine(
        url, poolclass=sa.QueuePool, pool_size=16, max_overflow=48, pool_timeout=10, hide_parameters=True
    )
    sa.event.listen(engine, "connect", _make_durable)
    sa.event.listen(engine, "begin", _begin)
    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, its transactions holding the write lock from their first statement."""
    return engine.execution_options(**{WRITES: True})


def _make_durable(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would take the lock too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous")
    found = cursor.fetchone()
    cursor.close()
    if found != ("wal", SYNCHRONOUS_FULL):
        raise WeakDurability(
            f"expected journal_mode wal and synchronous {SYNCHRONOUS_FULL} (full), came {found}: "
            "keep the decision log on a local disk where SQLite can use write-ahead logging"
        )


def _begin(connection: sa.Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get(WRITES) else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {kind}")
