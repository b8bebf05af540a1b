"""Layout 2: rows only grow, under a chain; debtors stand under numbers, and what is said of them is sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.log_guards import guards
from data.log_layout import secret_of
from data.log_transaction import transaction
from data.migrations import layout_1, layout_2
from data.migrations.from_layout_1 import moved
from data.subject_names import Names

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Makes the new tables, moves every row under the first link of the chain, and takes the old tables away."""
    connection = op.get_bind()
    _set_aside(connection)
    layout_2.metadata.create_all(connection)
    for guard in guards(connection.dialect.name, layout_2.GUARDED, kept=["subjects"]):
        connection.execute(guard)
    with transaction(connection, Names(secret_of(connection)), writes=True):
        moved(connection)
    for table in layout_1.metadata.tables.values():
        op.drop_table(f"layout_1_{table.name}")


def _set_aside(connection: sa.Connection) -> None:
    """Old tables under another name, their indexes gone: the new ones bear the same names."""
    standing = set(sa.inspect(connection).get_table_names())
    for table in layout_1.metadata.tables.values():
        for index in table.indexes:
            op.drop_index(index.name or "", table_name=table.name)
        op.rename_table(table.name, f"layout_1_{table.name}")
    if "debtor_versions" in standing:
        op.drop_table("debtor_versions")  # counted anew: readers of the old log are gone
