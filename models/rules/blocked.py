"""No contact with the dead, the insolvent and the protected."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Every slot from the moment of the block on."""
    return Barred(from_us=facts.situation.blocked_us)


RULE = Rule("blocked", "stop", "A debtor who has died, is insolvent or is protected is never contacted again.", bars)
