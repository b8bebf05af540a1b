"""Decisions one debtor at a time: the live one, a new one reserved, what became of it; always in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from data.decision_log import CONFIRMED, DECIDED, ONLINE, REPLACED, SENT, add_rows
from data.decision_log_tables import answers, decision_rows, decision_steps, events
from data.schemas import DECISION_SCHEMA, DECISIONS

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True)
class DecisionRow:
    """One row of `data.schemas.DECISIONS`: the decision on one open claim."""

    decision_id: str
    debtor_id: str
    claim_id: str
    lead: bool
    decided_at: datetime
    valid_until: datetime
    channel: str
    send_at: datetime | None
    payment_option: str | None
    tone: str | None
    payment_probability: float
    uplift: float
    expected_value: float
    currency: str
    action_probability: float | None
    arm_probability: float | None
    channel_probability: float | None
    channel_daypart_probability: float | None
    explored: bool
    arm: str
    segment: str
    model_version: str
    policy_version: str
    rules_version: str
    reasons: list[str] | None
    blocked: list[dict[str, str]]


@dataclass(frozen=True)
class Step:
    """One thing that became of a decision; `reason` where it was refused."""

    step: str
    at: datetime
    reason: str | None


@dataclass(frozen=True)
class Decided:
    """What was decided for one debtor at one moment, over all open claims.

    Parameters
    ----------
    rows
        One per open claim, at least one; claims under the contact share its `decision_id`.
    asked, seen
        What was asked and how many events were known; empty for a decision of a batch.
    alternatives
        The best slot of every other channel; empty for a decision of a batch.
    steps
        What became of the leading decision, oldest first.
    """

    rows: tuple[DecisionRow, ...]
    source: str = ONLINE
    asked: Mapping[str, Json] | None = None
    seen: Mapping[str, Json] | None = None
    alternatives: Sequence[Mapping[str, Json]] = ()
    steps: tuple[Step, ...] = ()

    @property
    def leading(self) -> DecisionRow:
        """The row that carries the contact's cost."""
        return leading_row(self.rows)

    @property
    def covered(self) -> frozenset[str]:
        """Claims under the leading decision."""
        return frozenset(row.claim_id for row in self.rows if row.decision_id == self.leading.decision_id)

    @property
    def status(self) -> str:
        """Last step, or `decided`."""
        return self.steps[-1].step if self.steps else DECIDED


def leading_row(rows: Sequence[DecisionRow]) -> DecisionRow:
    """The row that leads: of the decision that makes contact if one does, else of the first.

    A claim that is not covered leads a decision of its own, with channel `none`.
    """
    leads = [row for row in rows if row.lead] or list(rows)
    shared = {row.decision_id for row in rows if not row.lead}
    return min(leads, key=lambda row: (row.channel == "none", row.decision_id not in shared))


def rows_of(table: pa.Table) -> tuple[DecisionRow, ...]:
    """Rows of a table in `DECISION_SCHEMA`."""
    return tuple(DecisionRow(**row) for row in table.select(DECISION_SCHEMA.names).to_pylist())


def table_of(rows: Iterable[DecisionRow]) -> pa.Table:
    """The inverse of `rows_of`."""
    return pa.Table.from_pylist([vars(row) for row in rows], DECISION_SCHEMA)


def last_decided(connection: sa.Connection, debtor_id: str, *, at: datetime) -> Decided | None:
    """The debtor's last decision up to a moment, whether it still holds or not; one of the service always counts."""
    begun = (decision_rows.c.decided_at <= at) | (decision_rows.c.source == ONLINE)
    of_debtor = (decision_rows.c.debtor_id == debtor_id) & begun
    last = sa.select(sa.func.max(decision_rows.c.decided_at)).where(of_debtor).scalar_subquery()
    return _decided(connection, of_debtor & (decision_rows.c.decided_at == last))


def last_change(connection: sa.Connection, debtor_id: str) -> tuple[int, int]:
    """Sequence numbers of the debtor's last decision row and of the last step of any decision; 0 where there is none."""
    of_debtor = decision_rows.c.debtor_id == debtor_id
    row = sa.select(sa.func.max(decision_rows.c.sequence)).where(of_debtor)
    step = (
        sa.select(sa.func.max(decision_steps.c.sequence))
        .join(decision_rows, decision_rows.c.decision_id == decision_steps.c.decision_id)
        .where(of_debtor)
    )
    return connection.scalar(row) or 0, connection.scalar(step) or 0


