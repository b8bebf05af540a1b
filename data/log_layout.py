"""Layouts of the decision log, and the secret of its pseudonyms."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from data.decision_log_tables import about
from data.migrating import MIGRATIONS, Layouts

LOG_LAYOUTS = Layouts(
    store="the decision log",
    folder=MIGRATIONS,
    remedy="use the program that wrote it, or start with another workspace",
)

SECRET = "secret"  # noqa: S105  # the name of a row, not a secret


def secret_of(connection: sa.Connection) -> bytes:
    """The secret of the log's pseudonyms, made on first use."""
    found = connection.scalar(sa.select(about.c.value).where(about.c.name == SECRET))
    if found is None:
        found = secrets.token_hex(32)
        connection.execute(sa.insert(about).values(name=SECRET, value=found))
    return bytes.fromhex(found)
