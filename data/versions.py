"""How often something about a debtor was written: a number that rises with every write, so that a reader sees change."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from data.decision_log_tables import debtor_versions
from data.subjects import DEBTOR, pseudonym

_FOUND = sa.select(debtor_versions.c.debtor, debtor_versions.c.version).where(
    debtor_versions.c.debtor.in_(sa.bindparam("debtors", expanding=True))
)
_AGAIN = {"index_elements": [debtor_versions.c.debtor], "set_": {"version": debtor_versions.c.version + 1}}
_BUMPS = {
    "sqlite": sqlite.insert(debtor_versions).on_conflict_do_update(**_AGAIN),  # type: ignore[arg-type]  # two kinds of values
    "postgresql": postgresql.insert(debtor_versions).on_conflict_do_update(**_AGAIN),  # type: ignore[arg-type]  # as above
}


def versions_of(connection: sa.Connection, debtor_ids: Collection[str]) -> dict[str, int]:
    """Version of each debtor; 0 for one of whom nothing has been written."""
    debtors = {pseudonym(connection, DEBTOR, one): one for one in debtor_ids}
    found = {debtors[row[0]]: row[1] for row in connection.execute(_FOUND, {"debtors": list(debtors)})}
    return {debtor_id: found.get(debtor_id, 0) for debtor_id in debtor_ids}


def bump(connection: sa.Connection, debtor_ids: Iterable[str]) -> None:
    """Raises the version of each debtor by one, within the caller's transaction."""
    rows = [{"debtor": pseudonym(connection, DEBTOR, one), "version": 1} for one in set(debtor_ids)]
    if rows:
        connection.execute(_BUMPS[connection.dialect.name], rows)
