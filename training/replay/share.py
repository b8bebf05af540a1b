"""The debtors an old log is looked at through: all where they are few, else a share drawn by a key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.columns import BoolArray
from features.tables import Histories
from models.hashing import keyed_uniform
from training.replay.made import Made


@dataclass(frozen=True)
class Bounds:
    """How much is looked at: contacts and debtors, at most; what was done is counted over all."""

    contacts: int = 80_000
    debtors: int = 20_000


def looked_at(made: Made, histories: Histories, *, bounds: Bounds, seed: int) -> BoolArray:
    """Whether a debtor is among those looked at, by row in the histories, shape (debtors,).

    A debtor comes with all contacts, or not at all; who is drawn depends on identifier and seed alone.
    """
    share = min(1.0, bounds.contacts / len(made), bounds.debtors / max(histories.size, 1))
    if share >= 1.0:
        return np.ones(histories.size, dtype=np.bool_)
    chosen: BoolArray = keyed_uniform(histories.debtor_id, key=f"{seed}/replay") < share
    return chosen
