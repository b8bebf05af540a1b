"""No call, SMS or e-mail to a work place, a shared number or what may be a child's."""

from __future__ import annotations

from models.rules.rule import NOTHING, Barred, Facts, Rule

PRIVATE = 0
"""The first of `vocabulary.POINT_KINDS`; it may be used, and so may one of a kind not known (-1) but verified as the debtor's."""


def bars(facts: Facts) -> Barred:
    """Points for calls, SMS and e-mail of a kind other than private."""
    others = facts.situation.points.kind > PRIVATE
    return Barred(points=others & facts.points_of("phone", "sms", "email")) if others.any() else NOTHING


RULE = Rule(
    "point_not_private",
    "identity",
    "No call, SMS or e-mail goes to a work place, to a number or address shared with others, or to one that may be a child's; what one row "
    "says of an address holds for its earlier rows too.",
    bars,
)
