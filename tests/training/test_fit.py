"""Recipes: probabilities, the same for the same seed, the same after a round trip through a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from features.reference import Reference, learn_reference
from models.bundle import Bundle, read_bundle, write_bundle
from models.propensity import load_model
from tests.deciding import COLUMNS
from tests.portfolios import CHANNELS, CONFIG, histories
from tests.strategies import random_tables
from tests.training.made_rows import rows_with
from training.fit import (
    RECIPES,
    SETTINGS,
    Fitted,
    Setting,
    UnknownRecipe,
    UnknownSetting,
    category_columns,
    parse_settings,
    recipe,
)
from training.recipes.calibrate import platt
from training.recipes.rates import inverse_probability
from training.splits import Split
from training.train import Material

UPLIFT_LEARNERS = ("t_learner", "x_learner", "r_learner", "dr_learner")
QUICK: Mapping[str, Mapping[str, Setting]] = {
    "lightgbm": {"rounds": 20},
    "logistic": {"max_iter": 1000},
    "chain": {"own_rounds": 20, "reach_rounds": 10, "conversion_rounds": 10, "num_threads": 1},
    "per_channel": {"rounds": 20, "num_threads": 1},
    "time_to_payment": {"rounds": 20, "num_threads": 1},
    **{name: {"rounds": 20, "effect_rounds": 10, "folds": 2, "num_threads": 1} for name in UPLIFT_LEARNERS},
}
CHOOSERS = {
    "chain": "value",
    "lightgbm": "value",
    "logistic": "value",
    "constant": "constant",
    "incumbent": "control",
    "per_channel": "value",
    "time_to_payment": "value",
    **dict.fromkeys(UPLIFT_LEARNERS, "value"),
}


class Fits:
    """Each recipe fitted once on the same material."""

    def __init__(self, material: Material) -> None:
        self.material = material

    @cache  # noqa: B019 # lives as long as the tests of this module
    def of(self, name: str) -> Fitted:
        return self.anew(name)

    def anew(self, name: str) -> Fitted:
        subject = self.material
        return recipe(name)(subject.rows, subject.split, subject.reference, QUICK.get(name, {}), subject.seed)


@pytest.fixture(scope="module")
def fits(material: Material) -> Fits:
    return Fits(material)


def test_the_recipes_are_these() -> None:
    assert set(RECIPES) == set(CHOOSERS)
    assert set(SETTINGS) == {*RECIPES, "tree"}


@pytest.mark.parametrize("name", list(CHOOSERS))
def test_a_recipe_gives_probabilities_and_its_way_of_choosing(fits: Fits, name: str) -> None:
    fitted, matrix = fits.of(name), fits.material.rows.matrix
    chance = fitted.model.probability(matrix)
    assert chance.shape == (len(matrix),)
    assert chance.min() >= 0
    assert chance.max() <= 1
    assert fitted.model.contributions(matrix[:50]).shape == (50, len(COLUMNS))
    assert fitted.chooser == CHOOSERS[name]
    assert (fitted.constant is not None) == (name == "constant")


@pytest.mark.parametrize("name", list(CHOOSERS))
def test_a_recipe_gives_the_same_model_for_the_same_seed(fits: Fits, name: str) -> None:
    again = fits.anew(name)
    matrix = fits.material.rows.matrix
    np.testing.assert_array_equal(fits.of(name).model.probability(matrix), again.model.probability(matrix))
    assert fits.of(name).constant == again.constant


@pytest.mark.parametrize("name", list(CHOOSERS))
def test_a_model_is_the_same_after_dumping_and_loading(fits: Fits, name: str) -> None:
    model, matrix = fits.of(name).model, fits.material.rows.matrix
    after = load_model(model.dump())
    np.testing.assert_array_equal(after.probability(matrix), model.probability(matrix))
    np.testing.assert_allclose(after.contributions(matrix[:20]), model.contributions(matrix[:20]))


@pytest.mark.parametrize("name", list(CHOOSERS))
def test_a_bundle_of_a_recipe_is_the_same_after_writing_and_reading(fits: Fits, name: str, tmp_path: Path) -> None:
    fitted, subject = fits.of(name), fits.material
    before = Bundle("m1", name, fitted.chooser, fitted.model, subject.reference, 0.5, {}, fitted.constant)
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    assert replace(after, model=before.model) == before
    matrix = subject.rows.matrix
    np.testing.assert_array_equal(after.model.probability(matrix), fitted.model.probability(matrix))


@pytest.mark.parametrize("name", list(CHOOSERS))
def test_a_row_is_scored_the_same_alone_as_among_others(fits: Fits, name: str) -> None:
    model, matrix = fits.of(name).model, fits.material.rows.matrix[:12]
    alone = np.concatenate([model.probability(row[None, :]) for row in matrix])
    np.testing.assert_allclose(alone, model.probability(matrix), rtol=1e-12)


@pytest.mark.parametrize("name", ["lightgbm", "logistic"])
def test_later_rows_and_judged_debtors_have_no_part_in_learning(fits: Fits, name: str) -> None:
    subject = fits.material
    unseen = ~(subject.split.learn | subject.split.calibrate)
    flipped = replace(subject.rows, paid=np.where(unseen, ~subject.rows.paid, subject.rows.paid))
    again = recipe(name)(flipped, subject.split, subject.reference, QUICK[name], subject.seed)
    matrix = subject.rows.matrix
    np.testing.assert_array_equal(again.model.probability(matrix), fits.of(name).model.probability(matrix))


@pytest.mark.parametrize("name", ["lightgbm", "logistic"])
def test_a_learnt_model_is_about_as_high_as_what_was_paid_in_the_later_slice(fits: Fits, name: str) -> None:
    rows, later = fits.material.rows, fits.material.split.calibrate
    chance = fits.of(name).model.probability(rows.matrix[later])
    assert chance.mean() == pytest.approx(rows.paid[later].mean(), abs=0.02)


def test_the_constant_action_is_the_one_that_paid_most_for_each_draw() -> None:
    channel = np.repeat([0, 1, 2, 2], 50)
    hour = np.repeat([-1, 18, 18, 8], 50)
    rates = np.repeat([0.1, 0.2, 0.6, 0.3], 50)
    paid = np.arange(200) % 50 < rates * 50
    rows = rows_with(channel=channel, hour=hour, paid=paid)
    everything = np.ones(200, dtype=bool)
    split = Split(everything, everything, everything, 0)
    fitted = recipe("constant")(rows, split, reference_of(), {}, 1)
    assert fitted.constant == ("email", "evening")
    assert fitted.model.probability(rows.matrix[[0, 60, 120]]).tolist() == pytest.approx([0.1, 0.2, 0.45])


def reference_of() -> Reference:
    return learn_reference(histories(random_tables(1)), until_us=2**62, config=CONFIG)


def test_drawn_rows_weigh_one_over_their_probability_and_decided_rows_nothing() -> None:
    rows = rows_with(channel=np.zeros(4), hour=np.full(4, -1), paid=np.ones(4, dtype=bool))
    mixed = replace(rows, action_probability=np.array([0.25, 1.0, np.nan, 0.5]))
    assert inverse_probability(mixed).tolist() == [4.0, 0.0, 0.0, 2.0]
    decided = replace(rows, action_probability=np.array([1.0, 1.0, np.nan, np.nan]))
    assert inverse_probability(decided).tolist() == [1.0] * 4


def test_category_columns_are_those_of_the_catalogue() -> None:
    found = {COLUMNS[number] for number in category_columns(CHANNELS)}
    assert found == {"country", "employment", "last_channel", "sector", "main_sector", "channel"}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], {}),
        (["num_leaves=63", "learning_rate=0.1"], {"num_leaves": 63, "learning_rate": 0.1}),
        (["deterministic=false", "objective=binary"], {"deterministic": False, "objective": "binary"}),
        (["rounds=20", "rounds=30"], {"rounds": 30}),
    ],
)
def test_settings_are_read_in_the_kind_of_their_default(pairs: list[str], expected: dict[str, Setting]) -> None:
    found = parse_settings("lightgbm", pairs)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


@pytest.mark.parametrize(
    ("name", "pair", "message"),
    [
        ("lightgbm", "rounds", "expected key=value, came 'rounds'"),
        ("lightgbm", "leaves=3", "lightgbm has no setting 'leaves': it knows"),
        ("lightgbm", "rounds=many", "rounds=many: expected something like"),
        ("lightgbm", "rounds=2.5", "rounds=2.5: expected something like"),
        ("lightgbm", "deterministic=maybe", "deterministic=maybe: expected something like True"),
        ("incumbent", "C=1", "incumbent has no setting 'C': it knows none"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_an_error(name: str, pair: str, message: str) -> None:
    with pytest.raises(UnknownSetting, match=message):
        parse_settings(name, [pair])


def test_a_recipe_that_is_not_there_is_an_error_that_lists_those_that_are() -> None:
    with pytest.raises(UnknownRecipe, match=r"no model 'forest': there are .*lightgbm"):
        recipe("forest")


def test_a_calibration_never_turns_the_scores_round() -> None:
    raw = np.linspace(-2, 2, 400)
    backwards = platt(raw, raw < 1.0)
    assert backwards.slope == 0.0
    assert backwards.probability(raw) == pytest.approx(np.full(400, np.mean(raw < 1.0)))
    assert platt(raw, np.sin(37 * raw) < raw).slope > 0


def test_a_column_that_is_missing_throughout_is_no_trouble_to_the_logistic_model(material: Material) -> None:
    matrix = material.rows.matrix.copy()
    matrix[:, COLUMNS.index("income_band")] = np.nan
    fitted = recipe("logistic")(
        replace(material.rows, matrix=matrix), material.split, material.reference, QUICK["logistic"], 1
    )
    assert np.isfinite(fitted.shipped.probability(matrix)).all()
