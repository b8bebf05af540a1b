"""Decision rows on their way into the log: identifiers replaced, reasons sealed, the rest as it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, repeat
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from data.decision_log_rows import Decisions, blocks, stored
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
    answer_id: str | Sequence[str] | None,
) -> None:
    """Writes decision rows within the caller's writing transaction; `answer_id` is one for all or one for each."""
    under = iter(repeat(answer_id) if isinstance(answer_id, str) or answer_id is None else answer_id)
    for block in blocks(rows):
        same = (repeat(value, block.num_rows) for value in (source, batch_id))
        columns = [*sealed(connection, block), *same, islice(under, block.num_rows)]
        append(connection, decision_rows, zip(*columns, strict=True), at_us=max(columns[_PLACE["decided_at"]]))


def sealed(connection: sa.Connection, block: pa.Table) -> list[Sequence[Any]]:
    """Columns of a block as the log keeps them."""
    columns = stored(block)
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
