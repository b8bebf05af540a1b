"""Decision rows on their way into the log: identifiers replaced, reasons sealed, the rest as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import sqlalchemy as sa

from data.decision_log_rows import Decisions, blocks, stored, stored_plain
from data.decision_log_tables import decision_rows
from data.log_transaction import append
from data.schemas import DECISION_SCHEMA
from data.subject_names import Subject
from data.subjects import DEBTOR, named

REASONS = b"decision_rows.reasons"
_PLACE = {name: place for place, name in enumerate(DECISION_SCHEMA.names)}


def add_rows(
    connection: sa.Connection,
    rows: Decisions,
    *,
    source: str,
    batch_id: str | None,
    answer_id: str | None,
) -> None:
    """Writes decision rows within the caller's writing transaction."""
    for block in blocks(rows):
        same = (repeat(value, block.num_rows) for value in (source, batch_id, answer_id))
        _add(connection, [*sealed(connection, stored(block)), *same])


def add_plain_rows(
    connection: sa.Connection, rows: Sequence[Sequence[Any]], *, source: str, answer_ids: Sequence[str]
) -> None:
    """Writes a few decision rows as `data.online_decisions.DecisionRow` has them, each under its answer, as `add_rows`."""
    same = (repeat(value, len(rows)) for value in (source, None))
    _add(connection, [*sealed(connection, stored_plain(rows)), *same, answer_ids])


def _add(connection: sa.Connection, columns: Sequence[Iterable[Any]]) -> None:
    decided_at: Any = columns[_PLACE["decided_at"]]
    append(connection, decision_rows, zip(*columns, strict=True), at_us=max(decided_at))


def sealed(connection: sa.Connection, columns: list[Sequence[Any]]) -> list[Sequence[Any]]:
    """Columns of `data.decision_log_rows.stored` as the log keeps them."""
    debtor_ids, reasons = columns[_PLACE["debtor_id"]], columns[_PLACE["reasons"]]
    subjects = named(connection, DEBTOR, list(dict.fromkeys(debtor_ids)))
    owners = [subjects[one] for one in debtor_ids]
    columns[_PLACE["debtor_id"]] = [one.ref for one in owners]
    columns[_PLACE["claim_id"]] = _claims(owners, columns[_PLACE["claim_id"]])
    columns[_PLACE["reasons"]] = [
        None if some is None else one.key.seal(some, place=REASONS) for one, some in zip(owners, reasons, strict=True)
    ]
    return columns


def _claims(owners: Sequence[Subject], claim_ids: Sequence[str]) -> list[bytes]:
    return [one.key.name(claim_id) for one, claim_id in zip(owners, claim_ids, strict=True)]
