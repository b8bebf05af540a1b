"""Decision rows as the log's file stores them, block by block: a night of millions of claims is written in bounded memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.schemas import BLOCKED, DECISION_SCHEMA, TIME
from data.times import to_us

ROWS_AT_ONCE = 20_000

Decisions: TypeAlias = pa.Table | Path
"""Decision rows in memory, or a Parquet file of them."""


def blocks(decisions: Decisions) -> Iterator[pa.Table]:
    """The rows in `DECISION_SCHEMA`, in order, `ROWS_AT_ONCE` in each table but the last."""
    if isinstance(decisions, pa.Table) and 0 < decisions.num_rows <= ROWS_AT_ONCE:
        yield _in_contract(decisions).combine_chunks()
        return
    # Put behind each block, so that it is copied: a slice would bring along what it was cut from.
    none = waiting = DECISION_SCHEMA.empty_table()
    for some in _some(decisions):
        waiting = pa.concat_tables([waiting, _in_contract(some)])
        while waiting.num_rows >= ROWS_AT_ONCE:
            yield pa.concat_tables([waiting.slice(0, ROWS_AT_ONCE), none]).combine_chunks()
            waiting = waiting.slice(ROWS_AT_ONCE)
    if waiting.num_rows:
        yield pa.concat_tables([waiting, none]).combine_chunks()


def _in_contract(rows: pa.Table) -> pa.Table:
    return rows if rows.schema.equals(DECISION_SCHEMA) else rows.select(DECISION_SCHEMA.names).cast(DECISION_SCHEMA)


def _some(decisions: Decisions) -> Iterator[pa.Table]:
    if isinstance(decisions, pa.Table):
        yield decisions
        return
    with pq.ParquetFile(decisions) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch])


def first_and_last(decisions: Decisions) -> tuple[datetime, datetime] | None:
    """Earliest and latest moment decided at, None where there are no rows."""
    if isinstance(decisions, Path):
        decisions = pq.read_table(decisions, columns=["decided_at"], partitioning=None)
    times = pc.min_max(decisions["decided_at"]).as_py()
    return (times["min"], times["max"]) if decisions.num_rows else None


def row_count(decisions: Decisions) -> int:
    """How many rows there are."""
    return int(decisions.num_rows if isinstance(decisions, pa.Table) else pq.read_metadata(decisions).num_rows)


def fingerprint(decisions: Decisions, *, heading: str) -> str:
    """32 hexadecimal digits of a heading and the rows, however they are cut into pieces."""
    sink = _Hashing(heading)
    with pa.PythonFile(sink, mode="w") as file, pa.ipc.new_stream(file, DECISION_SCHEMA) as writer:
        for block in blocks(decisions):
            writer.write_table(_zero_where_null(block))
    return sink.hash.hexdigest()[:32]


def _zero_where_null(block: pa.Table) -> pa.Table:
    """The same rows; what stands in memory below a null is otherwise whatever its reader left there."""
    for place, field in enumerate(DECISION_SCHEMA):
        column = block[field.name].combine_chunks()
        if column.null_count and (field.type == TIME or pa.types.is_floating(field.type)):
            width = pa.int64() if field.type == TIME else field.type
            filled = pc.fill_null(column.cast(width), 0).to_numpy()
            hollow = column.is_null().to_numpy(zero_copy_only=False)
            block = block.set_column(place, field, pa.array(filled, width, mask=hollow).cast(field.type))
    return block


class _Hashing:
    """A file to write to that keeps nothing but the hash of what was written."""

    closed = False

    def __init__(self, heading: str) -> None:
        self.hash = hashlib.sha256(heading.encode())

    def write(self, content: bytes) -> int:
        self.hash.update(content)
        return len(content)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """There is nothing to close."""


def stored(block: pa.Table) -> list[Sequence[Any]]:
    """Columns of a block in the order of `DECISION_SCHEMA`, each value as the data base keeps it, reasons not sealed yet."""
    (whole,) = block.to_batches() or DECISION_SCHEMA.empty_table().combine_chunks().to_batches()
    return [way(values) for way, values in zip(_WAYS, whole.columns, strict=True)]


def stored_plain(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The same of a few rows of plain values in the order of `DECISION_SCHEMA`, at least one: Arrow's way begins slowly."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, way in _PLAIN_WAYS.items():
        columns[place] = way(columns[place])
    return columns


def _instants(values: Sequence[datetime | None]) -> Sequence[Any]:
    known = {one: None if one is None else to_us(one) for one in set(values)}
    return [known[one] for one in values]


def _texts_of_pairs(values: Sequence[list[dict[str, str]]]) -> Sequence[Any]:
    """Lists of channel and rule as JSON; rows that share theirs, as the claims of one debtor do, share the text."""
    known = {id(one): one for one in values}
    texts = {name: _in_words([_pair(one["channel"], one["rule"]) for one in some]) for name, some in known.items()}
    return [texts[id(one)] for one in values]


def _as_they_are(values: pa.Array) -> Sequence[Any]:
    found: list[Any] = values.to_pylist()
    return found


def _microseconds(values: pa.Array) -> Sequence[Any]:
    return _as_they_are(values.view(pa.int64()))


def _numbers(values: pa.Array) -> Sequence[Any]:
    return [None if one is None else int(one) for one in values.to_pylist()]


def _pairs_as_json(values: pa.Array) -> Sequence[Any]:
    """Lists of channel and rule as JSON."""
    flat = values.flatten()
    told = list(map(_pair, flat.field(0).to_pylist(), flat.field(1).to_pylist()))
    ends = accumulate(values.value_lengths().to_pylist(), initial=0)
    return [_in_words(told[first:last]) for first, last in pairwise(ends)]


@lru_cache(maxsize=4096)
def _pair(channel: str, rule: str) -> str:
    """One channel with its rule as JSON; few pairs are distinct, and each of those is put into words once."""
    return json.dumps({"channel": channel, "rule": rule})


def _in_words(pairs: Sequence[str]) -> str:
    return f"[{', '.join(pairs)}]"


def _way(kind: pa.DataType) -> Callable[[pa.Array], Sequence[Any]]:
    """How values of a type become those that the data base keeps."""
    if kind == BLOCKED:
        return _pairs_as_json
    if kind == TIME:
        return _microseconds
    if kind == pa.bool_():
        return _numbers
    return _as_they_are


_WAYS = tuple(_way(field.type) for field in DECISION_SCHEMA)
_PLAIN_WAY: Mapping[pa.DataType, Callable[[Sequence[Any]], Sequence[Any]]] = {
    BLOCKED: _texts_of_pairs,
    TIME: _instants,
    pa.bool_(): lambda values: list(map(int, values)),
}
_PLAIN_WAYS = {place: _PLAIN_WAY[field.type] for place, field in enumerate(DECISION_SCHEMA) if field.type in _PLAIN_WAY}
