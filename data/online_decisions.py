"""Decisions one debtor at a time: the live one, a new one reserved, what became of it; always in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import sqlalchemy as sa

from data.decision_log_tables import answers, counting, decision_rows, decision_steps, events, subjects
from data.decision_reading import rows_with_batch
from data.decision_words import BATCH, CONFIRMED, DECIDED, ONLINE, REPLACED, SENT
from data.decision_writing import add_plain_rows
from data.log_marks import Marks
from data.log_transaction import append
from data.sealing import Key
from data.subjects import DEBTOR, named, one_found
from data.times import to_us
from data.versions import bump

PLACE = b"answers"

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class DecisionRow(NamedTuple):
    """One row of `data.schemas.DECISIONS`: the decision on one open claim; a tuple, because many are made at a time."""

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

    @cached_property
    def leading(self) -> DecisionRow:
        """The row that carries the contact's cost."""
        return leading_row(self.rows)

    @cached_property
    def covered(self) -> frozenset[str]:
        """Claims under the leading decision."""
        leading = self.leading.decision_id
        return frozenset(row.claim_id for row in self.rows if row.decision_id == leading)

    @property
    def status(self) -> str:
        """Last step, or `decided`."""
        return self.steps[-1].step if self.steps else DECIDED


@dataclass(frozen=True)
class AnswerRow:
    """What the service adds to the rows it decided for one debtor; `seen` is any JSON object, such as hashes."""

    answer_id: str
    debtor_id: str
    decided_at: datetime
    asked: Mapping[str, Json]
    seen: Mapping[str, Json]
    alternatives: Sequence[Mapping[str, Json]] = ()


def leading_row(rows: Sequence[DecisionRow]) -> DecisionRow:
    """The row that leads: of the decision that makes contact if one does, else of the first.

    A claim that is not covered leads a decision of its own, with channel `none`.
    """
    leads = [row for row in rows if row.lead] or list(rows)
    shared = {row.decision_id for row in rows if not row.lead}
    return min(leads, key=lambda row: (row.channel == "none", row.decision_id not in shared))


def last_decided(connection: sa.Connection, debtor_id: str, *, at: datetime) -> Decided | None:
    """The debtor's last decision up to a moment, whether it still holds or not; one of the service always counts."""
    subject = one_found(connection, DEBTOR, debtor_id)
    if subject is None:
        return None
    begun = (decision_rows.c.decided_at <= to_us(at)) | (decision_rows.c.source == ONLINE)
    of_debtor = (decision_rows.c.debtor_ref == subject.ref) & begun
    last = sa.select(sa.func.max(decision_rows.c.decided_at)).where(of_debtor, counting()).scalar_subquery()
    return _decided(connection, of_debtor & (decision_rows.c.decided_at == last))


def decided_under(connection: sa.Connection, decision_id: str) -> Decided | None:
    """What was decided for the debtor at the moment at which this decision was taken; None where there is none."""
    mine = sa.select(decision_rows.c.debtor_ref, decision_rows.c.decided_at).where(
        decision_rows.c.decision_id == decision_id, counting()
    )
    found = connection.execute(mine.limit(1)).first()
    if found is None:
        return None
    return _decided(
        connection, (decision_rows.c.debtor_ref == found.debtor_ref) & (decision_rows.c.decided_at == found.decided_at)
    )


def is_decision(connection: sa.Connection, decision_id: str) -> bool:
    """True where a decision is logged under the identifier."""
    query = sa.select(decision_rows.c.sequence).where(decision_rows.c.decision_id == decision_id, counting()).limit(1)
    return connection.scalar(query) is not None


def reserve_all(
    connection: sa.Connection,
    rows: Sequence[DecisionRow],
    given: Sequence[AnswerRow],
    replaced: Sequence[tuple[str, str]],
    at: datetime,
) -> None:
    """Writes new decisions of the service for many debtors at once, each debtor once.

    Parameters
    ----------
    rows
        Those of one debtor under one of the answers.
    given
        One per debtor.
    replaced
        Decisions whose place is taken, each with its debtor.
    at
        When they were replaced.
    """
    if not given:
        return
    under = {one.debtor_id: one.answer_id for one in given}
    add_plain_rows(connection, rows, source=ONLINE, answer_ids=[under[row.debtor_id] for row in rows])
    at_us = to_us(at)
    append(connection, answers, _sealed_answers(connection, given), at_us=at_us)
    append(connection, decision_steps, [(one, REPLACED, at_us, None) for one, _ in replaced], at_us=at_us)
    bump(connection, [*under, *(debtor_id for _, debtor_id in replaced)])


