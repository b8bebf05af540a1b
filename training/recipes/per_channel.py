"""One LightGBM a channel, `none` included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.catalogue import action_features
from features.reference import Reference
from models.calibration import Calibration
from models.cells import RowCells, channel_codes
from models.per_channel import PerChannelModel
from training.recipes.boosting import Lesson, School, lightgbm_params
from training.recipes.calibrate_by_channel import platt_by_channel
from training.recipes.fitted import Fitted, Setting, Uncalibrated, Watch
from training.recipes.lightgbm import BOOSTER, PATIENCE, ROUNDS, category_columns
from training.rows import TrainingRows
from training.splits import Split

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

PER_CHANNEL: Mapping[str, Setting] = {
    **BOOSTER, "min_data_in_leaf": 50, "num_leaves": 15, "rounds": ROUNDS, "patience": PATIENCE,
}  # fmt: skip
FEWEST_ROWS = 500
"""Rows of a channel below which the booster of all channels speaks for it."""
FEWEST_LATER = 100
"""Later rows of a channel below which its booster is given the rounds of the one of all channels."""


@dataclass(frozen=True)
class _Rounds:
    """How long each booster is learnt: that of all channels, and those of channels of their own by code."""

    pooled: int
    channels: Mapping[int, int]


@dataclass(frozen=True)
class _Course:
    """What is learnt from and how: channel code of each row, shape (r,); the number of channels; the action's first column."""

    school: School
    lesson: Lesson
    channel: IntArray
    channels: int
    column: int


def fit_per_channel(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """A booster for each channel, stopped and calibrated on the later slice, then fitted to all rows.

    A channel with less than `FEWEST_ROWS` rows to learn from, or one outcome among them, is scored by the booster of all.
    """
    course = _course(rows, reference, {**PER_CHANNEL, **settings}, seed)
    first, rounds = _first(course, split)
    later = split.calibrate
    calibrations = platt_by_channel(
        first.raw(RowCells(rows.matrix[later])), rows.paid[later], course.channel[later], channels=course.channels
    )
    again = _boosters(course, np.ones(len(rows), dtype=np.bool_), rounds)
    return Fitted(
        replace(first, calibrations=calibrations), PerChannelModel(*again, calibrations, course.column), "value"
    )


def learn_per_channel(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int, watch: Watch
) -> Uncalibrated[PerChannelModel]:
    """The boosters of the learning part; `watch` is told nothing: no booster's loss is that of all channels together."""
    del watch
    model, rounds = _first(_course(rows, reference, {**PER_CHANNEL, **settings}, seed), split)
    return Uncalibrated(model, {"rounds": rounds.pooled})


def _course(rows: TrainingRows, reference: Reference, settings: Mapping[str, Setting], seed: int) -> _Course:
    school = School(
        lightgbm_params(settings, own=("rounds", "patience"), seed=seed),
        int(settings["rounds"]), int(settings["patience"]), tuple(category_columns(reference.channels)),
    )  # fmt: skip
    column = len(rows.names) - len(action_features())
    lesson, channel = Lesson(rows.matrix, rows.paid.astype(np.float64)), channel_codes(RowCells(rows.matrix), column)
    return _Course(school, lesson, channel, len(reference.channels), column)


def _first(course: _Course, split: Split) -> tuple[PerChannelModel, _Rounds]:
    """The judged model before calibration, and how long its boosters were learnt."""
    rounds = _rounds(course, split)
    plain = tuple(Calibration() for _ in range(course.channels))
    return PerChannelModel(*_boosters(course, split.learn, rounds), plain, course.column), rounds


def _rounds(course: _Course, split: Split) -> _Rounds:
    school, lesson, channel = course.school, course.lesson, course.channel
    pooled = int(school.until(lesson.part(split.learn), lesson.part(split.calibrate)).best_iteration)
    found: dict[int, int] = {}
    for code in range(course.channels):
        mine, later = split.learn & (channel == code), split.calibrate & (channel == code)
        if mine.sum() < FEWEST_ROWS or len(np.unique(lesson.target[mine])) < 2:
            continue
        found[code] = pooled
        if later.sum() >= FEWEST_LATER and len(np.unique(lesson.target[later])) == 2:
            found[code] = int(school.until(lesson.part(mine), lesson.part(later)).best_iteration)
    return _Rounds(pooled, found)


def _boosters(course: _Course, part: BoolArray, rounds: _Rounds) -> tuple[lgb.Booster, dict[int, lgb.Booster]]:
    school, lesson, channel = course.school, course.lesson, course.channel
    pooled = school.exactly(lesson.part(part), rounds.pooled)
    own = {
        code: school.exactly(lesson.part(part & (channel == code)), count) for code, count in rounds.channels.items()
    }
    return pooled, own
