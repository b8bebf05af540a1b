"""Layout of the decision log: made, or brought to the present one by migrations, all at once or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path
from threading import Lock

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from data.decision_log_tables import about

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "1"
"""Layout of logs from before there were migrations; it stands in their table `about`."""

SECRET = "secret"  # noqa: S105  # the name of a row, not a secret
_ONE_AT_A_TIME = Lock()
"""A migration finds its connection through Alembic's one global."""


class UnknownLayout(ValueError):
    """The log was written by another version of the program."""


def bring_up_to_date(connection: sa.Connection, *, schema: str | None) -> None:
    """Runs the migrations that a log has not seen, within the caller's writing transaction.

    Raises
    ------
    UnknownLayout
        The log was written by a version of the program that this one does not know.
    """
    if schema is not None:
        connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    script = ScriptDirectory(str(MIGRATIONS))
    context = MigrationContext.configure(connection)
    found = context.get_current_revision() or _before_migrations(connection)
    known = {one.revision for one in script.walk_revisions()}
    head = script.get_current_head()
    if found is not None and found not in known:
        raise UnknownLayout(
            f"the decision log is of layout {found}, this program writes layout {head}: "
            "use the program that wrote it, or start with another workspace"
        )
    with _ONE_AT_A_TIME, Operations.context(context):
        for step in reversed([*script.iterate_revisions("heads", found or "base")]):
            if step.revision != found:
                step.module.upgrade()
                context.stamp(script, step.revision)


def secret_of(connection: sa.Connection) -> bytes:
    """The secret of the log's pseudonyms, made on first use."""
    found = connection.scalar(sa.select(about.c.value).where(about.c.name == SECRET))
    if found is None:
        found = secrets.token_hex(32)
        connection.execute(sa.insert(about).values(name=SECRET, value=found))
    return bytes.fromhex(found)


def _before_migrations(connection: sa.Connection) -> str | None:
    """Layout of a log that no migration has touched; None for an empty data base."""
    if not sa.inspect(connection).has_table("about"):
        return None
    return connection.scalar(sa.select(about.c.value).where(about.c.name == "layout"))
