"""Layouts of a data base of ours: made, or brought to the present one by migrations, all at once or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"

_ONE_AT_A_TIME = Lock()
"""A migration finds its connection through Alembic's one global."""


class UnknownLayout(ValueError):
    """The data base was written by another version of the program."""


@dataclass(frozen=True)
class Layouts:
    """The layouts that a store of ours has had.

    Attributes
    ----------
    store
        What it is called in a message.
    folder
        Where its migrations stand, one file for each layout in `versions`.
    remedy
        What to do where it is of a layout that is not known.
    """

    store: str
    folder: Path
    remedy: str

    def bring_up_to_date(self, connection: sa.Connection, *, schema: str | None, in_path: bool = True) -> None:
        """Runs the migrations that a store has not seen, within the caller's writing transaction.

        Whoever comes second waits for the lock that the transaction holds, and finds nothing left to do.

        Parameters
        ----------
        schema
            Schema that holds the tables, made if it is not there; None for the one in use.
        in_path
            Whether the connection finds the schema's tables without its name.

        Raises
        ------
        UnknownLayout
            The store was written by a version of the program that this one does not know.
        """
        if schema is not None and not sa.inspect(connection).has_schema(schema):
            connection.execute(sa.schema.CreateSchema(schema))
        named = None if in_path else schema
        script = ScriptDirectory(str(self.folder))
        context = MigrationContext.configure(connection, opts={"version_table_schema": named})
        stamped = context.get_current_revision()
        found = stamped or _before_migrations(connection, named)
        self._must_know(found, script)
        with _ONE_AT_A_TIME, Operations.context(context):
            if stamped is None and found is not None:
                context.stamp(script, found)
            for step in reversed([*script.iterate_revisions("heads", found or "base")]):
                if step.revision != found:
                    step.module.upgrade()
                    context.stamp(script, step.revision)

    def _must_know(self, found: str | None, script: ScriptDirectory) -> None:
        if found is not None and found not in {one.revision for one in script.walk_revisions()}:
            raise UnknownLayout(
                f"{self.store} is of layout {found}, this program writes layout {script.get_current_head()}: {self.remedy}"
            )


def _before_migrations(connection: sa.Connection, schema: str | None) -> str | None:
    """Layout of a store that no migration has touched, which its table `about` names; None for an empty data base."""
    if not sa.inspect(connection).has_table("about", schema=schema):
        return None
    about = sa.table("about", sa.column("name", sa.Text), sa.column("value", sa.Text), schema=schema)
    return connection.scalar(sa.select(about.c.value).where(about.c.name == "layout"))
