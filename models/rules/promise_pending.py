"""No dunning before the day on which the debtor promised to pay."""

from __future__ import annotations

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Claims with a promise that is not yet due at `as_of`."""
    claims = facts.situation.claims
    return Barred(claims=claims.promised_until_us > facts.situation.as_of_us[claims.debtor])


RULE = Rule(
    "promise_pending",
    "legal",
    "A claim that the debtor has promised to pay is not covered by any contact before the promise is due; a promise "
    "without a date is taken to be due after 14 days.",
    bars,
)
