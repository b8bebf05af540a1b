"""Where tests keep a decision log or keys: in a SQLite file, or in a schema or a data base of their own in PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from data.decision_log import FILE_NAME, DecisionLog

URL = os.environ.get("RETTID_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1/test")
KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Place:
    """Where a log lies, and how to come at it past the log."""

    place: Path | str
    schema: str | None

    def open(self) -> DecisionLog:
        return DecisionLog.open(self.place, schema=self.schema)

    @contextmanager
    def behind(self) -> Iterator[sa.Connection]:
        """A connection that knows nothing of the log's care."""
        url = f"sqlite:///{self.place}/{FILE_NAME}" if self.schema is None else str(self.place)
        with careless(url, schema=self.schema) as connection:
            yield connection


@contextmanager
def careless(url: str | sa.URL, *, schema: str | None) -> Iterator[sa.Connection]:
    """A connection as nobody of ours makes it; a schema's tables are found without its name."""
    settings = {} if schema is None else {"options": f"-c search_path={schema}"}
    engine = sa.create_engine(url, connect_args=settings)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[Place]:
    if kind == "sqlite":
        yield Place(folder, None)
        return
    engine = _server()
    schema = f"t_{secrets.token_hex(8)}"
    try:
        yield Place(URL, schema)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        engine.dispose()


@contextmanager
def access_place_of(kind: str, folder: Path) -> Iterator[str]:
    """Where a store of keys can be opened: a folder, or a data base of its own, since its schema has but one name."""
    if kind == "sqlite":
        yield str(folder)
        return
    engine = _server().execution_options(isolation_level="AUTOCOMMIT")
    name = f"rettid_access_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(URL).set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def _server() -> sa.Engine:
    """PostgreSQL, where one answers; else the test is skipped."""
    engine = sa.create_engine(URL, connect_args={"connect_timeout": 2})
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("PostgreSQL cannot be reached: set RETTID_TEST_POSTGRESQL")
    return engine
