"""The recipes: LightGBM, a logistic baseline, the incumbent's rules and the best constant action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from data.action_grid import dayparts_of
from data.vocabulary import DAYPARTS
from features.catalogue import action_features, catalogue
from features.reference import Reference
from models.bundle import Chooser
from models.calibration import Calibration
from models.propensity import BoosterModel, LogisticModel, PropensityModel, RateModel, Rows
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Setting = int | float | str | bool

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
LEAST_RATE = 1e-4
"""Rates of payment are kept this far from 0 and 1: a channel tried ten times in vain is not hopeless."""

PATIENCE = 40


class UnknownRecipe(LookupError):
    """There is no recipe of that name."""


class UnknownSetting(ValueError):
    """A setting that the recipe does not know, or a value of another kind."""


@dataclass(frozen=True)
class Fitted:
    """What a recipe made.

    Attributes
    ----------
    model
        Learnt from the learning part alone: this one is judged.
    shipped
        The one that decides: a LightGBM learnt from all mature rows in the same way, with the same calibration; of the
        baselines the judged model itself.
    chooser, constant
        How it chooses, and for a constant choice its channel and part of the day.
    """

    model: PropensityModel
    shipped: PropensityModel
    chooser: Chooser
    constant: tuple[str, str] | None = None


Recipe = Callable[[TrainingRows, Split, Reference, Mapping[str, Setting], int], Fitted]


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


def platt(raw: FloatArray, paid: BoolArray) -> Calibration:
    """Logistic calibration of raw scores (Platt 1999) with a weak pull to the identity's side of the optimum."""
    fitted = LogisticRegression(C=1e6).fit(raw[:, None], paid)
    if fitted.coef_[0, 0] <= 0:  # a later slice that ranks backwards is noise: it may flatten the scores, not turn them
        share = float(np.mean(paid))
        return Calibration(float(np.log(share / (1 - share))), 0.0)
    return Calibration(float(fitted.intercept_[0]), float(fitted.coef_[0, 0]))


def category_columns(channels: tuple[str, ...]) -> list[int]:
    """Positions of the category features among the catalogue's columns."""
    return [number for number, feature in enumerate(catalogue(channels)) if feature.category]


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


def fit_incumbent(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """The tenant's present rules; chances of payment are the usual ones under each channel."""
    del settings, seed
    rates = _rates(rows, split, reference)
    return Fitted(rates, rates, "control")


def fit_constant(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """The one channel and part of the day that recovered most per randomised decision, as soon as it is allowed."""
    del settings, seed
    weight = inverse_probability(rows)
    hour = rows.matrix[:, rows.names.index("hour")]
    part = dayparts_of(np.nan_to_num(hour, nan=-1.0).astype(np.int64))
    found: dict[tuple[str, str], float] = {}
    for code, channel in enumerate(reference.channels):
        for number, name in enumerate(DAYPARTS) if code else [(-1, DAYPARTS[0])]:
            here = split.learn & (rows.channel == code) & (part == number)
            if here.sum() >= 30:
                found[channel, name] = float(np.average(rows.amount_eur[here], weights=weight[here]))
    best = max(found, key=lambda key: found[key]) if found else (reference.channels[0], DAYPARTS[0])
    rates = _rates(rows, split, reference)
    return Fitted(rates, rates, "constant", best)


def inverse_probability(rows: TrainingRows) -> FloatArray:
    """1 over the logged probability where the choice was drawn, 0 for decided rows if there are any drawn, else 1."""
    chance = rows.action_probability
    drawn = np.isfinite(chance) & (chance < 0.999)
    if not drawn.any():
        return np.ones(len(rows), dtype=np.float64)
    weight: FloatArray = np.where(drawn, 1.0 / np.where(drawn, chance, 1.0), 0.0)
    return weight


def _rates(rows: TrainingRows, split: Split, reference: Reference) -> RateModel:
    weight = inverse_probability(rows) * split.learn
    overall = float(rows.paid[split.learn].mean())
    rates = []
    for code in range(len(reference.channels)):
        here = (rows.channel == code) & (weight > 0)
        rate = float(np.average(rows.paid[here], weights=weight[here])) if here.any() else overall
        rates.append(min(max(rate, LEAST_RATE), 1 - LEAST_RATE))
    return RateModel(tuple(rates), len(rows.names) - len(action_features()))


RECIPES: Mapping[str, Recipe] = {
    "lightgbm": fit_lightgbm,
    "logistic": fit_logistic,
    "constant": fit_constant,
    "incumbent": fit_incumbent,
}

SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "lightgbm": {**BOOSTER, "rounds": ROUNDS, "patience": PATIENCE},
    "logistic": {"C": 1.0, "max_iter": 300},
    "constant": {},
    "incumbent": {},
}


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises
    ------
    UnknownRecipe
        There is none.
    """
    if name not in RECIPES:
        raise UnknownRecipe(f"no model '{name}': there are {', '.join(RECIPES)}")
    return RECIPES[name]


def parse_settings(name: str, pairs: list[str]) -> dict[str, Setting]:
    """Settings of a recipe from `key=value` texts.

    Raises
    ------
    UnknownRecipe
        There is no recipe of that name.
    UnknownSetting
        The recipe has no such setting, or its value is of another kind.

    >>> parse_settings("lightgbm", ["num_leaves=63"])
    {'num_leaves': 63}
    >>> parse_settings("logistic", ["leaves=63"])
    Traceback (most recent call last):
    training.fit.UnknownSetting: logistic has no setting 'leaves': it knows C, max_iter
    """
    recipe(name)
    known = SETTINGS[name]
    settings: dict[str, Setting] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise UnknownSetting(f"expected key=value, came '{pair}'")
        if key not in known:
            raise UnknownSetting(f"{name} has no setting '{key}': it knows {', '.join(known) or 'none'}")
        settings[key] = _as_kind(pair, text, known[key])
    return settings


def _as_kind(pair: str, text: str, example: Setting) -> Setting:
    try:
        if isinstance(example, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(example, int | float):
            return int(text) if isinstance(example, int) else float(text)
    except (KeyError, ValueError) as error:
        raise UnknownSetting(f"{pair}: expected something like {example!r}") from error
    return text
