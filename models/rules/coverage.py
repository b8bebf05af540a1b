"""Claims that a contact would cover: what the rules that count or wait by claim look at."""

from __future__ import annotations

import numpy as np

from data.action_grid import BoolArray
from models.rules.claim_on_hold import RULE as CLAIM_ON_HOLD
from models.rules.disputed_claim import RULE as DISPUTED_CLAIM
from models.rules.not_due import RULE as NOT_DUE
from models.rules.nothing_owed import RULE as NOTHING_OWED
from models.rules.plan_kept import RULE as PLAN_KEPT
from models.rules.promise_pending import RULE as PROMISE_PENDING
from models.rules.rule import Facts

HOLDING = (DISPUTED_CLAIM, CLAIM_ON_HOLD, PLAN_KEPT, PROMISE_PENDING, NOTHING_OWED, NOT_DUE)
"""Rules that take a claim out of every contact."""


def coverable(facts: Facts) -> BoolArray:
    """Open claims that no rule holds, shape (m,): a claim that is not written about does not bind the others."""
    if "coverable" not in facts.kept:
        facts.kept["coverable"] = _coverable(facts)
    return facts.kept["coverable"]


def _coverable(facts: Facts) -> BoolArray:
    held = np.zeros(len(facts.situation.claims.debtor), dtype=bool)
    for rule in HOLDING:
        claims = facts.barred_by(rule).claims
        if claims is not None:
            held |= claims
    return ~held
