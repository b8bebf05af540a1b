"""What uplift learners learn from, and how their effects are held against the later slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.cells import RowCells
from models.uplift import UpliftModel
from tests.deciding import COLUMNS
from tests.training.recipes.randomised_logs import (
    CHANNEL,
    DRIVER,
    EMAIL,
    NONE,
    SMS,
    parts_of,
    randomised_log,
    reference,
    true_effect,
    under,
)
from training.fit import recipe
from training.recipes.uplift.learner import pseudo_outcomes
from training.recipes.uplift.levels import line_around
from training.recipes.uplift.sample import Sample, sample_of
from training.rows import TrainingRows

QUICK = {"rounds": 40, "effect_rounds": 80, "folds": 2, "num_threads": 1}
LEARNERS = ("t_learner", "x_learner", "r_learner", "dr_learner")


def sampled(rows: TrainingRows, *, seed: int = 1) -> Sample:
    split, rng = parts_of(rows), np.random.default_rng(seed)
    return sample_of(rows, split.learn, later=split.calibrate, channels=7, threads=1, rng=rng)


def fitted(rows: TrainingRows, name: str, **settings: float) -> UpliftModel:
    model = recipe(name)(rows, parts_of(rows), reference(), {**QUICK, **settings}, 1).model
    assert isinstance(model, UpliftModel)
    return model


def test_only_drawn_decisions_of_learnt_debtors_are_compared() -> None:
    rows, split = randomised_log(seed=1)
    decided = np.arange(len(rows)) % 3 == 0
    rows = replace(
        rows,
        action_probability=np.where(decided, 1.0, rows.action_probability),
        policy=np.where(decided, "rules", "random").astype(object),
    )
    found = sampled(rows)
    assert len(found) == int(((split.learn | split.calibrate) & ~decided).sum())
    assert int(found.learn.sum()) == int((split.learn & ~decided).sum())
    np.testing.assert_allclose(found.chance[:, :3].mean(axis=0), [1 / 3] * 3, atol=0.03)
    assert (found.chance[:, 3:] == 0).all()


def test_a_row_keeps_its_own_action_and_borrows_those_of_other_channels_from_their_rows() -> None:
    rows, _ = randomised_log(seed=1, size=900)
    found, hour = sampled(rows), COLUMNS.index("hour") - CHANNEL
    np.testing.assert_array_equal(found.actions[SMS][:, 0], np.full(len(found), SMS))
    assert np.isnan(found.actions[NONE][:, 1:]).all()
    mine = found.channel == SMS
    assert set(found.actions[SMS][~mine][:, hour].tolist()) == {8.0, 12.0, 18.0}
    own = rows.matrix[(parts_of(rows).learn | parts_of(rows).calibrate) & (rows.channel == SMS)][:, CHANNEL + hour]
    np.testing.assert_array_equal(found.actions[SMS][mine][:, hour], own)


@pytest.mark.parametrize("wrong", ["outcomes", "chances"])
def test_pseudo_outcomes_are_right_on_average_if_outcomes_or_chances_are(wrong: str) -> None:
    rows, _ = randomised_log(seed=5, size=20_000)
    found = sampled(rows)
    driver = found.known[:, DRIVER]
    truth = np.zeros(found.chance.shape)
    for code in (NONE, SMS, EMAIL):
        truth[:, code] = 0.25 + true_effect(driver, np.full(len(found), code))
    if wrong == "outcomes":
        told = pseudo_outcomes(found, np.full_like(truth, 0.6), code=SMS, largest_weight=20.0)
    else:
        tilted = replace(found, chance=found.chance * np.where(driver > 0, 0.5, 1.5)[:, None])
        told = pseudo_outcomes(tilted, truth, code=SMS, largest_weight=20.0)
    for here in (driver > 0, driver < 0):
        assert told[here].mean() == pytest.approx((truth[:, SMS] - truth[:, NONE])[here].mean(), abs=0.035)


def test_weights_are_cut() -> None:
    rows, _ = randomised_log(seed=5, size=900)
    found = sampled(rows)
    rare = replace(found, chance=np.full(found.chance.shape, 0.001))
    told = pseudo_outcomes(rare, np.zeros(found.chance.shape), code=SMS, largest_weight=20.0)
    assert set(np.unique(told).tolist()) == {-20.0, 0.0, 20.0}


def test_a_line_with_few_rows_stays_at_its_centre_and_never_falls() -> None:
    rng = np.random.default_rng(1)
    effect = rng.normal(0, 0.1, 10)
    level, slope = line_around(effect, rng.normal(0, 0.5, 10), centre=(0.01, 0.9))
    assert (level, slope) == pytest.approx((0.01, 0.9), abs=0.1)
    many = rng.normal(0, 0.1, 50_000)
    assert line_around(many, 0.03 - many, centre=(0.0, 1.0)) == pytest.approx((0.03, 0.0), abs=0.01)


@pytest.mark.parametrize("name", LEARNERS)
def test_later_rows_set_levels_and_judged_debtors_have_no_part_at_all(name: str) -> None:
    rows, split = randomised_log(seed=1, size=3_000)
    model = fitted(rows, name)
    flipped = replace(rows, paid=np.where(split.judge, ~rows.paid, rows.paid))
    np.testing.assert_array_equal(fitted(flipped, name).probability(rows.matrix), model.probability(rows.matrix))
    assert {code for code, one in model.effects.items() if one.level != 0.0} == {SMS, EMAIL}
    plain = recipe(name)(rows, split, reference(), {**QUICK, "levelled": False}, 1).model
    assert isinstance(plain, UpliftModel)
    assert {(one.level, one.slope) for one in plain.effects.values()} == {(0.0, 1.0)}


@pytest.mark.parametrize("name", LEARNERS)
def test_chance_is_the_one_without_contact_and_the_effect(name: str) -> None:
    rows, _ = randomised_log(seed=1, size=3_000)
    model = fitted(rows, name)
    cells = under(rows, SMS)
    np.testing.assert_array_equal(model.base_probability(RowCells(cells)), model.probability(under(rows, NONE)))
    whole = np.clip(model.base_probability(RowCells(cells)) + model.effect(RowCells(cells)), 1e-4, 1 - 1e-4)
    np.testing.assert_array_equal(model.probability(cells), whole)
    untried = under(rows, 6)
    np.testing.assert_array_equal(model.probability(untried), model.base_probability(RowCells(untried)))


@pytest.mark.parametrize("name", LEARNERS)
def test_contributions_name_what_moves_the_effect(name: str) -> None:
    rows, _ = randomised_log(seed=1)
    parts = fitted(rows, name).contributions(under(rows, SMS)[:300])
    assert int(np.argmax(np.abs(parts).mean(axis=0))) == DRIVER


@pytest.mark.parametrize("name", LEARNERS)
def test_a_confounded_log_without_probabilities_is_told_apart_by_what_was_known(name: str) -> None:
    rng = np.random.default_rng(3)
    rows, _ = randomised_log(seed=3, size=12_000, channels=(NONE, EMAIL))
    need = rng.normal(size=len(rows))
    chosen = rng.random(len(rows)) < np.where(need > 0, 0.8, 0.2)  # hard cases are written to
    channel = np.where(chosen, EMAIL, NONE).astype(np.int16)
    paid = rng.random(len(rows)) < np.where(need > 0, 0.10, 0.45) + np.where(chosen, 0.12, 0.0)
    matrix = np.where(chosen[:, None], under(rows, EMAIL), under(rows, NONE))
    matrix[:, COLUMNS.index("outstanding_all_log")] = need
    log = replace(
        rows, matrix=matrix.astype(np.float32), channel=channel, paid=paid,
        action_probability=np.full(len(rows), np.nan), policy=np.full(len(rows), "old", dtype=object),
    )  # fmt: skip
    naive = paid[chosen].mean() - paid[~chosen].mean()
    found = fitted(log, name).effect(RowCells(under(log, EMAIL))).mean()
    assert naive < -0.05
    assert found == pytest.approx(0.12, abs=0.05)
