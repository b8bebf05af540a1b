"""Counts by key that add up over shards: what every measure here is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.times import IntArray

Key = tuple[str | int, ...]
Tally = Mapping[Key, tuple[int, ...]]
"""Some sums for each key, such as rows and rows with a value for each (table, column)."""

Sums = dict[Key, tuple[int, ...]]
"""A tally under construction."""

Columns = Mapping[str, pa.Array | pa.ChunkedArray | npt.NDArray[np.generic]]
Counted = TypeVar("Counted")


def tally(columns: Columns, *, sums: Sequence[str] = ()) -> Tally:
    """Rows, and sums of some columns, for each combination of the other columns; a null in a key reads as empty.

    >>> tally({"channel": pa.array(["sms", "sms", None]), "paid": np.array([True, False, True])}, sums=["paid"])
    {('sms',): (2, 1), ('',): (1, 1)}
    """
    table = pa.table({name: _plain(column) for name, column in columns.items()})
    keys = [name for name in columns if name not in sums]
    groups = table.group_by(keys, use_threads=False).aggregate([([], "count_all"), *((name, "sum") for name in sums)])
    named = zip(*(groups.column(key).to_pylist() for key in keys), strict=True)
    counts = zip(*(groups.column(f"{name}_sum").to_pylist() for name in sums), strict=True) if sums else None
    rows = groups.column("count_all").to_pylist()
    more = list(counts) if counts is not None else [()] * len(rows)
    return {
        tuple("" if part is None else part for part in key): (count, *(int(one or 0) for one in rest))
        for key, count, rest in zip(named, rows, more, strict=True)
    }


def _plain(column: pa.Array | pa.ChunkedArray | npt.NDArray[np.generic]) -> pa.Array | pa.ChunkedArray:
    return pa.array(column) if isinstance(column, np.ndarray) else column


def histogram(codes: IntArray, *, size: int) -> IntArray:
    """Number of each code 0 to `size` - 1, shape (size,); codes below 0 are left out."""
    counts: IntArray = np.bincount(codes[codes >= 0], minlength=size).astype(np.int64)
    return counts


def total(left: Tally, right: Tally) -> Tally:
    """Sums of both, key by key.

    >>> total({("sms",): (2, 1)}, {("sms",): (1, 0), ("letter",): (3, 3)})
    {('sms',): (3, 1), ('letter',): (3, 3)}
    """
    summed = dict(left)
    for key, values in right.items():
        before = summed.get(key)
        summed[key] = values if before is None else tuple(a + b for a, b in zip(before, values, strict=True))
    return summed


def folded(counts: Tally, *, keep: int, width: int) -> Sums:
    """Sums over all but the first `keep` parts of the keys.

    Parameters
    ----------
    width
        Number of sums of each key.

    >>> folded({("sms", 1): (2,), ("sms", 2): (3,)}, keep=1, width=1)
    {('sms',): (5,)}
    """
    found: Sums = {}
    for key, values in counts.items():
        before = found.get(key[:keep], (0,) * width)
        found[key[:keep]] = tuple(a + b for a, b in zip(before, values, strict=True))
    return found


def added(left: Counted, right: Counted) -> Counted:
    """Two data classes of tallies as one, field by field."""
    values = {
        field.name: total(getattr(left, field.name), getattr(right, field.name))
        for field in fields(left)  # type: ignore[arg-type] # a data class, which a type variable cannot say
    }
    return replace(left, **values)  # type: ignore[type-var] # as above
