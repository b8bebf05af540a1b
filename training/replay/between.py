"""Actions against each other: channel against channel, part of the day against part of the day. No contact plays no part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from data.times import IntArray
from data.vocabulary import DAYPARTS
from training.logged.effect import Effect, EffectSettings, Log, effect
from training.logged.folds import TooFewUnits
from training.logged.multinomial import FEWEST_OF_AN_ACTION
from training.ope.intervals import TooFewUnits as OneUnit
from training.ope.overlap import NoOverlap
from training.replay.arms import Arms, compared, require_paid
from training.replay.log import ReplayLog

Sign = Literal["agrees", "vanishes", "turns", "nothing"]


@dataclass(frozen=True)
class Compared:
    """One action over another on one outcome.

    Parameters
    ----------
    of, over
        Channel codes; for parts of the day, indices in `DAYPARTS`, both through `channel`.
    effect
        None where `refusal` says why there is no number.
    debtors
        Behind the rows compared.
    """

    kind: Literal["channel", "part"]
    channel: int
    of: int
    over: int
    days: int
    effect: Effect | None
    refusal: str
    drawn: bool = False

    @property
    def sign(self) -> Sign:
        """What becomes of the plain difference once what was known is held alike.

        `turns`: its sign turns round. `vanishes`: the plain interval tells a sign, the adjusted one does not.
        """
        if self.effect is None:
            return "nothing"
        plain, fair = self.effect.naive, self.effect.value
        if plain.low <= 0.0 <= plain.high:
            return "nothing"
        if plain.value * fair.value < 0:
            return "turns"
        return "vanishes" if fair.low <= 0.0 <= fair.high else "agrees"


def channels_compared(arms: Arms, *, days: tuple[int, ...], settings: EffectSettings) -> tuple[Compared, ...]:
    """Every channel over the one used most, on the share that pays within some days; intervals hold together.

    Parameters
    ----------
    arms
        Of contacts alone: the question is which channel, given that there is one.
    """
    used, count = np.unique(arms.action, return_counts=True)
    over = int(used[np.argmax(count)])
    others = [one for one in used.tolist() if one != over]
    joint = together(settings, len(others))
    return tuple(_one(arms, of, over, days=one, settings=joint) for of in others for one in days)


def together(settings: EffectSettings, questions: int) -> EffectSettings:
    """The same with intervals so wide that those of so many questions hold together (Bonferroni)."""
    return replace(settings, level=1 - (1 - settings.level) / max(questions, 1))


def _one(arms: Arms, of: int, over: int, *, days: int, settings: EffectSettings) -> Compared:
    drawn = all((arms.drawn & (arms.action == one)).any() for one in (of, over))
    rows = arms.drawn if drawn else np.isfinite(arms.chance[:, of])
    try:
        found, _ = compared(arms, of, over, what=f"paid {days}", rows=rows, settings=settings, drawn=drawn)
    except (NoOverlap, OneUnit) as error:
        return Compared("channel", of, of, over, days, None, str(error), drawn)
    return Compared("channel", of, of, over, days, found, "", drawn)


def parts_compared(
    log: ReplayLog, contacts: IntArray, *, days: int, most: int, settings: EffectSettings, rng: np.random.Generator
) -> tuple[Compared, ...]:
    """Parts of the day over the part used most, channel by channel, for channels sent in several.

    Parameters
    ----------
    contacts
        Rows of the log that are contacts.
    most
        Rows of a channel that are looked at; more are sampled by debtor.
    """
    found = []
    channel, part = log.decisions.channel[contacts], log.decisions.part[contacts]
    for code in np.unique(channel).tolist():
        rows = contacts[(channel == code) & (part >= 0)]
        count = np.bincount(log.decisions.part[rows], minlength=len(DAYPARTS))
        over = int(np.argmax(count))
        others = [one for one in np.flatnonzero(count >= FEWEST_OF_AN_ACTION).tolist() if one != over]
        chosen = log_of_parts(log, _fewer(log, rows, most, rng=rng), days=days)
        joint = together(settings, len(others))
        found += [_part(chosen, code, one, over, days=days, settings=joint, rng=rng) for one in others]
    return tuple(found)


def log_of_parts(log: ReplayLog, rows: IntArray, *, days: int) -> Log:
    """Contacts through one channel, the part of the day as action."""
    one = log.decisions
    return Log(one.features[rows], one.part[rows].astype(np.int64), log.outcomes[days].paid[rows], one.unit[rows])


def _fewer(log: ReplayLog, rows: IntArray, most: int, *, rng: np.random.Generator) -> IntArray:
    if len(rows) <= most:
        return rows
    unit = log.decisions.unit[rows]
    debtors = np.unique(unit)
    kept = rng.choice(debtors, max(1, len(debtors) * most // len(rows)), replace=False)
    return rows[np.isin(unit, kept)]


def _part(
    log: Log, channel: int, of: int, over: int, *, days: int, settings: EffectSettings, rng: np.random.Generator
) -> Compared:
    try:
        for one in (of, over):
            require_paid(log.outcome[log.action == one])
        found = effect(log, of=of, over=over, settings=settings, rng=rng)
    except (NoOverlap, TooFewUnits, OneUnit) as error:
        return Compared("part", channel, of, over, days, None, str(error))
    return Compared("part", channel, of, over, days, found, "")
