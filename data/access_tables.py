"""Tables of who may call the service, and how their data base is opened: a SQLite file, or a schema in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from data.decision_log_tables import Instant
from data.log_engine import is_url, make_durable, writing
from data.log_guards import guards

FILE_NAME = "access.db"
SCHEMA = "access"
"""Schema of the tables in PostgreSQL; a SQLite file holds nothing else and needs none."""

LAYOUT = "1"
"""Version of the tables below, stored with them; another version is refused."""

WAIT_S = 2
"""Longest wait for a connection, a lock or a statement: a caller is not kept waiting by a data base that is down."""

START_LOCK = 0x7265_7474
"""PostgreSQL's advisory lock under which one of several workers makes the tables."""

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

REFUSAL = "access events are never changed or deleted"


class UnknownAccessLayout(ValueError):
    """The tables were made by another version of the program."""


def open_access(place: Path | str) -> sa.Engine:
    """An engine on the tables, made if they are not there.

    Parameters
    ----------
    place
        The service's root folder, a SQLite file, or a PostgreSQL URL.

    Raises
    ------
    UnknownAccessLayout
        The tables are of another version.
    """
    url = _url(place)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgres(url)
    try:
        with writing(engine).begin() as connection:
            _make(connection)
            _check_layout(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _check_layout(connection: sa.Connection) -> None:
    found = connection.scalar(sa.select(about.c.value).where(about.c.name == "layout"))
    if found is None:
        connection.execute(sa.insert(about).values(name="layout", value=LAYOUT))
    elif found != LAYOUT:
        raise UnknownAccessLayout(
            f"expected keys and managers in layout {LAYOUT}, came layout {found}: use the program that wrote them"
        )


def _url(place: Path | str) -> sa.URL:
    if isinstance(place, str) and is_url(place):
        url = sa.make_url(place)
        return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
    path = Path(place)
    path = path if path.suffix == ".db" else path / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)  # SQLite's other files take its mode
    return sa.URL.create("sqlite", database=str(path))


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_timeout=WAIT_S, hide_parameters=True)
    make_durable(engine, busy_ms=WAIT_S * 1000)
    return engine.execution_options(schema_translate_map={SCHEMA: None})


def _postgres(url: sa.URL) -> sa.Engine:
    wait = {"connect_timeout": WAIT_S, "options": f"-c statement_timeout={WAIT_S}s -c synchronous_commit=on"}
    return sa.create_engine(url, pool_timeout=WAIT_S, pool_pre_ping=True, hide_parameters=True, connect_args=wait)


def _make(connection: sa.Connection) -> None:
    """The tables and what guards them, once; several workers may start at the same time."""
    in_file = connection.dialect.name == "sqlite"
    if not in_file:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(START_LOCK)))
        connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
    if sa.inspect(connection).has_table(about.name, schema=None if in_file else SCHEMA):
        return
    metadata.create_all(connection)
    for guard in guards(connection.dialect.name, ["access_events"], schema=SCHEMA, refusal=REFUSAL):
        connection.execute(guard)
