"""Decisions of the service whose horizon is over: what they promised can be held against what came."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from data.decision_log_tables import answers


def matured(connection: sa.Connection, *, since: datetime, until: datetime, most: int) -> list[str]:
    """Decisions taken from one moment to another, the latest first, at most so many."""
    taken = answers.c.decided_at.between(since, until)
    query = sa.select(answers.c.answer_id).where(taken).order_by(answers.c.sequence.desc()).limit(most)
    return list(connection.scalars(query))
