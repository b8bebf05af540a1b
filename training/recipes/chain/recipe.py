"""The recipe `chain`: links, then lift, then payment by itself and its level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import action_features, names
from features.reference import Reference
from models.chain import ChainModel, Links
from training.logged.loggers import CERTAIN
from training.recipes.chain.hazard import Bins, Fit, Known, boost_hazard
from training.recipes.chain.lift import Observed, measure_level, measure_lift
from training.recipes.chain.links import Task, first_links, fit_folds, own_hazard
from training.recipes.fitted import Fitted, Setting, Uncalibrated, Watch
from training.recipes.lightgbm import category_columns
from training.recipes.uplift.sample import comparable
from training.rows import TrainingRows
from training.splits import Split

BoolArray = npt.NDArray[np.bool_]

CHAIN: Mapping[str, Setting] = {
    "learning_rate": 0.1,
    "own_learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 20.0,
    "max_bin": 63,
    "num_threads": 2,
    "deterministic": True,
    "force_col_wise": True,
    "enable_bundle": False,  # bundles of a data set's part overrun their memory with two threads (LightGBM 4.7)
    "verbosity": -1,
    "reach_rounds": 150,
    "conversion_rounds": 100,
    "own_rounds": 500,
    "patience": 20,
    "folds": 2,
    "most_rows": 300_000,
    "attribution": True,
}
OURS = (
    "own_learning_rate",
    "reach_rounds",
    "conversion_rounds",
    "own_rounds",
    "patience",
    "folds",
    "most_rows",
    "attribution",
)
WHEN = ("hour", "weekday")
"""Columns of the action that decide whether a person is reached, not what comes of it."""


FEWEST_CONTACTS = 50
"""Contacts below which neither their answers nor what they change is learnt."""


INSTEAD = "train --model lightgbm or incumbent, and draw 5 % of decisions at random"


class NothingCompared(ValueError):
    """The log does not tell what contact changes."""


@dataclass(frozen=True)
class _Course:
    """What the chain is learnt from and how; `measured` are the rows that the lift may be measured on, shape (r,)."""

    rows: TrainingRows
    measured: BoolArray
    reference: Reference
    settings: Mapping[str, Setting]
    seed: int


@dataclass(frozen=True)
class Rounds:
    """How long each link is boosted."""

    reach: int
    conversion: int
    own: int


def fit_chain(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """The chain learnt from the learning part, its level from the later slice; then once more from all mature rows."""
    course = _course(rows, reference, settings, seed)
    first, rounds = _first(course, split)
    everything, none = np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
    again = _chain(course, everything, none, rounds=rounds)
    model = replace(first, links=_levelled(first, rows, split.calibrate))
    return Fitted(model, again, "value", notes=(_rests_on(rows, course.measured),))


def learn_chain(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int, watch: Watch
) -> Uncalibrated[ChainModel]:
    """The chain of the learning part before its level; `watch` is told nothing: a link's loss is not that of the chain."""
    del watch
    model, rounds = _first(_course(rows, reference, settings, seed), split)
    learnt = {"own", *(name for fold in model.folds for name in ("reach", "conversion") if getattr(fold, name))}
    return Uncalibrated(model, {f"{name}_rounds": count for name, count in asdict(rounds).items() if name in learnt})


def _course(rows: TrainingRows, reference: Reference, settings: Mapping[str, Setting], seed: int) -> _Course:
    # What the lift is measured on is settled once: the model that is judged must be of one kind with the one that decides.
    measured = comparable(rows, np.ones(len(rows), dtype=np.bool_), channels=len(reference.channels))
    contacts = int((rows.channel > 0).sum())
    if contacts < FEWEST_CONTACTS:
        raise NothingCompared(f"expected at least {FEWEST_CONTACTS} contacts to learn from, came {contacts}: {INSTEAD}")
    if not measured.any():
        raise NothingCompared(
            f"none of {len(rows):,} decisions could have been another one, or none was for no contact: nothing in the log says what "
            f"contact changes; {INSTEAD}"
        )
    return _Course(rows, measured, reference, {**CHAIN, **settings}, seed)


