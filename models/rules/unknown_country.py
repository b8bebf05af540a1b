"""No contact in a country whose rules nobody has written down."""

from __future__ import annotations

from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Every channel of debtors in a country without a rule pack."""
    unknown = facts.pack_of_debtor < 0
    return Barred(channels=unknown[:, None] & facts.any_channel) if unknown.any() else NOTHING


RULE = Rule("unknown_country", "legal", "A debtor in a country without a rule pack is not contacted.", bars)
