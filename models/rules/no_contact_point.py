"""No contact through a channel in which the debtor has no address."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Points outside their period; without any points handed over, every channel but letters.

    A point that ends during the coming days bars the slots from its end on: the mask sees to that for every rule
    that bars points, since a channel is open only as long as one of its points is left.
    """
    situation = facts.situation
    if not situation.points.known:
        return Barred(channels=facts.every_debtor & ~facts.channels_named("letter"))
    as_of_us = situation.as_of_us[situation.points.debtor]
    return Barred(points=(situation.points.valid_from_us > as_of_us) | (situation.points.valid_to_us <= as_of_us))


RULE = Rule(
    "no_contact_point",
    "identity",
    "A channel is used only if the debtor has an address in it that is valid at the time of sending; where no addresses are known at all, "
    "only letters are left.",
    bars,
)
