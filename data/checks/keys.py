"""Keys that stand once, and references that lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.checks.scope import Scope, differs, positions, report
from data.conform import as_text
from data.outcomes import BoolArray
from data.problems import Problem
from data.schemas import SCHEMAS, TableSchema
from data.times import IntArray

REFERENCES = (
    ("debtor_profiles", "debtor_id", "debtors"),
    ("contact_points", "debtor_id", "debtors"),
    ("claims", "debtor_id", "debtors"),
    ("claim_events", "claim_id", "claims"),
    ("contacts", "debtor_id", "debtors"),
    ("contacts", "claim_id", "claims"),
    ("contact_events", "contact_id", "contacts"),
    ("payments", "debtor_id", "debtors"),
    ("payments", "claim_id", "claims"),
    ("payments", "contact_id", "contacts"),
)
"""(table, column, table in which a row with the same value must stand)."""


def unique_keys(scope: Scope) -> Iterator[Problem]:
    """Each key stands once; in a table without a key no two rows are the same."""
    for name, schema in SCHEMAS.items():
        columns = schema.key or schema.names
        if scope.sound(name, columns=schema.key):
            yield from _repeated(scope.tables[name], columns, schema=schema)


def _repeated(table: pa.Table, columns: tuple[str, ...], *, schema: TableSchema) -> Iterator[Problem]:
    """One problem for all keys of a table that stand more than once; a null is no key."""
    keys = table.select(list(columns))
    if schema.key:
        keys = keys.drop_null()
    # One thread: on millions of strings twice as fast as several, and the example is always the first.
    groups = keys.group_by(keys.column_names, use_threads=False).aggregate([([], "count_all")])
    twice = groups.filter(pc.greater(groups.column("count_all"), 1))
    if not twice.num_rows:
        return
    first = [as_text(twice.column(name)[0]) for name in keys.column_names]
    yield Problem(
        schema.name,
        ", ".join(schema.key) or None,
        value=", ".join(cell for cell in first if cell is not None),
        count=pc.sum(twice.column("count_all")).as_py(),
        what="duplicate key" if schema.key else "the same row stands more than once",
        remedy="keep one row of each",
        unusable=repeats(table, columns, twice=twice),
    )


def repeats(table: pa.Table, columns: tuple[str, ...], *, twice: pa.Table) -> pa.ChunkedArray:
    """Rows that cannot be used because their key stands more than once, one boolean per row.

    Of rows that are the same in every column all but the first; all rows under a key that rows differ under, since
    which of them is right cannot be told.

    Parameters
    ----------
    columns
        The key.
    twice
        Keys that stand more than once, one row each.
    """
    among = [pc.is_in(table.column(name), value_set=twice.column(name)) for name in columns]
    suspects = np.flatnonzero(reduce(pc.and_, among).to_numpy())
    rows = table.take(pa.array(suspects))
    keyed = rows.select(list(columns)).append_column("row", pa.array(np.arange(rows.num_rows)))
    groups = keyed.group_by(list(columns), use_threads=False).aggregate([("row", "list")])["row_list"].combine_chunks()
    starts, length = groups.offsets.to_numpy()[:-1], np.diff(groups.offsets.to_numpy())
    row = groups.values.to_numpy()
    leading = np.repeat(row[starts], length)
    contradicts = np.logical_or.reduceat(_rows_differ(rows, row, leading), starts)
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[suspects[row]] = np.repeat(length > 1, length) & (np.repeat(contradicts, length) | (row != leading))
    return pa.chunked_array([pa.array(mask)])


def _rows_differ(table: pa.Table, left: IntArray, right: IntArray) -> BoolArray:
    """Whether the rows at `left` and at `right` differ in any column, shape as given."""
    found = np.zeros(len(left), dtype=bool)
    for column in table.columns:
        here = differs(column.take(pa.array(left)), column.take(pa.array(right)))
        found |= pc.fill_null(here, fill_value=False).to_numpy()
    return found


def references(scope: Scope) -> Iterator[Problem]:
    """A debtor, claim or contact that a row names stands in its own table."""
    for table, column, target in REFERENCES:
        if not scope.sound(target, columns=(column,)):
            continue
        given = scope.column(table, column)
        if given.null_count == len(given):
            continue
        known = pc.is_in(given, value_set=scope.column(target, column), skip_nulls=True)
        yield from report(
            scope,
            table,
            column=column,
            mask=pc.and_(pc.is_valid(given), pc.invert(known)),
            what=f"no such row in {target}",
            remedy=f"add the row to {target} or drop these",
        )


def claims_of_debtor(scope: Scope) -> Iterator[Problem]:
    """A contact or payment names the debtor whose claim it names."""
    claims, debtors = scope.tables["claims"], scope.column("debtors", "debtor_id")
    if not claims.num_rows:
        return
    owner = positions(claims.column("debtor_id"), debtors)
    for table in ("contacts", "payments"):
        owed_by = owner.take(positions(scope.column(table, "claim_id"), claims.column("claim_id")))
        named = positions(scope.column(table, "debtor_id"), debtors)
        yield from report(
            scope,
            table,
            column="debtor_id, claim_id",
            mask=pc.not_equal(owed_by, named),
            what="the claim is not this debtor's",
            remedy="name the claim's own debtor as in claims",
        )
