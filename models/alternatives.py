"""What else could be done: every other allowed channel of each debtor at its best slot."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np

from data.times import from_us
from models._alternative_kernels import other_channels
from models.arms import CHALLENGER
from models.decide import Decided
from models.grid import SCALE


class Alternative(NamedTuple):
    """An allowed channel at its best slot; money in EUR, `send_at` aware UTC; a tuple, because many are made at a time."""

    channel: str
    send_at: datetime
    payment_probability: float
    expected_value: float


def alternatives_of_all(decided: Decided) -> list[tuple[Alternative, ...]]:
    """Every other allowed channel of each debtor at its best slot, best first, by the model of its arm; `none` is not listed.

    `payment_probability` is the chance that something is paid on any claim that the contact would cover.
    """
    prepared, theirs, slots = decided.prepared, decided.choice.arm == CHALLENGER, decided.slots
    mine, other = decided.scored, decided.scored if decided.challenger is None else decided.challenger.scored
    channels, chosen = prepared.grid.channels[1:], prepared.grid.channel[decided.choice.action] - 1
    best = np.empty((len(theirs), len(channels)), dtype=np.int64)
    paid, value_eur = np.empty(best.shape), np.empty(best.shape)
    row, place = other_channels(
        prepared.targets.moment, prepared.covered, theirs, mine.probability, other.probability, mine.value_eur,
        other.value_eur, prepared.allowed, chosen, SCALE, best, paid, value_eur,
    ).T  # fmt: skip
    send_us = slots.send_us[slots.of_debtor[row], best[row, place]].tolist()
    start = {instant: from_us(instant) for instant in set(send_us)}
    columns = place.tolist(), send_us, paid[row, place].tolist(), value_eur[row, place].tolist()
    found: list[list[Alternative]] = [[] for _ in range(len(theirs))]
    for debtor, channel, start_us, chance, worth_eur in zip(row.tolist(), *columns, strict=True):
        found[debtor].append(Alternative(channels[channel], start[start_us], chance, worth_eur))
    return list(map(tuple, found))
