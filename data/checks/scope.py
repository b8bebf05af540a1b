"""What every check is given, and how it says what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from data.conform import as_text
from data.problems import Problem
from data.schemas import SCHEMAS


@dataclass(frozen=True)
class Scope:
    """All tables in contract types, the channels in force, and what is known to be broken.

    Parameters
    ----------
    tables
        Every contract table by name, missing ones empty.
    channels
        Every channel a row may name, `none` among them.
    broken
        (table, column) of columns already reported, (table, None) of whole tables: a check leaves
        them alone, so that one fault is told once.
    elsewhere
        Keys that stand in another shard as well, by (table, column); empty for a portfolio that is read whole.
    """

    tables: Mapping[str, pa.Table]
    channels: tuple[str, ...]
    broken: frozenset[tuple[str, str | None]] = frozenset()
    elsewhere: Mapping[tuple[str, str], pa.Array] = field(default_factory=dict)

    def sound(self, table: str, *, columns: tuple[str, ...]) -> bool:
        """True where the table and these columns of it can be relied on."""
        return not any((table, column) in self.broken for column in (None, *columns))

    def column(self, table: str, name: str) -> pa.ChunkedArray:
        """One column."""
        return self.tables[table].column(name)


Check = Callable[[Scope], Iterator[Problem]]


def report(
    scope: Scope, table: str, *, column: str, mask: pa.ChunkedArray, what: str, remedy: str
) -> Iterator[Problem]:
    """One problem if any row of `mask` is true, with the first such row's value of `column`.

    Parameters
    ----------
    column
        One name, or several joined by `, ` whose values are then shown likewise.
    mask
        Booleans, one per row of the table; null counts as false.
    """
    count = pc.sum(mask, min_count=0).as_py()
    if count:
        row = pc.index(mask, True).as_py()
        cells = [as_text(scope.column(table, name)[row]) for name in column.split(", ")]
        value = ", ".join("null" if cell is None else cell for cell in cells)
        yield Problem(table, column, value=value, count=count, what=what, remedy=remedy, unusable=mask)


def positions(keys: pa.ChunkedArray, among: pa.ChunkedArray) -> pa.ChunkedArray:
    """Row of the first of `among` that equals each key, int32, null where none does."""
    return pc.index_in(keys, value_set=among, skip_nulls=True)


def looked_up(scope: Scope, table: str, *, by: str, among: str, column: str) -> pa.ChunkedArray:
    """For each row of `table` the `column` of the row of `among` with the same `by`; null where none has."""
    if not scope.tables[among].num_rows:
        kind = SCHEMAS[among].column(column).type
        return pa.chunked_array([pa.nulls(scope.tables[table].num_rows, kind)])
    rows = positions(scope.column(table, by), scope.column(among, by))
    return scope.column(among, column).take(rows)


def differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.ChunkedArray:
    """True where two values differ, or one of them only is null.

    Null for two nulls. Lists and other values that Arrow does not compare are compared by Python.
    """
    one_null = pc.xor(pc.is_null(left), pc.is_null(right))
    try:
        return pc.or_kleene(pc.not_equal(left, right), one_null)
    except pa.ArrowNotImplementedError:
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return pa.chunked_array([pa.array([one != other for one, other in pairs], pa.bool_())])
