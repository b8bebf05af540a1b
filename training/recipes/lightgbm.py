"""One LightGBM over debtor, claim and action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import catalogue
from features.reference import Reference
from models.calibration import Calibration
from models.propensity import BoosterModel
from training.recipes.calibrate import platt
from training.recipes.fitted import Fitted, Setting, Uncalibrated, Watch, unwatched
from training.rows import TrainingRows
from training.splits import Split

BoolArray = npt.NDArray[np.bool_]

BOOSTER: Mapping[str, Setting] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 20.0,
    "max_bin": 127,
    "num_threads": 2,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
ROUNDS = 400
PATIENCE = 40


def fit_lightgbm(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """One LightGBM over debtor, claim and action; stopped and calibrated on the later slice, then fitted to all rows.

    A later slot never does more within the horizon, at the same distance from pay day: `days_ahead` is monotone.
    """
    booster = learn_lightgbm(rows, split, reference, settings, seed, unwatched).model.booster
    raw = np.asarray(booster.predict(rows.matrix[split.calibrate], raw_score=True), dtype=np.float64)
    calibration = platt(raw, rows.paid[split.calibrate])
    params = _params(rows, settings, seed)
    everything = _dataset(rows, np.ones(len(rows), dtype=np.bool_), reference, params)
    again = lgb.train(params, everything, num_boost_round=booster.best_iteration)
    return Fitted(BoosterModel(booster, calibration), BoosterModel(again, calibration), "value")


def learn_lightgbm(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int, watch: Watch
) -> Uncalibrated[BoosterModel]:
    """The booster of the learning part, stopped where the later slice gains nothing more; `watch` is told of every round."""
    params = _params(rows, settings, seed)
    rounds, patience = int(settings.get("rounds", ROUNDS)), int(settings.get("patience", PATIENCE))
    learn = _dataset(rows, split.learn, reference, params)
    later = _dataset(rows, split.calibrate, reference, params, like=learn)
    stop, tell = lgb.early_stopping(patience, verbose=False), _telling(watch, rate=float(str(params["learning_rate"])))
    booster = lgb.train(params, learn, num_boost_round=rounds, valid_sets=[later], callbacks=[stop, tell])
    return Uncalibrated(BoosterModel(booster, Calibration()), {"rounds": booster.best_iteration})


def _params(rows: TrainingRows, settings: Mapping[str, Setting], seed: int) -> dict[str, object]:
    """What LightGBM is given."""
    known = {name: value for name, value in settings.items() if name not in {"rounds", "patience"}}
    constraints = [-1 if name == "days_ahead" else 0 for name in rows.names]
    return {**BOOSTER, "seed": seed, **known, "monotone_constraints": constraints}


def _telling(watch: Watch, *, rate: float) -> Callable[[Any], None]:
    def tell(env: Any) -> None:  # noqa: ANN401 # LightGBM's record of a round
        watch((env.iteration + 1) * rate, float(env.evaluation_result_list[0][2]))

    return tell


def _dataset(
    rows: TrainingRows,
    part: BoolArray,
    reference: Reference,
    params: dict[str, object],
    like: lgb.Dataset | None = None,
) -> lgb.Dataset:
    return lgb.Dataset(
        rows.matrix[part],
        rows.paid[part].astype(np.float64),
        reference=like,
        params=params,
        categorical_feature=category_columns(reference.channels),
        feature_name=list(rows.names),
    )


def category_columns(channels: tuple[str, ...]) -> list[int]:
    """Positions of the category features among the catalogue's columns."""
    return [number for number, feature in enumerate(catalogue(channels)) if feature.category]
