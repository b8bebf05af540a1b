"""No contact too soon after the last one."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import bars_after


def bars(facts: Facts) -> Barred:
    """Slots before the gap after the last contact is over; one planned for a day to come is the last."""
    return bars_after(facts, after="contact", since_us=facts.situation.last_sent_us)


RULE = Rule(
    "minimum_gap",
    "legal",
    "Between two contacts with a debtor, whatever claims and channels they concern and letters that the law prescribes included, lies at "
    "least the time that the country's rule pack sets; a contact that is planned but not yet sent counts, and nothing is sent before it.",
    bars,
)
