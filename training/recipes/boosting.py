"""LightGBM as the recipes with several boosters inside call it: rows and what to learn of them in, a booster out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.pipeline import Matrix
from training.logged.folds import folds_by_unit
from training.recipes.fitted import Setting

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

STOPPING_FOLDS = 5
"""Parts of the debtors, each held out once, that say when to stop where there is no later slice to say it."""


@dataclass(frozen=True)
class Lesson:
    """Rows and what to learn of them: matrix (n, F), target (n,), weight (n,) or None for equal ones."""

    matrix: Matrix
    target: FloatArray
    weight: FloatArray | None = None

    def part(self, rows: BoolArray | IntArray) -> Lesson:
        """Some of its rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Lesson(self.matrix[rows], self.target[rows], weight)

    def dataset(self, school: School, like: lgb.Dataset | None = None) -> lgb.Dataset:
        """The same for LightGBM."""
        return lgb.Dataset(
            self.matrix, self.target, weight=self.weight, reference=like, params=dict(school.params),
            categorical_feature=list(school.categories),
        )  # fmt: skip


@dataclass(frozen=True)
class School:
    """How boosters are learnt: LightGBM's parameters with the seed, most rounds, patience, columns of categories."""

    params: Mapping[str, object]
    rounds: int
    patience: int
    categories: tuple[int, ...]

    def until(self, lesson: Lesson, later: Lesson, *, before: lgb.Booster | None = None) -> lgb.Booster:
        """A booster that stops when `later` gains nothing more; `before` is one that it goes on from."""
        learn = lesson.dataset(self)
        stop = lgb.early_stopping(self.patience, verbose=False)
        return lgb.train(
            dict(self.params), learn, num_boost_round=self.rounds, valid_sets=[later.dataset(self, like=learn)],
            init_model=before, callbacks=[stop],
        )  # fmt: skip

    def exactly(self, lesson: Lesson, rounds: int, *, before: lgb.Booster | None = None) -> lgb.Booster:
        """A booster of so many rounds, more than those of `before` where it goes on from one."""
        return lgb.train(dict(self.params), lesson.dataset(self), num_boost_round=rounds, init_model=before)

    def rounds_by_debtor(self, lesson: Lesson, unit: IntArray, *, rng: np.random.Generator) -> int:
        """Rounds after which other debtors gain nothing more, by cross-validation: one part of few rows is too noisy."""
        fold = folds_by_unit(unit, STOPPING_FOLDS, rng=rng)
        parts = [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(STOPPING_FOLDS)]
        stop = lgb.early_stopping(self.patience, verbose=False)
        found = lgb.cv(
            dict(self.params), lesson.dataset(self), num_boost_round=self.rounds, folds=parts, callbacks=[stop]
        )
        return len(np.asarray(next(iter(found.values()))))  # one number a round, up to the best


def lightgbm_params(settings: Mapping[str, Setting], *, own: tuple[str, ...], seed: int) -> dict[str, object]:
    """LightGBM's parameters among a recipe's settings: all but its `own`, with the seed."""
    return {**{name: value for name, value in settings.items() if name not in own}, "seed": seed}
