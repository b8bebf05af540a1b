"""Whether the end of the decision log is as it was written: its newest links alone, often; `log_proof` walks through all.

Who looks keeps the last link it saw: a log that was cut off, or written anew from somewhere, does not hold it any more.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import sqlalchemy as sa

from data.decision_log_tables import CHAINED, chain
from data.log_chain import GENESIS, StoredRow, raw
from data.log_proof import CHAIN, Anchor, Broken, broken_links, broken_rows, told_of
from data.times import from_us

MOST_LINKS = 1_000
MOST_ROWS = 20_000
"""How far back a look goes: to the first of both, and one link at least; an eighth of a second (measured: 0.12 s)."""

Links = Sequence[StoredRow]


def newest(
    connection: sa.Connection, *, seen: Anchor | None, most_links: int = MOST_LINKS, most_rows: int = MOST_ROWS
) -> Anchor | Broken | None:
    """The last link where the newest ones hold, else the first that does not; None of an empty log.

    Parameters
    ----------
    connection
        A transaction of `DecisionLog.reading`.
    seen
        What the look before gave, None for the first one.
    """
    found = connection.execute(sa.select(*raw(chain)).order_by(chain.c.number.desc()).limit(most_links + 1)).all()
    links = _within([tuple(link) for link in found[::-1]], most_rows)
    if seen is not None and _digest(connection, seen.number) != seen.digest:
        return Broken(seen.number, CHAIN, "is not the link that was there before")
    if not links:
        return None
    first, last = links[0], links[-1]
    # The oldest one is taken as it is, unless it is the first of all.
    newer, after = (links, (0, GENESIS)) if first[0] == 1 else (links[1:], (first[0], first[2]))
    broken = broken_links(newer, after=after) or _first_row(connection, newer, last)
    return broken or Anchor(last[0], from_us(last[1]), last[2])


def _within(links: Links, most_rows: int) -> Links:
    """The newest links that speak for so many rows, and the one before them."""
    rows = 0
    for place in range(len(links) - 1, 0, -1):
        rows += sum(told[1] for name in CHAINED if (told := told_of(links[place][3], name)) is not None)
        if rows >= most_rows:
            return links[place - 1 :]
    return links


def _digest(connection: sa.Connection, number: int) -> str | None:
    return connection.scalar(sa.select(chain.c.digest).where(chain.c.number == number))


def _first_row(connection: sa.Connection, links: Links, last: StoredRow) -> Broken | None:
    """The first link whose rows differ."""
    ends = _ends(last)
    found = [_broken_rows(connection, table, links, ends.get(name, 1)) for name, table in CHAINED.items()]
    return min((one for one in found if one is not None), default=None)


def _broken_rows(connection: sa.Connection, table: sa.Table, links: Links, end: int) -> Broken | None:
    told = (told_of(link[3], table.name) for link in links)
    begin = next((first for first, _, _ in filter(None, told)), end)
    query = sa.select(*raw(table)).where(table.c.sequence >= begin).order_by(table.c.sequence)
    return broken_rows(links, table.name, map(tuple, connection.execute(query)))


def _ends(link: StoredRow) -> dict[str, int]:
    """Next free place of every table after a link; nothing where it cannot be read."""
    try:
        return {str(name): int(end) for name, end in orjson.loads(link[4]).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
