"""Debtors, claims and contacts as the log keeps them: a number and a key for each, and one table that names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from data.decision_log_tables import subjects
from data.hot_statements import Hot, among, many
from data.log_chain import insert
from data.log_transaction import transaction_of
from data.sealing import Key
from data.subject_names import Subject

DEBTOR, CLAIM, CONTACT = "debtor", "claim", "contact"
COUNTER = "subjects"
"""Name under which the chain keeps the next free number: one that was deleted is never given to somebody else."""

_COLUMNS = (subjects.c.ref, subjects.c.id, subjects.c.key)
_BY_LOOKUP = among(sa.select(subjects.c.lookup, *_COLUMNS), subjects.c.lookup)
_BY_REF = among(sa.select(*_COLUMNS), subjects.c.ref)


def pseudonym(connection: sa.Connection, kind: str, *parts: str) -> str:
    """What stands for an identifier where nobody needs to read it again."""
    return transaction_of(connection).pseudonym(kind, *parts)


def found(connection: sa.Connection, kind: str, ids: Collection[str]) -> dict[str, Subject]:
    """The subjects that the log knows, by their identifier."""
    of = transaction_of(connection).pseudonym
    by_lookup = {of(kind, one): one for one in ids}
    return {by_lookup[one]: subject for one, subject in _known(connection, by_lookup).items()}


def _known(connection: sa.Connection, lookups: Collection[str]) -> dict[str, Subject]:
    """The subjects that the log knows, by pseudonym."""
    mine = transaction_of(connection)
    known = mine.names.kept(lookups, erased=mine.erased)
    known.update({one: mine.fresh[one] for one in lookups if one in mine.fresh})
    read: dict[str, Subject] = {}
    for lookup, ref, name, key in _rows(connection, _BY_LOOKUP, [one for one in lookups if one not in known]):
        read[lookup] = Subject(ref, name, Key(key))
    mine.names.keep(read, erased=mine.erased)
    return known | read


def one_found(connection: sa.Connection, kind: str, name: str) -> Subject | None:
    """The subject of an identifier; None where the log knows none."""
    return found(connection, kind, (name,)).get(name)


def named(connection: sa.Connection, kind: str, ids: Collection[str]) -> dict[str, Subject]:
    """The subjects of identifiers, new ones for those that the log does not know, within a writing transaction."""
    mine = transaction_of(connection)
    by_lookup = {mine.pseudonym(kind, one): one for one in dict.fromkeys(ids)}
    known = _known(connection, by_lookup)
    new = [one for one in by_lookup if one not in known]
    if new:
        first = mine.link.end(COUNTER)
        numbered = zip(range(first, first + len(new)), new, Key.several(len(new)), strict=True)
        fresh = {one: Subject(ref, by_lookup[one], key) for ref, one, key in numbered}
        mine.link.ends[COUNTER] = first + len(new)
        insert(connection, subjects, [(one.ref, kind, name, one.id, one.key.secret) for name, one in fresh.items()])
        mine.fresh.update(fresh)
        known |= fresh
    return {by_lookup[one]: subject for one, subject in known.items()}


def one_named(connection: sa.Connection, kind: str, name: str) -> Subject:
    """The subject of one identifier, new if need be."""
    return named(connection, kind, (name,))[name]


def owners(connection: sa.Connection, refs: Collection[int]) -> dict[int, Subject]:
    """Subjects by number; those that were erased are not there."""
    return {row[0]: Subject(row[0], row[1], Key(row[2])) for row in _rows(connection, _BY_REF, list(set(refs)))}


def _rows(connection: sa.Connection, query: Hot, values: list[Any]) -> Iterable[Any]:
    return query.run(connection, many(connection, values)) if values else ()
