"""No automated contact over a claim that the debtor disputes."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Claims with an open dispute."""
    return Barred(claims=facts.situation.claims.disputed)


RULE = Rule(
    "disputed_claim",
    "legal",
    "A claim that the debtor disputes is not covered by any contact until the dispute is closed.",
    bars,
)
