"""Whether the decision log is as it was written: every link of the chain worked out again from the rows it speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain as joined
from itertools import islice

import orjson
import sqlalchemy as sa

from data.decision_log_rows import ROWS_AT_ONCE
from data.decision_log_tables import CHAINED, chain, erasures, subjects
from data.log_chain import GENESIS, Part, StoredRow, head_of, link_digest, raw
from data.log_transaction import transaction_of
from data.subjects import COUNTER
from data.times import from_us

LINKS_AT_ONCE = 1_000
CHAIN = "chain"


@dataclass(frozen=True, order=True)
class Broken:
    """The first link that does not hold, the table whose rows differ (`chain`: the link itself), and in what way."""

    link: int
    table: str
    what: str


@dataclass(frozen=True)
class Anchor:
    """A link as it was once read out, to be kept elsewhere."""

    number: int
    at: datetime
    digest: str


def verify(connection: sa.Connection, *, kept: Mapping[int, str] | None = None) -> Broken | None:
    """The first place at which the log is not as it was written; None where all of it is.

    Parameters
    ----------
    connection
        A transaction of `DecisionLog.walking`.
    kept
        Digests read out before, by number of link: without one, a log cut off at its end looks like one that is shorter.
    """
    found = [broken_links(_links(connection), kept=kept or {})]
    found += [_broken_rows(connection, table) for table in CHAINED.values()]
    broken = min((one for one in found if one is not None), default=None)
    return broken or next(_missing_keys(connection), None)


def _missing_keys(connection: sa.Connection) -> Iterator[Broken]:
    """Keys that are gone without an erasure that tells of them, or that stand for somebody else: rows nobody can read."""
    head, of = head_of(connection), transaction_of(connection).pseudonym
    made = head.end(COUNTER) - 1
    there = connection.scalar(sa.select(sa.func.count()).select_from(subjects)) or 0
    told = connection.scalars(sa.select(erasures.c.counts))
    erased = sum(int(orjson.loads(one).get(COUNTER, 0)) for one in told)
    if made != there + erased:
        yield Broken(head.number, COUNTER, f"{made - there - erased} keys are gone that no erasure tells of")
    rows = connection.execute(sa.select(subjects.c.ref, subjects.c.kind, subjects.c.id, subjects.c.lookup))
    other = [row.ref for row in rows if of(row.kind, row.id) != row.lookup]
    if other:
        yield Broken(head.number, COUNTER, f"{len(other)} keys stand for somebody else, first of them {other[0]}")


def last_links(connection: sa.Connection) -> dict[date, Anchor]:
    """The last link of each day (UTC), to be kept where nobody who can write the log can write."""
    found: dict[date, Anchor] = {}
    for number, at_us, digest, _parts, _ends in _links(connection):
        at = from_us(at_us)
        found[at.date()] = Anchor(number, at, digest)
    return found


def _links(connection: sa.Connection) -> Iterator[StoredRow]:
    """All links, a page at a time."""
    query, last = sa.select(*raw(chain)).order_by(chain.c.number).limit(LINKS_AT_ONCE), None
    while page := connection.execute(query if last is None else query.where(chain.c.number > last)).all():
        yield from map(tuple, page)
        last = page[-1][0]


def broken_links(
    links: Iterable[StoredRow], *, after: tuple[int, str] = (0, GENESIS), kept: Mapping[int, str] | None = None
) -> Broken | None:
    """The first link that does not follow from the one before, or is not what was read out.

    Parameters
    ----------
    after
        Number and digest of the link before the first of these.
    kept
        As for `verify`.
    """
    (last, before), noted = after, kept or {}
    for number, at_us, digest, parts, ends in links:
        if number != last + 1:
            return Broken(last + 1, CHAIN, f"expected link {last + 1}, came {number}")
        if digest != link_digest(before, (number, at_us, parts, ends)) or noted.get(number, digest) != digest:
            return Broken(number, CHAIN, "its digest is another one")
        last, before = number, digest
    missing = [number for number in noted if number > last]
    return Broken(last + 1, CHAIN, f"expected links up to {max(missing)}, came {last}") if missing else None


def _broken_rows(connection: sa.Connection, table: sa.Table) -> Broken | None:
    query = sa.select(*raw(table)).order_by(table.c.sequence)
    with connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as result:
        return broken_rows(_links(connection), table.name, map(tuple, joined.from_iterable(result.partitions())))


def broken_rows(links: Iterable[StoredRow], table: str, rows: Iterator[StoredRow]) -> Broken | None:
    """The first of some links whose rows in a table differ from these, which begin where the links do."""
    number = 0
    for number, _at, _digest, parts, _ends in links:
        told = told_of(parts, table)
        if told is None:
            continue
        first, count, digest = told
        part = Part(first)
        while some := list(islice(rows, min(ROWS_AT_ONCE, count - part.count))):
            part.add(some)
        if part.told != [first, count, digest]:
            return Broken(number, table, f"its {count} rows from place {first} are not those it was made for")
    extra = next(rows, None)
    return None if extra is None else Broken(number + 1, table, f"place {extra[0]} belongs to no link")


def told_of(parts: str, name: str) -> tuple[int, int, str] | None:
    """Place, number of rows and digest that a link tells of a table; nothing where it cannot be read."""
    try:
        found = orjson.loads(parts).get(name)
        return None if found is None else (int(found[0]), int(found[1]), str(found[2]))
    except (ValueError, TypeError, AttributeError, LookupError):
        return None  # the link's own digest tells of it
