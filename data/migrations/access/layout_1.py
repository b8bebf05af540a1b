"""Tables of layout 1 of keys, managers and sessions; never to be changed, the next layout gets a file of its own."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA = "access"
"""Schema in PostgreSQL; the connection leaves it out in SQLite."""

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
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
)

managers = sa.Table(
    "managers",
    metadata,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("password", sa.String, nullable=False),
    sa.Column("creditors", sa.JSON(none_as_null=True)),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("disabled_at", sa.BigInteger),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("tenant", sa.String(64), nullable=False),
    sa.Column("csrf", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

access_events = sa.Table(
    "access_events",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("tenant", sa.String),
    sqlite_autoincrement=True,
)

GUARDED = ("access_events",)
"""Tables that triggers let only grow."""

REFUSAL = "access events are never changed or deleted"
