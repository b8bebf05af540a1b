"""No contact at a time that has passed."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Slots that began before `as_of`."""
    return Barred(before_us=facts.situation.as_of_us)


RULE = Rule("slot_past", "stop", "No contact is set for a time that has already begun.", bars)
