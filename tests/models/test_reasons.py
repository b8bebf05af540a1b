"""Reasons: what is said of a factor is what happens when it has its usual value."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import Calibration
from models.propensity import BoosterModel
from models.reasons import Reason, find_reasons, in_words, score_of, toggled

WIDTH = 8


@pytest.fixture(scope="module")
def model() -> BoosterModel:
    """Trees over eight columns that work together, some values missing; the last two are the action's."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3_000, WIDTH)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    known = np.nan_to_num(rows)
    odds = known[:, 0] * known[:, 1] + known[:, 2] * (known[:, 6] > 0) - 1.5 * known[:, 3] * known[:, 4] - 1
    paid = rng.random(3_000) < 1 / (1 + np.exp(-odds))
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 15, "seed": 1}
    booster = lgb.train(params, lgb.Dataset(rows, paid.astype(float)), num_boost_round=60)
    return BoosterModel(booster, Calibration(-0.1, 0.9))


def cells_of(rng: np.random.Generator, *, contact: bool) -> np.ndarray:
    """The action's row and that of `none`, which lacks what belongs to an action."""
    row = rng.normal(size=WIDTH).astype(np.float32)
    row[rng.random(WIDTH) < 0.2] = np.nan
    row[6:] = rng.normal(size=2) if contact else np.nan
    none = row.copy()
    none[6:] = np.nan
    return np.stack([row, none]) if contact else row[None, :]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_factor_adds_what_the_score_loses_when_it_alone_has_its_usual_value(
    model: BoosterModel, seed: int, contact: bool
) -> None:
    rng = np.random.default_rng(seed)
    cells, usual = cells_of(rng, contact=contact), rng.normal(size=WIDTH)
    usual[6:] = usual[6:] if contact else np.nan
    for reason in find_reasons(model, cells, usual, most=5):
        other = cells.copy()
        other[: 1 if reason.column >= 6 else 2, reason.column] = usual[reason.column]
        before, after = (score_of(model.probability(one)[None, :])[0] for one in (cells, other))
        assert reason.adds == pytest.approx(before - after, abs=1e-9)
        assert reason.adds != 0


def test_the_strongest_come_first_and_no_more_than_asked(model: BoosterModel) -> None:
    cells = cells_of(np.random.default_rng(3), contact=True)
    found = find_reasons(model, cells, np.zeros(WIDTH), most=3)
    sizes = [abs(one.adds) for one in found]
    assert len(found) == 3
    assert sizes == sorted(sizes, reverse=True)
    assert find_reasons(model, cells, np.zeros(WIDTH), most=3) == found


def test_a_feature_with_its_usual_value_is_no_reason(model: BoosterModel) -> None:
    cells = cells_of(np.random.default_rng(4), contact=True)
    assert find_reasons(model, cells, cells[0].astype(np.float64), most=5) == ()
    only = cells[0].astype(np.float64)
    only[0] = 5.0
    assert {one.column for one in find_reasons(model, cells, only, most=5)} <= {0}


def test_none_keeps_what_belongs_to_an_action_empty() -> None:
    cells = np.array([[1.0, 2.0], [1.0, np.nan]], dtype=np.float32)
    np.testing.assert_array_equal(toggled(cells, np.array([9.0, 9.0]), 1), [[1, 9], [1, np.nan]])
    np.testing.assert_array_equal(toggled(cells, np.array([9.0, 9.0]), 0), [[9, 2], [9, np.nan]])


def test_a_code_that_has_no_word_is_shown_as_it_is() -> None:
    assert in_words(Reason(0, 0.5), 7.0, name="channel", words={"channel": ("none", "sms")}) == "channel=7 (+0.5000)"
