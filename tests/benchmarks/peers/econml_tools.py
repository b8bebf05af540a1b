"""EconML: the doubly robust learner over LightGBM, with a linear and a forest last stage, and the causal forest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from econml.dml import CausalForestDML
from econml.dr import DRLearner, ForestDRLearner, LinearDRLearner
from frame import (
    LEAST_CHANCE,
    Filled,
    FloatArray,
    Frame,
    Learnt,
    Matrix,
    calm_regressor,
    effect_regressor,
    outcome_classifier,
    outcome_regressor,
)
from lightgbm import LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler


class Known(ClassifierMixin, BaseEstimator):
    """The log's own chances, read off the last columns: EconML takes chances as a classifier only."""

    def __init__(self, arms: int = 2) -> None:
        self.arms = arms

    def fit(self, x: FloatArray, arm: FloatArray, sample_weight: FloatArray | None = None) -> Known:
        """Nothing is learnt."""
        del x, sample_weight
        self.classes_ = np.unique(arm)
        return self

    def predict_proba(self, x: FloatArray) -> FloatArray:
        """Chances, shape (n, K)."""
        return np.asarray(x[:, -self.arms :], dtype=np.float64)

    def predict(self, x: FloatArray) -> FloatArray:
        """The likeliest arm."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])


class WithoutChances(BaseEstimator):
    """An outcome model that does not look at the chances in the last columns before the arms."""

    def __init__(self, seed: int = 0, chances: int = 0, arms: int = 2) -> None:
        self.seed, self.chances, self.arms = seed, chances, arms

    def fit(self, x: FloatArray, y: FloatArray, sample_weight: FloatArray | None = None) -> WithoutChances:
        """Fit on what is left."""
        del sample_weight
        self.model_ = outcome_regressor(self.seed).fit(self._kept(x), y)
        return self

    def predict(self, x: FloatArray) -> FloatArray:
        """Expected outcome."""
        return np.asarray(self.model_.predict(self._kept(x)))

    def _kept(self, x: FloatArray) -> FloatArray:
        # EconML hands over context, then controls (the chances), then K - 1 columns of the arm.
        arm = x.shape[1] - (self.arms - 1)
        return np.hstack([x[:, : arm - self.chances], x[:, arm:]])


@dataclass(frozen=True)
class Effects:
    """A fitted estimator and how its input is made."""

    estimator: Any
    filled: Filled
    scaler: StandardScaler | None = None

    def values(self, x: Matrix) -> FloatArray:
        """Effects over arm 0, shape (u, K)."""
        given = self.filled(x) if self.scaler is None else self.scaler.transform(self.filled(x))
        effect = np.asarray(self.estimator.const_marginal_effect(given))
        return np.hstack([np.zeros((len(x), 1)), effect.reshape(len(x), -1)])


def _doubly_robust(frame: Frame, seed: int, *, kind: Callable[..., Any], scaled: bool = False, **last: Any) -> Effects:
    """A doubly robust learner; with the log's chances where it has them, else with chances by LightGBM."""
    chances = frame.arms if frame.drawn else 0
    estimator = kind(
        model_propensity=Known(frame.arms) if chances else outcome_classifier(seed),
        model_regression=WithoutChances(seed, chances, frame.arms), min_propensity=LEAST_CHANCE, cv=3,
        random_state=seed, **last,
    )  # fmt: skip
    filled = Filled.of(frame.x)
    scaler = StandardScaler().fit(filled(frame.x)) if scaled else None
    x = filled(frame.x) if scaler is None else scaler.transform(filled(frame.x))
    estimator.fit(frame.reward, frame.arm, X=x, W=frame.chance if chances else None)
    return Effects(estimator, filled, scaler)


def boosted(frame: Frame, seed: int, *, effect: Callable[[int], LGBMRegressor] = effect_regressor) -> Learnt:
    """Last stage by LightGBM."""
    return _doubly_robust(frame, seed, kind=DRLearner, model_final=effect(seed))


def linear(frame: Frame, seed: int) -> Learnt:
    """Last stage linear in all columns."""
    return _doubly_robust(frame, seed, kind=LinearDRLearner, scaled=True)


def forest(frame: Frame, seed: int) -> Learnt:
    """Last stage by an honest forest."""
    return _doubly_robust(
        frame, seed, kind=ForestDRLearner, n_estimators=200, min_samples_leaf=100, max_features=0.3, n_jobs=1
    )


def causal_forest(frame: Frame, seed: int, *, leaf: int = 100) -> Learnt:
    """The generalised random forest over all arms; its chances are its own, by LightGBM."""
    filled = Filled.of(frame.x)
    estimator = CausalForestDML(
        model_y=outcome_regressor(seed), model_t=outcome_classifier(seed), discrete_treatment=True, cv=3,
        n_estimators=100, min_samples_leaf=leaf, max_features=0.3, inference=False, n_jobs=1, random_state=seed,
    )  # fmt: skip
    estimator.fit(frame.reward, frame.arm, X=filled(frame.x))
    return Effects(estimator, filled)


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {
    "econml-dr-boosted": boosted,
    "econml-dr-boosted-calm": partial(boosted, effect=calm_regressor),
    "econml-dr-linear": linear,
    "econml-dr-forest": forest,
    "econml-causal-forest": causal_forest,
    "econml-causal-forest-calm": partial(causal_forest, leaf=1000),
}
