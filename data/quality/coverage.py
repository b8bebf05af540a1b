"""How much of each column is there: filled, the same value throughout, empty, missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.conform import as_text
from data.quality.finding import Finding, share_of
from data.quality.tally import Sums, Tally, added
from data.schemas import SCHEMAS

HEADING = "Coverage"
SEVERAL = "\0several"
"""Stands for more than one value; no text of a table can be it, since it would have to begin with a null character."""


@dataclass(frozen=True)
class Coverage:
    """What stands in the columns.

    Attributes
    ----------
    tables
        (table): 1 where it was given, rows; a shard each.
    columns
        (table, column): rows, rows with a value.
    stored
        (table, column): 1 for each column that the files hold, whatever is in it.
    values
        (table, column, value): the only value of a shard's column, or `SEVERAL`; identifiers are left out.
    """

    tables: Tally
    columns: Tally
    stored: Tally
    values: Tally

    def plus(self, other: Coverage) -> Coverage:
        """Both shards together."""
        return added(self, other)

    def only_value(self, table: str, column: str) -> bool:
        """Whether one and the same value stands in every row that has one."""
        found = [key[2] for key in self.values if key[:2] == (table, column)]
        return len(found) == 1 and found[0] != SEVERAL

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each column: `state` is `filled`, `one value`, `empty` or `absent`."""
        return [
            {
                "table": table,
                "column": column,
                "optional": _is_optional(str(table), str(column)),
                "rows": rows,
                "filled": filled,
                "share": share_of(filled, rows),
                "state": self._state(str(table), str(column), filled=filled),
            }
            for (table, column), (rows, filled) in self.columns.items()
        ]

    def _state(self, table: str, column: str, *, filled: int) -> str:
        if not filled:
            return "empty" if (table, column) in self.stored else "absent"
        return "one value" if self.only_value(table, column) else "filled"

    def findings(self) -> Iterator[Finding]:
        """Tables and columns that are not there or hold nothing."""
        for name, schema in SCHEMAS.items():
            _, given, rows = self.tables.get((name,), (0, 0, 0))
            if not given:
                if not schema.required:  # a required one is the contract's to tell
                    yield Finding("look", HEADING, name, "the table is missing", remedy=MISSING[name])
            elif not rows:
                yield Finding("look", HEADING, name, "the table holds no row", remedy="see that the export is whole")
            else:
                yield from self._empty_columns(name)

    def _empty_columns(self, table: str) -> Iterator[Finding]:
        empty = [one["column"] for one in self.rows() if one["table"] == table and one["state"] == "empty"]
        if empty:
            names = ", ".join(empty)
            sentence = f"{'columns are' if len(empty) > 1 else 'a column is'} there and hold{'s' * (len(empty) == 1)} "
            remedy = "fill in what is known, or leave the column out so that nobody counts on it"
            yield Finding("look", HEADING, table, f"{sentence}nothing: {names}", remedy=remedy)


MISSING: Mapping[str, str] = {
    "debtor_profiles": "without it income, employment and other debts are unknown",
    "contact_points": "without it nobody can be reached by a channel that needs an address",
    "claim_events": "without it stages, disputes and holds are unknown, and rules that need them take the cautious branch",
    "contact_events": "without it nothing is known of what came of contacts: no answers, no opens, no objections",
}


def _is_optional(table: str, column: str) -> bool:
    schema = SCHEMAS[table]
    return column not in schema.names or schema.column(column).nullable


def coverage(tables: Mapping[str, pa.Table], *, given: frozenset[str], stored: Tally) -> Coverage:
    """Coverage of tables in contract types.

    Parameters
    ----------
    stored
        (table, column) of what the files hold, from `stored_columns`.
    """
    columns: Sums = {
        (name, column): (table.num_rows, table.num_rows - table.column(column).null_count)
        for name, table in tables.items()
        for column in table.column_names
        if name in given
    }
    present: Sums = {(name,): (1, int(name in given), table.num_rows) for name, table in tables.items()}
    values: Sums = {
        (name, column, _value(tables[str(name)].column(str(column)))): (1,)
        for (name, column), (_, filled) in columns.items()
        if filled and not str(column).endswith("_id")
    }
    return Coverage(present, columns, stored, values)


def _value(column: pa.ChunkedArray) -> str:
    """The only value of a column as text, or `SEVERAL`."""
    try:
        ends = pc.min_max(column)
    except pa.ArrowNotImplementedError:
        return SEVERAL
    least, most = ends["min"], ends["max"]
    return as_text(least) or SEVERAL if least.equals(most) else SEVERAL


def stored_columns(directory: Path | str) -> Tally:
    """(table, column) of every contract table in a folder, as its first readable file has them, partitions included."""
    found: Sums = {}
    for name in SCHEMAS:
        places = [Path(directory) / f"{name}.parquet", *sorted((Path(directory) / name).rglob("*.parquet"))]
        for place in places:
            for column in _names(place):
                found[name, column] = (1,)
    return found


def _names(file: Path) -> list[str]:
    """Columns of a file and of the partition folders above it; nothing where it cannot be read."""
    try:
        names = list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError):
        return []
    return names + [part.partition("=")[0] for part in file.parts if "=" in part]
