"""Decision rows on their way out of the log: in the contract's schema again, erased debtors under a pseudonym."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import sqlalchemy as sa

from data.decision_log_rows import ROWS_AT_ONCE
from data.decision_log_tables import NAMED, counting, decision_rows, decision_steps, events, subjects
from data.decision_words import DECIDED, ERASED, REFUSED, SENT
from data.decision_writing import REASONS
from data.schemas import DECISION_SCHEMA, TIME
from data.sealing import Key
from data.times import from_us

_READ: pa.Schema = DECISION_SCHEMA.append(pa.field("source", pa.string(), nullable=False))
LOG_SCHEMA: pa.Schema = _READ.append(pa.field("status", pa.string(), nullable=False)).append(
    pa.field("refused_for", pa.string())
)
"""Frame of `DecisionLog.decisions`: the contract's columns, where a decision came from, what became of it, and why leave to
send was last refused."""

_STORED = tuple(decision_rows.c[NAMED.get(name, (name, None))[0]] for name in _READ.names)
_PLACE = {name: place for place, name in enumerate(_READ.names)}

Columns = list[list[Any]]


def decided_frame(connection: sa.Connection) -> pa.Table:
    """All decisions that count, in the order they were written, in `LOG_SCHEMA`."""
    found = frame(connection, _last_written())
    status, refused = _statuses(connection), _refusals(connection)
    keys = found["decision_id"].to_pylist()
    words = pa.array([status.get(key, DECIDED) for key in keys], pa.string())
    reasons = pa.array([refused.get(key) for key in keys], pa.string())
    with_status = found.append_column(LOG_SCHEMA.field("status"), words)
    return with_status.append_column(LOG_SCHEMA.field("refused_for"), reasons)


def frame(connection: sa.Connection, where: sa.ColumnElement[bool]) -> pa.Table:
    """Rows that count, in the order written: `DECISION_SCHEMA` and `source`."""
    result = connection.execute(_query(where), execution_options={"yield_per": ROWS_AT_ONCE})
    blocks = [_block(_opened(rows)) for rows in result.partitions()]
    return pa.concat_tables(blocks) if blocks else _READ.empty_table()


def rows_with_batch(
    connection: sa.Connection, where: sa.ColumnElement[bool]
) -> list[tuple[str | None, tuple[Any, ...]]]:
    """Rows that count, each behind its batch, in the order written: Python values in the order of `DECISION_SCHEMA`."""
    rows = connection.execute(_query(where, decision_rows.c.batch_id)).all()
    if not rows:
        return []
    *columns, _source, batch_ids = _opened(rows)
    for place, field in enumerate(DECISION_SCHEMA):
        if field.type == TIME:
            columns[place] = [None if one is None else from_us(one) for one in columns[place]]
        elif field.type == pa.bool_():
            columns[place] = list(map(bool, columns[place]))
    return list(zip(batch_ids, zip(*columns, strict=True), strict=True))


def sent() -> sa.Select[tuple[str]]:
    """Decisions that were reported as sent."""
    return sa.select(events.c.of_decision).where(events.c.of_decision.is_not(None), events.c.kind == SENT)


def _query(where: sa.ColumnElement[bool], *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(subjects.c.id, subjects.c.key, *_STORED, *more)
        .join_from(decision_rows, subjects, subjects.c.ref == decision_rows.c.debtor_ref, isouter=True)
        .where(where, counting())
        .order_by(decision_rows.c.sequence)
    )


def _last_written() -> sa.ColumnElement[bool]:
    """Of rows with the same decision and claim, the last."""
    last = (
        sa.select(sa.func.max(decision_rows.c.sequence))
        .where(counting())
        .group_by(decision_rows.c.decision_id, decision_rows.c.claim_sealed)
    )
    return decision_rows.c.sequence.in_(last)


def _statuses(connection: sa.Connection) -> dict[str, str]:
    """Status of every decision to which something happened."""
    steps = sa.select(decision_steps.c.decision_id, decision_steps.c.step).order_by(decision_steps.c.sequence)
    found = {row.decision_id: row.step for row in connection.execute(steps)}
    return {**found, **dict.fromkeys(connection.scalars(sent()), SENT)}


def _refusals(connection: sa.Connection) -> dict[str, str | None]:
    """Reason of the last refusal of every decision that leave to send was refused for."""
    steps = (
        sa.select(decision_steps.c.decision_id, decision_steps.c.reason)
        .where(decision_steps.c.step == REFUSED)
        .order_by(decision_steps.c.sequence)
    )
    return {row.decision_id: row.reason for row in connection.execute(steps)}


def _opened(rows: Sequence[Sequence[Any]]) -> Columns:
    """Columns of rows of `_query` without the two of the subject: names and reasons in plain, the rest as stored."""
    names, keys, *columns = map(list, zip(*rows, strict=True))
    owners = _keys(keys)
    refs, claims, reasons = (columns[_PLACE[name]] for name in ("debtor_id", "claim_id", "reasons"))
    columns[_PLACE["debtor_id"]] = [
        f"{ERASED}-{ref}" if name is None else name for name, ref in zip(names, refs, strict=True)
    ]
    columns[_PLACE["claim_id"]] = [
        f"{ERASED}-{claim.hex()}" if key is None else key.named(claim)
        for key, claim in zip(owners, claims, strict=True)
    ]
    columns[_PLACE["reasons"]] = [
        None if key is None or some is None else key.open(some, place=REASONS)
        for key, some in zip(owners, reasons, strict=True)
    ]
    parsed: dict[str, Any] = {text: orjson.loads(text) for text in set(columns[_PLACE["blocked"]])}
    columns[_PLACE["blocked"]] = [parsed[text] for text in columns[_PLACE["blocked"]]]
    return columns


def _keys(secrets: Sequence[bytes | None]) -> list[Key | None]:
    """Keys of a block's rows; a debtor's many rows share one."""
    made = {secret: Key(secret) for secret in set(secrets) if secret is not None}
    return [None if secret is None else made[secret] for secret in secrets]


def _block(columns: Columns) -> pa.Table:
    arrays = [_array(values, field.type) for values, field in zip(columns, _READ, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_READ)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    stored = {TIME: pa.int64(), pa.bool_(): pa.int8()}
    return pa.array(values, stored[kind]).cast(kind) if kind in stored else pa.array(values, kind)
