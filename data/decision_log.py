"""Every decision taken, by batch or by service, kept durably: written once, never changed, read by all later steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data.decision_log_rows import ROWS_AT_ONCE, Decisions, blocks, fingerprint, first_and_last, row_count, stored
from data.decision_log_tables import (
    LAYOUT,
    about,
    batches,
    decision_rows,
    decision_steps,
    events,
    metadata,
    open_engine,
    writing,
)
from data.problems import counted
from data.schemas import DECISION_SCHEMA, TIME

FILE_NAME = "decisions.db"
BATCH, ONLINE = "batch", "online"
DECIDED, CONFIRMED, REFUSED, REPLACED, SENT = "decided", "confirmed", "refused", "replaced", "sent"
"""Status of a decision: as taken; last answer to a confirmation; a newer one took its place; reported as sent."""

LOG_SCHEMA: pa.Schema = DECISION_SCHEMA.append(pa.field("source", pa.string(), nullable=False)).append(
    pa.field("status", pa.string(), nullable=False)
)
"""Frame of `DecisionLog.decisions`: the contract's columns, where a decision came from, what became of it."""


class UnknownLayout(ValueError):
    """The log was written by another version of the program."""


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


class DecisionLog:
    """The log behind one data base; safe to share between threads, and the file between processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writing = writing(engine)

    @staticmethod
    def open(place: Path | str) -> DecisionLog:
        """The log at a file, its folder and tables made if they are not there.

        Parameters
        ----------
        place
            A SQLite file, or a workspace folder that holds (or will hold) `decisions.db`.

        Raises
        ------
        UnknownLayout
            The file holds tables of another version.
        data.decision_log_tables.WeakDurability
            The disk does not let SQLite promise durability.
        """
        path = Path(place)
        path = path / FILE_NAME if path.is_dir() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        log = DecisionLog(open_engine(f"sqlite:///{path}"))
        with log.writing() as connection:
            metadata.create_all(connection)
            _check_layout(connection, path)
        return log

    def close(self) -> None:
        """Closes every connection; the log may not be used afterwards."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the log throughout."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from the start; on leaving it, all of it is on disk or none."""
        with self._writing.begin() as connection:
            yield connection

    def beat(self, at: datetime) -> None:
        """Writes a row, to show that the log can be written; raises what SQLAlchemy raises where it cannot."""
        with self.writing() as connection:
            changed = connection.execute(sa.update(about).where(about.c.name == "beat").values(value=at.isoformat()))
            if not changed.rowcount:
                connection.execute(sa.insert(about).values(name="beat", value=at.isoformat()))

    def write_batch(
        self, decisions: Decisions, *, portfolio: Path | None, as_of: datetime, config_fingerprint: str
    ) -> Batch:
        """Logs a batch; writing the same batch again changes nothing.

        A batch decided again for the same moment, with another model or configuration, stands beside the earlier one
        and counts in its place, unless some of that has been acted on.

        Parameters
        ----------
        decisions
            Rows of `data.schemas.DECISION_SCHEMA`; of a file, one block at a time is in memory.

        Raises
        ------
        ConflictingDecision
            Under one of the identifiers stands a different decision of the service, or one that was confirmed, or of
            which an event was received; nothing is written.
        """
        heading = f"{as_of.isoformat()}|{config_fingerprint}|"
        batch = Batch(
            fingerprint(decisions, heading=heading),
            as_of,
            None if portfolio is None else str(portfolio),
            config_fingerprint,
            row_count(decisions),
        )
        with self.writing() as connection:
            if not _batch_stands(connection, batch.batch_id):
                _check_untouched(connection, decisions)
                add_rows(connection, decisions, source=BATCH, batch_id=batch.batch_id, answer_id=None)
                connection.execute(sa.insert(batches).values(**vars(batch)))
        return batch

    def batches(self) -> tuple[Batch, ...]:
        """All batches, earliest `as_of` first."""
        query = sa.select(*batches.c).order_by(batches.c.as_of, batches.c.batch_id)
        with self.reading() as connection:
            return tuple(Batch(*row) for row in connection.execute(query))

    def decisions(self) -> pa.Table:
        """All decisions that count, in the order they were written, in `LOG_SCHEMA`."""
        with self.reading() as connection:
            frame = _frame(connection, _counts())
            status = _statuses(connection)
        found = [status.get(key, DECIDED) for key in frame["decision_id"].to_pylist()]
        return frame.append_column(LOG_SCHEMA.field("status"), pa.array(found, pa.string()))


def add_rows(
    connection: sa.Connection, rows: Decisions, *, source: str, batch_id: str | None, answer_id: str | None
) -> None:
    """Writes decision rows as they are, within the caller's transaction."""
    names = [*DECISION_SCHEMA.names, "source", "batch_id", "answer_id"]
    statement = str(sa.insert(decision_rows).compile(dialect=connection.dialect, column_keys=names))
    for block in blocks(rows):
        same = (repeat(value, block.num_rows) for value in (source, batch_id, answer_id))
        # Past the tables' own types, which look at every value by itself: that took most of the time.
        connection.exec_driver_sql(statement, list(zip(*stored(block), *same, strict=True)))


