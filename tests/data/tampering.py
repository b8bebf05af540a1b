"""The log's tables in the hands of somebody who owns them: guards taken away, rows with any value."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.decision_log_tables import CHAINED


def unguarded(connection: sa.Connection) -> None:
    """Takes the triggers away, as somebody could who owns the tables."""
    for table in (*CHAINED, "chain"):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP TRIGGER {table}_only_grows ON {table}")
        else:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")


def other(value: Any, kind: Any) -> Any:
    """A value that is not the one that stands there."""
    if value is None:
        return b"x" if isinstance(kind, sa.LargeBinary) else 1 if isinstance(kind, sa.Integer) else 0.5
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value + "x" if isinstance(value, str) else value + 1


def plain(table: sa.Table) -> sa.TableClause:
    """The table without the types that look at values."""
    kinds: dict[type, sa.types.TypeEngine[Any]] = {sa.types.TypeDecorator: sa.BigInteger()}
    columns = (sa.column(one.name, kinds.get(type(one.type).__mro__[1], one.type)) for one in table.c)
    return sa.table(table.name, *columns)
