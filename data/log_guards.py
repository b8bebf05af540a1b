"""Triggers that let some tables of the log only grow, whoever asks: they must be dropped before a row can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

REFUSAL = "the decision log only grows: rows are never changed or deleted"


def guards(
    dialect: str, tables: Iterable[str], *, kept: Iterable[str] = (), schema: str = "", refusal: str = REFUSAL
) -> Iterator[sa.TextClause]:
    """Statements that guard the tables, in SQLite or PostgreSQL.

    Parameters
    ----------
    kept
        Tables whose rows may be deleted, but not changed.
    schema
        Schema in PostgreSQL; empty for the one in use.
    refusal
        What whoever tries is told, without quotes.
    """
    at = f"{schema}." if schema else ""
    if dialect == "postgresql":
        yield sa.text(
            f"CREATE OR REPLACE FUNCTION {at}refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
        )
    verbs = {**dict.fromkeys(tables, ("UPDATE", "DELETE", "TRUNCATE")), **dict.fromkeys(kept, ("UPDATE", "TRUNCATE"))}
    for table, refused in verbs.items():
        if dialect == "postgresql":
            yield sa.text(
                f"CREATE TRIGGER {table}_only_grows BEFORE {' OR '.join(refused)} ON {at}{table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {at}refuse_change()"
            )
        else:
            for verb in refused[:-1]:
                yield sa.text(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
                )
