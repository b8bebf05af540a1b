"""How much of a log speaks for giving one action to all of a segment, action by action and segment by segment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.vocabulary import DAYPARTS
from training.logged.chances import UNKNOWN, ActionChances
from training.logged.segments import Segment
from training.ope.estimators import snips
from training.ope.intervals import Interval, TooFewUnits, normal_interval
from training.ope.overlap import NoOverlap, Support, require_support, support

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Basis = Literal["drawn", "observed", "none"]
LEAST_CHANCE = 0.02
"""Chance of a channel below which a decision is not counted among those that could have had it."""
LEAST_CHANCE_PART = 0.05
"""The same for a part of the day, given the channel."""
WHOLE_DAY = -1


@dataclass(frozen=True)
class Cell:
    """One action in one segment.

    Parameters
    ----------
    channel, part
        Channel code; index in `DAYPARTS`, or `WHOLE_DAY`.
    decisions
        Of the segment.
    taken, taken_drawn
        Decisions that took the action; those among them that were drawn with a logged probability.
    basis
        What the figures below rest on: `drawn` decisions, else those of policies without probabilities (`observed`), else `none`.
    possible
        Share of the basis' decisions that had a fair chance of the action: the figures speak of these alone.
    least, most
        Smallest and largest chance of the action among these.
    found
        Effective rows and weights of giving the action to all of these; None without any.
    paid
        Share that would be paid on, with its interval; None where `refusal` says why there is no number.
    """

    family: str
    segment: str
    channel: int
    part: int
    decisions: int
    taken: int
    taken_drawn: int
    basis: Basis
    possible: float
    least: float
    most: float
    found: Support | None
    paid: Interval | None
    refusal: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = None if self.found is None else self.found.as_dict()
        paid = None if self.paid is None else self.paid.as_dict()
        part = "all day" if self.part == WHOLE_DAY else DAYPARTS[self.part]
        return {**asdict(self), "part": part, "found": found, "paid": paid}


@dataclass(frozen=True)
class Taken:
    """What was decided and came of it, shape (n,): channel code, part of the day (-1 for `none`), paid or not, debtor."""

    channel: IntArray
    part: IntArray
    paid: FloatArray
    unit: IntArray


def support_map(taken: Taken, chances: ActionChances, segments: tuple[Segment, ...]) -> tuple[Cell, ...]:
    """Cells of every channel, whole and by part of the day, in every segment."""
    cells = []
    for channel in range(chances.channel.shape[1]):
        parts = (WHOLE_DAY, *range(len(DAYPARTS))) if channel else (WHOLE_DAY,)
        for part in parts:
            chance, fair = _chance(chances, channel, part)
            here = (taken.channel == channel) & ((taken.part == part) | (part == WHOLE_DAY))
            cells += [
                _cell(one, taken, chances, chance=chance, fair=fair, here=here, action=(channel, part))
                for one in segments
            ]
    return tuple(cells)


def _chance(chances: ActionChances, channel: int, part: int) -> tuple[FloatArray, BoolArray]:
    """Chance of an action in every decision, and whether it is a fair one, shape (n,) each."""
    whole = chances.channel[:, channel]
    if part == WHOLE_DAY:
        return whole, whole >= LEAST_CHANCE
    inside = chances.part[:, channel, part].astype(np.float64)
    return whole * inside, (whole >= LEAST_CHANCE) & (inside >= LEAST_CHANCE_PART)


def _cell(
    segment: Segment,
    taken: Taken,
    chances: ActionChances,
    *,
    chance: FloatArray,
    fair: BoolArray,
    here: BoolArray,
    action: tuple[int, int],
) -> Cell:
    channel, part = action
    done = segment.here & here
    drawn = done & chances.drawn
    basis, rows = _basis(segment, chances, done)
    fair = rows & fair
    least, most = (float(chance[fair].min()), float(chance[fair].max())) if fair.any() else (0.0, 0.0)
    found, paid, refusal = _worth(taken, chances, np.flatnonzero(fair), here=here, part=part)
    return Cell(
        segment.family, segment.name, channel, part, int(segment.here.sum()), int(done.sum()), int(drawn.sum()), basis,
        float(fair.sum() / max(int(rows.sum()), 1)), least, most, found, paid,
        _why_never(int(segment.here.sum()), int(done.sum()), basis) or refusal,
    )  # fmt: skip


def _basis(segment: Segment, chances: ActionChances, done: BoolArray) -> tuple[Basis, BoolArray]:
    """What a cell rests on, and those decisions of the segment, whatever they took."""
    drawn = segment.here & chances.drawn
    if (done & drawn).any():
        return "drawn", drawn
    observed = segment.here & chances.loggers.is_kind("unlogged") & (chances.source != UNKNOWN)
    return ("observed", observed) if (done & observed).any() else ("none", np.zeros_like(done))


def _why_never(decisions: int, done: int, basis: Basis) -> str:
    if done == 0:
        return f"never done in {decisions:,} decisions"
    decided = "their policies decided it with probability 1, or logged the chance of the hour only"
    return f"done in {done:,} decisions, but {decided}: nobody alike got anything else" if basis == "none" else ""


def _worth(
    taken: Taken, chances: ActionChances, rows: IntArray, *, here: BoolArray, part: int
) -> tuple[Support | None, Interval | None, str]:
    """Support, share paid and refusal of giving an action to all of `rows`."""
    chosen = (chances.chosen if part == WHOLE_DAY else chances.chosen_part)[rows]
    weight = np.where(here[rows], 1.0 / np.maximum(np.where(here[rows], chosen, 1.0), 1e-9), 0.0)
    if not (weight > 0).any():
        return None, None, "where it had a fair chance it was never done"
    paid = taken.paid[rows]
    try:
        found = require_support(weight, paid)
        unit = np.unique(taken.unit[rows], return_inverse=True)[1].astype(np.int64)
        return found, normal_interval(snips(paid, weight), unit), ""
    except (NoOverlap, TooFewUnits) as error:
        return support(weight), None, str(error)
