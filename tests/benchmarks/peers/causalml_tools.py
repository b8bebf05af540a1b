"""causalml: its meta-learners over LightGBM for all arms at once, and its forest of uplift trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from causalml.inference.meta import BaseDRRegressor, BaseRRegressor, BaseTRegressor, BaseXRegressor
from causalml.inference.tree import UpliftRandomForestClassifier
from frame import Filled, FloatArray, Frame, Learnt, Matrix, calm_regressor, effect_regressor, outcome_regressor
from lightgbm import LGBMRegressor

Regressor = Callable[[int], LGBMRegressor]


@dataclass(frozen=True)
class Effects:
    """A meta-learner, and usual chances of the arms for those that weigh by them."""

    learner: Any
    usual: dict[int, float] | None = None

    def values(self, x: Matrix) -> FloatArray:
        """Effects over arm 0, shape (u, K)."""
        given = {} if self.usual is None else {"p": {arm: np.full(len(x), one) for arm, one in self.usual.items()}}
        effect = self.learner.predict(x, **given)
        return np.hstack([np.zeros((len(x), 1)), np.asarray(effect).reshape(len(x), -1)])


def t_learner(frame: Frame, seed: int) -> Learnt:
    """One model of outcomes for each arm."""
    learner = BaseTRegressor(learner=outcome_regressor(seed), control_name=0)
    learner.fit(frame.x, frame.arm, frame.reward)
    return Effects(learner)


def x_learner(frame: Frame, seed: int, *, effect: Regressor = effect_regressor) -> Learnt:
    """Imputed effects, weighed by the chances of the log."""
    learner = BaseXRegressor(
        control_outcome_learner=outcome_regressor(seed), treatment_outcome_learner=outcome_regressor(seed),
        control_effect_learner=effect(seed), treatment_effect_learner=effect(seed), control_name=0,
    )  # fmt: skip
    chance = frame.against_none()
    learner.fit(frame.x, frame.arm, frame.reward, p=chance)
    return Effects(learner, {arm: float(one.mean()) for arm, one in chance.items()})


def r_learner(frame: Frame, seed: int) -> Learnt:
    """What is left of the outcome on what is left of the choice."""
    learner = BaseRRegressor(
        outcome_learner=outcome_regressor(seed), effect_learner=effect_regressor(seed), control_name=0,
        random_state=seed,
    )  # fmt: skip
    learner.fit(frame.x, frame.arm, frame.reward, p=frame.against_none(), verbose=False)
    return Effects(learner)


def dr_learner(frame: Frame, seed: int, *, effect: Regressor = effect_regressor) -> Learnt:
    """Doubly robust pseudo-outcomes with the chances of the log."""
    learner = BaseDRRegressor(
        control_outcome_learner=outcome_regressor(seed), treatment_outcome_learner=outcome_regressor(seed),
        treatment_effect_learner=effect(seed), control_name=0,
    )  # fmt: skip
    learner.fit(frame.x, frame.arm, frame.reward, p=frame.against_none(), seed=seed)
    return Effects(learner)


@dataclass(frozen=True)
class Forest:
    """Uplift trees."""

    forest: Any
    filled: Filled

    def values(self, x: Matrix) -> FloatArray:
        """Effects over arm 0, shape (u, K)."""
        effect = np.asarray(self.forest.predict(self.filled(x).astype(np.float64)))
        return np.hstack([np.zeros((len(x), 1)), effect])


def uplift_forest(frame: Frame, seed: int) -> Learnt:
    """Trees that split where the arms' outcomes part (Kullback-Leibler); it knows no chances."""
    filled = Filled.of(frame.x)
    forest = UpliftRandomForestClassifier(
        control_name="0", n_estimators=50, max_depth=6, min_samples_leaf=200, min_samples_treatment=50,
        max_features=12, n_reg=100, evaluationFunction="KL", n_jobs=1, random_state=seed,
    )  # fmt: skip
    forest.fit(filled(frame.x).astype(np.float64), frame.arm.astype(str), frame.reward.astype(np.int64))
    return Forest(forest, filled)


TOOLS: dict[str, Callable[[Frame, int], Learnt]] = {
    "causalml-t": t_learner,
    "causalml-x": x_learner,
    "causalml-r": r_learner,
    "causalml-x-calm": partial(x_learner, effect=calm_regressor),
    "causalml-dr": dr_learner,
    "causalml-dr-calm": partial(dr_learner, effect=calm_regressor),
    "causalml-forest": uplift_forest,
}
