"""When a payment comes: one LightGBM over decisions and intervals, from decisions of every age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from data.outcomes import Waits
from data.times import DAY_US
from features.pipeline import Matrix
from features.reference import Reference
from models.boosters import raw_scores
from models.calibration import Calibration
from models.time_to_payment import HORIZON_DAYS, HazardModel
from training.recipes.boosting import Lesson, School, lightgbm_params
from training.recipes.calibrate import platt
from training.recipes.fitted import Fitted, Setting, Uncalibrated, Watch, unwatched
from training.recipes.lightgbm import BOOSTER, PATIENCE, ROUNDS, category_columns
from training.rows import TrainingRows
from training.splits import Split

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

TIME_TO_PAYMENT: Mapping[str, Setting] = {**BOOSTER, "rounds": ROUNDS, "patience": PATIENCE, "horizon_days": 14}
OURS = ("rounds", "patience", "horizon_days")


class NoWaits(ValueError):
    """The rows do not tell when something was paid, or not within the horizon that was asked for."""


@dataclass(frozen=True)
class Periods:
    """Intervals of decisions that are over and were begun unpaid: decision and interval of each, and whether it was paid in.

    Shape (k,) each.
    """

    row: IntArray
    interval: IntArray
    paid: BoolArray

    def lesson(self, matrix: Matrix) -> Lesson:
        """The matrix of the decisions, (n, F), as rows of intervals, (k, F + 1)."""
        columns = np.column_stack([matrix[self.row], self.interval.astype(matrix.dtype)])
        return Lesson(columns, self.paid.astype(np.float64))


def fit_time_to_payment(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int
) -> Fitted:
    """A chance of payment for every horizon from one fit; its `probability` is that of `horizon_days`.

    What was paid on a learning row after the judged time began is not looked at: such a row is censored there.

    Raises
    ------
    NoWaits
        The rows do not say when something was paid, or their horizon is not `horizon_days`.
    """
    first = learn_time_to_payment(rows, split, reference, settings, seed, unwatched).model
    known, waits = {**TIME_TO_PAYMENT, **settings}, _waits_of(rows, first.within_days)
    later = periods_of(waits, first.ends_days, part=split.calibrate)
    calibration = platt(raw_scores(first.booster, later.lesson(rows.matrix).matrix), later.paid)
    everything = periods_of(waits, first.ends_days, part=np.ones(len(rows), dtype=np.bool_)).lesson(rows.matrix)
    again = _school(reference, known, seed).exactly(everything, first.booster.best_iteration)
    return Fitted(
        replace(first, calibration=calibration), replace(first, booster=again, calibration=calibration), "value"
    )


def learn_time_to_payment(
    rows: TrainingRows, split: Split, reference: Reference, settings: Mapping[str, Setting], seed: int, watch: Watch
) -> Uncalibrated[HazardModel]:
    """The booster of the learning part; `watch` is told nothing: losses on the way are of intervals, not of the horizon."""
    del watch
    known = {**TIME_TO_PAYMENT, **settings}
    horizon = int(known["horizon_days"])
    waits, ends = _waits_of(rows, horizon), tuple(sorted({*HORIZON_DAYS, horizon}))
    room_days = (split.later_from_us - rows.decided_us) / DAY_US
    early = Waits(waits.paid_days, np.minimum(waits.followed_days, room_days))
    learn, later = periods_of(early, ends, part=split.learn), periods_of(waits, ends, part=split.calibrate)
    booster = _school(reference, known, seed).until(learn.lesson(rows.matrix), later.lesson(rows.matrix))
    return Uncalibrated(HazardModel(booster, Calibration(), ends, horizon), {"rounds": booster.best_iteration})


def _school(reference: Reference, settings: Mapping[str, Setting], seed: int) -> School:
    return School(
        lightgbm_params(settings, own=OURS, seed=seed), int(settings["rounds"]), int(settings["patience"]),
        (*category_columns(reference.channels),),
    )  # fmt: skip


def learn_hazards(matrix: Matrix, waits: Waits, *, school: School, rounds: int) -> HazardModel:
    """Chances of payment by 7, 14, 30, 60 and 90 days of decisions of any age, no later slice to stop or calibrate on."""
    periods = periods_of(waits, HORIZON_DAYS, part=np.ones(len(matrix), dtype=np.bool_))
    booster: lgb.Booster = school.exactly(periods.lesson(matrix), rounds)
    return HazardModel(booster, Calibration(), HORIZON_DAYS, HORIZON_DAYS[1])


def periods_of(waits: Waits, ends_days: tuple[int, ...], *, part: BoolArray) -> Periods:
    """Intervals of some decisions that were over when last looked at and began without a payment.

    An interval that was still running is left out even where something was paid in it: kept only for those who had paid,
    it would make payers of too many.

    >>> waits = Waits(np.array([3.0, np.inf, 20.0]), np.array([10.0, 10.0, 25.0]))
    >>> found = periods_of(waits, (7, 14, 30), part=np.ones(3, dtype=np.bool_))
    >>> found.row.tolist(), found.interval.tolist(), found.paid.tolist()
    ([0, 1, 2, 2], [0, 0, 0, 1], [True, False, False, False])
    """
    begins = np.array([0, *ends_days[:-1]], dtype=np.float64)
    ends = np.array(ends_days, dtype=np.float64)
    paid, followed = waits.paid_days[:, None], waits.followed_days[:, None]
    counted = part[:, None] & (ends <= followed) & (paid >= begins)
    row, interval = np.nonzero(counted)
    return Periods(row, interval, waits.paid_days[row] < ends[interval])


def _waits_of(rows: TrainingRows, horizon_days: int) -> Waits:
    """When each row was paid, held against what its outcome says."""
    if rows.waits is None:
        raise NoWaits("time_to_payment needs the time to the first payment of each row: expected `waits`, came None")
    differ = int(((rows.waits.paid_days < horizon_days) != rows.paid).sum())
    if differ:
        raise NoWaits(
            f"{differ:,} of {len(rows):,} rows have another outcome within {horizon_days} days than their own horizon gives: "
            "set horizon_days to the [horizon] days of the configuration"
        )
    return rows.waits
