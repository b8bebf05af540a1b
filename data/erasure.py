"""Erasing a debtor: the keys go, and with them everything the log says; the rows stay, so that totals and chain hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from data.decision_log_tables import (
    answer_debtors,
    answers,
    decision_rows,
    erasures,
    events,
    stored_answers,
    subjects,
)
from data.log_transaction import append, transaction_of
from data.subjects import CLAIM, CONTACT, DEBTOR, found, pseudonym
from data.times import to_us
from data.versions import bump


@dataclass(frozen=True)
class Erased:
    """What an erasure did, and its proof.

    Parameters
    ----------
    pseudonym
        Keyed hash that the debtor is still recognised by, so that other copies of its rows can be left out.
    counts
        Rows that nobody can read since, by table; of `stored_answers` and `subjects`, rows deleted.
    link
        Link of the chain that holds the erasure; its digest stands in the log once the transaction is over.
    """

    pseudonym: str
    counts: Mapping[str, int]
    link: int


def erase(
    connection: sa.Connection, debtor_id: str, *, claims: Collection[str], contacts: Collection[str], at: datetime
) -> Erased:
    """Deletes the keys of a debtor and of its claims and contacts, within the caller's writing transaction.

    What was deleted is overwritten in the data base's file; `DecisionLog.scrub` afterwards takes it out of the
    write-ahead file.

    Parameters
    ----------
    claims, contacts
        Those known to be the debtor's: what was told of one before anybody knew whose it was stands under its own key.
    """
    kinds = {DEBTOR: [debtor_id], CLAIM: claims, CONTACT: contacts}
    refs = [one.ref for kind, ids in kinds.items() for one in found(connection, kind, ids).values()]
    mine = pseudonym(connection, DEBTOR, debtor_id)
    counts = {str(table.name): _count(connection, column, refs) for table, column in _SEALED}
    counts["stored_answers"] = _forget_answers(connection, mine)
    deleted = connection.execute(sa.delete(subjects).where(subjects.c.ref.in_(refs)))
    counts["subjects"] = deleted.rowcount
    transaction = transaction_of(connection)
    for lookup in [lookup for lookup, one in transaction.fresh.items() if one.ref in refs]:
        del transaction.fresh[lookup]
    told = orjson.dumps(counts, option=orjson.OPT_SORT_KEYS).decode()
    # Claims and contacts too: what is told of one later must not be taken for somebody new.
    parts = [pseudonym(connection, kind, one) for kind in (CLAIM, CONTACT) for one in kinds[kind]]
    rows = [(mine, to_us(at), told), *((one, to_us(at), NOTHING) for one in sorted(set(parts)))]
    append(connection, erasures, rows, at_us=to_us(at))
    bump(connection, (debtor_id,))
    return Erased(mine, counts, transaction.link.number)


def erased_among(connection: sa.Connection, debtor_ids: Collection[str], *, kind: str = DEBTOR) -> set[str]:
    """Those of the debtors, or of the claims or contacts where `kind` says so, that have been erased."""
    if transaction_of(connection).end("erasures") == FIRST:
        return set()  # the chain's last link says that nobody was: most logs never ask further
    erased = _ALL if len(debtor_ids) > FEW else _AMONG
    hidden = {pseudonym(connection, kind, one): one for one in debtor_ids}
    wanted = {} if erased is _ALL else {"debtors": list(hidden)}
    return {hidden[one] for one in connection.scalars(erased, wanted) if one in hidden}


FIRST = 1
FEW = 1_000
_ALL = sa.select(erasures.c.debtor)
_AMONG = _ALL.where(erasures.c.debtor.in_(sa.bindparam("debtors", expanding=True)))

NOTHING = "{}"

_SEALED = (
    (decision_rows, decision_rows.c.debtor_ref),
    (answers, answers.c.debtor_ref),
    (events, events.c.sealed_for),
)


def _count(connection: sa.Connection, column: sa.Column[int], refs: Collection[int]) -> int:
    query = sa.select(sa.func.count()).select_from(column.table).where(column.in_(refs))
    return connection.scalar(query) or 0


def _forget_answers(connection: sa.Connection, debtor: str) -> int:
    """Deletes stored answers that speak of the debtor, and finished ones of which nobody knows whom they speak of."""
    of = (answer_debtors.c.scope == stored_answers.c.scope) & (answer_debtors.c.key == stored_answers.c.key)
    speaks = sa.exists().where(of, answer_debtors.c.debtor == debtor)
    unknown = stored_answers.c.status.is_not(None) & ~sa.exists().where(of)
    deleted = connection.execute(sa.delete(stored_answers).where(speaks | unknown))
    left = sa.exists().where(of)
    connection.execute(sa.delete(answer_debtors).where(~left))
    return deleted.rowcount
