"""Chance of each action given what was known: LightGBM over several classes, cross-fitted by debtor, calibrated.

An action that was never taken has the chance 0, whatever a model would extrapolate. One that was taken too rarely to
learn when has its share of all rows as chance. The rest is learnt from the debtors of the other folds, and its scores
are calibrated there too: one temperature and one intercept a class (vector scaling with a single slope, after
Guo, Pleiss, Sun and Weinberger 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from training.logged.folds import folds_by_unit, sampled

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]

FEWEST_OF_AN_ACTION = 30
"""Rows of an action below which nothing is learnt of when it is taken."""
LEAST_CHANCE = 1e-4
"""Chance below which the logarithm of a loss is not taken."""
BINS = 15
STOPPING_FOLDS = 5
"""One of these parts of the learning debtors says when to stop."""


@dataclass(frozen=True)
class FitSettings:
    """How chances are learnt.

    Parameters
    ----------
    most_fitted
        Rows that one fold learns from, at most; more are sampled.
    most_rounds, patience
        Trees a class, at most; and how many more are tried after the best on a fifth of the learning debtors.
    column_share
        Share of columns that a tree looks at.
    """

    folds: int = 3
    most_rounds: int = 200
    patience: int = 10
    learning_rate: float = 0.1
    leaves: int = 7
    column_share: float = 0.5
    most_fitted: int = 60_000
    threads: int = 2


@dataclass(frozen=True)
class Estimated:
    """Chances of K actions and how good they are.

    Parameters
    ----------
    chance
        Shape (n, K), rows sum to 1; each row by a fit that has not seen its debtor.
    supported
        Whether an action was ever taken, shape (K,); the chance of the others is 0.
    log_loss, base_log_loss
        Mean of minus the logarithm of the chance of what was done; the same for the plain shares.
    calibration_error
        Mean distance between chance and share, over bins of equal size, over the actions taken.
    """

    chance: FloatArray
    supported: npt.NDArray[np.bool_]
    log_loss: float
    base_log_loss: float
    calibration_error: float


def estimate_chances(
    features: Matrix, action: IntArray, *, unit: IntArray, actions: int, settings: FitSettings, rng: np.random.Generator
) -> Estimated:
    """Chance of each of `actions` actions in each row.

    Parameters
    ----------
    features
        What was known when it was decided, shape (n, F), NaN for missing.
    action
        What was done, 0..actions-1, shape (n,).
    unit
        Debtor of each row, shape (n,): no fit sees the debtors it speaks of.

    Raises
    ------
    TooFewUnits
        Fewer debtors than folds, or too few to say when to stop.
    """
    taken = np.bincount(action, minlength=actions)
    share = taken / len(action)
    learnt = np.flatnonzero(taken >= FEWEST_OF_AN_ACTION)
    chance = np.tile(share, (len(action), 1))
    if len(learnt) > 1:
        rows = np.flatnonzero(np.isin(action, learnt))
        code = np.searchsorted(learnt, action[rows])
        fold = folds_by_unit(unit, settings.folds, rng=rng)
        scores = _scores(features, code, rows, fold=fold, unit=unit, classes=len(learnt), settings=settings, rng=rng)
        chance[:, learnt] = _calibrated(scores, code, rows, fold=fold, folds=settings.folds) * share[learnt].sum()
    return Estimated(
        chance, taken > 0, _log_loss(chance, action), _log_loss(share[None, :], action), _error(chance, action)
    )


def _scores(
    features: Matrix,
    code: IntArray,
    rows: IntArray,
    *,
    fold: IntArray,
    unit: IntArray,
    classes: int,
    settings: FitSettings,
    rng: np.random.Generator,
) -> FloatArray:
    """Raw scores of every row by the fit of the other folds, shape (n, classes)."""
    scores = np.zeros((len(features), classes))
    for number in range(settings.folds):
        mine = np.flatnonzero(fold == number)
        others = np.flatnonzero(fold[rows] != number)
        others = sampled(others, settings.most_fitted, rng=rng)
        seed = int(rng.integers(2**31))
        params = _params(settings, classes=classes, seed=seed)
        booster = _booster(
            features, code, rows[others], at=others, unit=unit, params=params, settings=settings, rng=rng
        )
        scores[mine] = booster.predict(features[mine], raw_score=True, num_threads=settings.threads)
    return scores


def _booster(
    features: Matrix,
    code: IntArray,
    rows: IntArray,
    *,
    at: IntArray,
    unit: IntArray,
    params: dict[str, object],
    settings: FitSettings,
    rng: np.random.Generator,
) -> lgb.Booster:
    """Trees learnt from `rows`, whose classes are `code[at]`, stopped where a fifth of their debtors gains nothing more."""
    inner = folds_by_unit(unit[rows], STOPPING_FOLDS, rng=rng)
    learn, stop = inner != 0, inner == 0
    data = lgb.Dataset(features[rows[learn]], code[at[learn]].astype(np.float64), params=params)
    held = lgb.Dataset(features[rows[stop]], code[at[stop]].astype(np.float64), reference=data, params=params)
    stopping = lgb.early_stopping(settings.patience, verbose=False)
    return lgb.train(params, data, num_boost_round=settings.most_rounds, valid_sets=[held], callbacks=[stopping])


def _params(settings: FitSettings, *, classes: int, seed: int) -> dict[str, object]:
    return {
        "objective": "multiclass",
        "num_class": classes,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": 20,
        "feature_fraction": settings.column_share,
        "lambda_l2": 1.0,
        "max_bin": 63,
        "num_threads": settings.threads,
        "deterministic": True,
        "force_col_wise": True,
        "seed": seed,
        "verbosity": -1,
    }


def _calibrated(scores: FloatArray, code: IntArray, rows: IntArray, *, fold: IntArray, folds: int) -> FloatArray:
    """Chances of each fold's rows, calibrated on the rows of the other folds, shape as `scores`."""
    chance = np.empty_like(scores)
    for number in range(folds):
        mine, others = fold == number, fold[rows] != number
        slope, intercept = vector_scaling(scores[rows[others]], code[others])
        chance[mine] = softmax(slope * scores[mine] + intercept, axis=1)
    return chance


