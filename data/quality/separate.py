"""Rows that cannot be used, taken out of a portfolio with their reasons, until what is left keeps the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from data.check import check_loaded
from data.parquet_folder import Loaded
from data.problems import BadPortfolio, Problem
from data.vocabulary import CHANNELS

REASON = "reason"
FOLLOWS = "it was set aside itself"


@dataclass(frozen=True)
class Separated:
    """A portfolio in two parts; each row that was read stands in exactly one.

    Attributes
    ----------
    kept
        Tables that keep the contract.
    aside
        The other rows of each table that has any, with a column of text that joins all reasons.
    """

    kept: Mapping[str, pa.Table]
    aside: Mapping[str, pa.Table]

    @property
    def counts(self) -> dict[str, int]:
        """Rows set aside by table."""
        return {name: table.num_rows for name, table in self.aside.items()}


def separate(
    loaded: Loaded,
    *,
    channels: Sequence[str] = CHANNELS,
    elsewhere: Mapping[tuple[str, str], pa.Array] | None = None,
) -> Separated:
    """The usable rows and the others, by the very checks that find problems.

    A row that goes may leave others without the row that they name: these go in the next round, until nothing is left
    to be found.

    Parameters
    ----------
    channels
        Channels of the configuration; those of the contract are always known.
    elsewhere
        Keys that stand in another shard too, by (table, column).

    Raises
    ------
    BadPortfolio
        A fault is not in rows: a table or column is missing, of another type, or cannot be read.
    """
    if loaded.problems:
        raise BadPortfolio(loaded.problems, where="the portfolio")
    tables = dict(loaded.tables)
    aside: dict[str, list[pa.Table]] = {}
    follows = False
    while problems := _problems(replace(loaded, tables=tables), channels, elsewhere):
        for name in dict.fromkeys(problem.table for problem in problems):
            found = [problem for problem in problems if problem.table == name]
            tables[name], out = _split(tables[name], found, follows=follows)
            aside.setdefault(name, []).append(out)
        follows = True
    return Separated(tables, {name: pa.concat_tables(parts) for name, parts in aside.items()})


def _problems(
    loaded: Loaded, channels: Sequence[str], elsewhere: Mapping[tuple[str, str], pa.Array] | None
) -> tuple[Problem, ...]:
    """Problems of the rows that are left.

    Raises
    ------
    BadPortfolio
        A problem points to no row, so that no row can be taken out for it.
    """
    problems = check_loaded(loaded, channels=channels, elsewhere=elsewhere).problems
    rowless = [problem for problem in problems if problem.unusable is None or not pc.any(problem.unusable).as_py()]
    if rowless:
        raise BadPortfolio(rowless, where="the portfolio")
    return problems


def _split(table: pa.Table, problems: Sequence[Problem], *, follows: bool) -> tuple[pa.Table, pa.Table]:
    """Rows without and with a problem, these with their reasons."""
    masks = [pc.fill_null(problem.unusable, fill_value=False) for problem in problems]
    unusable = reduce(pc.or_, masks)
    texts = [
        pc.if_else(mask.filter(unusable), told(problem, follows=follows), pa.scalar(None, pa.string()))
        for mask, problem in zip(masks, problems, strict=True)
    ]
    reasons = pc.binary_join_element_wise(*texts, "; ", null_handling="skip")
    name = REASON if REASON not in table.column_names else f"set_aside_{REASON}"
    return table.filter(pc.invert(unusable)), table.filter(unusable).append_column(name, reasons)


def told(problem: Problem, *, follows: bool) -> str:
    """A problem as the reason why one row cannot be used.

    >>> fax = Problem("contacts", "channel", value="fax", count=2, what="unknown value", remedy="use sms", by_value=True)
    >>> told(fax, follows=False)
    "channel: unknown value 'fax'"
    """
    place = f"{problem.column}: " if problem.column else ""
    value = f" {problem.value!r}" if problem.by_value else ""
    return f"{place}{problem.what}{value}{f' ({FOLLOWS})' if follows else ''}"
