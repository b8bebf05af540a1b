"""Statements that every decision makes, put into words once: SQLAlchemy's way there takes longer than their answer.

Columns come and values go as the data base keeps them, past the types of the tables: an instant is an integer. They are
handed to the driver itself, for the same reason; what it raises is told as SQLAlchemy tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NoReturn

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

ONE: sa.ColumnClause[int] = sa.literal_column("1", sa.Integer)
"""The number one as part of a statement: a hot statement has no values but those it is run with."""

EACH = "values"
"""Name of the value that stands for many in `among`."""


class Hot:
    """A statement for SQLite and PostgreSQL, or one for each; its values are given in the order in which it names them.

    >>> Hot(sa.select(sa.column("a") == sa.bindparam("b"))).words("sqlite").replace(chr(10), " ")
    'SELECT a = ? AS anon_1'
    """

    def __init__(self, statement: sa.Executable, *, postgresql: sa.Executable | None = None) -> None:
        self._statements = {"sqlite": statement, "postgresql": statement if postgresql is None else postgresql}
        self._words: dict[str, str] = {}

    def words(self, dialect: str) -> str:
        """The statement as the data base is told it."""
        found = self._words.get(dialect)
        if found is None:
            found = self._words[dialect] = _compiled(self._statements[dialect], dialect)
        return found

    def run(self, connection: sa.Connection, *values: object) -> list[tuple[Any, ...]]:
        """Rows that the data base answers."""
        words = self.words(connection.dialect.name)
        with _cursor(connection, words) as cursor:
            cursor.execute(words, values)
            return [*cursor.fetchall()]

    def run_each(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Runs the statement for each row of values."""
        words = self.words(connection.dialect.name)
        with _cursor(connection, words) as cursor:
            cursor.executemany(words, rows)


def command(connection: sa.Connection, words: str, *values: object) -> None:
    """Runs a statement of the data base's own that answers nothing of interest."""
    with _cursor(connection, words) as cursor:
        cursor.execute(words, values)


@contextmanager
def _cursor(connection: sa.Connection, words: str) -> Iterator[Any]:
    """The driver's cursor; what the driver raises is told as SQLAlchemy tells it."""
    try:
        cursor = connection.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()
    except _errors(connection) as error:
        _raise(connection, error, words)


def _errors(connection: sa.Connection) -> type[Exception]:
    """What the driver raises."""
    driver: Any = connection.dialect.dbapi
    errors: type[Exception] = driver.Error
    return errors


def _raise(connection: sa.Connection, error: Exception, words: str) -> NoReturn:
    """Tells an error of the driver as SQLAlchemy does; a connection that broke is taken out of use, with those of its age."""
    # Not public, and the only place that knows all of that.
    connection._handle_dbapi_exception(error, words, None, None, None)


def among(query: sa.Select[Any], column: sa.Column[Any]) -> Hot:
    """The query for many values of a column, given as `many` gives them."""
    # One value that holds all: a statement with a name for each of thousands costs more than finding them.
    each = sa.func.json_each(sa.bindparam(EACH)).table_valued("value")
    every = sa.any_(sa.bindparam(EACH, type_=sa.ARRAY(column.type)))
    return Hot(query.where(column.in_(sa.select(each.c.value))), postgresql=query.where(column == every))


def many(connection: sa.Connection, values: list[Any]) -> object:
    """Many values as one, as the data base of a connection takes them."""
    return orjson.dumps(values).decode() if connection.dialect.name == "sqlite" else values


@cache
def inserting(table: sa.Table) -> Hot:
    """The statement that writes whole rows of a table."""
    return Hot(sa.insert(table).values({column.name: sa.bindparam(column.name) for column in table.c}))


def _compiled(statement: sa.Executable, dialect: str) -> str:
    dialects: dict[str, sa.Dialect] = {
        "sqlite": sqlite.dialect(),
        "postgresql": postgresql.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]  # it ships no types
    }
    return str(statement.compile(dialect=dialects[dialect]))  # type: ignore[attr-defined]  # every statement of ours can
