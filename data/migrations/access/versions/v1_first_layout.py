"""Layout 1: keys, managers, sessions, and what was done about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.log_guards import guards
from data.migrations.access.layout_1 import GUARDED, REFUSAL, SCHEMA, about, metadata

revision = "1"
down_revision = None


def upgrade() -> None:
    """Makes the tables; the store of a program from before there were migrations has them.

    The row in `about` is what such a program looks for: the next layout must write another value there, so that it refuses.
    """
    connection = op.get_bind()
    metadata.create_all(connection)
    for guard in guards(connection.dialect.name, GUARDED, schema=SCHEMA, refusal=REFUSAL):
        connection.execute(guard)
    connection.execute(sa.insert(about).values(name="layout", value=revision))
