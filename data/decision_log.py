"""Every decision taken, by batch or by service, kept durably: written once, never changed, read by all later steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

import pyarrow as pa
import sqlalchemy as sa

from data.decision_log_rows import Decisions
from data.decision_log_tables import about
from data.decision_reading import LOG_SCHEMA, decided_frame
from data.decision_words import BATCH, CONFIRMED, DECIDED, ONLINE, REFUSED, REPLACED, SENT
from data.decision_writing import add_rows
from data.log_engine import BUSY_MS, is_url, open_engine, patient, writing
from data.log_layout import LOG_LAYOUTS, secret_of
from data.log_transaction import transaction
from data.migrating import UnknownLayout
from data.staged_batches import Batch, ConflictingDecision, all_batches, batch_of, write_staged
from data.subject_names import Names

__all__ = [
    "BATCH",
    "CONFIRMED",
    "DECIDED",
    "FILE_NAME",
    "LOG_SCHEMA",
    "ONLINE",
    "REFUSED",
    "REPLACED",
    "SENT",
    "Batch",
    "ConflictingDecision",
    "DecisionLog",
    "UnknownLayout",
    "add_rows",
]

FILE_NAME = "decisions.db"
SCRUBBING_S, BETWEEN_S = 2.0, 0.005
"""How long deleted rows are tried to be taken out of the write-ahead file while others use it, and the time between two tries."""

EMPTIED_EACH = 20
"""So many times `tidy` is called before it tries to empty the write-ahead file, whatever is in it."""


class DecisionLog:
    """The log behind one data base; safe to share between threads, and the data base between processes.

    Notes
    -----
    In PostgreSQL the role of the service needs no more than USAGE on the schema; SELECT and INSERT on all tables; UPDATE
    on `about`, `stored_answers` and `debtor_versions`; DELETE on `subjects`, `stored_answers` and `answer_debtors`.
    Another role that owns the schema opens the log once after each new version of the program, and so migrates it.
    """

    def __init__(self, engine: sa.Engine, names: Names) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._patient = patient(engine)
        self._names = names
        self._moving = Lock()
        self._closed = False
        self._tidied = 0

    @staticmethod
    def open(place: Path | str, *, schema: str | None = None) -> DecisionLog:
        """The log at a place, its tables made, or brought here from an earlier layout, if need be.

        Parameters
        ----------
        place
            A SQLite file, a workspace folder that holds (or will hold) `decisions.db`, or the address of a PostgreSQL
            data base such as `postgresql+psycopg://host/name`.
        schema
            Schema in PostgreSQL, one for each tenant; made if it is not there.

        Raises
        ------
        UnknownLayout
            The data base holds tables of another version.
        data.log_engine.WeakDurability
            The data base does not promise durability.
        data.log_engine.BadSchema
            The schema's name cannot be used.
        """
        engine = open_engine(str(place) if is_url(place) else f"sqlite:///{_file(Path(place))}", schema=schema)
        try:
            with patient(writing(engine)).begin() as connection:
                LOG_LAYOUTS.bring_up_to_date(connection, schema=schema)
                names = Names(secret_of(connection))
        except BaseException:
            engine.dispose()
            raise
        return DecisionLog(engine, names)

    def close(self) -> None:
        """Closes every connection; the log may not be used afterwards."""
        with self._moving:
            self._closed = True
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the log throughout."""
        with self._engine.begin() as connection, transaction(connection, self._names, writes=False):
            yield connection

    @contextmanager
    def walking(self) -> Iterator[sa.Connection]:
        """The same for a walk through all of the log, without a limit on how long a statement runs."""
        with self._patient.begin() as connection, transaction(connection, self._names, writes=False):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from the start; on leaving it, all of it is on disk or none.

        What was added stands under one link of the chain (`data.log_chain`).
        """
        with self._writing.begin() as connection, transaction(connection, self._names, writes=True) as mine:
            yield connection
        if mine.fresh:  # only now: what is rolled back must not be remembered
            self._names.keep(mine.fresh, erased=mine.erased)

    def beat(self, at: datetime) -> None:
        """Writes a row, to show that the log can be written; raises what SQLAlchemy raises where it cannot."""
        with self._writing.begin() as connection:
            changed = connection.execute(sa.update(about).where(about.c.name == "beat").values(value=at.isoformat()))
            if not changed.rowcount:
                connection.execute(sa.insert(about).values(name="beat", value=at.isoformat()))

    def write_batch(
        self, decisions: Decisions, *, portfolio: Path | None, as_of: datetime, config_fingerprint: str
    ) -> Batch:
        """Logs a batch; writing the same batch again changes nothing, and finishes one that was broken off.

        A batch decided again for the same moment, with another model or configuration, stands beside the earlier one
        and counts in its place, unless some of that has been acted on. The write lock is held for a part at a time.

        Parameters
        ----------
        decisions
            Rows of `data.schemas.DECISION_SCHEMA`; of a file, one block at a time is in memory.

        Raises
        ------
        ConflictingDecision
            Under one of the identifiers stands a different decision of the service, or one that was confirmed, or of
            which an event was received; nothing of the batch counts then.
        """
        batch = batch_of(decisions, portfolio=portfolio, as_of=as_of, config_fingerprint=config_fingerprint)
        write_staged(self.writing, batch, decisions)
        return batch

    def batches(self) -> tuple[Batch, ...]:
        """All batches that were written to their end, earliest `as_of` first."""
        with self.reading() as connection:
            return all_batches(connection)

    def decisions(self) -> pa.Table:
        """All decisions that count, in the order they were written, in `LOG_SCHEMA`."""
        with self.walking() as connection:
            return decided_frame(connection)

    def tidy(self) -> None:
        """Moves what SQLite's write-ahead file holds into its data base, beside readers and writers; elsewhere there is nothing to do.

        Called now and then it spares writers from doing it in the middle of theirs. Now and then it also empties the file,
        unless somebody uses it at that moment.
        """
        self._checkpoint("PASSIVE")
        self._tidied += 1
        if self._tidied % EMPTIED_EACH == 0:
            self._checkpoint("TRUNCATE")

    def scrub(self) -> bool:
        """Takes what was deleted out of SQLite's write-ahead file too; elsewhere there is nothing to do.

        False where others read an older state of the file all the while: `tidy` does it when they have gone.
        """
        until_s = monotonic() + SCRUBBING_S
        while busy := self._checkpoint("TRUNCATE"):
            if monotonic() > until_s:
                break
            sleep(BETWEEN_S)
        return not busy

    def _checkpoint(self, mode: str) -> bool:
        """Whether something stood in the way."""
        with self._moving:  # of two at a time, SQLite sends the second away
            if self._closed or self._engine.dialect.name != "sqlite":
                return False
            connection = self._engine.raw_connection()
            cursor = connection.cursor()
            try:
                cursor.execute("PRAGMA busy_timeout = 0")  # it would keep writers out while it waits for readers
                ((busy, _, _),) = cursor.execute(f"PRAGMA wal_checkpoint({mode})")
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                connection.close()
        return bool(busy)


def _file(path: Path) -> Path:
    path = path / FILE_NAME if path.is_dir() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # it holds the debtors' keys; SQLite gives its other files the same mode
    return path
