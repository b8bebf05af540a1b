"""How the decisions of the last batch spread over the channels, from some of its parts: a share, at a small price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import orjson
import sqlalchemy as sa

from data.decision_log_tables import batch_parts, batches, chain, decision_rows

MOST_PARTS = 10
"""Parts looked at, of at most `data.decision_log_rows.ROWS_AT_ONCE` rows each: a night may have hundreds."""


def last_batch(connection: sa.Connection) -> str | None:
    """Identifier of the last batch that was written to its end."""
    query = sa.select(batches.c.batch_id).order_by(batches.c.as_of.desc(), batches.c.sequence.desc()).limit(1)
    return connection.scalar(query)


def batch_mix(connection: sa.Connection, batch_id: str, *, most_parts: int = MOST_PARTS) -> dict[str, int]:
    """Debtors by channel of their contact, `none` for those without one, of parts spread evenly over a batch."""
    query = sa.select(batch_parts.c.link).where(batch_parts.c.batch_id == batch_id).order_by(batch_parts.c.sequence)
    links = _spread(connection.scalars(query).all(), most_parts)
    found = Counter[str]()
    for parts in connection.scalars(sa.select(chain.c.parts).where(chain.c.number.in_(links))):
        first, count, _digest = orjson.loads(parts)[decision_rows.name]
        found.update(_debtors(connection, first, first + count))
    return dict(found)


def _spread(links: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly."""
    number = min(len(links), most)
    return [links[place * len(links) // number] for place in range(number)]


def _debtors(connection: sa.Connection, first: int, end: int) -> dict[str, int]:
    """Debtors by channel, of rows from one place up to another: an uncovered claim's `none` is no decision of its debtor."""
    rows = decision_rows.c
    contact = sa.func.max(sa.case((rows.channel != "none", rows.channel)))
    channel = sa.func.coalesce(contact, "none").label("channel")
    each = sa.select(channel).where(rows.sequence >= first, rows.sequence < end).group_by(rows.debtor_ref).subquery()
    counted = sa.select(each.c.channel, sa.func.count()).group_by(each.c.channel)
    return {name: int(number) for name, number in connection.execute(counted)}
