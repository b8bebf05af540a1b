"""Decisions as tests put them into the log and compare them: rows of a table, one decision reserved by itself."""

from __future__ import annotations

import pyarrow as pa
import sqlalchemy as sa

from data.online_decisions import AnswerRow, Decided, DecisionRow, reserve_all


def rows_of(table: pa.Table) -> tuple[DecisionRow, ...]:
    """Rows of a table in `data.schemas.DECISION_SCHEMA`."""
    return tuple(DecisionRow(**row) for row in table.to_pylist())


def reserve(connection: sa.Connection, decided: Decided, *, replaces: DecisionRow | None) -> None:
    """Writes a new decision of the service; the one it takes the place of is marked as replaced."""
    leading = decided.leading
    answer = AnswerRow(
        leading.decision_id, leading.debtor_id, leading.decided_at, decided.asked or {}, decided.seen or {},
        decided.alternatives,
    )  # fmt: skip
    replaced = [] if replaces is None else [(replaces.decision_id, replaces.debtor_id)]
    reserve_all(connection, decided.rows, [answer], replaced, leading.decided_at)
