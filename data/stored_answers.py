"""Answers kept under the caller's idempotency key, so that a request sent twice has one effect and one answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.decision_log_tables import answer_debtors, stored_answers, subjects
from data.sealing import Key
from data.subjects import DEBTOR, one_found, pseudonym

PLACE = b"stored_answers.body"

LEASE = timedelta(seconds=60)
"""After this long without an answer the process that began is taken for dead, and the request may be made again."""

KEPT = timedelta(days=30)


class KeyReused(ValueError):
    """The key stands for another request."""


class StillRunning(ValueError):
    """The same request is being answered at this moment."""


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it was first given."""

    status: int
    body: bytes
    media_type: str


def begin(connection: sa.Connection, scope: str, key: str, *, digest: str, at: datetime) -> StoredAnswer | None:
    """The answer kept under a key; None where the caller is to make it now.

    Raises
    ------
    KeyReused
        The key was used for a request of another digest.
    StillRunning
        The same request has begun and has no answer yet.
    """
    mine = _Mine.of(connection, scope, key)
    row = connection.execute(_STORED.where(mine.row)).first()
    if row is None or row.begun_at < at - KEPT:
        if row is not None:
            mine.forget(connection)
        values = {"scope": scope, "key": mine.key, "digest": digest, "begun_at": at}
        connection.execute(sa.insert(stored_answers), values)
        return None
    if row.digest != digest:
        raise KeyReused("this Idempotency-Key was used with another request: use a new key for each request")
    if row.status is not None:
        body = row.body if row.secret is None else Key(row.secret).open_bytes(row.body, place=PLACE)
        return StoredAnswer(row.status, body, row.media_type)
    if row.begun_at > at - LEASE:
        raise StillRunning("the same request is being answered: ask again in a second")
    connection.execute(sa.update(stored_answers).where(mine.row).values(begun_at=at))
    return None


def finish(
    connection: sa.Connection, scope: str, key: str, *, answer: StoredAnswer, debtors: Collection[str] = ()
) -> None:
    """Keeps the answer.

    Parameters
    ----------
    debtors
        Whom the answer speaks of: erasing one of them deletes it. Where none is named, erasing anyone does.
    """
    mine, values = _Mine.of(connection, scope, key), dict(vars(answer))
    if debtors:
        owner = one_found(connection, DEBTOR, next(iter(debtors)))
        if owner is not None:  # nobody is made known by having been asked about, least of all one who was erased
            values |= {"body": owner.key.seal_bytes(answer.body, place=PLACE), "sealed_for": owner.ref}
        spoken = sorted({pseudonym(connection, DEBTOR, one) for one in debtors})
        rows = [{"scope": scope, "key": mine.key, "debtor": one} for one in spoken]
        connection.execute(sa.insert(answer_debtors), rows)
    connection.execute(sa.update(stored_answers).where(mine.row).values(**values))


def forget_old(connection: sa.Connection, *, at: datetime) -> int:
    """Deletes answers that have been kept for longer than `KEPT`; gives their number."""
    old = stored_answers.c.begun_at < at - KEPT
    of = (answer_debtors.c.scope == stored_answers.c.scope) & (answer_debtors.c.key == stored_answers.c.key)
    deleted = connection.execute(sa.delete(stored_answers).where(old))
    connection.execute(sa.delete(answer_debtors).where(~sa.exists().where(of)))
    return deleted.rowcount


def release(connection: sa.Connection, scope: str, key: str) -> None:
    """Forgets a request that had no effect, so that it may be sent again under its key."""
    _Mine.of(connection, scope, key).forget(connection)


_STORED = sa.select(stored_answers, subjects.c.key.label("secret")).join_from(
    stored_answers, subjects, subjects.c.ref == stored_answers.c.sealed_for, isouter=True
)


@dataclass(frozen=True)
class _Mine:
    """Where an answer is kept: under its scope and the pseudonym of its key, which may name somebody."""

    scope: str
    key: str

    @staticmethod
    def of(connection: sa.Connection, scope: str, key: str) -> _Mine:
        return _Mine(scope, pseudonym(connection, "key", scope, key))

    @property
    def row(self) -> sa.ColumnElement[bool]:
        return (stored_answers.c.scope == self.scope) & (stored_answers.c.key == self.key)

    def forget(self, connection: sa.Connection) -> None:
        spoken = (answer_debtors.c.scope == self.scope) & (answer_debtors.c.key == self.key)
        connection.execute(sa.delete(answer_debtors).where(spoken))
        connection.execute(sa.delete(stored_answers).where(self.row))
