"""A portfolio in memory: every table of the contract, every column, in contract types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from data.check import check_loaded
from data.conform import conform
from data.parquet_folder import Loaded, load
from data.problems import BadPortfolio, Problem
from data.schemas import SCHEMAS
from data.vocabulary import CHANNELS

IN_MEMORY = "the portfolio in memory"


class UnknownTable(KeyError):
    """A table was named that the contract does not have."""


@dataclass(frozen=True)
class Portfolio:
    """Tables of the contract, safe to rely on.

    Parameters
    ----------
    tables
        Every contract table by name, each with every contract column in its contract type and
        order; what was missing is empty or null. Extra columns stand last.
    given
        Names of the tables that were really there.
    """

    tables: Mapping[str, pa.Table]
    given: frozenset[str]

    def __getitem__(self, name: str) -> pa.Table:
        """The table of that name; raises `UnknownTable` for a name the contract does not have."""
        if name not in self.tables:
            raise _unknown(name)
        return self.tables[name]

    @classmethod
    def from_tables(
        cls, tables: Mapping[str, pa.Table], *, channels: Sequence[str] = CHANNELS, checked: bool = True
    ) -> Portfolio:
        """A portfolio of rows already in memory.

        Parameters
        ----------
        tables
            Any of the contract's tables; those left out, required ones too, are empty.
        checked
            Hold rows against each other and the vocabulary, as when reading a folder. Types are
            checked always.

        Raises
        ------
        BadPortfolio
            The tables break the contract.
        UnknownTable
            A name that the contract does not have.

        >>> Portfolio.from_tables({})["claims"].num_rows
        0
        """
        loaded = _conformed(tables)
        return _accepted(loaded, channels=channels, where=IN_MEMORY, checked=checked)


def read_portfolio(
    directory: Path | str, *, channels: Sequence[str] = CHANNELS, shard: int | None = None, checked: bool = True
) -> Portfolio:
    """The portfolio in a folder, checked as `rettid check` does.

    Each table stands as `NAME.parquet` or as a folder `NAME/` of Parquet files, nested as may be.

    Parameters
    ----------
    channels
        Channels of the configuration; those of the contract are always known.
    shard
        Read the debtors of this shard alone, of a folder laid out by debtor (`data.shards`).
    checked
        Hold rows against each other and the vocabulary; False for files that have been, a moment ago. Types always are.

    Raises
    ------
    BadPortfolio
        The folder breaks the contract; its `problems` name every breach.
    """
    return _accepted(load(directory, shard=shard), channels=channels, where=str(directory), checked=checked)


def _accepted(loaded: Loaded, *, channels: Sequence[str], where: str, checked: bool) -> Portfolio:
    problems = check_loaded(loaded, channels=channels).problems if checked else loaded.problems
    if problems:
        raise BadPortfolio(problems, where=where)
    return Portfolio(MappingProxyType(dict(loaded.tables)), loaded.given)


def _conformed(tables: Mapping[str, pa.Table]) -> Loaded:
    """Every table in contract types, with what stood in the way."""
    for name in tables:
        if name not in SCHEMAS:
            raise _unknown(name)
    whole: dict[str, pa.Table] = {}
    problems: list[Problem] = []
    for name, schema in SCHEMAS.items():
        whole[name], found = conform(tables[name], schema) if name in tables else (schema.empty(), [])
        problems.extend(found)
    return Loaded(whole, frozenset(tables), tuple(problems), ())


def _unknown(name: str) -> UnknownTable:
    return UnknownTable(f"no table {name!r} in the contract: it has {', '.join(SCHEMAS)}")
