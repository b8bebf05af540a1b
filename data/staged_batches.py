"""A batch on its way into the log: in parts that hold the write lock for a second each; it counts once the last is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data.decision_log_rows import Decisions, blocks, fingerprint, first_and_last, row_count
from data.decision_log_tables import batch_parts, batches, decision_rows, decision_steps
from data.decision_reading import frame, sent
from data.decision_words import BATCH
from data.decision_writing import add_rows
from data.erasure import erased_among
from data.log_transaction import append
from data.problems import counted
from data.times import to_us

Writing = Callable[[], AbstractContextManager[sa.Connection]]
"""Begins a transaction that holds the write lock."""


class ConflictingDecision(ValueError):
    """A decision is to be written under an identifier that already stands for a different one."""


@dataclass(frozen=True)
class Batch:
    """One batch of decisions as it was logged; `portfolio` is the folder it read, if it read one."""

    batch_id: str
    as_of: datetime
    portfolio: str | None
    config_fingerprint: str
    rows: int


def batch_of(decisions: Decisions, *, portfolio: Path | None, as_of: datetime, config_fingerprint: str) -> Batch:
    """The batch that decisions make; the same decisions for the same moment make the same one."""
    heading = f"{as_of.isoformat()}|{config_fingerprint}|"
    folder = None if portfolio is None else str(portfolio)
    name = fingerprint(decisions, heading=heading)
    return Batch(name, as_of, folder, config_fingerprint, row_count(decisions))


def write_staged(begin: Writing, batch: Batch, decisions: Decisions) -> None:
    """Writes a batch part by part; one that was broken off is gone on with, one that stands is left as it is.

    Raises
    ------
    ConflictingDecision
        Something has been done about a decision that the batch would rewrite; nothing of the batch counts then.
    """
    with begin() as connection:
        if _stands(connection, batch):
            return
        _must_be_untouched(connection, decisions)
    for begun, part in _parts(decisions):
        with begin() as connection:
            if _stands(connection, batch):
                return  # another process was quicker with the same batch
            if begun >= _written(connection, batch):
                add_rows(
                    connection, _without_erased(connection, part), source=BATCH, batch_id=batch.batch_id, answer_id=None
                )
                append(connection, batch_parts, [(batch.batch_id, part.num_rows)], at_us=to_us(batch.as_of))
    with begin() as connection:
        if not _stands(connection, batch):
            # Looked at again: while the parts were written, something may have been done.
            _must_be_untouched(connection, decisions)
            kept = (batch.batch_id, to_us(batch.as_of), batch.portfolio, batch.config_fingerprint, batch.rows)
            append(connection, batches, [kept], at_us=to_us(batch.as_of))


def all_batches(connection: sa.Connection) -> tuple[Batch, ...]:
    """All batches that count, earliest `as_of` first."""
    columns = (batches.c[name] for name in ("batch_id", "as_of", "portfolio", "config_fingerprint", "rows"))
    query = sa.select(*columns).order_by(batches.c.as_of, batches.c.batch_id)
    return tuple(Batch(*row) for row in connection.execute(query))


def _parts(decisions: Decisions) -> Iterator[tuple[int, pa.Table]]:
    """Number of rows before each part, and the part."""
    begun = 0
    for block in blocks(decisions):
        yield begun, block
        begun += block.num_rows


def _stands(connection: sa.Connection, batch: Batch) -> bool:
    query = sa.select(batches.c.batch_id).where(batches.c.batch_id == batch.batch_id)
    return connection.scalar(query) is not None


def _written(connection: sa.Connection, batch: Batch) -> int:
    query = sa.select(sa.func.sum(batch_parts.c.rows)).where(batch_parts.c.batch_id == batch.batch_id)
    return int(connection.scalar(query) or 0)


def _must_be_untouched(connection: sa.Connection, decisions: Decisions) -> None:
    """What stands of a new batch's debtors at its moments is the same, or nobody has acted on it."""
    times = first_and_last(decisions)
    standing = None if times is None else _acted_on(connection, *times)
    if standing is None or not standing.num_rows:
        return
    debtors = standing["debtor_id"].combine_chunks().unique().drop_null()
    new = {}
    for block in blocks(decisions):
        new.update({_identity(row): row for row in block.filter(pc.is_in(block["debtor_id"], debtors)).to_pylist()})
    rows = standing.drop_columns("source").to_pylist()
    touched = [row["decision_id"] for row in rows if new.get(_identity(row), row) != row]
    if touched:
        raise ConflictingDecision(
            f"{counted(len(set(touched)), 'decision')} of the batch stand in the log with another content and were "
            f"answered, confirmed or acted on, first of them {touched[0]}: decide at another moment"
        )


def _acted_on(connection: sa.Connection, first: datetime, last: datetime) -> pa.Table:
    """Rows decided from one moment to another that the service answered with, or to whose decision something happened."""
    # Found by what happened and not by their moment: that would be a walk through every decision ever logged.
    happened = sa.union(sa.select(decision_steps.c.decision_id), sent())
    rows = sa.union(
        sa.select(decision_rows.c.sequence).where(decision_rows.c.answer_id > ""),
        sa.select(decision_rows.c.sequence).where(decision_rows.c.decision_id.in_(happened)),
    )
    between = decision_rows.c.decided_at.between(to_us(first), to_us(last))
    return frame(connection, decision_rows.c.sequence.in_(rows) & between)


def _identity(row: dict[str, object]) -> tuple[object, ...]:
    # Not by the decision: its identifier may have been made in another way by an earlier version of the program.
    return row["debtor_id"], row["decided_at"], row["claim_id"]


def _without_erased(connection: sa.Connection, rows: pa.Table) -> pa.Table:
    """Rows without those of debtors who were erased while the night was being decided."""
    erased = erased_among(connection, rows["debtor_id"].unique().to_pylist())
    if not erased:
        return rows
    return rows.filter(pc.invert(pc.is_in(rows["debtor_id"], value_set=pa.array(sorted(erased), pa.string()))))
