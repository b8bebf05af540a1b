"""Where the log stands: how far its tables have grown, which nights have begun, which tables anything was received of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import batches, decision_rows, decision_steps, events


@dataclass(frozen=True)
class Marks:
    """Sequence numbers of the last event, decision row and step in the log; 0 where there is none."""

    event: int
    row: int
    step: int


def marks(connection: sa.Connection) -> Marks:
    """How far the log has grown in this transaction."""
    return Marks(*(connection.scalar(last) or 0 for last in _LAST))


def batches_begun(connection: sa.Connection, *, at: datetime) -> int:
    """Number of batches decided for a moment up to `at`."""
    return connection.scalar(_BEGUN, {"at": at}) or 0


def tables_received(connection: sa.Connection) -> frozenset[str]:
    """Tables of the contract of which a row was received as an event."""
    return frozenset(connection.scalars(sa.select(events.c.table_name).distinct()))


_LAST = tuple(sa.select(sa.func.max(table.c.sequence)) for table in (events, decision_rows, decision_steps))
_BEGUN = sa.select(sa.func.count()).select_from(batches).where(batches.c.as_of <= sa.bindparam("at"))
