"""No contact in a country whose rules nobody has written down."""

from __future__ import annotations

import numpy as np

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Every channel of debtors in a country without a rule pack."""
    unknown = np.array([place.country not in facts.packs for place in facts.situation.places], dtype=bool)
    return Barred(channels=unknown[facts.situation.place][:, None] & facts.any_channel)


RULE = Rule("unknown_country", "legal", "A debtor in a country without a rule pack is not contacted.", bars)
