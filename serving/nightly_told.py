"""What the service has received since, by shard: the debtors of a shard with all that is told of them, and of no other."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from data.event_log import Received, all_events
from data.online_decisions import DecisionRow, contacts_decided_before
from data.parquet_folder import shard_prefix, table_files
from data.portfolio import Portfolio, read_portfolio
from data.schemas import SCHEMAS
from data.shards import shards_of
from features.histories import histories_of
from features.store import StoredHistories
from features.tables import Histories
from serving.state import portfolio_with_events

Name = tuple[str, str]
"""Column of an identifier, and its value."""

PARENTS = {"debtor_id": "debtors", "claim_id": "claims", "contact_id": "contacts"}
"""Tables whose rows are told of, by the column that names them."""

OWNED = {"claims": "claim_id", "contacts": "contact_id"}
"""Tables whose rows name themselves and their debtor."""


@dataclass(frozen=True)
class Told:
    """What is told of the debtors of each shard, all in one state of the log: that of the transaction of `connection`.

    Attributes
    ----------
    shards
        Every shard, or None alone for a folder that is not laid out by debtor.
    marks
        Hash of everything told of the debtors of a shard; shards of which nothing is told are not there.
    home
        Shards that each debtor named by an event belongs to; one that no shard holds belongs to the last.
    strangers
        For each shard, claims and contacts of other shards that an event says are a debtor's of this one.
    tables
        Tables of which a row was received.
    """

    connection: sa.Connection
    stored: StoredHistories
    as_of: datetime
    shards: Sequence[int | None]
    marks: Mapping[int, str]
    home: Mapping[str, frozenset[int]]
    strangers: Mapping[int, Sequence[tuple[int, Name]]]
    tables: frozenset[str]

    @staticmethod
    def of(connection: sa.Connection, stored: StoredHistories, *, as_of: datetime) -> Told:
        """What is told of a portfolio's debtors; decisions of ours count that were taken before `as_of`."""
        received, decided = all_events(connection), contacts_decided_before(connection, as_of)
        shards = shards_of(stored.portfolio)
        names = {*map(_owner, received), *(("debtor_id", row.debtor_id) for row in decided), *_owned(received)}
        place = _places(stored.portfolio, names, shards)
        strangers = _strangers(received, place)
        marks = _marks(received, decided, place)
        home = {value: frozenset(place[column, value]) for column, value in names if column == "debtor_id"}
        tables = frozenset(event.table for event in received)
        return Told(connection, stored, as_of, shards, marks, home, strangers, tables)

    def mark(self, number: int) -> str:
        """What histories of this shard are made of besides the portfolio's files, in 16 hexadecimal digits."""
        content = json.dumps([self.marks.get(number), sorted(self._gained)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def histories(self, number: int) -> Histories:
        """Histories of a shard's debtors with all that is told of them.

        Raises
        ------
        BadPortfolio
            The shard breaks the contract.
        """
        if number in self.marks:
            found = histories_of(self._portfolio(number), channels=self.stored.channels)
        else:
            found = self.stored.of(self.shards[number])
        return replace(found, missing=tuple(name for name in found.missing if name not in self._gained))

    @cached_property
    def _gained(self) -> frozenset[str]:
        """Tables that the folder does not hold and the service received: from then on they are missing to nobody."""
        files = table_files(self.stored.portfolio)
        absent = frozenset(name for name in self.tables if not files[name])
        if not absent:
            return absent
        return absent & frozenset().union(*(self._portfolio(number).given for number in self.marks))

    def _portfolio(self, number: int) -> Portfolio:
        """A shard's tables with what is told; other shards' debtors have no row, so that nothing of them counts."""
        shard = read_portfolio(self.stored.portfolio, channels=self.stored.channels, shard=self.shards[number])
        mine = shard["debtors"]["debtor_id"].combine_chunks()
        found = portfolio_with_events(self.connection, self._with_strangers(shard, number), as_of=self.as_of)
        new = pa.array([debtor for debtor, home in self.home.items() if number in home], pa.string())
        ours = pc.is_in(found["debtors"]["debtor_id"], value_set=pa.concat_arrays([mine, new]))
        return replace(found, tables={**found.tables, "debtors": found["debtors"].filter(ours)})

    def _with_strangers(self, shard: Portfolio, number: int) -> Portfolio:
        """The tables with rows of other shards that show whose a claim or contact is that an event names."""
        tables = dict(shard.tables)
        for other, (column, value) in self.strangers.get(number, ()):
            theirs = read_portfolio(self.stored.portfolio, channels=self.stored.channels, shard=other, checked=False)
            parent = theirs[PARENTS[column]]
            rows = parent.filter(pc.equal(parent[column], value))
            owner = theirs["debtors"].filter(pc.is_in(theirs["debtors"]["debtor_id"], value_set=rows["debtor_id"]))
            for name, some in ((PARENTS[column], rows), ("debtors", owner)):
                columns = list(SCHEMAS[name].names)
                tables[name] = pa.concat_tables([tables[name].select(columns), some.select(columns)])
        return replace(shard, tables=tables)


def _owner(event: Received) -> Name:
    return event.owner


def _owned(received: Iterable[Received]) -> set[Name]:
    """Claims and contacts that events say are a debtor's."""
    return {(OWNED[event.table], str(event.row[OWNED[event.table]])) for event in received if event.table in OWNED}


def _places(directory: Path, names: set[Name], shards: Sequence[int | None]) -> dict[Name, set[int]]:
    """Shards in which debtors, claims and contacts stand; a debtor whom no shard holds is put into the last."""
    place: dict[Name, set[int]] = defaultdict(set)
    if len(shards) == 1:
        place.update({name: {0} for name in names})
        return place
    for column, table in PARENTS.items() if names else ():
        wanted = pa.array([value for kind, value in names if kind == column], pa.string())
        for file in table_files(directory)[table]:
            found = pq.read_table(file, columns=[column], partitioning=None)[column].cast(pa.string())
            for value in found.filter(pc.is_in(found, value_set=wanted)).unique().to_pylist():
                place[column, value].add(_shard_of(file))
    for column, value in names:
        if column == "debtor_id":
            place[column, value] = place[column, value] or {len(shards) - 1}
    return place


def _shard_of(file: Path) -> int:
    return int(file.name[: len(shard_prefix(0))])


def _strangers(received: Iterable[Received], place: Mapping[Name, set[int]]) -> dict[int, list[tuple[int, Name]]]:
    found: dict[int, set[tuple[int, Name]]] = defaultdict(set)
    for event in received:
        if event.table in OWNED:
            name = (OWNED[event.table], str(event.row[OWNED[event.table]]))
            for shard in place[event.owner]:
                found[shard].update((other, name) for other in place[name] - place[event.owner])
    return {shard: sorted(those) for shard, those in found.items()}


def _marks(
    received: Sequence[Received], decided: Sequence[DecisionRow], place: Mapping[Name, set[int]]
) -> dict[int, str]:
    """Hash of all that is told of each shard: of its debtors, and of claims and contacts told or decided to be theirs."""
    theirs: dict[Name, set[int]] = defaultdict(set, {name: set(shards) for name, shards in place.items()})
    for row in decided:
        theirs["contact_id", row.decision_id] |= place["debtor_id", row.debtor_id]
    for event in received:
        if event.table in OWNED:
            theirs[OWNED[event.table], str(event.row[OWNED[event.table]])] |= place[event.owner]
    hashes: dict[int, hashlib._Hash] = defaultdict(hashlib.sha256)
    for event in received:
        for shard in theirs[event.owner]:
            hashes[shard].update(f"{event.sequence}|".encode())
    for row in decided:
        for shard in place["debtor_id", row.debtor_id]:
            hashes[shard].update(repr(row).encode())
    return {shard: found.hexdigest() for shard, found in hashes.items()}
