"""Tables of who may call the service, and how their data base is opened: a SQLite file, or a schema in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from data.decision_log_tables import Instant
from data.log_engine import is_url, make_durable, writing
from data.migrating import MIGRATIONS, Layouts
from data.migrations.access.layout_1 import SCHEMA

FILE_NAME = "access.db"

ACCESS_LAYOUTS = Layouts(
    store="the store of keys and managers",
    folder=MIGRATIONS / "access",
    remedy="use the program that wrote it, or name another data base in RETTID_ACCESS",
)

WAIT_S = 2
"""Longest wait for a connection, a lock or a statement: a caller is not kept waiting by a data base that is down."""

START_S = 60
"""The same for a lock or a statement while one of several workers brings the tables up to date."""

START_LOCK = 0x7265_7474
"""PostgreSQL's advisory lock under which one of several workers brings the tables up to date."""

metadata = sa.MetaData(schema=SCHEMA)

about = sa.Table(
    "about",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("key_id", sa.String(8), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("role", sa.String(64), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("creditors", sa.JSON(none_as_null=True)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
)
"""Keys of programs: of each its identifier, which is part of it, and the SHA-256 of the whole. A key has 256 random
bits: a slow hash would cost time at every call and add nothing."""

managers = sa.Table(
    "managers",
    metadata,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("password", sa.String, nullable=False),
    sa.Column("creditors", sa.JSON(none_as_null=True)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),
)
"""People who sign in with a password, kept as a slow hash with its own salt and named parameters."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("csrf", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)
"""Browsers signed in: SHA-256 of the session's token and of the token that its forms carry."""

access_events = sa.Table(
    "access_events",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("tenant", sa.String),
    sqlite_autoincrement=True,
)
"""What was done about access, a row each; the data base itself refuses to change or delete one."""


def open_access(place: Path | str, *, layouts: Layouts = ACCESS_LAYOUTS) -> sa.Engine:
    """An engine on the tables, made, or brought here from an earlier layout, if need be.

    Parameters
    ----------
    place
        The service's root folder, a SQLite file, or a PostgreSQL URL.

    Raises
    ------
    data.migrating.UnknownLayout
        The tables are of a version that this program does not know.
    """
    url = _url(place)
    starting = _engine(url, wait_s=START_S)
    try:
        with writing(starting).begin() as connection:
            in_server = connection.dialect.name == "postgresql"
            if in_server:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(START_LOCK)))
            layouts.bring_up_to_date(connection, schema=SCHEMA if in_server else None, in_path=False)
    finally:
        starting.dispose()
    engine = _engine(url, wait_s=WAIT_S)
    with engine.connect():
        pass  # kept open: the first caller is not to wait for it
    return engine


def _url(place: Path | str) -> sa.URL:
    if isinstance(place, str) and is_url(place):
        url = sa.make_url(place)
        return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
    path = Path(place)
    path = path if path.suffix == ".db" else path / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)  # SQLite's other files take its mode
    return sa.URL.create("sqlite", database=str(path))


def _engine(url: sa.URL, *, wait_s: int) -> sa.Engine:
    return _sqlite(url, wait_s) if url.get_backend_name() == "sqlite" else _postgres(url, wait_s)


def _sqlite(url: sa.URL, wait_s: int) -> sa.Engine:
    engine = sa.create_engine(url, pool_timeout=WAIT_S, hide_parameters=True)
    make_durable(engine, busy_ms=wait_s * 1000)
    return engine.execution_options(schema_translate_map={SCHEMA: None})


def _postgres(url: sa.URL, wait_s: int) -> sa.Engine:
    wait = {"connect_timeout": WAIT_S, "options": f"-c statement_timeout={wait_s}s -c synchronous_commit=on"}
    return sa.create_engine(
        url,
        pool_timeout=WAIT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=wait,
        isolation_level="READ COMMITTED",  # behind a lock each statement must see what the last writer wrote
    )
