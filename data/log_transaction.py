"""What belongs to one transaction of the log: its link of the chain, and the subjects it has met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from data.log_chain import Head, Link, head_of
from data.subject_names import Names, Subject

PLACE = "decision_log"
"""Under which a connection carries its transaction."""


class NotWriting(ValueError):
    """Something is to be written outside a writing transaction of the log."""


@dataclass
class Transaction:
    """State of a transaction; `fresh` are subjects it made, by pseudonym: others may know of them once it is on disk."""

    connection: sa.Connection
    names: Names
    writes: bool
    fresh: dict[str, Subject] = field(default_factory=dict)
    _pseudonyms: dict[tuple[str, ...], str] = field(default_factory=dict)
    _head: Head | None = None
    _link: Link | None = None

    @property
    def head(self) -> Head:
        """The last link of the chain, as this transaction found it."""
        if self._head is None:
            self._head = head_of(self.connection)
        return self._head

    @property
    def link(self) -> Link:
        """The link that this transaction makes."""
        if not self.writes:
            raise NotWriting("expected a transaction of DecisionLog.writing(), came one that only reads")
        if self._link is None:
            self._link = Link(self.head)
        return self._link

    def end(self, name: str) -> int:
        """Next free place in a table, after what this transaction has written."""
        return self.head.end(name) if self._link is None else self._link.end(name)

    def pseudonym(self, kind: str, *parts: str) -> str:
        """What stands for an identifier; the same few debtors are named at every step of a transaction."""
        name = (kind, *parts)
        known = self._pseudonyms.get(name)
        if known is None:
            known = self._pseudonyms[name] = self.names.pseudonyms.of(*name)
        return known

    @property
    def erased(self) -> int:
        """How many erasures this transaction knows of: what is remembered from before one no longer holds."""
        return self.head.end("erasures")

    def close(self) -> Head | None:
        """Writes the link, if there is anything to say."""
        return None if self._link is None else self._link.close(self.connection)


@contextmanager
def transaction(connection: sa.Connection, names: Names, *, writes: bool) -> Iterator[Transaction]:
    """The connection with its state; on leaving without an error, the chain is closed over what was written."""
    mine, carried = Transaction(connection, names, writes), connection.info
    carried[PLACE] = mine
    try:
        yield mine
        mine.close()
    finally:
        carried.pop(PLACE, None)  # a connection that broke has no `info` any more: its own error must be told


def transaction_of(connection: sa.Connection) -> Transaction:
    """The state of a connection's transaction.

    Raises
    ------
    NotWriting
        The connection was not begun by `DecisionLog.reading` or `DecisionLog.writing`.
    """
    found = connection.info.get(PLACE)
    if not isinstance(found, Transaction):
        raise NotWriting("expected a connection of DecisionLog.reading() or .writing(), came another one")
    return found


def append(connection: sa.Connection, table: sa.Table, rows: Iterable[Sequence[Any]], *, at_us: int) -> None:
    """Adds rows to a table under the chain: values as stored, in the order of its columns after `link`."""
    transaction_of(connection).link.append(connection, table, rows, at_us=at_us)
