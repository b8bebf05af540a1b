"""No call, SMS or e-mail to a work place, a shared number or what may be a child's."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule

PRIVATE_OR_UNKNOWN = (-1, 0)
"""Kinds that may be used: not known (but verified as the debtor's), and `vocabulary.POINT_KINDS[0]`, private."""


def bars(facts: Facts) -> Barred:
    """Points for calls, SMS and e-mail of a kind other than private."""
    kind = facts.situation.points.kind
    others = (kind != PRIVATE_OR_UNKNOWN[0]) & (kind != PRIVATE_OR_UNKNOWN[1])
    return Barred(points=others & facts.points_of("phone", "sms", "email")) if others.any() else Barred()


RULE = Rule(
    "point_not_private",
    "identity",
    "No call, SMS or e-mail goes to a work place, to a number or address shared with others, or to one that may be a child's; what one row "
    "says of an address holds for its earlier rows too.",
    bars,
)
