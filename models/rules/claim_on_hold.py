"""No contact over a claim on hold."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Claims with a hold that was not lifted."""
    return Barred(claims=facts.situation.claims.held)


RULE = Rule("claim_on_hold", "legal", "A claim on hold is not covered by any contact until the hold is lifted.", bars)
