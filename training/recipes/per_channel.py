"""One LightGBM a channel, `none` included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from training.recipes.fitted import Fitted, Setting
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


def fit_per_channel(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """A booster for each channel, stopped and calibrated on the later slice, then fitted to all rows.

    A channel with less than `FEWEST_ROWS` rows to learn from, or one outcome among them, is scored by the booster of all.
    """
    known = {**PER_CHANNEL, **settings}
    school = School(
        lightgbm_params(known, own=("rounds", "patience"), seed=seed),
        int(known["rounds"]), int(known["patience"]), tuple(category_columns(reference.channels)),
    )  # fmt: skip
    codes, column = range(len(reference.channels)), len(rows.names) - len(action_features())
    lesson, channel = Lesson(rows.matrix, rows.paid.astype(np.float64)), channel_codes(RowCells(rows.matrix), column)
    rounds = _rounds(school, lesson, channel, split=split, codes=codes)
    plain = tuple(Calibration() for _ in codes)
    first = PerChannelModel(*_boosters(school, lesson, channel, split.learn, rounds), plain, column)
    later = split.calibrate
    calibrations = platt_by_channel(
        first.raw(RowCells(rows.matrix[later])), rows.paid[later], channel[later], channels=len(codes)
    )
    model = PerChannelModel(first.pooled, first.boosters, calibrations, column)
    everything = np.ones(len(rows), dtype=np.bool_)
    return Fitted(
        model,
        PerChannelModel(*_boosters(school, lesson, channel, everything, rounds), calibrations, column),
        "value",
    )


def _rounds(school: School, lesson: Lesson, channel: IntArray, *, split: Split, codes: range) -> _Rounds:
    pooled = int(school.until(lesson.part(split.learn), lesson.part(split.calibrate)).best_iteration)
    found: dict[int, int] = {}
    for code in codes:
        mine, later = split.learn & (channel == code), split.calibrate & (channel == code)
        if mine.sum() < FEWEST_ROWS or len(np.unique(lesson.target[mine])) < 2:
            continue
        found[code] = pooled
        if later.sum() >= FEWEST_LATER and len(np.unique(lesson.target[later])) == 2:
            found[code] = int(school.until(lesson.part(mine), lesson.part(later)).best_iteration)
    return _Rounds(pooled, found)


def _boosters(
    school: School, lesson: Lesson, channel: IntArray, part: BoolArray, rounds: _Rounds
) -> tuple[lgb.Booster, dict[int, lgb.Booster]]:
    pooled = school.exactly(lesson.part(part), rounds.pooled)
    own = {
        code: school.exactly(lesson.part(part & (channel == code)), count) for code, count in rounds.channels.items()
    }
    return pooled, own
