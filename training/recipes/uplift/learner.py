"""What the four learners share: what they are given, what they give, and the pseudo-outcomes they are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.uplift import Effect
from training.logged.folds import folds_by_unit
from training.recipes.boosting import Lesson, School
from training.recipes.uplift.sample import Sample

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FEWEST_OF_CHANNEL = 30
"""Compared rows of a channel below which it is given no effect."""


@dataclass(frozen=True)
class Task:
    """What a learner learns from.

    Attributes
    ----------
    log, channel, debtor
        All decisions that may be learnt from, compared or not: lesson over (n, F), channel code and debtor, shape (n,).
    sample
        Those that can be compared, the later slice among them.
    expected
        Chance of payment of each row of the sample under each channel, by a fit that has not seen its debtor, (s, C).
    outcome, effect
        How boosters of outcomes and of effects are learnt.
    largest_weight
        Weights of one over a chance are cut here.
    rounds
        Rounds of each booster, where they are settled already; empty otherwise.
    """

    log: Lesson
    channel: IntArray
    debtor: IntArray
    sample: Sample
    expected: FloatArray
    outcome: School
    effect: School
    largest_weight: float
    seed: int
    rounds: Mapping[str, int]

    def rng(self, code: int) -> np.random.Generator:
        """Generator for one channel."""
        return np.random.default_rng((self.seed, code))

    def codes(self) -> tuple[int, ...]:
        """Channels with enough rows to compare."""
        of = self.sample
        count = [int((of.learn & of.compared(code) & (of.channel == code)).sum()) for code in range(of.chance.shape[1])]
        return tuple(code for code in range(1, len(count)) if count[code] >= FEWEST_OF_CHANNEL)


@dataclass(frozen=True)
class Learnt:
    """Boosters, effects by channel code, and rounds by booster's name, to be learnt for again."""

    boosters: tuple[lgb.Booster, ...]
    effects: Mapping[int, Effect]
    rounds: Mapping[str, int]


Learner = Callable[[Task], Learnt]


def boosted(
    task: Task, name: str, *, lesson: Lesson, unit: IntArray, rng: np.random.Generator, school: School
) -> tuple[lgb.Booster, int]:
    """A booster of as many rounds as help other debtors, or as many as were settled under that name."""
    rounds = task.rounds.get(name) or school.rounds_by_debtor(lesson, unit, rng=rng)
    return school.exactly(lesson, rounds), rounds


def expected_outcomes(
    log: Lesson, debtor: IntArray, *, sample: Sample, school: School, rounds: int, folds: int, rng: np.random.Generator
) -> FloatArray:
    """Chance of payment of each row of a sample under each channel, each debtor by a fit of the others', shape (s, C).

    One booster over debtor, claim and action a fold: it lets rare channels borrow from the others.
    """
    fold = folds_by_unit(np.concatenate([debtor, sample.debtor]), folds, rng=rng)
    in_log, in_sample = fold[: len(debtor)], fold[len(debtor) :]
    channels = sample.chance.shape[1]
    expected = np.zeros((len(sample), channels))
    for number in range(folds):
        booster = school.exactly(log.part(in_log != number), rounds)
        mine = np.flatnonzero(in_sample == number)
        for code in range(channels):
            expected[mine, code] = booster.predict(sample.cells(code, mine), num_threads=1) if len(mine) else 0.0
    return expected


def pseudo_outcomes(sample: Sample, expected: FloatArray, *, code: int, largest_weight: float) -> FloatArray:
    """Doubly robust pseudo-outcome of one channel over `none` in each row of the sample, shape (s,).

    Its mean given debtor, claim and action is the effect, if chances or expected outcomes are right (Kennedy 2020).
    Weights are cut at `largest_weight`.
    """
    found: FloatArray = expected[:, code] - expected[:, 0]
    for one, sign in ((code, 1.0), (0, -1.0)):
        chance = np.maximum(np.nan_to_num(sample.chance[:, one]), 1e-9)
        weight = np.where(sample.channel == one, np.minimum(1 / chance, largest_weight), 0.0)
        found = found + sign * weight * (sample.paid - expected[:, one])
    return found
