"""No call and no electronic message to an address whose owner is not confirmed."""

from __future__ import annotations

from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Points not verified, letters apart: a closed envelope with a name on it discloses nothing."""
    unverified = ~facts.situation.points.verified
    return Barred(points=unverified & ~facts.points_of("letter")) if unverified.any() else NOTHING


RULE = Rule(
    "unverified_point",
    "identity",
    "No call and no electronic message goes to an address until it is confirmed that it is the debtor's, nor once a later row of it is "
    "unconfirmed; letters may be sent.",
    bars,
)
