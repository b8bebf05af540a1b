"""Where tests of the decision log keep one: a SQLite file, or a schema of their own in PostgreSQL."""

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
        settings = {} if self.schema is None else {"options": f"-c search_path={self.schema}"}
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
    engine = sa.create_engine(URL, connect_args={"connect_timeout": 2})
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("PostgreSQL cannot be reached: set RETTID_TEST_POSTGRESQL")
    schema = f"t_{secrets.token_hex(8)}"
    try:
        yield Place(URL, schema)
    finally:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
        engine.dispose()
