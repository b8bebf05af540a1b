"""How the decision log's data base is opened, SQLite or PostgreSQL, so that nothing acknowledged is lost or waited for without end."""

from __future__ import annotations

import re
import sqlite3
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from data.hot_statements import command

SYNCHRONOUS_FULL = 2
BUSY_MS = 10_000
AGAIN_S = 0.01
PRIMARY_CODE = 0xFF
"""The part of SQLite's error codes that says what happened; the rest says where."""

FULL_PAGES = 20_000
"""Pages (80 MB) of the log's write-ahead file from which on whoever writes moves them into the data base: by then
`DecisionLog.tidy` has moved most of them. SQLite's own 1,000 are a few groups of decisions."""

FULL_PAGES_UNTIDIED = 1_000
"""The same of a data base that nobody tidies, as SQLite has it."""

CONNECT_S = 2
"""Longest wait for PostgreSQL to take a connection."""

LOCK_MS = 5_000
"""Longest wait for another writer in PostgreSQL."""

STATEMENT_MS = 10_000
"""Longest run of one statement in PostgreSQL, a walk through all of the log apart."""

SILENCE_MS = 5_000
"""After this long without a word from PostgreSQL's host a connection is taken for dead."""

POOL_WAIT_S = 10
POOL, MORE = 16, 48
WRITES = "rettid_writes"
"""Execution option of the engine whose transactions take the write lock at their start."""

PATIENT = "rettid_patient"
"""Execution option of transactions that walk through all of the log, and may take as long as that takes."""

DURABLE = ("on", "remote_apply")
"""Values of PostgreSQL's synchronous_commit that wait for the disk, here and wherever a standby is asked for."""

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class WeakDurability(ValueError):
    """The data base would acknowledge what a power cut can still take away."""


class BadSchema(ValueError):
    """The name of a schema is not one that can be used."""


class NestedTransaction(ValueError):
    """A savepoint was asked for: the chain could not tell which rows stayed."""


def is_url(place: Path | str) -> bool:
    """Whether a place is the address of a data base server and no path."""
    return isinstance(place, str) and "://" in place


def open_engine(url: str, *, schema: str | None = None) -> sa.Engine:
    """An engine whose every connection is durable.

    Parameters
    ----------
    schema
        Schema in PostgreSQL that holds the tables, made if it is not there; None for the server's default.

    Raises
    ------
    WeakDurability
        On the first connection: the data base would not wait for its disk.
    BadSchema
        The schema's name is not lower-case letters, digits and underscores.
    """
    if schema is not None and not _SCHEMA.fullmatch(schema):
        raise BadSchema(f"expected a schema of lower-case letters, digits and underscores, came '{schema}'")
    if sa.make_url(url).get_backend_name() == "sqlite":
        engine = _engine(url, {})
        make_durable(engine, busy_ms=BUSY_MS, full_pages=FULL_PAGES)
    else:
        engine = _postgresql(url, schema)
    sa.event.listen(engine, "savepoint", _no_savepoint)
    return engine


def make_durable(engine: sa.Engine, *, busy_ms: int, full_pages: int = FULL_PAGES_UNTIDIED) -> None:
    """Has every connection of a SQLite engine wait for the disk, and for another writer so long; transactions say BEGIN themselves."""
    sa.event.listen(engine, "connect", partial(_sqlite_connected, busy_ms, full_pages))
    sa.event.listen(engine, "begin", _sqlite_begun)


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, its transactions holding the write lock from their first statement."""
    return engine.execution_options(**{WRITES: True})


def patient(engine: sa.Engine) -> sa.Engine:
    """The same engine, its transactions without a limit on how long a statement runs."""
    return engine.execution_options(**{PATIENT: True})


def _engine(url: str, settings: dict[str, str | int]) -> sa.Engine:
    return sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=POOL,
        max_overflow=MORE,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,
        connect_args=settings,
    )


def _no_savepoint(_connection: sa.Connection, _name: str) -> None:
    raise NestedTransaction("expected one transaction, came a savepoint in it: begin a transaction of its own")


def _sqlite_connected(busy_ms: int, full_pages: int, connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own would take the lock too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
    _log_ahead(cursor, busy_ms)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {full_pages}")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten: an erased debtor's key is gone
    cursor.execute("SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous")
    found = cursor.fetchone()
    cursor.close()
    if found != ("wal", SYNCHRONOUS_FULL):
        connection.close()
        raise WeakDurability(
            f"expected journal_mode wal and synchronous {SYNCHRONOUS_FULL} (full), came {found}: "
            "keep the decision log on a local disk where SQLite can use write-ahead logging"
        )


def _log_ahead(cursor: DBAPICursor, busy_ms: int) -> None:
    """Write-ahead logging. SQLite does not wait, as it does for a lock, while another connection makes the same change: it refuses."""
    until_s = monotonic() + busy_ms / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as refused:
            if refused.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or monotonic() > until_s:
                raise
        sleep(AGAIN_S)


def _sqlite_begun(connection: sa.Connection) -> None:
    kind = "IMMEDIATE" if connection.get_execution_options().get(WRITES) else "DEFERRED"
    command(connection, f"BEGIN {kind}")


def _postgresql(url: str, schema: str | None) -> sa.Engine:
    asked = sa.make_url(url).query.get("options", "")
    options = f"{asked} -c lock_timeout={LOCK_MS} -c statement_timeout={STATEMENT_MS}"
    if schema is not None:
        options += f" -c search_path={schema}"
    settings: dict[str, str | int] = {
        "connect_timeout": CONNECT_S,
        "tcp_user_timeout": SILENCE_MS,
        "keepalives_idle": CONNECT_S,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "options": options,
    }
    engine = _engine(url, settings)
    sa.event.listen(engine, "connect", _postgresql_connected)
    sa.event.listen(engine, "begin", partial(_postgresql_begun, schema or "public"))
    return engine


def _postgresql_connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
    found = cursor.fetchone() or ("", "")
    cursor.close()
    connection.rollback()
    if found[0] not in DURABLE or found[1] != "on":
        connection.close()
        raise WeakDurability(
            f"expected synchronous_commit on and fsync on, came {found[0]} and {found[1]}: "
            "set both for this data base and role, or the server may forget what it acknowledged"
        )


def _postgresql_begun(schema: str, connection: sa.Connection) -> None:
    """One writer per schema, as in SQLite; a reader sees one state throughout."""
    options = connection.get_execution_options()
    if options.get(PATIENT):
        command(connection, "SET LOCAL statement_timeout = 0")
    if options.get(WRITES):
        # Behind the lock each statement must see what the last writer wrote, whatever the server's default is.
        command(connection, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        command(connection, "SELECT pg_advisory_xact_lock(hashtext('rettid'), hashtext(%s))", schema)
    else:
        command(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