def vector_scaling(scores: FloatArray, code: IntArray) -> tuple[float, FloatArray]:
    """Slope and intercepts that make softmax(slope x scores + intercepts) most likely, lightly held to 1 and 0.

    Parameters
    ----------
    scores, code
        Shapes (m, K) and (m,): raw scores, and the class that came.

    >>> slope, _ = vector_scaling(np.array([[9.0, 0.0], [0.0, 9.0]] * 50), np.array([0, 1] * 45 + [1, 0] * 5))
    >>> bool(slope < 0.5)
    True
    """
    classes, size = scores.shape[1], len(scores)
    hit = np.zeros_like(scores)
    hit[np.arange(size), code] = 1.0

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        logged = log_softmax(at[0] * scores + at[1:], axis=1)
        off = np.exp(logged) - hit
        pull = at - start
        gradient = np.append((off * scores).sum(), off.sum(axis=0)) / size + pull / size
        return float(-logged[np.arange(size), code].mean() + pull @ pull / 2 / size), gradient

    start = np.append(1.0, np.zeros(classes))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] + [(None, None)] * classes)
    return float(found.x[0]), np.asarray(found.x[1:], dtype=np.float64)


def _log_loss(chance: FloatArray, action: IntArray) -> float:
    of_action = np.broadcast_to(chance, (len(action), chance.shape[1]))[np.arange(len(action)), action]
    return float(-np.log(np.maximum(of_action, LEAST_CHANCE)).mean())


def _error(chance: FloatArray, action: IntArray) -> float:
    taken = np.unique(action)
    return float(np.mean([calibration_error(chance[:, one], action == one) for one in taken]))


def calibration_error(chance: FloatArray, happened: npt.NDArray[np.bool_], *, bins: int = BINS) -> float:
    """Mean distance between mean chance and share in bins of equal size, weighted by rows.

    Parameters
    ----------
    chance, happened
        Shape (n,).

    >>> calibration_error(np.full(100, 0.5), np.arange(100) < 60, bins=1)
    0.1
    """
    order = np.argsort(chance, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    apart = [abs(float(chance[part].mean()) - float(happened[part].mean())) * len(part) for part in parts]
    return round(float(np.sum(apart)) / len(order), 12)
