"""A trial: it learns what training learns, is judged by the recipe's chance of payment, and knows no judged payment."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from models.calibration import Calibration
from models.cells import RowCells
from models.chain import ChainModel
from models.per_channel import PerChannelModel
from models.propensity import BoosterModel
from models.protocol import PropensityModel
from models.time_to_payment import HazardModel
from training.fit import recipe
from training.material import Material
from training.recipes.fitted import unwatched
from training.recipes.lightgbm import learn_lightgbm
from training.search_space import SPACES
from training.slices import Slices, slices_of
from training.tune_trial import LEARN, try_settings

FEW_ROUNDS = {
    "chain": {"reach_rounds": 12, "conversion_rounds": 10, "own_rounds": 25},
    "lightgbm": {"rounds": 20},
    "per_channel": {"rounds": 20},
    "time_to_payment": {"rounds": 20},
}
SETTINGS = {name: {**rounds, "num_threads": 1} for name, rounds in FEW_ROUNDS.items()}
tried = partial(try_settings, seed=1, watch=unwatched)


def uncalibrated(model: PropensityModel, matrix: np.ndarray) -> np.ndarray:
    """Chance of payment as the boosters give it, what the calibration slice corrected taken away."""
    match model:
        case BoosterModel():
            return np.asarray(model.booster.predict(matrix))
        case PerChannelModel():
            return expit(model.raw(RowCells(matrix)))
        case HazardModel():
            return replace(model, calibration=Calibration()).probability(matrix)
        case ChainModel():
            return replace(model, links=replace(model.links, level=1.0)).probability(matrix)
    raise AssertionError(type(model))


def turned_round(material: Material) -> Material:
    """Whoever is in neither part paid where nothing was paid, and the other way round."""
    rows, judge = material.rows, ~(material.split.learn | material.split.calibrate)
    turned = rows.paid ^ judge
    assert rows.waits is not None
    waits = rows.waits._replace(paid_days=np.where(judge, np.where(turned, 1.0, np.inf), rows.waits.paid_days))
    share = np.where(judge, 1.0 - rows.share, rows.share)
    amount_eur = np.where(judge, rows.amount_eur + 7.0, rows.amount_eur)
    return replace(material, rows=replace(rows, paid=turned, waits=waits, share=share, amount_eur=amount_eur))


@pytest.mark.parametrize("name", sorted(FEW_ROUNDS))
def test_a_trial_s_loss_is_that_of_the_model_that_training_judges(name: str, material: Material) -> None:
    rows, split = material.rows, material.split
    judged = recipe(name)(rows, split, material.reference, SETTINGS[name], 1).model
    chance = uncalibrated(judged, rows.matrix[split.calibrate])
    right = np.where(rows.paid[split.calibrate], chance, 1.0 - chance)
    assert tried(name, slices_of(material), SETTINGS[name]).loss == pytest.approx(-np.log(right).mean(), rel=1e-12)


def test_a_trial_learns_from_no_payment_of_judged_debtors(material: Material) -> None:
    before, after = slices_of(material).rows, slices_of(turned_round(material)).rows
    seen = material.split.learn | material.split.calibrate
    for column in ("paid", "share", "amount_eur"):
        np.testing.assert_array_equal(getattr(before, column), getattr(after, column))
        np.testing.assert_array_equal(getattr(before, column)[seen], getattr(material.rows, column)[seen])
    assert before.waits is not None
    assert after.waits is not None
    np.testing.assert_array_equal(before.waits.paid_days, after.waits.paid_days)
    assert before.paid.any()
    assert not before.paid[~seen].any()


@pytest.mark.parametrize("name", sorted({*FEW_ROUNDS} - {"chain"}))
def test_where_no_bins_are_shared_judged_features_change_nothing_either(name: str, material: Material) -> None:
    rows, seen = material.rows, material.split.learn | material.split.calibrate
    blank = replace(material, rows=replace(rows, matrix=np.where(seen[:, None], rows.matrix, np.float32(0.0))))
    before, after = (tried(name, slices_of(one), SETTINGS[name]) for one in (material, blank))
    assert before == after


@pytest.mark.parametrize("name", sorted(FEW_ROUNDS))
def test_another_process_tries_the_same_from_the_file_and_the_rest(
    name: str, material: Material, tmp_path: Path
) -> None:
    slices, file = slices_of(material), tmp_path / "matrix.npy"
    sent = pickle.dumps(slices.write(file))
    assert len(sent) < slices.rows.matrix.nbytes / 5
    there: Slices = pickle.loads(sent).read(file)  # what a process pool does
    assert isinstance(there.rows.matrix, np.memmap)
    assert tried(name, there, SETTINGS[name]) == tried(name, slices, SETTINGS[name])


@pytest.mark.parametrize("name", sorted(FEW_ROUNDS))
def test_settings_and_their_rounds_reach_the_recipe(name: str, material: Material) -> None:
    usual, other = (
        tried(name, slices_of(material), {**SETTINGS[name], **more}) for more in ({}, {"feature_fraction": 0.1})
    )
    assert usual.loss != other.loss
    assert set(usual.rounds) == set(FEW_ROUNDS[name])
    assert all(1 <= usual.rounds[part] <= most for part, most in FEW_ROUNDS[name].items())


def test_every_recipe_with_a_search_space_can_be_tried() -> None:
    assert sorted(LEARN) == sorted(SPACES) == sorted(FEW_ROUNDS)


def test_lightgbm_tells_each_round_and_its_lowest_loss_is_the_trial_s(material: Material) -> None:
    told: list[tuple[float, float]] = []
    settings = {**SETTINGS["lightgbm"], "learning_rate": 0.1}
    found = try_settings(
        "lightgbm", slices_of(material), settings, seed=1, watch=lambda learnt, loss: told.append((learnt, loss))
    )
    assert [learnt for learnt, _ in told] == pytest.approx([0.1 * (number + 1) for number in range(len(told))])
    assert min(loss for _, loss in told) == pytest.approx(found.loss, rel=1e-12)
    assert told[found.rounds["rounds"] - 1][1] == min(loss for _, loss in told)


class Enough(Exception):
    """Raised by who watches."""


def test_who_watches_can_break_off(material: Material) -> None:
    slices, told = slices_of(material), []

    def watch(learnt: float, loss: float) -> None:
        told.append(learnt)
        if len(told) == 3:
            raise Enough

    with pytest.raises(Enough):
        learn_lightgbm(slices.rows, slices.split, slices.reference, SETTINGS["lightgbm"], 1, watch)
    assert len(told) == 3
