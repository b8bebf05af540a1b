"""No contact while a payment may be on its way."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule
from models.rules.waits import bars_after


def bars(facts: Facts) -> Barred:
    """Slots before the wait after the last click on a link is over, unless something was paid since."""
    return bars_after(facts, after="click", since_us=facts.situation.clicked_us)


RULE = Rule(
    "payment_in_flight",
    "legal",
    "A debtor who has followed a link to pay, and of whom no payment has been booked since, is not contacted before the time is over that "
    "the country's rule pack allows for a payment to arrive.",
    bars,
)
