"""Reasons of many debtors at once: every pair of rules in two channels is an answer of its own."""

from __future__ import annotations

import numpy as np

from data.action_grid import ActionGrid, slots
from data.calendar import place_of
from models.rules.mask import RULES, Mask

GRID = ActionGrid(("none", "sms", "email"), days=1, hours=(9,))


def mask_of(rules: list[tuple[int, int]]) -> Mask:
    """A mask of two channels that these rules took, -1 where a slot is left."""
    nobody = np.zeros(0, dtype=np.int64)
    when = slots(GRID, places=(place_of("SE", None, None),), place=nobody, as_of_us=nobody)
    rows, none = np.array(rules, dtype=np.int16), np.zeros(0, dtype=bool)
    allowed = np.concatenate([np.ones((len(rows), 1), dtype=bool), rows < 0], axis=1)
    return Mask(allowed, none, when, GRID.channels, rows, np.zeros(0, dtype=np.int16))


def test_no_two_debtors_with_other_reasons_are_told_the_same() -> None:
    pairs = [(one, other) for one in range(-1, len(RULES)) for other in range(-1, len(RULES))]
    mask = mask_of(pairs)
    distinct, which = mask.blocked_of_all()
    assert len(distinct) == len(pairs)
    assert [distinct[place] for place in which.tolist()] == [mask.blocked(row) for row in range(len(pairs))]
