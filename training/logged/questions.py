"""Which questions a log answers, which it answers only on trust, which it cannot answer, and what would answer them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.vocabulary import DAYPARTS, NONE
from training.logged.chances import ESTIMATED, UNKNOWN, ActionChances, Decisions
from training.logged.effect import Effect, EffectSettings, Log, effect
from training.logged.folds import TooFewUnits, sampled
from training.logged.randomisation import Need, smallest_randomisation, traffic_of
from training.logged.segments import EVERYONE, Segment
from training.logged.support_map import WHOLE_DAY, Cell
from training.ope.overlap import NoOverlap

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Answer = Literal["drawn", "on trust", "no"]
MOST_COMPARED = 60_000
"""Decisions that an effect is estimated on, at most; more are sampled by debtor."""

TRUST = "no probability was logged: it rests on the claim that all that moved decision and payment is recorded"


@dataclass(frozen=True)
class Question:
    """One question and what the log says to it.

    Parameters
    ----------
    answer
        `drawn`: by drawn decisions; `on trust`: from observed ones, with `effect.bounds`; `no`: not at all.
    reason
        Why not, or what the answer rests on.
    effect
        The answer; None where there is none, and for questions of a segment or of the hour, whose figures are in the map.
    need
        Smallest randomisation that would answer it; None where drawn decisions already do.
    """

    asks: str
    kind: Literal["channel", "segment", "hour"]
    channel: int
    answer: Answer
    reason: str
    effect: Effect | None
    need: Need | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "asks": self.asks,
            "kind": self.kind,
            "channel": self.channel,
            "answer": self.answer,
            "reason": self.reason,
            "effect": None if self.effect is None else self.effect.as_dict(),
            "need": None if self.need is None else self.need.as_dict(),
        }


@dataclass(frozen=True)
class Exploration:
    """How decisions would be drawn: share of all, chance of `none` among these; the rest is shared evenly."""

    share: float
    none: float
    channels: tuple[str, ...]

    def chance(self, channel: int, part: int = WHOLE_DAY) -> float:
        """Chance of an action among drawn decisions."""
        if channel == 0:
            return self.none
        whole = (1.0 - self.none) / (len(self.channels) - 1)
        return whole if part == WHOLE_DAY else whole / len(DAYPARTS)


@dataclass(frozen=True)
class Asked:
    """What questions are asked of: the decisions, their chances, what was paid (n,), and how many weeks they took."""

    log: Decisions
    chances: ActionChances
    paid: FloatArray
    weeks: float
    exploration: Exploration


def questions(
    asked: Asked,
    cells: tuple[Cell, ...],
    segments: tuple[Segment, ...],
    *,
    settings: EffectSettings,
    rng: np.random.Generator,
) -> tuple[Question, ...]:
    """Every channel over `none` (over the most used channel where `none` was not recorded), in segments, by hour.

    The intervals hold together at the level of `settings` (Bonferroni): they are read side by side, and one of six would else lie
    beside 0 by chance far more often than one alone.
    """
    over = _reference(asked)
    channels = [channel for channel in range(1, asked.log.channels) if channel != over]
    joint = replace(settings, level=1 - (1 - settings.level) / max(len(channels), 1))
    whole = [_of_channel(asked, channel, over, settings=joint, rng=rng) for channel in channels]
    missing = [_no_none(asked)] if over else []
    return (*missing, *whole, *_of_cells(asked, cells, segments, over=over))


def _reference(asked: Asked) -> int:
    """`none` where it was recorded, else the channel used most."""
    counts = np.bincount(asked.log.channel, minlength=asked.log.channels)
    return 0 if counts[0] else int(np.argmax(counts))


def _no_none(asked: Asked) -> Question:
    asks = "What does any contact bring over no contact?"
    reason = "the log holds no decision for `none`: nothing over no contact is identified"
    return Question(asks, "channel", 0, "no", reason, None, _need(asked, asked.paid >= 0, 1, over=0))


def _of_channel(
    asked: Asked, channel: int, over: int, *, settings: EffectSettings, rng: np.random.Generator
) -> Question:
    """One channel over another, by drawn decisions if there are some of both, else by observed ones."""
    names = asked.exploration.channels
    asks = f"What does {_word(names[channel])} bring over {_word(names[over])}?"
    need = _need(asked, asked.paid >= 0, channel, over=over)
    by_draw = asked.chances.drawn
    taken = [asked.log.channel == one for one in (channel, over)]
    drawn = all((by_draw & one).any() for one in taken)
    observed = asked.chances.loggers.is_kind("unlogged") & (asked.chances.source != UNKNOWN)
    rows = np.flatnonzero(by_draw if drawn else observed)
    if not taken[0].any():
        reason = f"{_word(names[channel])} was never used in {len(asked.paid):,} decisions"
        return Question(asks, "channel", channel, "no", reason, None, need)
    if not len(rows):
        reason = "no decision on either was drawn, and every logged probability is 1: nobody alike got the other"
        return Question(asks, "channel", channel, "no", reason, None, need)
    try:
        found = effect(_log(asked, rows, rng=rng), of=channel, over=over, settings=settings, rng=rng, drawn=drawn)
    except (NoOverlap, TooFewUnits) as error:
        return Question(asks, "channel", channel, "no", str(error), None, need)
    if drawn:
        return Question(asks, "channel", channel, "drawn", _by_draw(asked, rows), found, None)
    return Question(asks, "channel", channel, "on trust", _trust(found), found, need)


def _word(channel: str) -> str:
    """A channel in a sentence.

    >>> _word("none"), _word("digital_mailbox")
    ('no contact', 'digital mailbox')
    """
    return "no contact" if channel == NONE else channel.replace("_", " ")


def _by_draw(asked: Asked, rows: IntArray) -> str:
    """What an answer by drawn decisions rests on."""
    estimated = float((asked.chances.source[rows] == ESTIMATED).mean())
    if estimated < 0.01:
        return "decisions drawn at random"
    return f"decisions drawn at random; the channel's chance is estimated for {estimated:.0%}, the log holding that of the hour"


def _trust(found: Effect) -> str:
    """On what an observed effect rests, and how little overturns it."""
    at = found.overturned_at
    if at <= 1.0:
        return f"{TRUST}; even so its sign is not told"
    if np.isinf(at):
        return f"{TRUST}; no unrecorded driver that moves the odds of a decision by a factor of up to 10 overturns its sign"
    return f"{TRUST}; an unrecorded driver that moves the odds of a decision by a factor of {at:.2f} overturns its sign"


def _log(asked: Asked, rows: IntArray, *, rng: np.random.Generator) -> Log:
    """Rows as the effect wants them; of too many those of a share of the debtors."""
    unit = asked.log.unit[rows]
    if len(rows) > MOST_COMPARED:
        debtors = np.unique(unit)
        kept = sampled(debtors, max(1, len(debtors) * MOST_COMPARED // len(rows)), rng=rng)
        rows = rows[np.isin(unit, kept)]
    return Log(
        asked.log.features[rows],
        asked.log.channel[rows].astype(np.int64),
        asked.paid[rows],
        asked.log.unit[rows],
        asked.chances.channel[rows],
    )


def _of_cells(asked: Asked, cells: tuple[Cell, ...], segments: tuple[Segment, ...], *, over: int) -> list[Question]:
    """Questions of segments and hours that the map has no number for."""
    where = {(one.family, one.name): one.here for one in segments}
    names = asked.exploration.channels
    found = []
    for cell in cells:
        everyone = cell.family == EVERYONE
        if not cell.refusal or (everyone and cell.part == WHOLE_DAY) or (not everyone and cell.part != WHOLE_DAY):
            continue
        here = where[cell.family, cell.segment]
        name = _word(names[cell.channel])
        if everyone:
            asks = f"What does {name} bring in the {DAYPARTS[cell.part]}?"
        else:
            asks = f"What does {name} bring for {cell.family}: {cell.segment}?"
        need = _need(asked, here, cell.channel, over=over, part=cell.part)
        found.append(Question(asks, "hour" if everyone else "segment", cell.channel, "no", cell.refusal, None, need))
    return found


def _need(asked: Asked, here: BoolArray, channel: int, *, over: int, part: int = WHOLE_DAY) -> Need:
    """What answers a question over another channel; over the other parts of the day where it is about the hour."""
    plan = asked.exploration
    traffic = traffic_of(asked.paid[here], asked.log.unit[here], weeks=asked.weeks)
    of = plan.chance(channel, part)
    if part != WHOLE_DAY:
        other = plan.chance(channel) - of
    else:
        other = plan.chance(over) if over != channel else plan.chance(1)
    return smallest_randomisation(traffic, of_share=of, over_share=other, explore_share=plan.share)
