"""No call over a claim of which the debtor has not been told in writing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.action_grid import BoolArray
from models._wait_kernels import put_off_unwritten
from models.rules.coverage import coverable
from models.rules.pack import Pack
from models.rules.rule import NOTHING, Barred, Facts, Rule, named_channels
from models.rules.waits import no_wait

MOMENT_US = 1
"""A slot may begin after a text was sent, not with it."""


def bars(facts: Facts) -> Barred:
    """Slots before every claim that a contact would cover has been written about: a pack's form, or a letter of the law's."""
    forms, channels = _asked(facts.packs_here, facts.grid.channels)
    if not channels.any():
        return NOTHING
    claims, until_us = facts.situation.claims, no_wait(facts)
    some = put_off_unwritten(
        until_us, coverable(facts), claims.debtor, claims.first_sent_us, claims.first_statutory_us, facts.pack_of_debtor,
        forms, channels, MOMENT_US,
    )  # fmt: skip
    return Barred(until_us=until_us) if some else NOTHING


@lru_cache(maxsize=1_024)
def _asked(packs: tuple[Pack, ...], channels: tuple[str, ...]) -> tuple[BoolArray, BoolArray]:
    """Channels that count as writing, shape (packs + 1, 1 + C), and those that wait for it, shape (packs + 1, C); the last are no pack's."""
    forms = np.zeros((len(packs) + 1, len(channels)), dtype=bool)
    waiting = np.zeros((len(packs) + 1, len(channels) - 1), dtype=bool)
    for row, pack in enumerate(packs):
        if pack.in_writing is not None:
            forms[row, 1:] = named_channels(channels, pack.in_writing.by)
            waiting[row] = named_channels(channels, pack.in_writing.channels)
    return forms, waiting


RULE = Rule(
    "first_in_writing",
    "legal",
    "Channels for which the country's rule pack asks for it are used only once every claim that the contact would cover has been "
    "written about in a form that the pack names or in a letter that the law prescribes; what is known to have bounced does not count.",
    bars,
)
