"""Contacts that could have been spared at no loss: at least, and at best. Nothing here was randomised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import IntArray
from features.columns import BoolArray, FloatArray
from training.logged.effect import Bound, EffectSettings, Pair, effect_between
from training.logged.sensitivity import Arm
from training.ope.intervals import TooFewUnits
from training.ope.overlap import NoOverlap
from training.replay.arms import Arms, require_paid
from training.replay.between import together
from training.replay.nested import nested


@dataclass(frozen=True)
class Spare:
    """Contacts of a cell of segments: what they cost, and what they bring over no contact in EUR each, within bounds."""

    cell: tuple[str, ...]
    contacts: int
    debtors: int
    cost_eur: float
    bounds: tuple[Bound, ...]
    refusal: str

    def at(self, odds_ratio: float) -> Bound | None:
        """The bound at an odds ratio, None where there is none."""
        return next((one for one in self.bounds if one.odds_ratio == odds_ratio), None)


def spared(spares: tuple[Spare, ...], odds_ratio: float) -> tuple[float, float]:
    """Share of contacts that could have been spared at no loss, at least and at best, at an odds ratio.

    At least: contacts of cells in which even the upper end of what a contact brings lies below what it costs. At best: of
    cells in which its lower end does, or of which nothing is known.

    >>> low, high = Bound(1.2, -3.0, -2.0, -1.0, 0.5), Bound(1.2, -3.0, -2.0, 5.0, 6.0)
    >>> spared((Spare(("a",), 30, 20, 1.0, (low,), ""), Spare(("b",), 70, 60, 1.0, (high,), "")), 1.2)
    (0.3, 1.0)
    """
    whole = max(sum(one.contacts for one in spares), 1)
    least, most = 0, 0
    for one in spares:
        bound = one.at(odds_ratio)
        least += one.contacts * (bound is not None and bound.high < one.cost_eur)
        most += one.contacts * (bound is None or bound.low < one.cost_eur)
    return least / whole, most / whole


@dataclass(frozen=True)
class Asked:
    """What is asked: the arms with none among them, rows that may be compared, the cell of each row, EUR by channel."""

    arms: Arms
    rows: BoolArray
    cell: IntArray
    names: tuple[tuple[str, ...], ...]
    cost_eur: FloatArray


def sparing(asked: Asked, *, what: str, settings: EffectSettings) -> tuple[Spare, ...]:
    """What contacts as they were made bring over none, cell by cell; intervals hold together.

    Parameters
    ----------
    what
        Outcome in EUR.
    """
    met = np.unique(asked.cell[asked.rows & (asked.arms.action > 0)]).tolist()
    joint = together(settings, len(met))
    return tuple(_spare(asked, cell, what, joint) for cell in met)


def _spare(asked: Asked, cell: int, what: str, settings: EffectSettings) -> Spare:
    here = asked.rows & (asked.cell == cell)
    made = here & (asked.arms.action > 0)
    known = (
        asked.names[cell], int(made.sum()), len(np.unique(asked.arms.unit[made])),
        float(asked.cost_eur[asked.arms.action[made]].mean()),
    )  # fmt: skip
    try:
        found = effect_between(
            _contact_or_none(asked.arms, here, what, settings), kept=1.0, odds_ratios=settings.odds_ratios
        )
    except (NoOverlap, TooFewUnits) as error:
        return Spare(*known, (), str(error))
    return Spare(*known, nested(found.bounds), "")


def _contact_or_none(arms: Arms, here: BoolArray, what: str, settings: EffectSettings) -> Pair:
    """Contacts as they were made, whatever the channel, as one arm, and none as the other.

    Raises
    ------
    NoOverlap
        Where both had a fair chance, too few payments followed one of them.
    """
    none = arms.chance[:, 0]
    least = settings.least_chance
    rows = np.flatnonzero(here & (none >= least) & (none <= 1 - least) & np.isfinite(arms.expected[what].under[:, 0]))
    expected = arms.expected[what]
    for taken in (arms.action[rows] == 0, arms.action[rows] > 0):
        require_paid(expected.outcome[rows][taken])
    weight = np.where(np.isfinite(expected.under[rows, 1:]), arms.chance[rows, 1:], 0.0)
    mixed = (weight * np.nan_to_num(expected.under[rows, 1:])).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-12)
    unit = np.unique(arms.unit[rows], return_inverse=True)[1].astype(np.int64)
    contact = Arm(arms.action[rows] > 0, 1.0 - none[rows], expected.outcome[rows], mixed)
    return Pair(contact, arms.arm(0, what=what, rows=rows), unit, expected.scale, settings.level)