def decided_under(connection: sa.Connection, decision_id: str) -> Decided | None:
    """What was decided for the debtor at the moment at which this decision was taken; None where there is none."""
    mine = sa.select(decision_rows.c.debtor_id, decision_rows.c.decided_at).where(
        decision_rows.c.decision_id == decision_id
    )
    found = connection.execute(mine.limit(1)).first()
    if found is None:
        return None
    return _decided(
        connection, (decision_rows.c.debtor_id == found.debtor_id) & (decision_rows.c.decided_at == found.decided_at)
    )


def is_decision(connection: sa.Connection, decision_id: str) -> bool:
    """True where a decision is logged under the identifier."""
    query = sa.select(decision_rows.c.sequence).where(decision_rows.c.decision_id == decision_id).limit(1)
    return connection.scalar(query) is not None


def reserve(connection: sa.Connection, decided: Decided, *, replaces: DecisionRow | None) -> None:
    """Writes a new decision of the service; the one it takes the place of is marked as replaced."""
    leading = decided.leading
    add_rows(connection, table_of(decided.rows), source=ONLINE, batch_id=None, answer_id=leading.decision_id)
    connection.execute(
        sa.insert(answers).values(
            answer_id=leading.decision_id,
            debtor_id=leading.debtor_id,
            decided_at=leading.decided_at,
            asked=dict(decided.asked or {}),
            seen=dict(decided.seen or {}),
            alternatives=[dict(other) for other in decided.alternatives],
        )
    )
    if replaces is not None:
        add_step(connection, replaces.decision_id, step=REPLACED, at=leading.decided_at)


def add_step(
    connection: sa.Connection, decision_id: str, *, step: str, at: datetime, reason: str | None = None
) -> None:
    """Notes what became of a decision."""
    connection.execute(sa.insert(decision_steps).values(decision_id=decision_id, step=step, at=at, reason=reason))


def contacts_of(connection: sa.Connection, debtor_id: str) -> tuple[DecisionRow, ...]:
    """Rows of the debtor's decisions that became contacts: confirmed ones, and those of which an event was received."""
    mine = decision_rows.c.decision_id
    confirmed = sa.exists().where(decision_steps.c.decision_id == mine, decision_steps.c.step == CONFIRMED)
    happened = sa.exists().where(events.c.of_contact == mine)
    contact = (decision_rows.c.debtor_id == debtor_id) & (decision_rows.c.channel != "none")
    return tuple(row for _, row in _rows(connection, contact & (confirmed | happened)))


def contacts_decided_before(connection: sa.Connection, moment: datetime) -> tuple[DecisionRow, ...]:
    """The same of all debtors, of decisions taken before a moment."""
    happened = sa.select(events.c.of_contact).where(events.c.of_contact.is_not(None))
    became = sa.union(sa.select(decision_steps.c.decision_id).where(decision_steps.c.step == CONFIRMED), happened)
    contact = decision_rows.c.decision_id.in_(became) & (decision_rows.c.channel != "none")
    return tuple(row for _, row in _rows(connection, contact & (decision_rows.c.decided_at < moment)))


def _rows(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[tuple[str | None, DecisionRow]]:
    """Rows with their batch, in the order written."""
    columns = [decision_rows.c[name] for name in DECISIONS.names]
    query = sa.select(decision_rows.c.batch_id, *columns).where(where).order_by(decision_rows.c.sequence)
    return [(row[0], DecisionRow(*row[1:])) for row in connection.execute(query)]


def _decided(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Decided | None:
    """What was written last of all that stands under a debtor and moment."""
    found = _rows(connection, where)
    if not found:
        return None
    rows = tuple(row for batch_id, row in found if batch_id == found[-1][0])
    leading = leading_row(rows)
    answer = connection.execute(sa.select(answers).where(answers.c.answer_id == leading.decision_id)).first()
    steps = _steps(connection, leading.decision_id)
    if answer is None:
        return Decided(rows, source="batch", steps=steps)
    return Decided(rows, ONLINE, answer.asked, answer.seen, answer.alternatives, steps)


def _steps(connection: sa.Connection, decision_id: str) -> tuple[Step, ...]:
    """What was noted, oldest first, and last, if it has been reported, that it was sent: nothing undoes that."""
    noted = (
        sa.select(decision_steps.c.step, decision_steps.c.at, decision_steps.c.reason)
        .where(decision_steps.c.decision_id == decision_id)
        .order_by(decision_steps.c.sequence)
    )
    sent = (
        sa.select(events.c.received_at)
        .where(events.c.of_contact == decision_id, events.c.row["kind"].as_string() == SENT)
        .order_by(events.c.sequence)
        .limit(1)
    )
    steps = [Step(*row) for row in connection.execute(noted)]
    steps.extend(Step(SENT, at, None) for at in connection.scalars(sent) if at is not None)
    return tuple(steps)
