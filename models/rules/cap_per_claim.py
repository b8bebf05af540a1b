"""No contact more than the country's caps allow for one claim."""

from __future__ import annotations

import numpy as np

from models.rules.caps import Counted, at_cap, sets_caps, shut
from models.rules.coverage import coverable
from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Slots on dates on which some claim that a contact would cover has reached a cap."""
    made, claims = facts.situation.made, facts.situation.claims
    if not sets_caps(facts, "claim"):
        return NOTHING
    covered = coverable(facts)
    mine = covered[made.link_claim]
    concerned = np.bincount(claims.debtor[covered], minlength=facts.situation.size) > 0
    counted = Counted(made.link_contact[mine], made.link_claim[mine], claims.debtor)
    return Barred(channels=shut(facts, "claim", concerned=concerned), own=at_cap(facts, "claim", counted=counted))


RULE = Rule(
    "cap_per_claim",
    "legal",
    "A cap that the country's rule pack sets by claim is counted for each claim as a cap by debtor is for a debtor; as long as one of the "
    "claims that a contact would cover has reached it, the debtor is not contacted through the channels of that cap.",
    bars,
)
