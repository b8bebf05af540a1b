"""No contact through a channel for which the country's pack has no hours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from models.rules.pack import Pack
from models.rules.rule import NOTHING, Barred, Facts, Rule, named_channels


def bars(facts: Facts) -> Barred:
    """Channels that the pack of the debtor's country does not name."""
    missing = _missing(facts.packs_here, facts.grid.channels)
    return Barred(channels=missing[facts.pack_of_debtor]) if missing.any() else NOTHING


@lru_cache(maxsize=1_024)
def _missing(packs: tuple[Pack, ...], channels: tuple[str, ...]) -> BoolArray:
    """Contact channels that each pack does not name, none behind them, shape (packs + 1, C)."""
    missing = np.zeros((len(packs) + 1, len(channels) - 1), dtype=bool)  # a country without a pack is another rule's
    for row, pack in enumerate(packs):
        missing[row] = ~named_channels(channels, tuple(pack.channels()))
    return missing


RULE = Rule(
    "channel_not_in_pack",
    "legal",
    "A channel for which the country's rule pack gives no hours is not used there.",
    bars,
)
