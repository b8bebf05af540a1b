"""Triggers that let some tables of the log only grow, whoever asks: they must be dropped before a row can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

REFUSAL = "the decision log only grows: rows are never changed or deleted"


def guards(dialect: str, tables: Iterable[str], *, kept: Iterable[str] = ()) -> Iterator[sa.TextClause]:
    """Statements that guard the tables, in SQLite or PostgreSQL; rows of those `kept` may be deleted, but not changed."""
    if dialect == "postgresql":
        yield sa.text(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
        )
    verbs = {**dict.fromkeys(tables, ("UPDATE", "DELETE", "TRUNCATE")), **dict.fromkeys(kept, ("UPDATE", "TRUNCATE"))}
    for table, refused in verbs.items():
        if dialect == "postgresql":
            yield sa.text(
                f"CREATE TRIGGER {table}_only_grows BEFORE {' OR '.join(refused)} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        else:
            for verb in refused[:-1]:
                yield sa.text(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
                )
