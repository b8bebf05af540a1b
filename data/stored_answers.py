"""Answers kept under the caller's idempotency key, so that a request sent twice has one effect and one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.decision_log_tables import stored_answers

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
    mine = _mine(scope, key)
    row = connection.execute(sa.select(stored_answers).where(mine)).first()
    if row is None or row.begun_at < at - KEPT:
        connection.execute(sa.delete(stored_answers).where(mine))
        connection.execute(sa.insert(stored_answers).values(scope=scope, key=key, digest=digest, begun_at=at))
        return None
    if row.digest != digest:
        raise KeyReused("this Idempotency-Key was used with another request: use a new key for each request")
    if row.status is not None:
        return StoredAnswer(row.status, row.body, row.media_type)
    if row.begun_at > at - LEASE:
        raise StillRunning("the same request is being answered: ask again in a second")
    connection.execute(sa.update(stored_answers).where(mine).values(begun_at=at))
    return None


def finish(connection: sa.Connection, scope: str, key: str, *, answer: StoredAnswer) -> None:
    """Keeps the answer."""
    connection.execute(sa.update(stored_answers).where(_mine(scope, key)).values(**vars(answer)))


def release(connection: sa.Connection, scope: str, key: str) -> None:
    """Forgets a request that had no effect, so that it may be sent again under its key."""
    connection.execute(sa.delete(stored_answers).where(_mine(scope, key)))


def _mine(scope: str, key: str) -> sa.ColumnElement[bool]:
    return (stored_answers.c.scope == scope) & (stored_answers.c.key == key)
