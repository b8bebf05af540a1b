"""Rows of layout 1 on their way into the next one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from data.decision_log_rows import ROWS_AT_ONCE, stored
from data.decision_writing import sealed
from data.event_log import Received, keep
from data.log_transaction import append
from data.migrations import layout_1, layout_2
from data.online_decisions import PLACE
from data.schemas import DECISION_SCHEMA, TIME
from data.subjects import DEBTOR, named, pseudonym
from data.times import from_us

Rows = Sequence[Sequence[Any]]


def moved(connection: sa.Connection) -> None:
    """Copies every row, set aside as `layout_1_...`, into the tables of layout 2."""
    for rows in _old(connection, layout_1.batches, "as_of"):
        append(connection, layout_2.batches, rows, at_us=max(row[1] for row in rows))
    for rows in _old(connection, layout_1.decision_rows, "sequence"):
        _move_decisions(connection, rows)
    for rows in _old(connection, layout_1.answers, "decided_at"):
        _move_answers(connection, rows)
    for rows in _old(connection, layout_1.decision_steps, "sequence"):
        append(connection, layout_2.decision_steps, [row[1:] for row in rows], at_us=max(row[3] for row in rows))
    for rows in _old(connection, layout_1.events, "sequence"):
        _move_events(connection, rows)
    for rows in _old(connection, layout_1.stored_answers, "key"):
        _move_stored(connection, rows)


def _old(connection: sa.Connection, table: sa.Table, order: str) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of an old table, some at a time, in a known order."""
    aside = table.to_metadata(sa.MetaData(), name=f"layout_1_{table.name}")
    keys = [column for column in aside.primary_key if column.name != order]
    query = sa.select(aside).order_by(aside.c[order], *keys)
    result = connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    yield from ([tuple(row) for row in rows] for rows in result.partitions())


def _move_decisions(connection: sa.Connection, rows: Rows) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)][1:]
    names = len(DECISION_SCHEMA)
    arrays = [_array(values, field.type) for values, field in zip(columns, DECISION_SCHEMA, strict=False)]
    block = pa.Table.from_arrays(arrays, schema=DECISION_SCHEMA)
    kept = zip(*sealed(connection, stored(block)), *columns[names:], strict=True)
    decided_at = columns[DECISION_SCHEMA.names.index("decided_at")]
    append(connection, layout_2.decision_rows, kept, at_us=max(decided_at))


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind) if kind == TIME else pa.array(values, kind)


def _move_answers(connection: sa.Connection, rows: Rows) -> None:
    subjects = named(connection, DEBTOR, [row[1] for row in rows])
    kept = []
    for answer_id, debtor_id, decided_at, *content in rows:
        subject = subjects[debtor_id]
        kept.append((answer_id, subject.ref, decided_at, subject.key.seal(content, place=PLACE)))
    append(connection, layout_2.answers, kept, at_us=max(row[2] for row in rows))


def _move_events(connection: sa.Connection, rows: Rows) -> None:
    for row in rows:
        found = dict(zip(layout_1.events.c.keys(), row, strict=True))
        content = json.loads(found["row"]) if isinstance(found["row"], str) else found["row"]
        old = Received(0, found["event_id"], found["table_name"], content, from_us(found["received_at"]))
        keep(connection, old, debtor_id=None)


def _move_stored(connection: sa.Connection, rows: Rows) -> None:
    names = layout_1.stored_answers.c.keys()
    kept = [dict(zip(names, row, strict=True)) for row in rows]
    for one in kept:
        one["key"] = pseudonym(connection, "key", one["scope"], one["key"])
    connection.execute(sa.insert(layout_2.stored_answers), kept)
