"""Contact points as they stand when facts are known: how many debtors of the log can be reached through each channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from data.outcomes import instants_us
from data.vocabulary import CONTACT_CHANNELS
from training.reports.facts import Facts

PRIVATE, WITHDRAWN = "private", "withdrawn"


class Reach(NamedTuple):
    """Debtors with a valid point in a channel, those with a verified, consented, private one, and all debtors of the log."""

    channel: str
    any: int
    verified: int
    consented: int
    private: int
    debtors: int


def reach(facts: Facts) -> list[Reach]:
    """Reach of each channel of the contract that has points of debtors of the log."""
    table, log_id = facts.portfolio["contact_points"], facts.evidence.rows.debtor_id
    met = np.unique(facts.evidence.rows.debtor)
    debtor = pc.fill_null(pc.index_in(table["debtor_id"], value_set=log_id), -1).to_numpy(zero_copy_only=False)
    until_us = facts.known_until_us
    valid = (instants_us(table["valid_from"]) <= until_us) & (instants_us(table["valid_to"]) > until_us)
    ours = valid & np.isin(debtor, met)
    channel = np.array(table["channel"].to_pylist(), dtype=np.object_)
    sides = {
        "any": np.ones(len(debtor), dtype=bool),
        "verified": table["verified"].to_numpy(),
        "consented": np.array(table["consent"].to_pylist(), dtype=np.object_) != WITHDRAWN,
        "private": np.array(table["kind"].to_pylist(), dtype=np.object_) == PRIVATE,
    }
    found = []
    for name in CONTACT_CHANNELS:
        here = ours & (channel == name)
        counts = {side: len(np.unique(debtor[here & holds])) for side, holds in sides.items()}
        found.append(Reach(channel=name, debtors=len(met), **counts))
    return [one for one in found if one.any]
