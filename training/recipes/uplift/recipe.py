"""The recipes `t_learner`, `x_learner`, `r_learner` and `dr_learner`: chance without contact, and effects over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import action_features
from features.reference import Reference
from models.boosters import raw_scores
from models.calibration import Calibration
from models.cells import RowCells, channel_codes
from models.uplift import Effect, UpliftModel
from training.recipes.boosting import Lesson, School, lightgbm_params
from training.recipes.calibrate_by_channel import platt_by_channel
from training.recipes.fitted import Fitted, Recipe, Setting
from training.recipes.lightgbm import BOOSTER, PATIENCE, ROUNDS, category_columns
from training.recipes.uplift.dr import dr_learner
from training.recipes.uplift.learner import Learner, Task, expected_outcomes
from training.recipes.uplift.levels import levelled
from training.recipes.uplift.r import r_learner
from training.recipes.uplift.sample import sample_of
from training.recipes.uplift.t import t_learner
from training.recipes.uplift.x import x_learner
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EFFECT: Mapping[str, Setting] = {
    "effect_learning_rate": 0.03,
    "effect_leaves": 8,
    "effect_min_data_in_leaf": 100,
    "effect_rounds": 300,
}
_OWN: Mapping[str, Setting] = {
    "rounds": ROUNDS,
    "patience": PATIENCE,
    "folds": 3,
    "largest_weight": 20.0,
    "levelled": True,
}
UPLIFT: Mapping[str, Setting] = {**BOOSTER, **_EFFECT, **_OWN}
FEWEST_LATER = 50
"""Later rows without contact below which the base goes on from all channels by as many rounds as usual."""
USUAL_MORE_ROUNDS = 20


@dataclass(frozen=True)
class Rounds:
    """How long each booster is learnt: that of all channels, the base beyond it, and the learner's by name."""

    outcome: int
    base: int
    effects: Mapping[str, int]


@dataclass(frozen=True)
class _Course:
    """A recipe's material and how it learns."""

    rows: TrainingRows
    channels: int
    outcome: School
    effect: School
    settings: Mapping[str, Setting]
    seed: int

    @property
    def lesson(self) -> Lesson:
        """All rows with their outcomes."""
        return Lesson(self.rows.matrix, self.rows.paid.astype(np.float64))

    @property
    def column(self) -> int:
        """Index of the action's channel in a row."""
        return len(self.rows.names) - len(action_features())


def uplift_recipe(learner: Learner) -> Recipe:
    """A recipe around a learner: fitted to the learning part, held against the later slice, then fitted to all rows."""

    def fit(
        rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
    ) -> Fitted:
        course = _course(rows, reference, {**UPLIFT, **settings}, seed)
        plain, rounds = _learnt(course, learner, split.learn, split.calibrate, None)
        everything, nothing = np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
        again, _ = _learnt(course, learner, everything, nothing, rounds)
        kept = {code: _as_levelled(one, plain.effects.get(code)) for code, one in again.effects.items()}
        return Fitted(plain, replace(again, calibration=plain.calibration, effects=kept), "value")

    return fit


fit_t_learner = uplift_recipe(t_learner)
fit_x_learner = uplift_recipe(x_learner)
fit_r_learner = uplift_recipe(r_learner)
fit_dr_learner = uplift_recipe(dr_learner)


def _course(rows: TrainingRows, reference: Reference, settings: Mapping[str, Setting], seed: int) -> _Course:
    params = lightgbm_params(settings, own=(*_EFFECT, *_OWN), seed=seed)
    categories = tuple(category_columns(reference.channels))
    of_effect = {
        **params,
        "objective": "regression",
        "learning_rate": settings["effect_learning_rate"],
        "num_leaves": settings["effect_leaves"],
        "min_data_in_leaf": settings["effect_min_data_in_leaf"],
    }
    patience = int(settings["patience"])
    outcome = School(params, int(settings["rounds"]), patience, categories)
    effect = School(of_effect, int(settings["effect_rounds"]), patience, categories)
    return _Course(rows, len(reference.channels), outcome, effect, settings, seed)


def _learnt(
    course: _Course, learner: Learner, learn: BoolArray, later: BoolArray, rounds: Rounds | None
) -> tuple[UpliftModel, Rounds]:
    """A model of these parts, and its rounds; with settled rounds no later part is needed and nothing is levelled."""
    rows, settings = course.rows, course.settings
    rng = np.random.default_rng((course.seed, int(rounds is not None)))
    threads = int(settings["num_threads"])
    sample = sample_of(rows, learn, later=later, channels=course.channels, threads=threads, rng=rng)
    base, calibration, found = _base(course, learn, later, rounds)
    log, largest = course.lesson.part(learn), float(settings["largest_weight"])
    expected = expected_outcomes(
        log, rows.debtor[learn], sample=sample, school=course.outcome, rounds=found.outcome,
        folds=int(settings["folds"]), rng=rng,
    )  # fmt: skip
    task = Task(
        log=log, channel=channel_codes(RowCells(log.matrix), course.column), debtor=rows.debtor[learn], sample=sample,
        expected=expected, outcome=course.outcome, effect=course.effect, largest_weight=largest, seed=course.seed,
        rounds=rounds.effects if rounds else {},
    )  # fmt: skip
    told = learner(task)
    model = UpliftModel(base, calibration, told.boosters, told.effects, course.column)
    if later.any() and bool(settings["levelled"]):
        model = replace(model, effects=levelled(model, sample, expected=expected, largest_weight=largest))
    return model, replace(found, effects=told.rounds)


def _base(
    course: _Course, learn: BoolArray, later: BoolArray, rounds: Rounds | None
) -> tuple[lgb.Booster, Calibration, Rounds]:
    """The booster of `none`, which goes on from that of all channels, its calibration, and rounds.

    Rows without contact are few: on their own they would tell less of who pays than all rows do.
    """
    lesson, school = course.lesson, course.outcome
    without = course.rows.channel == 0
    count = rounds.outcome if rounds else int(school.until(lesson.part(learn), lesson.part(later)).best_iteration)
    pooled = school.exactly(lesson.part(learn), count)
    if rounds is None:
        rounds = Rounds(count, _more_rounds(school, lesson, learn & without, later & without, pooled), {})
    base = school.exactly(lesson.part(learn & without), rounds.base, before=pooled)
    return base, _base_calibration(course, later, pooled, base), rounds


def _more_rounds(school: School, lesson: Lesson, learn: BoolArray, later: BoolArray, pooled: lgb.Booster) -> int:
    """Rounds by which the booster of all channels goes on with rows of `none`, at least 1."""
    if later.sum() < FEWEST_LATER or len(np.unique(lesson.target[later])) < 2:
        return USUAL_MORE_ROUNDS
    further = school.until(lesson.part(learn), lesson.part(later), before=pooled)
    return max(int(further.best_iteration) - int(pooled.num_trees()), 1)


def _base_calibration(course: _Course, later: BoolArray, pooled: lgb.Booster, base: lgb.Booster) -> Calibration:
    """Calibration of the base on later rows without contact, drawn towards that of all later rows."""
    if not later.any():
        return Calibration()
    matrix, channel = course.rows.matrix[later], course.rows.channel[later].astype(np.int64)
    of_base = RowCells(matrix).without_action(course.column).raw(base)
    raw = np.where(channel == 0, of_base, raw_scores(pooled, matrix))
    return platt_by_channel(raw, course.rows.paid[later], channel, channels=course.channels)[0]


def _as_levelled(effect: Effect, known: Effect | None) -> Effect:
    return effect if known is None else replace(effect, level=known.level, slope=known.slope)
