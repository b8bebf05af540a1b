"""Whether the end of the decision log is as it was written: its newest links alone, often; `log_proof` walks through all.

Who looks keeps the last link it saw: a log that was cut off, or written anew from somewhere, does not hold it any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

import orjson
import sqlalchemy as sa

from data.decision_log_tables import CHAINED, chain
from data.log_chain import GENESIS, Part, StoredRow, link_digest, raw
from data.log_proof import CHAIN, Anchor, Broken
from data.times import from_us

MOST_LINKS = 1_000
MOST_ROWS = 20_000
"""How far back a look goes: to the first of both, and one link at least; an eighth of a second (measured: 0.12 s)."""

Links = Sequence[sa.Row[Any]]


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
    links = _within(found[::-1], most_rows)
    if seen is not None and _digest(connection, seen.number) != seen.digest:
        return Broken(seen.number, CHAIN, "is not the link that was there before")
    if not links:
        return None
    broken = _broken_chain(links) or _first_row(connection, links)
    last = links[-1]
    return broken or Anchor(last.number, from_us(last.at), last.digest)


def _within(links: Links, most_rows: int) -> Links:
    """The newest links that speak for so many rows, and the one before them."""
    rows = 0
    for place in range(len(links) - 1, 0, -1):
        rows += sum(int(told[1]) for told in _parts(links[place]).values())
        if rows >= most_rows:
            return links[place - 1 :]
    return links


def _digest(connection: sa.Connection, number: int) -> str | None:
    return connection.scalar(sa.select(chain.c.digest).where(chain.c.number == number))


def _broken_chain(links: Links) -> Broken | None:
    """The first link that does not follow from the one before; the oldest here is taken as it is, unless it is the first of all."""
    first = links[0]
    if first.number == 1 and first.digest != _digest_after(GENESIS, first):
        return Broken(1, CHAIN, "its digest is another one")
    for before, link in pairwise(links):
        if link.number != before.number + 1:
            return Broken(before.number + 1, CHAIN, f"expected link {before.number + 1}, came {link.number}")
        if link.digest != _digest_after(before.digest, link):
            return Broken(link.number, CHAIN, "its digest is another one")
    return None


def _digest_after(before: str, link: sa.Row[Any]) -> str:
    return link_digest(before, (link.number, link.at, link.parts, link.ends))


def _first_row(connection: sa.Connection, links: Links) -> Broken | None:
    """The first link whose rows differ, of those after the oldest."""
    newer = links if links[0].number == 1 else links[1:]
    found = (_broken_rows(connection, table, newer, _end(links[-1], table.name)) for table in CHAINED.values())
    return min((one for one in found if one is not None), default=None)


def _broken_rows(connection: sa.Connection, table: sa.Table, links: Links, end: int) -> Broken | None:
    told = [(link.number, _parts(link)[table.name]) for link in links if table.name in _parts(link)]
    begin = told[0][1][0] if told else end
    query = sa.select(*raw(table)).where(table.c.sequence >= begin).order_by(table.c.sequence)
    rows: Iterator[StoredRow] = map(tuple, connection.execute(query))
    for number, (first, count, digest) in told:
        part = Part(first)
        part.add(islice(rows, count))
        if part.told != [first, count, digest]:
            return Broken(number, table.name, f"its {count} rows from place {first} are not those it was made for")
    extra = next(rows, None)
    return None if extra is None else Broken(links[-1].number + 1, table.name, f"place {extra[0]} belongs to no link")


def _parts(link: sa.Row[Any]) -> dict[str, tuple[int, int, str]]:
    """What a link tells of each table; nothing where it cannot be read: its digest tells of that."""
    found = _read(link.parts)
    whole = {name: told for name, told in found.items() if isinstance(told, list) and len(told) == 3}
    return {name: (first, count, digest) for name, (first, count, digest) in whole.items() if _are_whole(first, count)}


def _are_whole(*numbers: object) -> bool:
    return all(isinstance(one, int) for one in numbers)


def _end(link: sa.Row[Any], name: str) -> int:
    """Next free place of a table after a link."""
    end = _read(link.ends).get(name, 1)
    return end if isinstance(end, int) else 1


def _read(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