def _first(course: _Course, split: Split) -> tuple[ChainModel, Rounds]:
    """The judged chain before its level, and the rounds at which its links stopped."""
    rounds = Rounds(*(int(course.settings[f"{name}_rounds"]) for name in ("reach", "conversion", "own")))
    model = _chain(course, split.learn, split.calibrate, rounds=rounds)
    return model, _rounds_of(model, rounds)


def _rounds_of(model: ChainModel, given: Rounds) -> Rounds:
    """Rounds at which boosting stopped, mean over folds."""

    def mean(counts: list[int], otherwise: int) -> int:
        return max(round(float(np.mean(counts))), 1) if counts else otherwise

    return Rounds(
        mean([_trees(fold.reach) for fold in model.folds if fold.reach], given.reach),
        mean([_trees(fold.conversion) for fold in model.folds if fold.conversion], given.conversion),
        _trees(model.own),
    )


def _trees(booster: lgb.Booster) -> int:
    return booster.best_iteration if booster.best_iteration > 0 else booster.num_trees()


def _chain(course: _Course, learn: BoolArray, later: BoolArray, *, rounds: Rounds) -> ChainModel:
    """The chain, its level 1."""
    rows, channels, threads = course.rows, len(course.reference.channels), int(course.settings["num_threads"])
    task = _task(course, learn, later, rounds=rounds)
    own = own_hazard(task)
    folds, links, effect = fit_folds(task, first_links(task, channels=channels), own=own)
    seen = Observed(rows.paid, own, effect, rows.channel.astype(np.int64))
    lift = measure_lift(seen.of(np.flatnonzero(course.measured & (learn | later))), channels=channels)
    links = replace(links, change=tuple(lift.change.tolist()), lift=tuple(lift.lift.tolist()))
    made = rows.channel > 0
    known = Known(
        rows.paid, np.where(made, lift.lift[rows.channel] * effect, 0.0), 1.0 + made * lift.change[rows.channel]
    )
    mine = task.sample(learn)
    booster, start = boost_hazard(task.bins, known, rows=mine, later=np.flatnonzero(later), fit=task.fits["own"])
    return ChainModel(booster, folds, replace(links, own_rate=start), threads)


def _levelled(model: ChainModel, rows: TrainingRows, later: BoolArray) -> Links:
    chance = model.probability(rows.matrix[later])
    return replace(model.links, level=measure_level(-np.log1p(-chance), rows.paid[later]))


def _rests_on(rows: TrainingRows, measured: BoolArray) -> str:
    """What the lift was measured on, in words."""
    chance = rows.action_probability[measured]
    count, drawn = int(measured.sum()), int((np.isfinite(chance) & (chance < CERTAIN)).sum())
    if drawn == count:
        return f"what contact adds is measured on {count:,} rows of decisions drawn at random"
    return (
        f"what contact adds rests on {count:,} rows of decisions of which {drawn:,} were drawn at random: for the others on trust that "
        "everything that mattered was recorded (`rettid overlap` says how far that goes)"
    )


def _task(course: _Course, learn: BoolArray, later: BoolArray, *, rounds: Rounds) -> Task:
    rows, settings = course.rows, course.settings
    rng = np.random.default_rng(course.seed)
    folds = int(settings["folds"])
    of_debtor = rng.integers(0, folds, int(rows.debtor.max()) + 1)
    params = {key: value for key, value in settings.items() if key not in OURS} | {"seed": course.seed}
    names_of, patience, rate = list(rows.names), int(settings["patience"]), float(settings["learning_rate"])
    action = tuple(names_of.index(name) for name in names(action_features()))
    when = tuple(names_of.index(name) for name in WHEN)
    return Task(
        rows=rows,
        bins=Bins.of(rows.matrix, params, categories=category_columns(course.reference.channels)),
        learn=learn,
        later=later,
        fold=of_debtor[rows.debtor],
        folds=folds,
        attribution=bool(settings["attribution"]),
        most_rows=int(settings["most_rows"]),
        fits={
            "reach": Fit(rounds.reach, patience, rate),
            "conversion": Fit(rounds.conversion, patience, rate, when),
            "own": Fit(rounds.own, patience, float(settings["own_learning_rate"]), action),
        },
        threads=int(settings["num_threads"]),
        rng=rng,
    )
