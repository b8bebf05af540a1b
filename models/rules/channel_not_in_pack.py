"""No contact through a channel for which the country's pack has no hours."""

from __future__ import annotations

import numpy as np

from models.rules.rule import Barred, Facts, Rule


def bars(facts: Facts) -> Barred:
    """Channels that the pack of the debtor's country does not name."""
    channels = facts.grid.channels[1:]
    named = [
        facts.packs[place.country].channels() if place.country in facts.packs else channels
        for place in facts.situation.places
    ]
    missing = np.array([[channel not in names for channel in channels] for names in named], dtype=bool)
    return Barred(channels=missing.reshape(-1, len(channels))[facts.situation.place])


RULE = Rule(
    "channel_not_in_pack",
    "legal",
    "A channel for which the country's rule pack gives no hours is not used there.",
    bars,
)
