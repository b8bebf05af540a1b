"""No contact without a claim."""

from __future__ import annotations

import numpy as np

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Debtors without any open claim."""
    count = np.bincount(facts.situation.claims.debtor, minlength=facts.situation.size)
    return Barred(channels=(count == 0)[:, None] & facts.any_channel)


RULE = Rule("no_open_claim", "stop", "A debtor without an open claim is not contacted.", bars)
