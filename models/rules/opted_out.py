"""No contact through a channel that the debtor has opted out of."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Channels with an opt-out."""
    return Barred(channels=facts.situation.opted_out[:, 1:])


RULE = Rule("opted_out", "preference", "A channel that the debtor has opted out of is not used.", bars)
