"""What else could be done: every other allowed channel of each debtor at its best slot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from data.times import IntArray, from_us
from models.arms import CHALLENGER
from models.decide import Decided, Scored
from models.grid import DIGITS

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Alternative:
    """An allowed channel at its best slot; money in EUR, `send_at` aware UTC."""

    channel: str
    send_at: datetime
    payment_probability: float
    expected_value: float


def alternatives_of_all(decided: Decided) -> list[tuple[Alternative, ...]]:
    """Every other allowed channel of each debtor at its best slot, best first, by the model of its arm; `none` is not listed.

    `payment_probability` is the chance that something is paid on any claim that the contact would cover.
    """
    grid, slots, chosen = decided.prepared.grid, decided.slots, decided.choice.action
    value_eur = _value_eur(decided)
    best = _best_slots(decided, value_eur)
    any_paid = _any_paid(decided, best)
    other = (best > 0) & (np.arange(1, len(grid.channels)) != grid.channel[chosen][:, None])
    row, place = np.nonzero(other)
    action = best[row, place]
    send_us = slots.send_us[slots.of_debtor[row], action]
    start = {instant: from_us(instant) for instant in set(send_us.tolist())}
    told = zip(
        row.tolist(), place.tolist(), send_us.tolist(), any_paid[row, place].tolist(), value_eur[row, action].tolist(),
        strict=True,
    )  # fmt: skip
    found: list[list[Alternative]] = [[] for _ in chosen]
    for debtor, channel, start_us, chance, worth_eur in told:
        found[debtor].append(Alternative(grid.channels[1 + channel], start[start_us], chance, worth_eur))
    return [tuple(sorted(some, key=lambda one: -one.expected_value)) for some in found]


def _value_eur(decided: Decided) -> FloatArray:
    """Value of every action by the model of each debtor's arm, shape (n, A)."""
    mine, challenger = decided.scored.value_eur, decided.challenger
    if challenger is None:
        return mine
    return np.where((decided.choice.arm == CHALLENGER)[:, None], challenger.scored.value_eur, mine)


def _best_slots(decided: Decided, value_eur: FloatArray) -> IntArray:
    """Best allowed action of each contact channel, the first of equal ones, 0 where none is allowed, shape (n, C)."""
    grid, size = decided.prepared.grid, len(value_eur)
    ranked = np.where(decided.prepared.allowed[:, 1:], np.round(value_eur[:, 1:], DIGITS), -np.inf)
    ranked = ranked.reshape(size, len(grid.channels) - 1, grid.slots)
    slot = ranked.argmax(axis=2)
    known = np.isfinite(ranked.max(axis=2))
    return np.where(known, 1 + np.arange(len(grid.channels) - 1) * grid.slots + slot, 0)


def _any_paid(decided: Decided, action: IntArray) -> FloatArray:
    """Chance that any covered claim of each debtor is paid on under each of some actions, both of shape (n, C)."""
    prepared = decided.prepared
    claim = np.flatnonzero(prepared.covered)
    paid, debtor = np.zeros(action.shape), prepared.targets.moment[claim]
    if len(claim):
        chance = decided.said(Scored.chance, action[debtor], claim=claim)
        first = np.flatnonzero(np.diff(debtor, prepend=-1))
        paid[debtor[first]] = 1.0 - np.multiply.reduceat(1.0 - chance, first, axis=0)
    return paid