def _check_layout(connection: sa.Connection, path: Path) -> None:
    found = connection.scalar(sa.select(about.c.value).where(about.c.name == "layout"))
    if found is None:
        connection.execute(sa.insert(about).values(name="layout", value=LAYOUT))
    elif found != LAYOUT:
        raise UnknownLayout(
            f"{path} is a decision log of layout {found}, this program writes layout {LAYOUT}: "
            "use the program that wrote it, or start with another workspace"
        )


def _batch_stands(connection: sa.Connection, batch_id: str) -> bool:
    query = sa.select(batches.c.batch_id).where(batches.c.batch_id == batch_id)
    return connection.scalar(query) is not None


def _check_untouched(connection: sa.Connection, decisions: Decisions) -> None:
    """What stands under the identifiers of a new batch is the same, or nobody has acted on it."""
    times = first_and_last(decisions)
    standing = None if times is None else _acted_on(connection, *times)
    if standing is None or not standing.num_rows:
        return
    ids = standing["decision_id"].combine_chunks().unique()
    new = {}
    for block in blocks(decisions):
        new.update({_identity(row): row for row in block.filter(pc.is_in(block["decision_id"], ids)).to_pylist()})
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
    happened = sa.union(sa.select(decision_steps.c.decision_id), _sent())
    rows = sa.union(
        sa.select(decision_rows.c.sequence).where(decision_rows.c.answer_id > ""),
        sa.select(decision_rows.c.sequence).where(decision_rows.c.decision_id.in_(happened)),
    )
    return _frame(connection, decision_rows.c.sequence.in_(rows) & decision_rows.c.decided_at.between(first, last))


def _identity(row: dict[str, object]) -> tuple[object, object]:
    return row["decision_id"], row["claim_id"]


def _frame(connection: sa.Connection, where: sa.ColumnElement[bool]) -> pa.Table:
    """Rows in the order written: `DECISION_SCHEMA` and `source`."""
    schema = _schema_read()
    columns = [_raw(decision_rows.c[name]) for name in schema.names]
    query = sa.select(*columns).where(where).order_by(decision_rows.c.sequence)
    result = connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    blocks = [_block(rows, schema) for rows in result.partitions()]
    return pa.concat_tables(blocks) if blocks else schema.empty_table()


def _schema_read() -> pa.Schema:
    return LOG_SCHEMA.remove(LOG_SCHEMA.get_field_index("status"))


def _counts() -> sa.ColumnElement[bool]:
    """Of rows with the same decision and claim, the last."""
    last = sa.select(sa.func.max(decision_rows.c.sequence)).group_by(
        decision_rows.c.decision_id, decision_rows.c.claim_id
    )
    return decision_rows.c.sequence.in_(last)


def _raw(column: sa.Column[object]) -> sa.ColumnElement[object]:
    """The column, instants as the integers they are stored as."""
    return sa.type_coerce(column, sa.BigInteger) if column.name.endswith(("_at", "_until")) else column


def _block(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [_array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: list[object], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind) if kind == TIME else pa.array(values, kind)


def _statuses(connection: sa.Connection) -> dict[str, str]:
    """Status of every decision to which something happened."""
    steps = sa.select(decision_steps.c.decision_id, decision_steps.c.step).order_by(decision_steps.c.sequence)
    found = {row.decision_id: row.step for row in connection.execute(steps)}
    return {**found, **dict.fromkeys(connection.scalars(_sent()), SENT)}


def _sent() -> sa.Select[tuple[str]]:
    """Decisions that were reported as sent."""
    return sa.select(events.c.of_contact).where(
        events.c.table_name == "contact_events", events.c.row["kind"].as_string() == SENT
    )
