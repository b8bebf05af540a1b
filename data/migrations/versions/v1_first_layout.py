"""Layout 1: plain tables, without a chain."""

from __future__ import annotations

from alembic import op

from data.migrations.layout_1 import metadata

revision = "1"
down_revision = None


def upgrade() -> None:
    """Makes the tables; the log of a program from before there were migrations has them."""
    metadata.create_all(op.get_bind())
