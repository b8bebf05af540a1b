"""No contact over a claim that is already paid."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Open claims on which nothing is outstanding."""
    return Barred(claims=facts.situation.claims.outstanding_eur <= 0)


RULE = Rule(
    "nothing_owed",
    "legal",
    "A claim on which nothing is outstanding is not covered by any contact, closed or not.",
    bars,
)
