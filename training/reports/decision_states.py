"""What became of decisions: confirmed, sent, refused and why, replaced, not yet judged; one entry per decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from data.decision_words import CONFIRMED, DECIDED, REFUSED, REPLACED, SENT
from data.times import DAY_US
from training.reports.facts import Facts

STATES = (DECIDED, CONFIRMED, SENT, REFUSED, REPLACED)


@dataclass(frozen=True)
class States:
    """Counts of decisions.

    Attributes
    ----------
    contacts
        Decisions to make contact by what became of them; `none` needs no leave to be sent.
    refused_for
        Refused ones by the reason last given, most first.
    waiting
        Decisions whose horizon is not over.
    displaced
        Those that gave way to a limit after their draw, and have no probability.
    """

    decisions: int
    contacts: dict[str, int]
    refused_for: dict[str, int]
    waiting: int
    displaced: int


def decision_states(facts: Facts) -> States:
    """Counts of the decisions of the log."""
    rows, table = facts.evidence.rows, facts.decisions
    one = np.unique(rows.decision, return_index=True)[1]
    made = table.take(one)
    status = made["status"].to_pylist() if "status" in made.column_names else [DECIDED] * made.num_rows
    reasons = made["refused_for"].to_pylist() if "refused_for" in made.column_names else [None] * made.num_rows
    contact = rows.channel[one] > 0
    found = Counter(state for state, is_contact in zip(status, contact.tolist(), strict=True) if is_contact)
    refused = Counter(why or "" for state, why in zip(status, reasons, strict=True) if state == REFUSED)
    horizon_us = facts.config.horizon.days * DAY_US
    return States(
        decisions=made.num_rows,
        contacts={state: found.get(state, 0) for state in STATES},
        refused_for=dict(refused.most_common()),
        waiting=int((rows.decided_us[one] + horizon_us > facts.known_until_us).sum()),
        displaced=int(made["action_probability"].null_count),
    )
