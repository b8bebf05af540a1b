"""Arrow columns as the plain arrays that the kernels read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.times import DAY_US, NEVER, NO_DAY, DayArray, IntArray

BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]


UNDATED_PROMISE_DAYS = 14
"""Days after which a promise without a date is taken to be due: neither broken at once nor a pause for ever."""


def instants(table: pa.Table, name: str, *, missing: int = NEVER) -> IntArray:
    """Microseconds UTC, nulls as `missing`, shape (rows,)."""
    column = pc.fill_null(table[name].cast(pa.int64()), missing)
    return np.asarray(column.to_numpy(), dtype=np.int64)


def known_instants(table: pa.Table, happened: str) -> IntArray:
    """When each fact came to be known: `known_at`, else when it happened; never before it happened."""
    at = instants(table, happened)
    if "known_at" not in table.column_names:
        return at
    return np.maximum(at, instants(table, "known_at", missing=0))


def days(table: pa.Table, name: str) -> DayArray:
    """Days since the epoch, nulls as `NO_DAY`, shape (rows,)."""
    column = pc.fill_null(table[name].cast(pa.int32()), NO_DAY)
    return np.asarray(column.to_numpy(), dtype=np.int32)


def promised_ends(events: pa.Table) -> IntArray:
    """End of the day (UTC) that each event's promise is for, `UNDATED_PROMISE_DAYS` later where it names none, shape (rows,)."""
    day = days(events, "promised_for").astype(np.int64)
    undated = instants(events, "at") // DAY_US + UNDATED_PROMISE_DAYS
    ends: IntArray = (np.where(day == NO_DAY, undated, day) + 1) * DAY_US
    return ends


def amounts(table: pa.Table, name: str) -> FloatArray:
    """Money as floats in the row's own currency, nulls as NaN, shape (rows,)."""
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def flags(table: pa.Table, name: str) -> BoolArray:
    """True or False, nulls as False, shape (rows,)."""
    column = pc.fill_null(table[name], fill_value=False)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)


def texts(table: pa.Table, name: str) -> TextArray:
    """Python strings, nulls as None, shape (rows,)."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.object_)


def codes(table: pa.Table, name: str, words: tuple[str, ...]) -> CodeArray:
    """Index of each value in `words`, -1 for null or a word that is not in it, shape (rows,)."""
    found = pc.index_in(table[name], value_set=pa.array(words, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int16)


def rows_of(values: pa.ChunkedArray, keys: pa.Array) -> IntArray:
    """Row in `keys` of each value, -1 where there is none, shape (rows,)."""
    found = pc.index_in(values, value_set=keys)
    return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)


def rank_of(identifiers: pa.ChunkedArray) -> IntArray:
    """Place of each identifier in their order, so that the order of a table's rows never matters, shape (rows,).

    >>> rank_of(pa.chunked_array([["b", "a", "b"]]))
    array([2, 1, 2])
    """
    return np.asarray(pc.rank(identifiers, sort_keys="ascending", tiebreaker="dense").to_numpy(), dtype=np.int64)


def worded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], IntArray]:
    """Words of a column in their order, and the index of each row's word among them, -1 for null, shape (rows,).

    >>> worded(pa.chunked_array([["b", "a", None]]))
    (('a', 'b'), array([ 1,  0, -1]))
    """
    encoded = column.combine_chunks().dictionary_encode()
    words = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False), dtype=np.object_)
    order = np.argsort(words) if len(words) else np.zeros(0, dtype=np.int64)
    place = np.full(len(words) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(words))
    return tuple(words[order].tolist()), place[np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(), dtype=np.int64)]


def offsets(owner: IntArray, size: int) -> IntArray:
    """Start of each owner's rows in arrays sorted by `owner`, shape (size + 1,).

    >>> offsets(np.array([0, 0, 2]), 3)
    array([0, 2, 2, 3])
    """
    starts: IntArray = np.searchsorted(owner, np.arange(size + 1)).astype(np.int64)
    return starts
