"""What a better choice of channel would have brought over what was done: at least, and at best.

In each cell of segments the channel with the highest value is chosen on half of the debtors and valued on the other half,
and the other way round: whoever chooses among noisy figures picks lucky ones, and a figure that chose must not judge.
A channel is chosen only where the lower end of its value (95 %, one-sided) lies above what was done, where it had a fair chance, and where
enough speaks for it. Everyone else stays as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.times import IntArray
from features.columns import BoolArray, FloatArray
from training.logged.effect import Bound
from training.logged.folds import folds_by_unit
from training.logged.sensitivity import Arm, End, bound_per_row, mean_per_row
from training.ope.intervals import LEVEL, TooFewUnits, normal_interval
from training.ope.overlap import NoOverlap, require_support
from training.replay.arms import Arms, require_paid
from training.replay.nested import nested

AS_BEFORE = -1
HALVES = 2


@dataclass(frozen=True)
class Choice:
    """What was chosen in a cell, `AS_BEFORE` where both halves did not choose the same channel."""

    cell: tuple[str, ...]
    contacts: int
    debtors: int
    channel: int


@dataclass(frozen=True)
class Gain:
    """Range of gains a contact on one outcome, at each odds ratio."""

    what: str
    bounds: tuple[Bound, ...]

    def at(self, odds_ratio: float) -> Bound:
        """The bound at an odds ratio.

        Raises
        ------
        StopIteration
            There is none at that odds ratio.
        """
        return next(one for one in self.bounds if one.odds_ratio == odds_ratio)


@dataclass(frozen=True)
class Targeting:
    """Choices by cell, the share of contacts that would have gone through another channel, and the gains.

    `gains` are by outcome; `net` those of money less the change in the contacts' cost, by the same names.
    """

    choices: tuple[Choice, ...]
    moved: float
    gains: tuple[Gain, ...]
    net: tuple[Gain, ...]


@dataclass(frozen=True)
class Offer:
    """What targeting is worked out from: the arms of contacts, the cell of each, and EUR that a contact costs by channel."""

    arms: Arms
    cell: IntArray
    names: tuple[tuple[str, ...], ...]
    cost_eur: FloatArray
    least_chance: float


def targeting(
    offer: Offer,
    *,
    whats: tuple[str, ...],
    chosen_on: str,
    odds_ratios: tuple[float, ...],
    rng: np.random.Generator,
) -> Targeting:
    """The best supported channel of each cell, and what it would have brought.

    Parameters
    ----------
    whats
        Outcomes that gains are told on; those named `eur ...` also net.
    chosen_on
        Outcome in EUR that decides, net of the contact's cost.

    Raises
    ------
    TooFewUnits
        Fewer than two debtors.
    """
    half = folds_by_unit(offer.arms.unit, HALVES, rng=rng)
    best = np.stack([_best(offer, half != one, chosen_on) for one in range(HALVES)])
    channel = best[half, offer.cell]
    fair = (channel >= 0) & _fair(offer, channel)
    channel = np.where(fair, channel, AS_BEFORE)
    return Targeting(
        _choices(offer, best),
        float((fair & (channel != offer.arms.action)).mean()),
        tuple(_gain(offer, channel, one, odds_ratios, net=False) for one in whats),
        tuple(_gain(offer, channel, one, odds_ratios, net=True) for one in whats if one.startswith("eur")),
    )


def _fair(offer: Offer, channel: IntArray) -> BoolArray:
    """Whether each row's chosen channel had a fair chance in it, shape (n,)."""
    chance = offer.arms.chance[np.arange(len(channel)), np.maximum(channel, 0)]
    return np.asarray(chance >= offer.least_chance)


def _best(offer: Offer, rows: BoolArray, what: str) -> IntArray:
    """Channel chosen for each cell on some rows, shape (cells,)."""
    found = np.full(len(offer.names), AS_BEFORE, dtype=np.int64)
    for cell in np.unique(offer.cell[rows]).tolist():
        here = rows & (offer.cell == cell)
        values = {
            channel: _surely(offer, here, channel, what)
            for channel in np.unique(offer.arms.action[here]).tolist()
            if channel > 0
        }
        best = max(values, key=lambda one: values[one], default=AS_BEFORE)
        if best != AS_BEFORE and values[best] > 0:
            found[cell] = best
    return found


def _surely(offer: Offer, here: BoolArray, channel: int, what: str) -> float:
    """Lower end of net EUR a contact over what was done; minus infinity where too little speaks for it."""
    rows = np.flatnonzero(here & offer.arms.fair(channel, least=offer.least_chance))
    if not len(rows):
        return -np.inf
    arm = offer.arms.arm(channel, what=what, rows=rows)
    unit = np.unique(offer.arms.unit[rows], return_inverse=True)[1].astype(np.int64)
    try:
        require_support(arm.taken / arm.chance, arm.outcome)
        require_paid(arm.outcome[arm.taken])
        saved = offer.cost_eur[offer.arms.action[rows]] - offer.cost_eur[channel]
        scale = offer.arms.expected[what].scale
        found = normal_interval(scale * (mean_per_row(arm) - arm.outcome) + saved, unit, level=0.90)
    except (NoOverlap, TooFewUnits):
        return -np.inf
    return found.low


def _choices(offer: Offer, best: IntArray) -> tuple[Choice, ...]:
    found = []
    for cell, name in enumerate(offer.names):
        here = offer.cell == cell
        same = bool((best[:, cell] == best[0, cell]).all())
        if here.any():
            channel = int(best[0, cell]) if same else AS_BEFORE
            found.append(Choice(name, int(here.sum()), len(np.unique(offer.arms.unit[here])), channel))
    return tuple(found)


def _gain(offer: Offer, channel: IntArray, what: str, odds_ratios: tuple[float, ...], *, net: bool) -> Gain:
    expected, rows = offer.arms.expected[what], np.arange(len(channel))
    place = np.maximum(channel, 0)
    moved = channel >= 0
    arm = Arm(
        offer.arms.action == channel,
        np.where(moved, offer.arms.chance[rows, place], 1.0),
        expected.outcome,
        np.where(moved, np.nan_to_num(expected.under[rows, place]), 0.0),
    )
    saved = np.where(moved, offer.cost_eur[offer.arms.action] - offer.cost_eur[place], 0.0) if net else 0.0
    bounds = tuple(_bound(arm, offer.arms.unit, moved, expected.scale, saved, one) for one in odds_ratios)
    return Gain(what, nested(bounds))


def _bound(
    arm: Arm, unit: IntArray, moved: BoolArray, scale: float, saved: FloatArray | float, odds_ratio: float
) -> Bound:
    numbers = np.unique(unit, return_inverse=True)[1].astype(np.int64)
    ends: tuple[End, End] = ("low", "high")
    low, high = (
        normal_interval(
            np.where(moved, scale * (bound_per_row(arm, odds_ratio=odds_ratio, end=end) - arm.outcome), 0.0) + saved,
            numbers,
            level=LEVEL,
        )
        for end in ends
    )
    return Bound(odds_ratio, low.low, low.value, high.value, high.high)


def scaled(bound: Bound, factor: float) -> Bound:
    """The same for `factor` times as many.

    >>> scaled(Bound(1.2, -1.0, 0.0, 1.0, 2.0), 1000).high
    2000.0
    """
    return replace(
        bound, low=factor * bound.low, least=factor * bound.least, most=factor * bound.most, high=factor * bound.high
    )
