"""A booster a channel: rows go to their own, rare channels to that of all; calibrations are drawn together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models.cells import RowCells
from models.per_channel import PerChannelModel
from tests.training.recipes.randomised_logs import EMAIL, NONE, SMS, randomised_log, reference
from training.fit import recipe
from training.recipes.calibrate import platt
from training.recipes.calibrate_by_channel import platt_by_channel

QUICK = {"rounds": 30, "num_threads": 1}


def fitted(channels: tuple[int, ...]) -> PerChannelModel:
    rows, split = randomised_log(seed=1, channels=channels)
    model = recipe("per_channel")(rows, split, reference(), QUICK, 1).model
    assert isinstance(model, PerChannelModel)
    return model


def test_a_channel_has_a_booster_of_its_own_and_a_rare_one_that_of_all() -> None:
    assert set(fitted((NONE, SMS, EMAIL)).boosters) == {NONE, SMS, EMAIL}
    model = fitted((NONE,) * 10 + (SMS,) * 10 + (EMAIL,))
    assert set(model.boosters) == {NONE, SMS}
    rows, _ = randomised_log(seed=2, size=200, channels=(EMAIL,))
    raw = np.asarray(model.pooled.predict(rows.matrix, raw_score=True))
    np.testing.assert_array_equal(model.raw(RowCells(rows.matrix)), raw)


def test_a_row_is_scored_by_the_booster_of_its_channel() -> None:
    model, rows = fitted((NONE, SMS, EMAIL)), randomised_log(seed=2, size=300)[0]
    for code in (SMS, EMAIL):
        here = rows.matrix[rows.channel == code]
        raw = np.asarray(model.boosters[code].predict(here, raw_score=True))
        np.testing.assert_array_equal(model.raw(RowCells(rows.matrix))[rows.channel == code], raw)


def test_a_channel_with_many_later_rows_is_calibrated_by_itself_and_one_with_few_like_all() -> None:
    rng = np.random.default_rng(1)
    channel = np.repeat([0, 1, 2], [6_000, 6_000, 5])
    raw = rng.normal(size=len(channel))
    paid = rng.random(len(channel)) < expit(np.where(channel == 0, raw - 1.0, 0.5 * raw + 1.0))
    paid[-5:] = True
    pooled, found = platt(raw, paid), platt_by_channel(raw, paid, channel, channels=4)
    assert (found[0].intercept, found[0].slope) == pytest.approx((-1.0, 1.0), abs=0.1)
    assert (found[1].intercept, found[1].slope) == pytest.approx((1.0, 0.5), abs=0.1)
    assert found[2].intercept == pytest.approx(pooled.intercept, abs=0.3)
    assert found[3] == pooled


def test_a_channel_that_ranks_backwards_is_flattened_never_turned() -> None:
    rng = np.random.default_rng(2)
    raw = rng.normal(size=4_000)
    channel = np.repeat([0, 1], 2_000)
    paid = rng.random(4_000) < expit(np.where(channel == 0, 2 * raw, -2 * raw))
    assert platt_by_channel(raw, paid, channel, channels=2)[1].slope == 0.0
