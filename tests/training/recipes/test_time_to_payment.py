"""Time to payment: rates of every horizon from decisions cut in the middle of theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.outcomes import Payments, Waits, first_payments
from data.times import DAY_US, NEVER
from models.time_to_payment import HORIZON_DAYS, HazardModel
from tests.training.recipes.randomised_logs import randomised_log, reference
from training.fit import recipe
from training.recipes.boosting import School
from training.recipes.lightgbm import BOOSTER
from training.recipes.time_to_payment import NoWaits, learn_hazards, periods_of

SCHOOL = School(
    {**BOOSTER, "num_threads": 1, "seed": 1, "num_leaves": 7, "feature_fraction": 1.0},
    rounds=200,
    patience=10,
    categories=(),
)
QUICK = {"rounds": 40, "num_threads": 1}
DAILY = np.array([0.012, 0.030])
"""Chance of payment a day of two kinds of debtors."""


def cut_log(seed: int, size: int = 20_000) -> tuple[np.ndarray, Waits]:
    """Decisions of the last 60 days before the tables end, whose payments come at a steady daily chance."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, size)
    decided = rng.integers(0, 60 * DAY_US, size)
    paid = decided + (rng.exponential(1 / -np.log1p(-DAILY[kind])) * DAY_US).astype(np.int64)
    money = np.ones(size)
    payments = Payments(np.arange(size), paid, paid, np.full(size, NEVER), money, money)
    matrix = np.column_stack([kind, rng.normal(size=size)]).astype(np.float32)
    return matrix, first_payments(decided, np.arange(size), payments=payments, known_until_us=60 * DAY_US)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cut_in_the_middle_of_the_horizon_the_rate_is_within_a_point_where_the_naive_one_is_off_by_more_than_five(
    seed: int,
) -> None:
    matrix, waits = cut_log(seed)
    model = learn_hazards(matrix, waits, school=SCHOOL, rounds=SCHOOL.rounds)
    truth = 1 - (1 - DAILY[matrix[:, 0].astype(int)]) ** 30
    told = model.horizons(matrix)[:, HORIZON_DAYS.index(30)]
    naive = np.mean(waits.paid_days < 30)
    assert told.mean() == pytest.approx(truth.mean(), abs=0.01)
    assert naive < truth.mean() - 0.05
    for kind in (0, 1):
        here = matrix[:, 0] == kind
        assert told[here].mean() == pytest.approx(truth[here].mean(), abs=0.025)


def test_an_interval_that_still_runs_is_left_out_even_for_who_has_paid_in_it() -> None:
    waits = Waits(np.array([1.0, 8.0, np.inf, 29.0]), np.array([5.0, 20.0, 20.0, 90.0]))
    found = periods_of(waits, HORIZON_DAYS, part=np.array([True, True, True, False]))
    assert list(zip(found.row.tolist(), found.interval.tolist(), found.paid.tolist(), strict=True)) == [
        (1, 0, False), (1, 1, True), (2, 0, False), (2, 1, False),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def fitted() -> HazardModel:
    rows, split = randomised_log(seed=1, size=3_000)
    model = recipe("time_to_payment")(rows, split, reference(), QUICK, 1).model
    assert isinstance(model, HazardModel)
    return model


def test_chances_grow_with_the_horizon_and_that_of_the_horizon_is_the_models(fitted: HazardModel) -> None:
    rows, _ = randomised_log(seed=2, size=500)
    told = fitted.horizons(rows.matrix)
    assert told.shape == (500, 5)
    assert (np.diff(told, axis=1) >= 0).all()
    assert ((told > 0) & (told < 1)).all()
    np.testing.assert_allclose(fitted.probability(rows.matrix), told[:, 1], rtol=1e-12)


def test_another_horizon_than_the_five_has_an_interval_of_its_own() -> None:
    rows, split = randomised_log(seed=1, size=2_000)
    paid = rows.waits.paid_days < 10
    model = recipe("time_to_payment")(
        replace(rows, paid=paid), split, reference(), {**QUICK, "horizon_days": 10}, 1
    ).model
    assert isinstance(model, HazardModel)
    assert model.ends_days == (7, 10, 14, 30, 60, 90)
    later = rows.matrix[split.calibrate]
    assert model.probability(later).mean() == pytest.approx(paid[split.calibrate].mean(), abs=0.04)


def test_a_payment_after_the_judged_time_began_is_not_learnt_from() -> None:
    rows, split = randomised_log(seed=1, size=2_000)
    waits, room = rows.waits, (split.later_from_us - rows.decided_us) / DAY_US
    much_later = split.learn & (room < 30) & ~rows.paid
    assert much_later.any()
    waits = Waits(waits.paid_days, np.full(len(rows), 90.0))
    paid_later = waits._replace(paid_days=np.where(much_later, np.maximum(room, 15.0) + 0.5, waits.paid_days))
    chances = [
        recipe("time_to_payment")(replace(rows, waits=one), split, reference(), QUICK, 1).model.probability(rows.matrix)
        for one in (waits, paid_later)
    ]
    np.testing.assert_array_equal(*chances)


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({"waits": None}, {}, "expected `waits`, came None"),
        ({}, {"horizon_days": 7}, "of 900 rows have another outcome within 7 days"),
    ],
)
def test_rows_that_do_not_tell_when_are_refused(
    changes: dict[str, object], settings: dict[str, int], words: str
) -> None:
    rows, split = randomised_log(seed=1, size=900)
    with pytest.raises(NoWaits, match=words):
        recipe("time_to_payment")(replace(rows, **changes), split, reference(), {**QUICK, **settings}, 1)  # type: ignore[arg-type] # fields by name
