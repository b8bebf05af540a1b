"""No contact more than the country's caps allow for one debtor."""

from __future__ import annotations

import numpy as np

from models.rules.caps import Counted, at_cap, sets_caps, shut
from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Slots on dates on which a cap on the debtor is reached."""
    made = facts.situation.made
    if not sets_caps(facts, "debtor"):
        return NOTHING
    everybody = np.ones(facts.situation.size, dtype=bool)
    counted = Counted(np.arange(len(made.debtor)), made.debtor, np.arange(facts.situation.size))
    return Barred(channels=shut(facts, "debtor", concerned=everybody), own=at_cap(facts, "debtor", counted=counted))


RULE = Rule(
    "cap_per_debtor",
    "legal",
    "In any run of local days for which the country's rule pack sets a cap, a debtor gets at most so many contacts through the channels "
    "of that cap, counted over all claims and all senders of the tenant, attempts that failed and contacts planned for days to come included, "
    "letters that the law prescribes left out; where the time zone is not certain, the highest count holds.",
    bars,
)
