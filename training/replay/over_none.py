"""What contact brings over no contact, as far as a log without decisions for none can bound it. Nothing here was randomised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.columns import BoolArray
from training.logged.effect import Bound, Effect, EffectSettings, Pair
from training.logged.sensitivity import Arm
from training.ope.intervals import TooFewUnits, normal_interval
from training.ope.overlap import NoOverlap
from training.replay.arms import Arms, compared
from training.replay.between import together
from training.replay.nested import nested

ODDS_RATIOS = (1.0, 1.2, 1.5, 2.0)
"""How far something unrecorded may move the odds of a contact, for which bounds are told."""
STATED = 1.2
"""The one a claim has to stand up to."""


@dataclass(frozen=True)
class OverNone:
    """One channel over no contact on one outcome.

    Parameters
    ----------
    bounds
        At `ODDS_RATIOS`, then, for shares, with nothing assumed (`odds_ratio` infinite); a single figure without its odds ratio does not exist.
    refusal
        Why there are none.
    drawn
        The log's own decisions were drawn: `effect.value` is then an answer, and no bound is needed.
    """

    channel: int
    what: str
    bounds: tuple[Bound, ...]
    effect: Effect | None
    refusal: str
    drawn: bool

    def at(self, odds_ratio: float) -> Bound | None:
        """The bound at an odds ratio, None where there is none."""
        return next((one for one in self.bounds if one.odds_ratio == odds_ratio), None)


def over_none(arms: Arms, *, whats: tuple[str, ...], rows: BoolArray, settings: EffectSettings) -> tuple[OverNone, ...]:
    """Bounds for every channel that was used; intervals hold together.

    Parameters
    ----------
    rows
        Those that may be compared with none.
    """
    used = [int(one) for one in np.unique(arms.action[rows]) if one > 0]
    joint = together(settings, len(used))
    return tuple(_one(arms, channel, what, rows=rows, settings=joint) for channel in used for what in whats)


def _one(arms: Arms, channel: int, what: str, *, rows: BoolArray, settings: EffectSettings) -> OverNone:
    drawn = all((arms.drawn & (arms.action == one)).any() for one in (channel, 0))
    chosen = rows & (arms.drawn if drawn else np.isfinite(arms.chance[:, 0]))
    try:
        found, pair = compared(arms, channel, 0, what=what, rows=chosen, settings=settings, drawn=drawn)
    except (NoOverlap, TooFewUnits) as error:
        return OverNone(channel, what, (), None, str(error), drawn)
    shares = what.startswith("paid")  # amounts have no largest value: nothing assumed, nothing known
    bounds = () if drawn else nested((*found.bounds, *([nothing_assumed(pair)] if shares else [])))
    return OverNone(channel, what, bounds, found, "", drawn)


def nothing_assumed(pair: Pair) -> Bound:
    """Range of effects that agree with the log whatever moved the decisions (Manski 1990), with its interval.

    Under an action, those who were not given it may all have had the lowest outcome, or all the highest.

    >>> half = np.array([True, False] * 50)
    >>> of = Arm(half, np.full(100, 0.5), np.where(half, 1.0, 0.0), np.full(100, 0.5))
    >>> over = Arm(~half, np.full(100, 0.5), np.where(half, 1.0, 0.0), np.full(100, 0.5))
    >>> found = nothing_assumed(Pair(of, over, np.arange(100), 1.0, 0.95))
    >>> found.least, found.most
    (0.0, 1.0)
    """
    low = normal_interval(pair.scale * (_least(pair.of) - _most(pair.over)), pair.unit, level=pair.level)
    high = normal_interval(pair.scale * (_most(pair.of) - _least(pair.over)), pair.unit, level=pair.level)
    return Bound(float("inf"), low.low, low.value, high.value, high.high)


def _least(arm: Arm) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(arm.taken, arm.outcome, 0.0)


def _most(arm: Arm) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(arm.taken, arm.outcome, 1.0)