def _sealed_answers(connection: sa.Connection, given: Sequence[AnswerRow]) -> list[tuple[str, int, int, bytes]]:
    """Rows of `answers` as stored."""
    subjects_of = named(connection, DEBTOR, [one.debtor_id for one in given])
    rows = []
    for one in given:
        subject = subjects_of[one.debtor_id]
        content = [dict(one.asked), dict(one.seen), [dict(other) for other in one.alternatives]]
        sealed = subject.key.seal(content, place=PLACE)
        rows.append((one.answer_id, subject.ref, to_us(one.decided_at), sealed))
    return rows


def add_step(
    connection: sa.Connection,
    decision_id: str,
    *,
    step: str,
    at: datetime,
    reason: str | None = None,
    debtor_id: str | None = None,
) -> None:
    """Notes what became of a decision; its debtor is looked up where it is not given."""
    append(connection, decision_steps, [(decision_id, step, to_us(at), reason)], at_us=to_us(at))
    if debtor_id is None:
        mine = sa.select(subjects.c.id).join_from(decision_rows, subjects, subjects.c.ref == decision_rows.c.debtor_ref)
        debtor_id = connection.scalar(mine.where(decision_rows.c.decision_id == decision_id).limit(1))
    bump(connection, () if debtor_id is None else (debtor_id,))


def contacts_of(connection: sa.Connection, debtor_id: str, *, known: Marks | None = None) -> tuple[DecisionRow, ...]:
    """Rows of the debtor's decisions that became contacts: confirmed ones, and those of which an event was received.

    `known` says how far the log had grown at the moment that is meant; None: as far as it has.
    """
    subject = one_found(connection, DEBTOR, debtor_id)
    if subject is None:
        return ()
    mine = decision_rows.c.decision_id
    step, event = (sa.true(), sa.true()) if known is None else (
        decision_steps.c.sequence <= known.step, events.c.sequence <= known.event
    )  # fmt: skip
    confirmed = sa.exists().where(decision_steps.c.decision_id == mine, decision_steps.c.step == CONFIRMED, step)
    happened = sa.exists().where(events.c.of_decision == mine, event)
    contact = (decision_rows.c.debtor_ref == subject.ref) & (decision_rows.c.channel != "none")
    return tuple(row for _, row in _rows(connection, contact & (confirmed | happened)))


def last_answered(connection: sa.Connection, *, most: int) -> list[str]:
    """Decisions that the service took last, newest first."""
    query = sa.select(answers.c.answer_id).order_by(answers.c.sequence.desc()).limit(most)
    return list(connection.scalars(query))


def contacts_decided_before(connection: sa.Connection, moment: datetime) -> tuple[DecisionRow, ...]:
    """The same of all debtors who have not been erased, of decisions taken before a moment."""
    happened = sa.select(events.c.of_decision).where(events.c.of_decision.is_not(None))
    became = sa.union(sa.select(decision_steps.c.decision_id).where(decision_steps.c.step == CONFIRMED), happened)
    contact = decision_rows.c.decision_id.in_(became) & (decision_rows.c.channel != "none")
    before = contact & (decision_rows.c.decided_at < to_us(moment)) & subjects.c.ref.is_not(None)
    return tuple(row for _, row in _rows(connection, before))


def _rows(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[tuple[str | None, DecisionRow]]:
    """Rows with their batch, in the order written."""
    return [(batch_id, DecisionRow(*row)) for batch_id, row in rows_with_batch(connection, where)]


def _decided(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Decided | None:
    """What was written last of all that stands under a debtor and moment."""
    found = _rows(connection, where)
    if not found:
        return None
    rows = tuple(row for batch_id, row in found if batch_id == found[-1][0])
    leading = leading_row(rows)
    query = sa.select(answers.c.sealed, subjects.c.key).join_from(
        answers, subjects, subjects.c.ref == answers.c.debtor_ref, isouter=True
    )
    answer = connection.execute(query.where(answers.c.answer_id == leading.decision_id)).first()
    steps = _steps(connection, leading.decision_id)
    if answer is None:
        return Decided(rows, source=BATCH, steps=steps)
    asked, seen, alternatives = ({}, {}, []) if answer[1] is None else Key(answer[1]).open(answer[0], place=PLACE)
    return Decided(rows, ONLINE, asked, seen, alternatives, steps)


def _steps(connection: sa.Connection, decision_id: str) -> tuple[Step, ...]:
    """What was noted, oldest first, and last, if it has been reported, that it was sent: nothing undoes that."""
    noted = (
        sa.select(decision_steps.c.step, decision_steps.c.at, decision_steps.c.reason)
        .where(decision_steps.c.decision_id == decision_id)
        .order_by(decision_steps.c.sequence)
    )
    reported = (
        sa.select(events.c.received_at)
        .where(events.c.of_decision == decision_id, events.c.kind == SENT)
        .order_by(events.c.sequence)
        .limit(1)
    )
    steps = [Step(*row) for row in connection.execute(noted)]
    steps.extend(Step(SENT, at, None) for at in connection.scalars(reported) if at is not None)
    return tuple(steps)
