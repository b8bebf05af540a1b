"""No contact before the end of an agreed or ordered pause."""

from __future__ import annotations

import numpy as np

from data.times import NEVER
from models.rules.rule import NOTHING, Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Slots that begin before the pause ends; `NEVER` means that there is none."""
    until = facts.situation.stop_until_us
    paused = until != NEVER
    return Barred(before_us=np.where(paused, until, 0)) if paused.any() else NOTHING


RULE = Rule("stop_period", "stop", "No contact is made before the end of a pause that was granted to the debtor.", bars)
