"""Decisions of the service whose horizon is over: what they promised can be held against what came."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import answers, decision_rows, decision_steps, events
from data.decision_words import CONFIRMED, SENT


def matured(connection: sa.Connection, *, since: datetime, until: datetime, most: int) -> list[str]:
    """Decisions taken from one moment to another that came about, the latest first, at most so many.

    A promise is one for the decision as it was taken: of a contact that was never confirmed nor sent nothing can be said.
    """
    taken = answers.c.decided_at.between(since, until)
    query = sa.select(answers.c.answer_id).where(taken, _came_about()).order_by(answers.c.sequence.desc()).limit(most)
    return list(connection.scalars(query))


def _came_about() -> sa.ColumnElement[bool]:
    """No contact was decided, or the contact was confirmed or reported as sent."""
    mine, rows, steps = answers.c.answer_id, decision_rows.c, decision_steps.c
    contact = sa.exists().where(rows.answer_id == mine, rows.channel != "none")
    confirmed = sa.exists().where(steps.decision_id == mine, steps.step == CONFIRMED)
    sent = sa.exists().where(events.c.of_decision == mine, events.c.kind == SENT)
    return ~contact | confirmed | sent
