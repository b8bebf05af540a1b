"""What contact rules bar: how many decisions each rule shut a channel in, from the reasons that the log holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from data.times import IntArray
from models.rules.mask import RULES
from training.reports.facts import Facts

BoolArray = npt.NDArray[np.bool_]

TIERS = {rule.name: rule.tier for rule in RULES}
OWN = "policy"
"""Tier of the tenant's own rules; all others protect the debtor, and have no price."""


class Barring(NamedTuple):
    """What one rule barred: channels shut, decisions and debtors concerned, and those of them with no channel left."""

    rule: str
    tier: str
    channels: int
    decisions: int
    debtors: int
    all_shut: int
    debtors_all_shut: int


@dataclass(frozen=True)
class Barred:
    """All decisions that stand, those with no channel left, and what each rule barred, most decisions first."""

    decisions: int
    none_left: int
    debtors_none_left: int
    rules: tuple[Barring, ...]


def barred(facts: Facts) -> Barred:
    """What rules barred in the decisions that stand, one row of the log a decision.

    The first rule that took the last slot of a channel is the reason given; a later rule that would have shut it too is not
    counted.
    """
    rows = facts.evidence.rows
    standing = np.flatnonzero(rows.standing)
    one = standing[np.unique(rows.decision[standing], return_index=True)[1]]
    pairs = facts.decisions["blocked"].combine_chunks().take(one)
    where = pc.list_parent_indices(pairs).to_numpy()
    rule = np.array(pc.struct_field(pc.list_flatten(pairs), "rule").to_pylist(), dtype=np.object_)
    shut = pc.list_value_length(pairs).to_numpy() >= len(facts.config.grid.channels) - 1
    shut &= rows.channel[one] == 0
    found: defaultdict[str, list[int]] = defaultdict(list)
    for name, place in zip(rule.tolist(), where.tolist(), strict=True):
        found[name].append(place)
    rules = [_barring(name, np.array(places), rows.debtor[one], shut) for name, places in found.items()]
    ordered = sorted(rules, key=lambda each: (-each.decisions, each.rule))
    return Barred(len(one), int(shut.sum()), len(np.unique(rows.debtor[one][shut])), tuple(ordered))


def _barring(name: str, places: IntArray, debtor: IntArray, shut: BoolArray) -> Barring:
    decisions = np.unique(places)
    return Barring(
        rule=name,
        tier=TIERS.get(name, ""),
        channels=len(places),
        decisions=len(decisions),
        debtors=len(np.unique(debtor[decisions])),
        all_shut=int(shut[decisions].sum()),
        debtors_all_shut=len(np.unique(debtor[decisions[shut[decisions]]])),
    )
