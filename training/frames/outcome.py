"""Model of the reward given context and action: bagged gradient boosting, cross-fitted by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from data.decision_frame import DecisionFrame
from data.frame_spec import BINARY
from data.frame_table import BoolArray, FloatArray, IntArray

FOLDS = 5
BAGS = 4
"""Models averaged; each stops early on the quarter of the training units it does not see."""
MOST_ROUNDS = 500
PATIENCE = 20
FEWEST_TO_FIT = 50


class TooSmall(ValueError):
    """Too few rows, units or outcomes to learn from."""


@dataclass(frozen=True)
class Rows:
    """What a model learns from: features, shape (n, F), rewards and unit numbers, shape (n,)."""

    values: FloatArray
    reward: FloatArray
    unit: IntArray

    def only(self, kept: BoolArray | IntArray) -> Rows:
        """Some of the rows."""
        return Rows(self.values[kept], self.reward[kept], self.unit[kept])


@dataclass(frozen=True)
class Kind:
    """What the columns and the reward are."""

    binary: bool
    categorical: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """A fitted model: the mean of its boosters, or a constant where the rewards were all alike."""

    constant: float
    boosters: tuple[lgb.Booster, ...]

    def predict(self, values: FloatArray) -> FloatArray:
        """Expected reward, shape (n,)."""
        if not self.boosters:
            return np.full(len(values), self.constant)
        each = [np.asarray(booster.predict(values, num_threads=1)) for booster in self.boosters]
        return np.asarray(np.mean(each, axis=0), dtype=np.float64)

    def first(self, bags: int) -> Outcome:
        """The model with only its first bags."""
        return Outcome(self.constant, self.boosters[:bags])

    def gain(self, features: int) -> FloatArray:
        """Loss saved by splits on each feature, shape (features,)."""
        if not self.boosters:
            return np.zeros(features)
        each = [booster.feature_importance("gain") for booster in self.boosters]
        return np.asarray(np.sum(each, axis=0), dtype=np.float64)


def fit_outcome(rows: Rows, kind: Kind, *, seed: int, bags: int = BAGS) -> Outcome:
    """The model of the rows' rewards, of `BAGS` bags or only the first of them.

    Raises
    ------
    TooSmall
        Fewer than `FEWEST_TO_FIT` rows or fewer than `BAGS` units.
    """
    units = np.unique(rows.unit)
    if len(rows.reward) < FEWEST_TO_FIT or len(units) < BAGS:
        what = f"expected at least {FEWEST_TO_FIT} rows and {BAGS} units to learn from"
        raise TooSmall(f"{what}; came {len(rows.reward):,} rows and {len(units):,} units: give a longer log")
    if np.ptp(rows.reward) == 0 or rows.values.shape[1] == 0:
        return Outcome(float(rows.reward.mean()), ())
    bag = unit_folds(rows.unit, BAGS, seed=seed)
    boosters = tuple(_booster(rows, kind, held=bag == number, seed=seed + number) for number in range(bags))
    return Outcome(float(rows.reward.mean()), boosters)


def _booster(rows: Rows, kind: Kind, *, held: BoolArray, seed: int) -> lgb.Booster:
    learn, stop = rows.only(~held), rows.only(held)
    categorical = list(kind.categorical)
    data = lgb.Dataset(learn.values, learn.reward, categorical_feature=categorical, params={"verbose": -1})
    check = lgb.Dataset(stop.values, stop.reward, reference=data, params={"verbose": -1})
    booster = lgb.train(
        _settings(kind, rows=len(learn.reward), seed=seed),
        data,
        MOST_ROUNDS,
        valid_sets=[check],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )
    booster.free_dataset()
    return booster


def _settings(kind: Kind, *, rows: int, seed: int) -> dict[str, object]:
    return {
        "objective": "binary" if kind.binary else "regression",
        "learning_rate": 0.08,
        "num_leaves": 15,
        "min_data_in_leaf": int(np.clip(rows // 40, 5, 50)),
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def unit_folds(unit: IntArray, folds: int, *, seed: int) -> IntArray:
    """Fold number of each row, shape (n,); all rows of a unit share one, folds hold equally many units."""
    names, number = np.unique(unit, return_inverse=True)
    drawn = np.random.default_rng([seed, folds]).permutation(len(names)) % folds
    return np.asarray(drawn[number], dtype=np.int64)


def design(frame: DecisionFrame, action: IntArray) -> FloatArray:
    """Context beside the features of these actions, shape (n, F + G)."""
    return np.column_stack([frame.context.values, frame.action_features.values[action]])


def rows_of(frame: DecisionFrame) -> Rows:
    """Context and logged action of every row with its reward."""
    return Rows(design(frame, frame.action), frame.reward, frame.unit)


def kind_of(frame: DecisionFrame) -> Kind:
    """What the columns of `design` and the reward are."""
    flags = np.concatenate([frame.context.categorical, frame.action_features.categorical])
    return Kind(frame.spec.reward.kind == BINARY, tuple(int(i) for i in np.flatnonzero(flags)))


@dataclass(frozen=True)
class Fold:
    """One part of a cross-fit: a model and the rows it has not seen, shape (n,)."""

    outcome: Outcome
    held: BoolArray


def cross_fit(frame: DecisionFrame, *, seed: int) -> Iterator[Fold]:
    """Models for `FOLDS` parts of the units, each fitted on the other parts.

    Raises
    ------
    TooSmall
        Fewer rows or units than a fit needs.
    """
    rows, kind = rows_of(frame), kind_of(frame)
    part = unit_folds(frame.unit, FOLDS, seed=seed)
    for number in range(FOLDS):
        held = part == number
        if held.any():
            yield Fold(fit_outcome(rows.only(~held), kind, seed=seed + 100 * number), held)


def predict_each(outcome: Outcome, frame: DecisionFrame) -> FloatArray:
    """Expected reward of every action for every row, shape (n, A)."""
    predicted = np.empty((len(frame), len(frame.actions)))
    for action in range(len(frame.actions)):
        predicted[:, action] = outcome.predict(design(frame, np.full(len(frame), action)))
    return predicted
