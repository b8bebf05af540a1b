"""No contact at an address for which the debtor has withdrawn consent."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Points whose consent is withdrawn, by their own row or by another of the same address."""
    return Barred(points=facts.situation.points.withdrawn)


RULE = Rule(
    "consent_withdrawn",
    "preference",
    "An address for which the debtor has withdrawn consent is not used, whichever earlier row gave it, until a later row says `given`.",
    bars,
)
