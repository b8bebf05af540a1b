"""What became of decisions: confirmed, sent, refused and why, replaced, not yet judged; one entry per decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from data.decision_words import CONFIRMED, DECIDED, REFUSED, REPLACED, SENT
from data.times import DAY_US, IntArray
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
    contacted, refused, behind
        Debtors, without repeats, behind the counts of `contacts` and of `refused_for`, and behind `waiting` and `displaced`.
    """

    decisions: int
    contacts: dict[str, int]
    refused_for: dict[str, int]
    waiting: int
    displaced: int
    contacted: dict[str, IntArray]
    refused: dict[str, IntArray]
    behind: dict[str, IntArray]


def decision_states(facts: Facts) -> States:
    """Counts of the decisions of the log."""
    rows, table = facts.evidence.rows, facts.decisions
    one = np.unique(rows.decision, return_index=True)[1]
    made = table.take(one)
    status = made["status"].to_pylist() if "status" in made.column_names else [DECIDED] * made.num_rows
    reasons = made["refused_for"].to_pylist() if "refused_for" in made.column_names else [None] * made.num_rows
    contact, debtor = rows.channel[one] > 0, rows.debtor[one]
    became = np.array(
        [state if ours else "" for state, ours in zip(status, contact.tolist(), strict=True)], dtype=object
    )
    why = np.array(
        [one or "" if state == REFUSED else None for state, one in zip(status, reasons, strict=True)], dtype=object
    )
    refused = Counter(one for one in why.tolist() if one is not None)
    waits = rows.decided_us[one] + facts.config.horizon.days * DAY_US > facts.known_until_us
    displaced = made["action_probability"].is_null().to_numpy()
    return States(
        decisions=made.num_rows,
        contacts={state: int((became == state).sum()) for state in STATES},
        refused_for=dict(refused.most_common()),
        waiting=int(waits.sum()),
        displaced=int(displaced.sum()),
        contacted={state: np.unique(debtor[became == state]) for state in STATES},
        refused={name: np.unique(debtor[why == name]) for name, _ in refused.most_common()},
        behind={"waiting": np.unique(debtor[waits]), "displaced": np.unique(debtor[displaced])},
    )
