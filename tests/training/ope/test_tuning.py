"""Biased estimators at the ends of their parameters, and parameters chosen from the log alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.ope.estimators import dm, dr, shrunk_dr, switch_dr
from training.ope.tuning import Tuned, least_error, shrinkage_candidates, slope, switch_candidates

FloatArray = npt.NDArray[np.float64]
UNITS = np.arange(400)


@given(
    hnp.arrays(np.float64, 9, elements=st.floats(0, 50)),
    hnp.arrays(np.float64, (3, 9), elements=st.floats(0, 1)),
)
def test_at_the_ends_they_are_the_direct_method_and_doubly_robust(weight: FloatArray, drawn: FloatArray) -> None:
    reward, predicted, expected = drawn
    whole = dr(reward, weight, predicted=predicted, expected=expected)
    for threshold, same in ((weight.max(), whole), (0.0, dm(expected))):
        rows = switch_dr(reward, weight, predicted=predicted, expected=expected, threshold=threshold)
        assert rows == pytest.approx(same)
    for shrinkage, same in ((np.inf, whole), (0.0, dm(expected))):
        rows = shrunk_dr(reward, weight, predicted=predicted, expected=expected, shrinkage=shrinkage)
        assert rows == pytest.approx(same)


@given(hnp.arrays(np.float64, 20, elements=st.floats(0.01, 100)), st.floats(0.01, 1e4))
def test_shrinking_never_raises_a_weight(weight: FloatArray, shrinkage: float) -> None:
    nothing = np.zeros(20)
    kept = shrunk_dr(np.ones(20), weight, predicted=nothing, expected=nothing, shrinkage=shrinkage)
    assert (kept <= weight + 1e-12).all()
    assert (kept >= 0).all()


def noisy(rng: np.random.Generator, *, model: float) -> tuple[FloatArray, FloatArray]:
    """Rewards of mean one half with heavy weights, and what a constant model says."""
    weight = rng.exponential(1.0, 400) ** 2 / 2
    return (rng.random(400) < 0.5).astype(np.float64), np.stack([weight, np.full(400, model)])


def chosen(reward: FloatArray, given: FloatArray) -> float:
    weight, model = given

    def rows_under(threshold: float) -> FloatArray:
        return switch_dr(reward, weight, predicted=model, expected=model, threshold=threshold)

    return slope(switch_candidates(weight), UNITS, rows_under=rows_under).parameter


def test_a_model_that_is_right_is_trusted_and_one_that_is_wrong_is_not() -> None:
    rng = np.random.default_rng(1)
    right = [chosen(*noisy(rng, model=0.5)) for _ in range(20)]
    wrong = [chosen(*noisy(rng, model=3.0)) for _ in range(20)]
    assert np.median(right) == 0.0
    assert min(wrong) > 0.0


def test_rows_that_repeat_their_unit_are_not_taken_for_more_evidence() -> None:
    # Ten copies of each row: by row the intervals are three times as narrow, and less would agree.
    reward, given = noisy(np.random.default_rng(4), model=0.9)
    weight, model = np.repeat(given, 10, axis=1)
    once = chosen(reward, given)

    def rows_under(threshold: float) -> FloatArray:
        return switch_dr(np.repeat(reward, 10), weight, predicted=model, expected=model, threshold=threshold)

    candidates = switch_candidates(given[0])
    assert slope(candidates, np.repeat(UNITS, 10), rows_under=rows_under).parameter == once
    assert slope(candidates, np.arange(4000), rows_under=rows_under).parameter > once


def by_least_error(reward: FloatArray, given: FloatArray) -> Tuned:
    weight, model = given
    unbiased = dr(reward, weight, predicted=model, expected=model)

    def rows_under(threshold: float) -> FloatArray:
        return switch_dr(reward, weight, predicted=model, expected=model, threshold=threshold)

    return least_error(switch_candidates(weight), UNITS, rows_under=rows_under, unbiased=unbiased)


def test_least_error_follows_the_log_where_the_model_is_far_off() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        reward, given = noisy(rng, model=5.0)
        weight, model = given
        whole = dr(reward, weight, predicted=model, expected=model)
        assert by_least_error(reward, given).per_row.mean() == pytest.approx(whole.mean(), abs=0.2)


def test_least_error_comes_closer_to_the_truth_than_doubly_robust_where_the_model_is_nearly_right() -> None:
    rng = np.random.default_rng(3)
    chosen_off, whole_off = [], []
    for _ in range(60):
        reward, given = noisy(rng, model=0.52)
        weight, model = given
        chosen_off.append(by_least_error(reward, given).per_row.mean() - 0.5)
        whole_off.append(dr(reward, weight, predicted=model, expected=model).mean() - 0.5)
    assert np.square(chosen_off).mean() < np.square(whole_off).mean()


def test_candidates_reach_from_the_model_alone_to_doubly_robust() -> None:
    weight = np.random.default_rng(0).exponential(2.0, 300)
    thresholds, shrinkages = switch_candidates(weight), shrinkage_candidates(weight)
    assert thresholds[0] == 0.0
    assert thresholds[-1] == weight.max()
    assert np.isinf(shrinkages[-1])
    assert (np.diff(thresholds) > 0).all()
    assert (np.diff(shrinkages) > 0).all()
    assert switch_candidates(np.array([0.0, 3.0, 3.0])).tolist() == [0.0, 3.0]
