"""Boosting a part of a hazard: the chance of payment is `1 - exp(-(fixed + multiplier * exp(f)))`, and f is learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from models.chain import LEAST, MOST
from training.recipes.fitted import Setting

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Gradients = tuple[FloatArray, FloatArray]

LEAST_CURVATURE = 1e-6


def surprise(hazard: FloatArray, paid: BoolArray) -> FloatArray:
    """Negative log likelihood of each row under its hazard, shape (n,)."""
    return np.where(paid, -np.log(-np.expm1(-hazard)), hazard)


@dataclass(frozen=True)
class Known:
    """What of the hazard is not learnt, shape (n,) each, with whether the claim was paid."""

    paid: BoolArray
    fixed: FloatArray
    multiplier: FloatArray

    def of(self, rows: IntArray) -> Known:
        """The same for some rows."""
        return Known(self.paid[rows], self.fixed[rows], self.multiplier[rows])

    def hazard(self, raw: FloatArray) -> FloatArray:
        """Whole hazard for learnt logarithms, shape (n,)."""
        whole: FloatArray = np.clip(self.fixed + self.multiplier * np.exp(np.minimum(raw, 3.0)), LEAST, MOST)
        return whole

    def deviance(self, raw: FloatArray) -> float:
        """Mean negative log likelihood."""
        return float(np.mean(surprise(self.hazard(raw), self.paid)))

    def gradients(self, raw: FloatArray) -> Gradients:
        """First derivative of the deviance in f, and its expected second one (Fisher's), shape (n,) each."""
        hazard = self.hazard(raw)
        step = self.multiplier * np.exp(np.minimum(raw, 3.0))
        odds = np.exp(-hazard) / -np.expm1(-hazard)
        return step * np.where(self.paid, -odds, 1.0), np.maximum(step * step * odds, LEAST_CURVATURE)

    def start(self) -> float:
        """The constant f that fits best, by a few steps of Newton's."""
        raw = float(np.log(max(float(np.mean(self.paid)), 1e-4)))
        for _ in range(20):
            first, second = self.gradients(np.full(len(self.paid), raw))
            raw -= float(np.clip(first.sum() / second.sum(), -1.0, 1.0))
        return float(np.clip(raw, -10.0, 2.0))


@dataclass(frozen=True)
class Bins:
    """Rows put into bins once; every fit takes its own rows, label and start."""

    data: lgb.Dataset
    params: Mapping[str, Setting]

    @staticmethod
    def of(matrix: npt.NDArray[np.float32], params: Mapping[str, Setting], *, categories: list[int]) -> Bins:
        """Bins of a matrix, shape (n, F)."""
        data = lgb.Dataset(matrix, np.zeros(len(matrix)), categorical_feature=categories, params=dict(params))
        return Bins(data.construct(), params)

    def part(self, rows: IntArray, label: FloatArray, start: FloatArray) -> lgb.Dataset:
        """Some rows with their label and initial score; `rows` sorted."""
        part = self.data.subset(rows.tolist()).construct()
        part.set_label(label)
        part.set_init_score(start)
        return part


@dataclass(frozen=True)
class Fit:
    """How long to boost, and what may be split on.

    `later` are rows on which boosting is stopped after `patience` rounds without gain; none: all the rounds. `barred` are
    columns that are not to be looked at.
    """

    rounds: int
    patience: int
    learning_rate: float
    barred: tuple[int, ...] = ()

    def params(self, bins: Bins, objective: object) -> dict[str, object]:
        """Parameters for LightGBM: barred columns get no gain, so that no tree splits on them."""
        chosen: dict[str, object] = {**bins.params, "objective": objective, "learning_rate": self.learning_rate}
        if self.barred:
            width = bins.data.num_feature()
            chosen["feature_contri"] = [0.0 if column in self.barred else 1.0 for column in range(width)]
        return chosen


def boost_counts(
    bins: Bins, label: FloatArray, start: FloatArray, *, rows: IntArray, later: IntArray, fit: Fit
) -> lgb.Booster:
    """A booster of logarithms of rates (Poisson), on top of `start`, shape (n,) like `label`."""
    learn = bins.part(rows, label[rows], start[rows])
    if not len(later):
        return lgb.train(fit.params(bins, "poisson"), learn, num_boost_round=fit.rounds)
    held = bins.part(later, label[later], start[later])
    stop = lgb.early_stopping(fit.patience, verbose=False)
    return lgb.train(
        fit.params(bins, "poisson"), learn, num_boost_round=fit.rounds, valid_sets=[held], callbacks=[stop]
    )


def boost_hazard(
    bins: Bins, known: Known, *, rows: IntArray, later: IntArray, fit: Fit, start: float | None = None
) -> tuple[lgb.Booster, float]:
    """A booster of f, and the constant it starts from: `start`, or the one that fits best."""
    mine, held = known.of(rows), known.of(later)
    start = mine.start() if start is None else start
    learn = bins.part(rows, mine.paid.astype(np.float64), np.full(len(rows), start))
    params = fit.params(bins, _objective(mine))
    if not len(later):
        return lgb.train(params, learn, num_boost_round=fit.rounds), start
    watched = bins.part(later, held.paid.astype(np.float64), np.full(len(later), start))
    stop = lgb.early_stopping(fit.patience, verbose=False)
    booster = lgb.train(
        {**params, "metric": "none"}, learn, num_boost_round=fit.rounds, valid_sets=[watched], feval=_measure(held),
        callbacks=[stop],
    )  # fmt: skip
    return booster, start


def _objective(known: Known) -> Callable[[FloatArray, lgb.Dataset], Gradients]:
    def gradients(raw: FloatArray, _: lgb.Dataset) -> Gradients:
        return known.gradients(raw)

    return gradients


def _measure(known: Known) -> Callable[[FloatArray, lgb.Dataset], tuple[str, float, bool]]:
    def deviance(raw: FloatArray, _: lgb.Dataset) -> tuple[str, float, bool]:
        return "deviance", known.deviance(raw), False

    return deviance
