"""Every action of a log as an arm: its chance in each decision, and the outcome expected under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.times import IntArray
from features.columns import BoolArray, FloatArray
from training.logged.effect import Effect, EffectSettings, Pair, effect_between, predicted_outcomes
from training.logged.folds import folds_by_unit
from training.logged.multinomial import FEWEST_OF_AN_ACTION, Matrix
from training.logged.sensitivity import Arm
from training.ope.overlap import NoOverlap

FEWEST_PAID = 20
"""Decisions followed by a payment, on either side, below which no difference is told: as few as the report's verdict asks for."""


@dataclass(frozen=True)
class Expected:
    """An outcome of the log's rows, and what is expected of it under every action.

    Parameters
    ----------
    outcome
        Between 0 and 1, shape (n,).
    under
        Mean under each action, by fits that have not seen the debtor, shape (n, K); NaN for an action done too rarely to learn.
    scale
        What an outcome of 1 stands for.
    """

    outcome: FloatArray
    under: FloatArray
    scale: float


def expected_under(
    features: Matrix,
    action: IntArray,
    unit: IntArray,
    *,
    outcomes: Mapping[str, tuple[FloatArray, float]],
    actions: int,
    settings: EffectSettings,
    rng: np.random.Generator,
) -> dict[str, Expected]:
    """Expected outcomes by name under every action.

    Parameters
    ----------
    outcomes
        What came, shape (n,), never negative, and the largest it can be.
    """
    fold = folds_by_unit(unit, settings.fit.folds, rng=rng)
    found = {}
    for name, (came, scale) in outcomes.items():
        outcome = came / scale
        under = np.full((len(action), actions), np.nan)
        for one in range(actions):
            taken = action == one
            if taken.sum() >= FEWEST_OF_AN_ACTION:
                under[:, one] = predicted_outcomes(features, outcome, taken, fold=fold, settings=settings, rng=rng)
        found[name] = Expected(outcome, under, scale)
    return found


@dataclass(frozen=True)
class Arms:
    """Actions of some rows of the log, shape (n,) or (n, K) each.

    Parameters
    ----------
    chance
        Of every action; NaN where it is not known.
    drawn
        Whether it was drawn with a logged probability: then nothing unrecorded moved it.
    """

    action: IntArray
    unit: IntArray
    chance: FloatArray
    expected: Mapping[str, Expected]
    drawn: BoolArray

    def arm(self, action: int, *, what: str, rows: IntArray) -> Arm:
        """One action as an arm in some rows."""
        expected = self.expected[what]
        return Arm(
            self.action[rows] == action, self.chance[rows, action], expected.outcome[rows], expected.under[rows, action]
        )

    def fair(self, *actions: int, least: float) -> BoolArray:
        """Rows in which each of these actions had a fair chance and was done often enough to be learnt, shape (n,)."""
        first = next(iter(self.expected.values()))
        each = [(self.chance[:, one] >= least) & np.isfinite(first.under[:, one]) for one in actions]
        fair: BoolArray = np.logical_and.reduce(each)
        return fair


def compared(
    arms: Arms,
    of: int,
    over: int,
    *,
    what: str,
    rows: BoolArray,
    settings: EffectSettings,
    drawn: bool = False,
) -> tuple[Effect, Pair]:
    """Effect of one action over another on an outcome, in rows where both had a fair chance.

    Raises
    ------
    NoOverlap
        Too little speaks for either.
    """
    kept = np.flatnonzero(rows & arms.fair(of, over, least=settings.least_chance))
    done = [int((rows & (arms.action == one)).sum()) for one in (of, over)]
    if min(done) == 0:
        raise NoOverlap(f"done {done[0]:,} and {done[1]:,} times: expected both")
    if not len(kept) or len(np.unique(arms.unit[kept])) < 2:
        raise NoOverlap(f"in no decision did both have a chance of at least {settings.least_chance:g}")
    unit = np.unique(arms.unit[kept], return_inverse=True)[1].astype(np.int64)
    pair = Pair(
        arms.arm(of, what=what, rows=kept), arms.arm(over, what=what, rows=kept), unit,
        arms.expected[what].scale, settings.level,
    )  # fmt: skip
    for arm in (pair.of, pair.over):
        require_paid(arm.outcome[arm.taken])
    ratios = () if drawn else settings.odds_ratios
    return effect_between(pair, kept=len(kept) / max(int(rows.sum()), 1), odds_ratios=ratios), pair


def require_paid(outcome: FloatArray) -> None:
    """Refuse where too few of an action's decisions were followed by a payment, or too few were not.

    Raises
    ------
    NoOverlap
        Fewer than `FEWEST_PAID`: an interval from so few is too short.

    >>> require_paid(np.array([1.0] * 7 + [0.0] * 90))
    Traceback (most recent call last):
    training.ope.overlap.NoOverlap: 7 of 97 decisions were followed by a payment, expected at least 20 that were and 20 not
    """
    paid = int((outcome > 0).sum())
    if min(paid, len(outcome) - paid) < FEWEST_PAID:
        what = f"{paid:,} of {len(outcome):,} decisions were followed by a payment"
        raise NoOverlap(f"{what}, expected at least {FEWEST_PAID} that were and {FEWEST_PAID} not")
