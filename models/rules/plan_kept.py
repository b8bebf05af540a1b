"""No dunning while an instalment plan is kept."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Claims on a plan that is not broken."""
    return Barred(claims=facts.situation.claims.on_plan)


RULE = Rule(
    "plan_kept",
    "legal",
    "A claim under an instalment plan is not covered by any contact as long as the plan is kept.",
    bars,
)
