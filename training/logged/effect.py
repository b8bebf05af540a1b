"""Effect of one action over another from a log, doubly robust and cross-fitted, with what could overturn it.

For any log: arrays in, one frozen result out, or a refusal with its reason.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.logged.folds import folds_by_unit, sampled
from training.logged.multinomial import FitSettings, Matrix, estimate_chances
from training.logged.sensitivity import Arm, End, bound_per_row, mean_per_row
from training.ope.intervals import LEVEL, Interval, normal_interval
from training.ope.overlap import NoOverlap, Support, require_support

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LARGEST_ODDS_RATIO = 10.0
"""Odds ratio up to which the point where an effect is no longer sure is looked for."""
STEPS = 20
"""Halvings in that search."""


@dataclass(frozen=True)
class EffectSettings:
    """How an effect is estimated.

    Parameters
    ----------
    least_chance
        Rows in which either action has a smaller chance are left out: there is no one to compare with
        (Crump, Hotz, Imbens and Mitnik 2009). The effect is then that of the rows kept, and their share is told.
    odds_ratios
        At which bounds are given.
    """

    fit: FitSettings = field(default_factory=lambda: FitSettings(folds=5, column_share=0.8))
    least_chance: float = 0.02
    odds_ratios: tuple[float, ...] = (1.25, 1.5, 2.0, 3.0)
    outcome_rounds: int = 100
    outcome_leaves: int = 8
    outcome_rate: float = 0.05
    level: float = LEVEL


@dataclass(frozen=True)
class Log:
    """Decisions of one logger, or several that are told apart in `features`; shape (n,) but `features` (n, F).

    Parameters
    ----------
    features
        What was known when it was decided, NaN for missing.
    action
        What was done, 0..K-1.
    outcome
        What came of it; any numbers.
    unit
        Debtor of each row.
    chance
        Logged or estimated chance of every action, shape (n, K), or None: it is then estimated.
    """

    features: Matrix
    action: IntArray
    outcome: FloatArray
    unit: IntArray
    chance: FloatArray | None = None


@dataclass(frozen=True)
class Bound:
    """Range of effects that agree with the log where an unrecorded driver moves odds by at most a factor, with its interval.

    `low` and `high` are the ends of the interval of the range; `least` and `most` those of the range itself.
    """

    odds_ratio: float
    low: float
    least: float
    most: float
    high: float

    @property
    def identified(self) -> bool:
        """Whether the sign of the effect is still told."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Effect:
    """Mean outcome under one action minus that under another, over the rows kept.

    Parameters
    ----------
    value
        Doubly robust, the interval clustered by debtor.
    naive
        Plain difference of the means, for comparison: confounded where decisions were not drawn.
    kept
        Share of rows in which both actions had a fair chance.
    of, over
        What each mean rests on.
    bounds
        At the odds ratios asked for; empty where the chances were logged, for then nothing unrecorded moved the decisions.
    overturned_at
        Smallest odds ratio at which the interval of the range holds 0: 1 where the plain interval holds it already,
        infinity where none up to `LARGEST_ODDS_RATIO` does, NaN where the chances were logged.
    """

    value: Interval
    naive: Interval
    rows: int
    units: int
    kept: float
    of: Support
    over: Support
    bounds: tuple[Bound, ...]
    overturned_at: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not a finite number is None."""
        at = self.overturned_at
        return {
            "value": self.value.as_dict(),
            "naive": self.naive.as_dict(),
            "rows": self.rows,
            "units": self.units,
            "kept": self.kept,
            "of": self.of.as_dict(),
            "over": self.over.as_dict(),
            "bounds": [{**asdict(one), "identified": one.identified} for one in self.bounds],
            "overturned_at": at if np.isfinite(at) else None,
        }


@dataclass(frozen=True)
class Pair:
    """Both arms over rows in which both had a fair chance, outcomes scaled to 0..1.

    Parameters
    ----------
    unit
        Debtor of each row, numbers 0..U-1.
    scale
        What an outcome of 1 stands for.
    """

    of: Arm
    over: Arm
    unit: IntArray
    scale: float
    level: float


def effect(
    log: Log, *, of: int, over: int, settings: EffectSettings, rng: np.random.Generator, drawn: bool = False
) -> Effect:
    """Effect of action `of` over action `over`.

    Parameters
    ----------
    drawn
        Whether `log.chance` are those that the actions were drawn with: no bounds are needed then.

    Raises
    ------
    NoOverlap
        Too few rows, effective rows or outcomes on either side; the message says how many.
    TooFewUnits
        Fewer debtors than folds.
    """
    _require_tried(log, (of, over))
    chance = log.chance if log.chance is not None else _estimated(log, settings, rng)
    kept = np.flatnonzero(np.minimum(chance[:, of], chance[:, over]) >= settings.least_chance)
    if not len(kept):
        raise NoOverlap(f"in no row do both actions have a chance of at least {settings.least_chance:g}")
    pair = _pair(log, chance, kept, actions=(of, over), settings=settings, rng=rng)
    ratios = () if drawn else settings.odds_ratios
    return effect_between(pair, kept=len(kept) / len(log.action), odds_ratios=ratios)


def effect_between(pair: Pair, *, kept: float, odds_ratios: tuple[float, ...]) -> Effect:
    """Effect of one arm over another whose chances and predicted outcomes are known.

    Parameters
    ----------
    kept
        Share of the log's rows that the pair holds.
    odds_ratios
        At which bounds are given; none where the actions were drawn.

    Raises
    ------
    NoOverlap
        Too few effective rows or outcomes on either side.
    """
    supports = [require_support(arm.taken / arm.chance, arm.outcome) for arm in (pair.of, pair.over)]
    return Effect(
        value=_interval(pair, mean_per_row(pair.of) - mean_per_row(pair.over)),
        naive=_naive(pair),
        rows=len(pair.unit),
        units=int(pair.unit.max()) + 1,
        kept=kept,
        of=supports[0],
        over=supports[1],
        bounds=tuple(_bound(pair, ratio) for ratio in odds_ratios),
        overturned_at=_overturned_at(pair) if odds_ratios else float("nan"),
    )


def _require_tried(log: Log, actions: tuple[int, int]) -> None:
    taken = [int((log.action == one).sum()) for one in actions]
    if min(taken) == 0:
        raise NoOverlap(
            f"the log holds {taken[0]:,} rows of the one action and {taken[1]:,} of the other, expected both"
        )


def _estimated(log: Log, settings: EffectSettings, rng: np.random.Generator) -> FloatArray:
    actions = int(log.action.max()) + 1
    return estimate_chances(
        log.features, log.action, unit=log.unit, actions=actions, settings=settings.fit, rng=rng
    ).chance


def _pair(
    log: Log,
    chance: FloatArray,
    kept: IntArray,
    *,
    actions: tuple[int, int],
    settings: EffectSettings,
    rng: np.random.Generator,
) -> Pair:
    """Both arms over the rows kept, with outcomes predicted by fits that have not seen the debtor."""
    unit = np.unique(log.unit[kept], return_inverse=True)[1].astype(np.int64)
    lowest, highest = float(log.outcome.min()), float(log.outcome.max())
    scale = max(highest - lowest, 1e-12)
    outcome = (log.outcome[kept] - lowest) / scale
    fold = folds_by_unit(unit, settings.fit.folds, rng=rng)
    features, action = log.features[kept], log.action[kept]
    arms = [
        Arm(
            action == one,
            chance[kept, one],
            outcome,
            predicted_outcomes(features, outcome, action == one, fold=fold, settings=settings, rng=rng),
        )
        for one in actions
    ]
    return Pair(arms[0], arms[1], unit, scale, settings.level)


def predicted_outcomes(
    features: Matrix,
    outcome: FloatArray,
    taken: BoolArray,
    *,
    fold: IntArray,
    settings: EffectSettings,
    rng: np.random.Generator,
) -> FloatArray:
    """Mean outcome under an action, each row by the fit of the other folds' rows of that action, shape (n,)."""
    predicted = np.full(len(outcome), float(outcome[taken].mean()))
    binary = bool(np.isin(outcome, (0.0, 1.0)).all())
    for number in range(settings.fit.folds):
        learn = sampled(np.flatnonzero(taken & (fold != number)), settings.fit.most_fitted, rng=rng)
        if len(np.unique(outcome[learn])) < 2:
            continue
        params = {
            "objective": "binary" if binary else "regression",
            "learning_rate": settings.outcome_rate,
            "num_leaves": settings.outcome_leaves,
            "min_data_in_leaf": max(10, min(100, len(learn) // 20)),
            "feature_fraction": settings.fit.column_share,
            "lambda_l2": 5.0,
            "max_bin": 63,
            "num_threads": settings.fit.threads,
            "deterministic": True,
            "force_col_wise": True,
            "seed": int(rng.integers(2**31)),
            "verbosity": -1,
        }
        data = lgb.Dataset(features[learn], outcome[learn], params=params)
        booster = lgb.train(params, data, num_boost_round=settings.outcome_rounds)
        mine = np.flatnonzero(fold == number)
        predicted[mine] = booster.predict(features[mine], num_threads=settings.fit.threads)
    return predicted.clip(0.0, 1.0)


def _interval(pair: Pair, per_row: FloatArray) -> Interval:
    return normal_interval(pair.scale * per_row, pair.unit, level=pair.level)


def _naive(pair: Pair) -> Interval:
    """Plain difference of means as value plus influence of each row."""
    per_row = np.zeros(len(pair.unit))
    for arm, sign in ((pair.of, 1.0), (pair.over, -1.0)):
        mean = float(arm.outcome[arm.taken].mean())
        per_row += sign * (mean + arm.taken / arm.taken.mean() * (arm.outcome - mean))
    return _interval(pair, per_row)


def _end(pair: Pair, odds_ratio: float, end: End) -> Interval:
    other: End = "high" if end == "low" else "low"
    mine = bound_per_row(pair.of, odds_ratio=odds_ratio, end=end)
    return _interval(pair, mine - bound_per_row(pair.over, odds_ratio=odds_ratio, end=other))


def _bound(pair: Pair, odds_ratio: float) -> Bound:
    low, high = _end(pair, odds_ratio, "low"), _end(pair, odds_ratio, "high")
    return Bound(odds_ratio, low.low, low.value, high.value, high.high)


def _overturned_at(pair: Pair) -> float:
    """Smallest odds ratio at which the sign is no longer told, by halving."""
    if not _bound(pair, 1.0).identified:
        return 1.0
    if _bound(pair, LARGEST_ODDS_RATIO).identified:
        return float("inf")
    holds, fails = 1.0, LARGEST_ODDS_RATIO
    for _ in range(STEPS):
        middle = (holds + fails) / 2
        holds, fails = (middle, fails) if _bound(pair, middle).identified else (holds, middle)
    return fails
