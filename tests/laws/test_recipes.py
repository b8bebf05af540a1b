"""Laws of all recipes: chances, `none`, few rows, seeds, round trips, and the sign of a known effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle, read_bundle, write_bundle
from models.cells import GridCells
from models.protocol import PropensityModel
from tests.deciding import COLUMNS
from tests.training.recipes.randomised_logs import CHANNEL, DRIVER, EMAIL, NONE, SMS, randomised_log, reference, under
from training.fit import RECIPES, Setting, recipe
from training.recipes.uplift.sample import NoNoneRows

UPLIFT = ("t_learner", "x_learner", "r_learner", "dr_learner")
VALUE = ("chain", "lightgbm", "logistic", "per_channel", "time_to_payment", *UPLIFT)
BASELINES = ("constant", "incumbent")
EVERY = (*VALUE, *BASELINES)
TELLS_PEOPLE_APART = ("lightgbm", "per_channel", "time_to_payment", *UPLIFT)
"""Recipes that can learn that a channel helps some and harms others: not those that add up, or only know rates."""
BLANKS_NONE = ("per_channel", *UPLIFT, *BASELINES)
"""Recipes that do not look at an action's columns under `none` whatever stands there; to others they come as missing."""
ONE_THREAD: Mapping[str, Setting] = {"num_threads": 1}
SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    **dict.fromkeys(("chain", "lightgbm"), ONE_THREAD),
    **{name: {**ONE_THREAD, "rounds": 100} for name in ("per_channel", "time_to_payment")},
    **{name: {**ONE_THREAD, "rounds": 60, "effect_rounds": 120, "folds": 2} for name in UPLIFT},
    "logistic": {"max_iter": 1000},
}
SEEDS = 4


@cache
def model_of(
    name: str, seed: int = 1, size: int = 6_000, channels: tuple[int, ...] = (NONE, SMS, EMAIL)
) -> PropensityModel:
    rows, split = randomised_log(seed=seed, size=size, channels=channels)
    return recipe(name)(rows, split, reference(), SETTINGS.get(name, {}), seed).model


def test_every_recipe_stands_under_these_laws() -> None:
    assert set(EVERY) == set(RECIPES)


@pytest.mark.parametrize("name", EVERY)
def test_chances_lie_between_0_and_1_under_every_channel_even_those_never_tried(name: str) -> None:
    rows, _ = randomised_log(seed=2, size=300)
    for channel in range(7):
        chance = model_of(name).probability(under(rows, channel))
        assert chance.min() > 0
        assert chance.max() < 1


@pytest.mark.parametrize("name", EVERY)
def test_a_model_is_the_same_bits_after_a_round_trip_through_a_bundle(name: str, tmp_path: Path) -> None:
    model, rows = model_of(name), randomised_log(seed=2, size=300)[0]
    before = Bundle("m1", name, "value", model, reference(), 0.5, {})
    after = read_bundle(write_bundle(before, tmp_path / "m1")).model
    assert after.dump() == model.dump()
    np.testing.assert_array_equal(after.probability(rows.matrix), model.probability(rows.matrix))
    np.testing.assert_array_equal(after.contributions(rows.matrix), model.contributions(rows.matrix))
    assert model.contributions(rows.matrix).shape == rows.matrix.shape


@pytest.mark.parametrize("name", EVERY)
def test_a_model_says_of_a_grid_what_it_says_of_each_of_its_rows(name: str) -> None:
    rows, _ = randomised_log(seed=2, size=300)
    context = rows.matrix[:20, :CHANNEL]
    actions = np.vstack([under(rows, NONE)[:1], rows.matrix[rows.channel > 0][:30]])[:, CHANNEL:]
    model = model_of(name)
    told = np.broadcast_to(model.chance(GridCells(context, actions)), (20, 31))
    cells = np.hstack([np.repeat(context, 31, axis=0), np.tile(actions, (20, 1))])
    np.testing.assert_allclose(told.ravel(), model.probability(cells), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_the_same_seed_gives_the_same_model(name: str) -> None:
    rows, split = randomised_log(seed=3, size=1_500)
    chances = [
        recipe(name)(rows, split, reference(), SETTINGS.get(name, {}), 5).shipped.probability(rows.matrix)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*chances)


@pytest.mark.parametrize("name", BLANKS_NONE)
def test_the_chance_under_none_does_not_look_at_an_actions_columns(name: str) -> None:
    rows, _ = randomised_log(seed=2, size=300)
    plain, filled = under(rows, NONE), under(rows, SMS)
    filled[:, CHANNEL] = NONE
    np.testing.assert_array_equal(model_of(name).probability(filled), model_of(name).probability(plain))


@pytest.mark.parametrize("name", EVERY)
def test_few_rows_and_missing_channels_are_no_obstacle(name: str) -> None:
    rows, split = randomised_log(seed=4, size=450, channels=(NONE, NONE, NONE, SMS, SMS, 6))
    model = recipe(name)(rows, split, reference(), SETTINGS.get(name, {}), 1).shipped
    chance = model.probability(np.vstack([under(rows, channel) for channel in range(7)]))
    assert np.isfinite(chance).all()
    assert ((chance > 0) & (chance < 1)).all()


@pytest.mark.parametrize("name", UPLIFT)
def test_a_log_without_none_is_refused_with_the_reason(name: str) -> None:
    rows, split = randomised_log(seed=4, size=900, channels=(SMS, EMAIL))
    with pytest.raises(NoNoneRows, match="holds 0 decisions for `none` to learn from"):
        recipe(name)(rows, split, reference(), SETTINGS[name], 1)


@pytest.mark.parametrize("name", UPLIFT)
def test_a_log_in_which_nothing_could_have_been_otherwise_is_refused(name: str) -> None:
    rows, split = randomised_log(seed=4, size=900)
    certain = replace(rows, action_probability=np.ones(len(rows)))
    with pytest.raises(NoNoneRows, match=r"a chance of 0\.02|too few debtors among"):
        recipe(name)(certain, split, reference(), SETTINGS[name], 1)


@pytest.mark.parametrize("name", TELLS_PEOPLE_APART)
def test_whom_a_channel_helps_and_whom_it_harms_is_found(name: str) -> None:
    rows, _ = randomised_log(seed=9, size=2_000)
    driver = rows.matrix[:, DRIVER]
    model = model_of(name)
    effect = model.probability(under(rows, SMS)) - model.probability(under(rows, NONE))
    assert effect[driver > 0.3].mean() > 0.15
    assert effect[driver < -0.3].mean() < -0.05


@pytest.mark.parametrize("name", [name for name in VALUE if name != "chain"])
def test_the_mean_effect_of_a_channel_is_near_the_truth(name: str) -> None:
    rows, _ = randomised_log(seed=9, size=2_000)
    found = []
    for seed in range(1, SEEDS + 1):
        model = model_of(name, seed)
        found.append(np.mean(model.probability(under(rows, EMAIL)) - model.probability(under(rows, NONE))))
    assert np.mean(found) == pytest.approx(0.12, abs=0.04)


def test_columns_are_those_the_laws_were_written_for() -> None:
    assert COLUMNS[CHANNEL] == "channel"
    assert COLUMNS[CHANNEL + 1] == "hour"
