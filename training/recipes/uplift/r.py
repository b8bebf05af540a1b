"""R-learner over many actions: what is left of the outcome, laid on what is left of the choice."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.pipeline import Matrix
from models.uplift import Effect, Part
from training.logged.folds import folds_by_unit, sampled
from training.recipes.boosting import STOPPING_FOLDS
from training.recipes.uplift.learner import Learnt, Task

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_ROWS = 60_000
"""Decisions that are learnt from, at most: each stands there once for every channel."""
MOST_TO_STOP = 15_000
"""Decisions that say when to stop, at most."""
NAME = "effect"


@dataclass(frozen=True)
class _Residuals:
    """Cells (channels × rows, F), channel by channel; what is left of the choice (channels, rows) and the outcome (rows,)."""

    cells: Matrix
    choice: FloatArray
    outcome: FloatArray

    def left(self, effects: FloatArray) -> FloatArray:
        """What effects of the cells leave unexplained, shape (rows,)."""
        rest: FloatArray = self.outcome - (self.choice * effects.reshape(self.choice.shape)).sum(axis=0)
        return rest

    def objective(self, effects: FloatArray, data: lgb.Dataset) -> tuple[FloatArray, FloatArray]:
        """Gradient and diagonal of the curvature of half the squared rest, by cell."""
        del data
        gradient = -self.choice * self.left(effects)
        return gradient.ravel(), np.maximum(self.choice**2, 1e-6).ravel()

    def loss(self, effects: FloatArray, data: lgb.Dataset) -> tuple[str, float, bool]:
        """Mean squared rest, for stopping."""
        del data
        return "rest", float((self.left(effects) ** 2).mean()), False


def r_learner(task: Task) -> Learnt:
    """One booster of effects over all cells, by the squared rest of outcome less Σ (chosen − chance) × effect.

    Nie and Wager (2021) for one treatment; the sum over many treatments with features of their own is the generalised
    Robinson decomposition of Kaddour, Zhu, Liu, Kusner and Silva (2021). Here the effect of a cell is a tree ensemble
    over debtor, claim and action, 0 to begin with, so that what the log does not tell stays near 0.
    """
    sample, codes = task.sample, task.codes()
    rng = task.rng(0)
    fair = sample.learn & np.isfinite(sample.chance).all(axis=1) & np.any([sample.compared(c) for c in codes], axis=0)
    mine = sampled(np.flatnonzero(fair), MOST_ROWS, rng=rng)
    rounds = task.rounds.get(NAME) or _rounds(task, codes, mine, rng=rng)
    booster, _ = _boost(task, _residuals(task, codes, mine), rounds)
    return Learnt((booster,), dict.fromkeys(codes, Effect((Part(0, 1.0),))), {NAME: rounds})


def _rounds(task: Task, codes: tuple[int, ...], mine: IntArray, *, rng: np.random.Generator) -> int:
    """Rounds after which other debtors gain nothing more, by cross-validation."""
    few = sampled(mine, MOST_TO_STOP, rng=rng)
    fold = folds_by_unit(task.sample.debtor[few], STOPPING_FOLDS, rng=rng)
    losses = []
    for number in range(STOPPING_FOLDS):
        learn, held = (_residuals(task, codes, few[part]) for part in (fold != number, fold == number))
        losses.append(_boost(task, learn, task.effect.rounds, held=held)[1])
    return int(np.argmin(np.mean(losses, axis=0))) + 1


def _residuals(task: Task, codes: tuple[int, ...], rows: IntArray) -> _Residuals:
    sample = task.sample
    chance = sample.chance[rows]
    usual = (chance * task.expected[rows]).sum(axis=1)
    choice = np.stack([(sample.channel[rows] == code) - chance[:, code] for code in codes])
    return _Residuals(np.vstack([sample.cells(code, rows) for code in codes]), choice, sample.paid[rows] - usual)


def _boost(
    task: Task, learn: _Residuals, rounds: int, *, held: _Residuals | None = None
) -> tuple[lgb.Booster, list[float]]:
    """A booster, and the mean squared rest of `held` after each round."""
    plain = {name: value for name, value in task.effect.params.items() if name not in ("objective", "metric")}
    params: dict[str, object] = {**plain, "objective": learn.objective, "metric": "None"}

    def dataset(of: _Residuals, like: lgb.Dataset | None = None) -> lgb.Dataset:
        label = np.zeros(len(of.cells))  # LightGBM wants one; the objective does not look at it
        return lgb.Dataset(
            of.cells, label, reference=like, params=plain, categorical_feature=list(task.effect.categories)
        )

    data = dataset(learn)
    if held is None:
        return lgb.train(params, data, num_boost_round=rounds), []
    told: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        params, data, num_boost_round=rounds, valid_sets=[dataset(held, data)], feval=held.loss,
        callbacks=[lgb.record_evaluation(told)],
    )  # fmt: skip
    return booster, told["valid_0"]["rest"]
