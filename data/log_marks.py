"""Where the log stands: how far its tables have grown, which nights have begun, which tables anything was received of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import batches, events
from data.hot_statements import ONE, Hot
from data.log_transaction import transaction_of
from data.times import to_us


@dataclass(frozen=True)
class Marks:
    """Sequence numbers of the last event, decision row and step in the log; 0 where there is none."""

    event: int
    row: int
    step: int


def marks(connection: sa.Connection) -> Marks:
    """How far the log has grown in this transaction."""
    end = transaction_of(connection).end  # places have no gap: the chain's last link tells where each table ends
    return Marks(*(end(name) - 1 for name in ("events", "decision_rows", "decision_steps")))


def batches_begun(connection: sa.Connection, *, at: datetime) -> int:
    """Number of batches decided for a moment up to `at`."""
    return int(_BEGUN.run(connection, to_us(at))[0][0])


def tables_received(connection: sa.Connection, *, among: Collection[str]) -> frozenset[str]:
    """Those of some tables of the contract of which a row was received as an event."""
    return frozenset(name for name in among if _ANY.run(connection, name))


_ANY = Hot(sa.select(ONE).where(sa.exists().where(events.c.table_name == sa.bindparam("name"))))
_BEGUN = Hot(sa.select(sa.func.count()).select_from(batches).where(batches.c.as_of <= sa.bindparam("at")))
