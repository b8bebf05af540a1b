"""No contact after a request to cease."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Every slot from the moment of the request on."""
    return Barred(from_us=facts.situation.cease_us)


RULE = Rule("cease_requested", "stop", "A debtor who has asked that all contact cease is never contacted again.", bars)
