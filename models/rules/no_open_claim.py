"""No contact without a claim."""

from __future__ import annotations

import numpy as np

from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Debtors without any open claim."""
    without = np.ones((facts.situation.size, 1), dtype=bool)
    without[facts.situation.claims.debtor] = False
    return Barred(channels=without & facts.any_channel) if without.any() else NOTHING


RULE = Rule("no_open_claim", "stop", "A debtor without an open claim is not contacted.", bars)
