"""How often something about a debtor was written: a number that rises with every write, so that a reader sees change."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from data.decision_log_tables import debtor_versions
from data.hot_statements import ONE, Hot, among, many
from data.subjects import DEBTOR, pseudonym

_FOUND = among(sa.select(debtor_versions.c.debtor, debtor_versions.c.version), debtor_versions.c.debtor)
_NEW = {"debtor": sa.bindparam("debtor"), "version": ONE}
_AGAIN = {"index_elements": [debtor_versions.c.debtor], "set_": {"version": debtor_versions.c.version + ONE}}
_BUMP = Hot(
    sqlite.insert(debtor_versions).values(_NEW).on_conflict_do_update(**_AGAIN),  # type: ignore[arg-type]  # two kinds of values
    postgresql=postgresql.insert(debtor_versions).values(_NEW).on_conflict_do_update(**_AGAIN),  # type: ignore[arg-type]  # as above
)


def versions_of(connection: sa.Connection, debtor_ids: Collection[str]) -> dict[str, int]:
    """Version of each debtor; 0 for one of whom nothing has been written."""
    debtors = {pseudonym(connection, DEBTOR, one): one for one in debtor_ids}
    found = dict.fromkeys(debtor_ids, 0)
    found.update((debtors[name], version) for name, version in _FOUND.run(connection, many(connection, [*debtors])))
    return found


def bump(connection: sa.Connection, debtor_ids: Iterable[str]) -> None:
    """Raises the version of each debtor by one, within the caller's transaction."""
    rows = [(pseudonym(connection, DEBTOR, one),) for one in set(debtor_ids)]
    if rows:
        _BUMP.run_each(connection, rows)
