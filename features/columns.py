"""Arrow columns as the plain arrays that the kernels read."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.times import DAY_US, NEVER, NO_DAY, DayArray, IntArray

BoolArray = npt.NDArray[np.bool_]
CodeArray = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]
Number = TypeVar("Number", np.int32, np.int64, np.float64)

UNDATED_PROMISE_DAYS = 14
"""Days after which a promise without a date is taken to be due: neither broken at once nor a pause for ever."""


def instants(table: pa.Table, name: str, *, missing: int = NEVER) -> IntArray:
    """Microseconds UTC, nulls as `missing`, shape (rows,)."""
    return _numbers(table[name], np.int64, missing=missing)


def known_instants(table: pa.Table, happened: str) -> IntArray:
    """When each fact came to be known: `known_at`, else when it happened; never before it happened."""
    return told_instants(table, instants(table, happened))


def told_instants(table: pa.Table, happened_us: IntArray) -> IntArray:
    """The same of facts whose instants are at hand."""
    if "known_at" not in table.column_names:
        return happened_us
    return np.maximum(happened_us, instants(table, "known_at", missing=0))


def days(table: pa.Table, name: str) -> DayArray:
    """Days since the epoch, nulls as `NO_DAY`, shape (rows,)."""
    return _numbers(table[name], np.int32, missing=NO_DAY)


def promised_ends(events: pa.Table, at_us: IntArray) -> IntArray:
    """End of the day (UTC) that each event's promise is for, `UNDATED_PROMISE_DAYS` after it where it names none, shape (rows,)."""
    day = days(events, "promised_for").astype(np.int64)
    undated = at_us // DAY_US + UNDATED_PROMISE_DAYS
    ends: IntArray = (np.where(day == NO_DAY, undated, day) + 1) * DAY_US
    return ends


def amounts(table: pa.Table, name: str) -> FloatArray:
    """Numbers, such as money in the row's own currency, as floats, nulls as NaN, shape (rows,)."""
    return _numbers(table[name].cast(pa.float64()), np.float64, missing=np.nan)


def flags(table: pa.Table, name: str) -> BoolArray:
    """True or False, nulls as False, shape (rows,)."""
    column = _whole(table[name])
    known, content = column.buffers()
    said = _bits(content, column.offset, len(column))
    return said & _bits(known, column.offset, len(column)) if column.null_count else said


def given(table: pa.Table, name: str) -> BoolArray:
    """True where a value is not null, shape (rows,)."""
    column = _whole(table[name])
    if column.null_count in (0, len(column)):
        return np.full(len(column), column.null_count == 0)
    return _bits(column.buffers()[0], column.offset, len(column))


def texts(table: pa.Table, name: str) -> TextArray:
    """Python strings, nulls as None, shape (rows,)."""
    return np.asarray(_whole(table[name]).to_numpy(zero_copy_only=False), dtype=np.object_)


def codes(table: pa.Table, name: str, words: tuple[str, ...]) -> CodeArray:
    """Index of each value in `words`, -1 for null or a word that is not in it, shape (rows,)."""
    return rows_of(table[name], _value_set(words)).astype(np.int16)


def rows_of(values: pa.ChunkedArray, keys: pa.Array) -> IntArray:
    """Row in `keys` of each value, -1 where there is none, shape (rows,)."""
    if values.null_count == len(values) or not len(keys):
        return np.full(len(values), -1, dtype=np.int64)
    found = pc.index_in(_whole(values) if values.num_chunks == 1 else values, value_set=keys)
    return _numbers(found, np.int32, missing=-1).astype(np.int64)


@lru_cache(maxsize=64)
def _value_set(words: tuple[str, ...]) -> pa.Array:
    return pa.array(words, pa.string())


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numbers(column: pa.ChunkedArray | pa.Array, kind: type[Number], *, missing: float) -> npt.NDArray[Number]:
    """Values of fixed width as they lie in memory, nulls as `missing`, shape (rows,).

    Read without Arrow's own functions: a call to one of them takes longer than the few rows of one debtor.
    """
    array = _whole(column)
    if array.null_count == len(array):
        return np.full(len(array), missing, dtype=kind)
    known, content = array.buffers()
    values = np.frombuffer(content, dtype=kind)[array.offset : array.offset + len(array)]
    if not array.null_count:
        return values.copy()
    return np.where(_bits(known, array.offset, len(array)), values, kind(missing))


def _bits(buffer: pa.Buffer | None, first: int, count: int) -> BoolArray:
    """Bits of a buffer from the `first` on, shape (count,)."""
    if buffer is None or not count:
        return np.zeros(count, dtype=np.bool_)
    content = np.frombuffer(buffer, dtype=np.uint8)[first // 8 : (first + count + 7) // 8]
    bits: BoolArray = np.unpackbits(content, bitorder="little")[first % 8 : first % 8 + count].view(np.bool_)
    return bits


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
    encoded = _whole(column).dictionary_encode()
    words = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False), dtype=np.object_)
    order = np.argsort(words) if len(words) else np.zeros(0, dtype=np.int64)
    place = np.full(len(words) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(words))
    return tuple(words[order].tolist()), place[_numbers(encoded.indices, np.int32, missing=-1)]


def numbered(column: pa.ChunkedArray) -> IntArray:
    """A number for each word of a column, the same for the same word, -1 for null, shape (rows,).

    >>> numbered(pa.chunked_array([["b", None, "a", "b"]])).tolist()
    [0, -1, 1, 0]
    """
    return _numbers(_whole(column).dictionary_encode().indices, np.int32, missing=-1).astype(np.int64)


def offsets(owner: IntArray, size: int) -> IntArray:
    """Start of each owner's rows in arrays sorted by `owner`, shape (size + 1,).

    >>> offsets(np.array([0, 0, 2]), 3)
    array([0, 2, 2, 3])
    """
    starts: IntArray = np.searchsorted(owner, np.arange(size + 1)).astype(np.int64)
    return starts
