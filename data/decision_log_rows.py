"""Decision rows as the log's file stores them, block by block: a night of millions of claims is written in bounded memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.schemas import BLOCKED, DECISION_SCHEMA, TIME

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
    """Columns of a block in the order of `DECISION_SCHEMA`, each value as the data base keeps it."""
    return [_stored(block[field.name].combine_chunks(), field.type) for field in DECISION_SCHEMA]


def _stored(values: pa.Array, kind: pa.DataType) -> Sequence[Any]:
    """Numbers, text, microseconds or JSON."""
    if kind == TIME:
        values = values.view(pa.int64())
    if kind == pa.bool_():
        return list(map(int, values.to_pylist()))
    if kind == BLOCKED:
        return _pairs_as_json(values)
    if pa.types.is_list(kind):
        return [None if one is None else json.dumps(one) for one in values.to_pylist()]
    if pa.types.is_string(kind) or values.null_count:
        found: list[Any] = values.to_pylist()
        return found
    plain: list[Any] = values.to_numpy(zero_copy_only=False).tolist()
    return plain


def _pairs_as_json(values: pa.Array) -> list[str]:
    """Lists of channel and rule as JSON; few are distinct, and each of those is put into words once."""
    flat = values.flatten()
    channel, rule = (flat.field(name).dictionary_encode() for name in ("channel", "rule"))
    code = channel.indices.to_numpy().astype(np.int64) * (len(rule.dictionary) + 1) + rule.indices.to_numpy()
    ends = np.cumsum(values.value_lengths().to_numpy())
    codes, known = code.tolist(), dict[tuple[int, ...], str]()
    found, begin = [], 0
    for row, end in enumerate(ends.tolist()):
        key = tuple(codes[begin:end])
        if key not in known:
            known[key] = json.dumps(values[row].as_py())
        found.append(known[key])
        begin = end
    return found
