"""No reminder of a claim that is not due yet, save to those who use to pay late."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule

LEAST_PAID = 2
"""Claims that must have been paid before anybody counts as a late payer: one is no habit."""

LATE_IN = 2
"""One in so many of them at least must have been paid after its due date."""

AHEAD_DAYS = 10
"""Days before the due date from which on a late payer is reminded."""


def bars(facts: Facts) -> Barred:
    """Claims due on the local date of `as_of` or later, unless soon and owed by a habitual late payer."""
    situation, claims = facts.situation, facts.situation.claims
    left_days = claims.due_day - facts.local_day[claims.debtor]
    habitual = (situation.paid_claims >= LEAST_PAID) & (LATE_IN * situation.paid_late >= situation.paid_claims)
    reminded = habitual[claims.debtor] & (left_days <= AHEAD_DAYS)
    return Barred(claims=(left_days >= 0) & ~reminded)


RULE = Rule(
    "not_due",
    "policy",
    "A claim is not covered by any contact until the day after its due date; a debtor who has paid at least two claims before, and at least "
    "half of them late, may be reminded from ten days before the due date on.",
    bars,
)
