"""One LightGBM over debtor, claim and action."""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import catalogue
from features.reference import Reference
from models.propensity import BoosterModel
from training.recipes.calibrate import platt
from training.recipes.fitted import Fitted, Setting
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
    chosen: dict[str, object] = {**BOOSTER, "seed": seed, **settings}
    rounds, patience = int(str(chosen.pop("rounds", ROUNDS))), int(str(chosen.pop("patience", PATIENCE)))
    chosen["monotone_constraints"] = [-1 if name == "days_ahead" else 0 for name in rows.names]
    stop = lgb.early_stopping(patience, verbose=False)
    learn = _dataset(rows, split.learn, reference, chosen)
    later = _dataset(rows, split.calibrate, reference, chosen, like=learn)
    booster = lgb.train(chosen, learn, num_boost_round=rounds, valid_sets=[later], callbacks=[stop])
    raw = np.asarray(booster.predict(rows.matrix[split.calibrate], raw_score=True), dtype=np.float64)
    calibration = platt(raw, rows.paid[split.calibrate])
    everything = _dataset(rows, np.ones(len(rows), dtype=np.bool_), reference, chosen)
    again = lgb.train(chosen, everything, num_boost_round=booster.best_iteration)
    return Fitted(BoosterModel(booster, calibration), BoosterModel(again, calibration), "value")


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
