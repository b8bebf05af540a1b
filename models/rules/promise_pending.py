"""No dunning before the day is over on which the debtor promised to pay."""

from __future__ import annotations

import numpy as np

from data.times import DAY_US
from models.rules.rule import NOTHING, Barred, Facts, Rule
from models.rules.zones import Candidates


def bars(facts: Facts) -> Barred:
    """Claims with a promise whose day is not over at `as_of` in the last zone where the debtor may live."""
    claims = facts.situation.claims
    as_of_us = facts.situation.as_of_us[claims.debtor]
    rows = np.flatnonzero(claims.promised_until_us > as_of_us - DAY_US)  # no clock is a day behind UTC
    if not len(rows):
        return NOTHING
    pending, zones = np.zeros(len(claims.debtor), dtype=bool), Candidates.of(facts, claims.debtor[rows])
    morrow = -(-claims.promised_until_us[rows] // DAY_US)
    pending[rows] = zones.begins(morrow[zones.row]) > as_of_us[rows]
    return Barred(claims=pending)


RULE = Rule(
    "promise_pending",
    "legal",
    "Once a debtor has promised to pay, none of its claims is covered by any contact before the day of the promise is over where the debtor "
    "lives; a promise without a date is taken to be due after 14 days.",
    bars,
)
