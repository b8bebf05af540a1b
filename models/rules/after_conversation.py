"""No call too soon after a conversation."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import bars_after


def bars(facts: Facts) -> Barred:
    """Slots before the wait after the debtor's last conversation is over."""
    return bars_after(facts, after="conversation", since_us=facts.situation.talked_us)


RULE = Rule(
    "after_conversation",
    "legal",
    "After a conversation with the debtor, over whatever claim, or a promise made in a call, a channel is not used again before the time is over that the country's "
    "rule pack sets for it.",
    bars,
)
