"""No contact right after the debtor got in touch."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import bars_after


def bars(facts: Facts) -> Barred:
    """Slots before the wait after the debtor's last message or call is over."""
    return bars_after(facts, after="inbound", since_us=facts.situation.inbound_us)


RULE = Rule(
    "recent_inbound",
    "preference",
    "A debtor who has got in touch over any claim, open or closed, is not contacted before the time is over that the country's rule pack "
    "leaves for an answer.",
    bars,
)
