"""Figures of a model: ranking, calibration, and what is left out where there is no number."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deciding import FormulaModel, rate_model
from training.judge import calibration_bins, calibration_error, judge
from training.policy_value import PolicyValue
from training.train import Material

REFUSED = PolicyValue(None, None, None, "nothing was drawn", np.zeros(0), float("nan"))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80))
def test_bins_hold_every_row_once_lowest_first(rows: list[tuple[float, bool]]) -> None:
    chance, paid = np.array([one for one, _ in rows]), np.array([one for _, one in rows])
    bins = calibration_bins(chance, paid)
    assert sum(one.rows for one in bins) == len(rows)
    assert max(one.rows for one in bins) - min(one.rows for one in bins) <= 1
    predicted = [one.predicted for one in bins]
    assert all(first <= second + 1e-12 for first, second in pairwise(predicted))
    assert sum(one.observed * one.rows for one in bins) == pytest.approx(paid.sum())
    assert 0 <= calibration_error(bins) <= 1


def test_a_calibrated_chance_has_a_small_error_and_a_shifted_one_the_shift() -> None:
    rng = np.random.default_rng(1)
    chance = rng.uniform(0.1, 0.7, 50_000)
    paid = rng.random(50_000) < chance
    assert calibration_error(calibration_bins(chance, paid)) < 0.01
    assert calibration_error(calibration_bins(chance + 0.2, paid)) == pytest.approx(0.2, abs=0.01)


def test_a_model_that_knows_nothing_ranks_like_a_coin_and_one_that_knows_all_perfectly(material: Material) -> None:
    rows, split = material.rows, material.split
    share = float(rows.paid[split.judge].mean())
    flat = judge(rate_model((share,) * 7), rows, split=split, value=REFUSED)
    assert flat.auc == 0.5
    assert flat.log_loss == pytest.approx(flat.base_log_loss)
    assert flat.rows == split.judge.sum()
    answers = iter([rows.paid[split.judge].astype(np.float64)])
    oracle = judge(FormulaModel(lambda columns: next(answers)), rows, split=split, value=REFUSED)
    assert oracle.auc == 1.0
    assert oracle.log_loss < 1e-6
    assert oracle.calibration_error < 1e-6


def test_a_refused_policy_value_leaves_no_number_behind(material: Material) -> None:
    found = judge(rate_model(), material.rows, split=material.split, value=REFUSED).metrics()
    assert not [name for name in found if name.startswith("value")]
    assert "contacts_per_decision" not in found
    assert np.isfinite(list(found.values())).all()
