"""Logistic regression on the same columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from features.reference import Reference
from models.calibration import Calibration
from models.propensity import LogisticModel, Rows
from training.recipes.calibrate import platt
from training.recipes.fitted import Fitted, Setting
from training.recipes.lightgbm import category_columns
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]


def fit_logistic(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """Logistic regression on the same columns: numbers standardised, missing ones flagged, categories in columns."""
    categories = category_columns(reference.channels)
    learn = rows.matrix[split.learn]
    known = np.isfinite(learn)
    count = np.maximum(known.sum(axis=0), 1)  # a column that is missing throughout has mean 0, without a warning
    mean = np.where(known, learn, 0.0).sum(axis=0) / count
    scale = np.maximum(np.sqrt((np.where(known, learn - mean, 0.0) ** 2).sum(axis=0) / count), 1e-6)
    mean[categories], scale[categories] = 0.0, 1.0
    sizes = {column: len(reference.words()[rows.names[column]]) for column in categories}
    design = _design(learn, mean, scale=scale, sizes=sizes)
    strength = float(settings.get("C", 1.0))
    fitted = LogisticRegression(C=strength, max_iter=int(settings.get("max_iter", 300)), random_state=seed)
    fitted.fit(design, rows.paid[split.learn])
    model = _logistic_model(float(fitted.intercept_[0]), fitted.coef_[0], mean, scale=scale, sizes=sizes)
    chance = model.probability(rows.matrix[split.calibrate]).clip(1e-9, 1 - 1e-9)
    calibration = platt(np.log(chance / (1 - chance)), rows.paid[split.calibrate])
    calibrated = _with_calibration(model, calibration)
    return Fitted(calibrated, calibrated, "value")


def _design(matrix: Rows, mean: FloatArray, *, scale: FloatArray, sizes: Mapping[int, int]) -> FloatArray:
    missing = np.isnan(matrix)
    scaled = np.where(missing, 0.0, (matrix - mean) / scale)
    scaled[:, list(sizes)] = 0.0
    flags = missing.astype(np.float64)
    flags[:, list(sizes)] = 0.0
    columns = [np.equal(matrix[:, [column]], np.arange(size)).astype(np.float64) for column, size in sizes.items()]
    return np.hstack([scaled, flags, *columns])


def _logistic_model(
    intercept: float, slopes: FloatArray, mean: FloatArray, *, scale: FloatArray, sizes: Mapping[int, int]
) -> LogisticModel:
    width = len(mean)
    by_category, begin = {}, 2 * width
    for column, size in sizes.items():
        by_category[column] = tuple(slopes[begin : begin + size].tolist())
        begin += size
    return LogisticModel(
        intercept,
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        tuple(slopes[:width].tolist()),
        tuple(slopes[width : 2 * width].tolist()),
        by_category,
        Calibration(),
    )


def _with_calibration(model: LogisticModel, calibration: Calibration) -> LogisticModel:
    return LogisticModel(
        model.intercept, model.mean, model.scale, model.slope, model.missing_slope, model.category_slopes, calibration
    )
