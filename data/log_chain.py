"""The chain over the log: each writing transaction adds a link whose digest covers the rows it added and the link before.

A row carries its place in its table, without a gap, and the number of its link. A link holds, for each table it added to,
the first place, the number of rows and their SHA-256; its digest is the SHA-256 over the digest before it, its number,
its moment, these parts and where each table ends. Whoever changes, removes or adds a row would have to write every later link anew: a digest
kept elsewhere, such as each day's last one, shows that too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from data.decision_log_tables import chain
from data.hot_statements import Hot, inserting

GENESIS = "0" * 64
"""Digest before the first link."""

StoredRow = tuple[Any, ...]
"""Values of a row as the data base keeps them, in the order of the table's columns."""


@dataclass(frozen=True)
class Head:
    """The last link, and the next free place in every table."""

    number: int
    digest: str
    ends: dict[str, int]

    def end(self, name: str) -> int:
        """Next free place in a table."""
        return self.ends.get(name, 1)


@dataclass
class Part:
    """Rows that a link adds to one table."""

    first: int
    count: int = 0
    content: Any = field(default_factory=hashlib.sha256)

    def add(self, rows: Iterable[StoredRow]) -> None:
        """Takes in more rows, after those before."""
        known = list(rows)
        self.count += len(known)
        self.content.update(canonical(known))

    @property
    def told(self) -> list[int | str]:
        """The part as its link keeps it."""
        return [self.first, self.count, self.content.hexdigest()]


@dataclass
class Link:
    """The link that a writing transaction is making."""

    before: Head
    at_us: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Number of the link."""
        return self.before.number + 1

    def end(self, name: str) -> int:
        """Next free place in a table."""
        return self.ends.get(name, self.before.end(name))

    def append(self, connection: sa.Connection, table: sa.Table, rows: Iterable[Sequence[Any]], *, at_us: int) -> None:
        """Writes rows, given without place and link, and takes them into the chain; `at_us` is their moment."""
        name = str(table.name)  # SQLAlchemy's own kind of text is no key for JSON
        first, number = self.end(name), self.number
        placed = [(place, number, *row) for place, row in enumerate(rows, start=first)]
        if placed:
            self.parts.setdefault(name, Part(first)).add(placed)
            self.ends[name] = first + len(placed)
            self.at_us = max(self.at_us, at_us)
            insert(connection, table, placed)

    def close(self, connection: sa.Connection) -> Head:
        """Writes the link; the head that it leaves."""
        if not self.parts and not self.ends:
            return self.before
        parts = orjson.dumps({name: self.parts[name].told for name in sorted(self.parts)}).decode()
        ends = self.before.ends | self.ends
        kept = orjson.dumps(ends, option=orjson.OPT_SORT_KEYS).decode()
        digest = link_digest(self.before.digest, (self.number, self.at_us, parts, kept))
        insert(connection, chain, [(self.number, self.at_us, digest, parts, kept)])
        return Head(self.number, digest, ends)


def head_of(connection: sa.Connection) -> Head:
    """The last link as it stands in this transaction."""
    for number, digest, ends in _HEAD.run(connection):
        return Head(number, digest, orjson.loads(ends))
    return Head(0, GENESIS, {})


_LAST = sa.select(sa.func.max(chain.c.number)).scalar_subquery()
_HEAD = Hot(sa.select(chain.c.number, chain.c.digest, chain.c.ends).where(chain.c.number == _LAST))


def link_digest(before: str, link: tuple[int, int, str, str]) -> str:
    """Digest of a link: of the one before it, and of its number, moment, parts and ends."""
    return hashlib.sha256("|".join((before, *map(str, link))).encode()).hexdigest()


def canonical(rows: Sequence[StoredRow]) -> bytes:
    """Rows as bytes, the same however they are cut into pieces: JSON, binary as hexadecimal digits."""
    return orjson.dumps(rows, default=bytes.hex)[1:-1] + b"," if rows else b""


def insert(connection: sa.Connection, table: sa.Table, rows: list[StoredRow]) -> None:
    """Writes whole rows, values as the data base keeps them."""
    # Past the tables' own types, which look at every value by itself: that took most of the time.
    inserting(table).run_each(connection, rows)


def raw(table: sa.Table) -> Iterator[sa.ColumnElement[Any]]:
    """Columns of a table as they are kept, instants as the integers that they are stored as."""
    for column in table.c:
        whole = isinstance(column.type, sa.types.TypeDecorator)
        yield sa.type_coerce(column, sa.BigInteger).label(column.name) if whole else column
