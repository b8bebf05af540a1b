"""No contact through a channel for which the country's pack has no hours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from models.rules.pack import Pack
from models.rules.rule import Barred, Facts, Rule, named_channels


def bars(facts: Facts) -> Barred:
    """Channels that the pack of the debtor's country does not name."""
    without = np.zeros((1, len(facts.grid.channels) - 1), dtype=bool)  # a country without a pack is another rule's
    missing = np.concatenate([*(_missing(pack, facts.grid.channels) for pack in facts.packs_here), without])
    return Barred(channels=missing[facts.pack_of_debtor])


@lru_cache(maxsize=1_024)
def _missing(pack: Pack, channels: tuple[str, ...]) -> BoolArray:
    """Contact channels that a pack does not name, shape (1, C)."""
    return ~named_channels(channels, tuple(pack.channels()))[None]


RULE = Rule(
    "channel_not_in_pack",
    "legal",
    "A channel for which the country's rule pack gives no hours is not used there.",
    bars,
)
