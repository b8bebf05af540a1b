"""Answers kept under the caller's idempotency key, so that a request sent twice has one effect and one answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from data.decision_log_tables import answer_debtors, stored_answers, subjects
from data.hot_statements import among, many
from data.log_chain import insert
from data.sealing import Key
from data.subjects import DEBTOR, found, one_found, pseudonym
from data.times import to_us

PLACE = b"stored_answers.body"

LEASE = timedelta(seconds=60)
"""After this long without an answer the process that began is taken for dead, and the request may be made again."""

KEPT = timedelta(days=30)
_INSTANT = timedelta(microseconds=1)


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


@dataclass(frozen=True)
class Once:
    """An idempotency key: the same key and digest under a scope get the same stored answer."""

    scope: str
    key: str
    digest: str


@dataclass(frozen=True)
class Kept:
    """An answer to be kept under a key, and whom it speaks of: erasing one of them deletes it; where none is named, erasing anyone does."""

    once: Once
    answer: StoredAnswer
    debtors: Collection[str] = ()


def kept_under(
    connection: sa.Connection, asked: Sequence[Once], *, at: datetime
) -> dict[Once, StoredAnswer | KeyReused | StillRunning]:
    """What is kept under keys, or why one cannot be used; the answers to the others are the caller's to make, now."""
    by_scope: dict[str, dict[str, Once]] = {}
    for once in asked:
        by_scope.setdefault(once.scope, {})[pseudonym(connection, "key", once.scope, once.key)] = once
    standing: dict[Once, StoredAnswer | KeyReused | StillRunning] = {}
    for scope, mine in by_scope.items():
        for row in _UNDER.run(connection, scope, many(connection, [*mine])):
            told = _told(_Row(*row), mine[row[0]].digest, to_us(at))
            if told is None:
                _forget(connection, scope, row[0])
            else:
                standing[mine[row[0]]] = told
    return standing


class _Row(NamedTuple):
    """What stands under a key, as the data base keeps it, and the key of the debtor that it is sealed for."""

    key: str
    digest: str
    begun_us: int
    status: int | None
    body: bytes
    media_type: str
    secret: bytes | None


def _told(row: _Row, digest: str, at_us: int) -> StoredAnswer | KeyReused | StillRunning | None:
    """What stands under a key for a request of a digest; None where it stands no more."""
    if row.begun_us < at_us - KEPT // _INSTANT:
        return None
    if row.digest != digest:
        return KeyReused("this Idempotency-Key was used with another request: use a new key for each request")
    if row.status is not None:
        body = row.body if row.secret is None else Key(row.secret).open_bytes(row.body, place=PLACE)
        return StoredAnswer(row.status, body, row.media_type)
    if row.begun_us > at_us - LEASE // _INSTANT:
        return StillRunning("the same request is being answered: ask again in a second")
    return None


def keep(connection: sa.Connection, kept: Sequence[Kept], *, at: datetime) -> None:
    """Keeps answers under keys of which `kept_under` said nothing in the same transaction."""
    if not kept:
        return
    owners = found(connection, DEBTOR, {name for one in kept for name in one.debtors})
    rows, spoken = [], []
    for one in kept:
        scope, key = one.once.scope, pseudonym(connection, "key", one.once.scope, one.once.key)
        # nobody is made known by having been asked about, least of all one who was erased
        owner = owners.get(next(iter(one.debtors), ""))
        body = one.answer.body if owner is None else owner.key.seal_bytes(one.answer.body, place=PLACE)
        told = (one.answer.status, body, one.answer.media_type, None if owner is None else owner.ref)
        rows.append((scope, key, one.once.digest, to_us(at), *told))
        spoken += [(scope, key, name) for name in sorted({pseudonym(connection, DEBTOR, one) for one in one.debtors})]
    insert(connection, stored_answers, rows)
    if spoken:
        insert(connection, answer_debtors, spoken)


def begin(connection: sa.Connection, scope: str, key: str, *, digest: str, at: datetime) -> StoredAnswer | None:
    """The answer kept under a key; None where the caller is to make it now, and to `finish` in another transaction.

    Raises
    ------
    KeyReused
        The key was used for a request of another digest.
    StillRunning
        The same request has begun and has no answer yet.
    """
    once = Once(scope, key, digest)
    known = kept_under(connection, [once], at=at).get(once)
    if isinstance(known, (KeyReused, StillRunning)):
        raise known
    if known is None:
        values = {"scope": scope, "key": pseudonym(connection, "key", scope, key), "digest": digest, "begun_at": at}
        connection.execute(sa.insert(stored_answers), values)
    return known


def finish(
    connection: sa.Connection, scope: str, key: str, *, answer: StoredAnswer, debtors: Collection[str] = ()
) -> None:
    """Keeps the answer.

    Parameters
    ----------
    debtors
        Whom the answer speaks of: erasing one of them deletes it. Where none is named, erasing anyone does.
    """
    mine, values = pseudonym(connection, "key", scope, key), dict(vars(answer))
    if debtors:
        owner = one_found(connection, DEBTOR, next(iter(debtors)))
        if owner is not None:  # nobody is made known by having been asked about, least of all one who was erased
            values |= {"body": owner.key.seal_bytes(answer.body, place=PLACE), "sealed_for": owner.ref}
        spoken = sorted({pseudonym(connection, DEBTOR, one) for one in debtors})
        rows = [{"scope": scope, "key": mine, "debtor": one} for one in spoken]
        connection.execute(sa.insert(answer_debtors), rows)
    under = (stored_answers.c.scope == scope) & (stored_answers.c.key == mine)
    connection.execute(sa.update(stored_answers).where(under).values(**values))


def forget_old(connection: sa.Connection, *, at: datetime) -> int:
    """Deletes answers that have been kept for longer than `KEPT`; gives their number."""
    old = stored_answers.c.begun_at < at - KEPT
    of = (answer_debtors.c.scope == stored_answers.c.scope) & (answer_debtors.c.key == stored_answers.c.key)
    deleted = connection.execute(sa.delete(stored_answers).where(old))
    connection.execute(sa.delete(answer_debtors).where(~sa.exists().where(of)))
    return deleted.rowcount


def release(connection: sa.Connection, scope: str, key: str) -> None:
    """Forgets a request that had no effect, so that it may be sent again under its key."""
    _forget(connection, scope, pseudonym(connection, "key", scope, key))


def _forget(connection: sa.Connection, scope: str, key: str) -> None:
    """Deletes what stands under the pseudonym of a key."""
    for table in (answer_debtors, stored_answers):
        connection.execute(sa.delete(table).where(table.c.scope == scope, table.c.key == key))


_STORED = sa.select(
    *(stored_answers.c[name] for name in ("key", "digest", "begun_at", "status", "body", "media_type")), subjects.c.key
).join_from(stored_answers, subjects, subjects.c.ref == stored_answers.c.sealed_for, isouter=True)
_UNDER = among(_STORED.where(stored_answers.c.scope == sa.bindparam("scope")), stored_answers.c.key)
