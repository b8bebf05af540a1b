"""The adjusted difference against other formulas for it, and what it promises of precision and coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.ope.intervals import skewed_interval
from training.trials.adjusted import (
    DEBTORS_PER_COVARIATE,
    UnevenColumns,
    contrast,
    interval_of,
    linearised,
    narrower_by,
    p_value,
)
from training.trials.intervals import LEVEL, Interval, mean_difference, ratio_difference


def adjusted(outcome: np.ndarray, treated: np.ndarray, covariates: np.ndarray) -> Interval:
    return interval_of(contrast(outcome, treated, covariates))


def made(size: int = 400, *, seed: int = 1, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes that two columns explain in part, with an effect that varies with the first."""
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(size, 2)) * [1.0, 30.0] + [5.0, -100.0]
    treated = rng.random(size) < 0.7
    own = effect + 0.5 * (before[:, 0] - 5)
    return 2 * before[:, 0] + 0.05 * before[:, 1] + own * treated + rng.normal(size=size), treated, before


def interacted(outcome: np.ndarray, treated: np.ndarray, before: np.ndarray) -> tuple[float, float]:
    """Lin's regression written out as one: coefficient of the arm and its HC2 error, covariates taken as given."""
    centred = before - before.mean(axis=0)
    design = np.column_stack([np.ones(len(outcome)), treated, centred, treated[:, None] * centred])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ outcome
    residual = outcome - design @ coefficients
    leverage = np.array([row @ inverse @ row for row in design])
    middle = sum(np.outer(row, row) * r**2 / (1 - h) for row, r, h in zip(design, residual, leverage, strict=True))
    return float(coefficients[1]), float(np.sqrt((inverse @ middle @ inverse)[1, 1]))


def test_it_is_lins_interacted_regression() -> None:
    outcome, treated, before = made()
    value, error = interacted(outcome, treated, before)
    found = contrast(outcome, treated, before)
    assert found.value == pytest.approx(value)
    slopes = [np.polynomial.polynomial.polyfit(before[here, 0], outcome[here], 1)[1] for here in (treated, ~treated)]
    assert found.error > error  # debtors to come have other covariates, and the effect varies with them
    assert found.error == pytest.approx(np.hypot(error, (slopes[0] - slopes[1]) / np.sqrt(len(outcome))), rel=0.03)


def test_without_covariates_the_error_is_welchs() -> None:
    outcome, treated, _ = made()
    one, two = outcome[treated], outcome[~treated]
    foreign = stats.ttest_ind(one, two, equal_var=False)
    found = contrast(outcome, treated)
    half = stats.t.ppf((1 + LEVEL) / 2, foreign.df) * found.error
    assert (found.value - half, found.value + half) == pytest.approx(mean_difference(one, two)[1:])
    assert found.freedom == pytest.approx(foreign.df)
    assert float(found.rows.mean()) == pytest.approx(0.0, abs=1e-9)


def test_the_end_on_the_side_of_the_longer_tail_lies_as_far_out_as_for_any_mean() -> None:
    rng = np.random.default_rng(3)
    outcome, treated = rng.lognormal(4, 1.5, 4_000) * (rng.random(4_000) < 0.2), rng.random(4_000) < 0.9
    found, ours = contrast(outcome, treated), interval_of(contrast(outcome, treated))
    foreign = skewed_interval(found.value + found.rows, np.arange(4_000))
    assert ours.value - ours.low > 1.05 * (ours.high - ours.value)  # few in control: their large payments weigh most
    assert (ours.low, ours.high) == pytest.approx((foreign.low, foreign.high), rel=0.01)


def test_what_was_known_before_makes_it_narrower_as_its_correlation_says() -> None:
    rng = np.random.default_rng(4)
    before, noise = rng.normal(size=(20_000, 1)), rng.normal(size=20_000)
    treated = rng.random(20_000) < 0.5
    outcome = 0.8 * before[:, 0] + 0.6 * noise
    raw = interval_of(contrast(outcome, treated))
    assert narrower_by(adjusted(outcome, treated, before), raw) == pytest.approx(1 - 0.6, abs=0.01)
    assert abs(narrower_by(adjusted(outcome, treated, noise[:, None] * 0 + 1), raw)) < 1e-9


def test_units_of_covariates_and_redundant_columns_do_not_matter() -> None:
    outcome, treated, before = made()
    plain = adjusted(outcome, treated, before)
    twice = np.column_stack([before * [1e6, 1e-6], before[:, 0] - before[:, 1], np.full(len(outcome), 7.0)])
    assert adjusted(outcome, treated, twice) == pytest.approx(plain)


def test_each_column_costs_a_degree_of_freedom_in_each_arm() -> None:
    outcome, treated, before = made(200)
    centred = before - before.mean(axis=0)
    squares, spare = [], []
    for here in (treated, ~treated):
        design = np.column_stack([np.ones(here.sum()), centred[here]])
        inverse = np.linalg.inv(design.T @ design)
        residual = outcome[here] - design @ inverse @ design.T @ outcome[here]
        leverage = np.array([row @ inverse @ row for row in design])
        squares.append(((design @ inverse[:, 0]) ** 2 * residual**2 / (1 - leverage)).sum())
        spare.append(len(design) - 3)
    total, parts = sum(squares), np.array(squares)
    assert contrast(outcome, treated, before).freedom == pytest.approx(total**2 / (parts**2 / spare).sum())


def test_debtors_in_another_order_give_the_same() -> None:
    outcome, treated, before = made()
    order = np.random.default_rng(5).permutation(len(outcome))
    assert adjusted(outcome[order], treated[order], before[order]) == pytest.approx(adjusted(outcome, treated, before))


def test_too_few_debtors_for_the_covariates_are_compared_as_they_are() -> None:
    outcome, treated, before = made(100)
    treated[:] = np.arange(100) >= 2 * DEBTORS_PER_COVARIATE - 1
    assert contrast(outcome, treated, before).covariates == 0
    assert contrast(outcome, treated, before[:, :1]).covariates == 1
    assert contrast(outcome, treated, before).value == pytest.approx(outcome[treated].mean() - outcome[~treated].mean())


def test_an_arm_of_one_debtor_has_no_interval() -> None:
    assert np.isnan(adjusted(np.arange(9.0), np.arange(9) < 8, np.empty((9, 0)))).all()


def test_outcomes_that_do_not_vary_have_an_interval_of_no_width() -> None:
    treated = np.arange(80) < 40
    assert interval_of(contrast(treated * 2.0, treated)) == (2.0, 2.0, 2.0)
    assert p_value(contrast(treated * 2.0, treated)) == 0.0
    assert p_value(contrast(np.ones(80), treated)) == 1.0


def test_columns_of_different_debtors_are_refused() -> None:
    with pytest.raises(UnevenColumns, match=r"one entry per debtor everywhere; came .* \[3, 3, 2\]"):
        contrast(np.ones(3), np.array([True, False, True]), np.ones((2, 1)))


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_the_p_value_is_below_the_level_just_when_the_interval_leaves_zero(flip: float) -> None:
    rng = np.random.default_rng(6)
    outcome = flip * rng.lognormal(0, 1.5, 1_500) * (rng.random(1_500) < 0.3)
    treated = rng.random(1_500) < 0.85
    base = contrast(outcome, treated)
    low, high = interval_of(base)[1:]
    for shift, outside in ((low, False), (high, False), (low, True), (high, True)):
        nudge = 1e-6 * np.sign(shift - base.value) * (1 if outside else -1)
        moved = contrast(outcome - (shift + nudge) * treated, treated)
        assert (p_value(moved) < 1 - LEVEL) == outside


def test_a_linearised_ratio_has_the_ratios_interval() -> None:
    rng = np.random.default_rng(7)
    sizes = rng.integers(1, 6, 900).astype(float)
    hits = rng.binomial(sizes.astype(int), rng.beta(1, 3, 900)).astype(float)
    treated = rng.random(900) < 0.5
    foreign = ratio_difference((hits[treated], hits[~treated]), (sizes[treated], sizes[~treated]))
    found = contrast(linearised(hits, sizes, treated), treated)
    assert found.value == pytest.approx(foreign.value)
    assert found.error == pytest.approx((foreign.high - foreign.low) / 2 / 1.959964, rel=1e-3)


@pytest.mark.parametrize("control", [0.5, 0.2])
def test_it_covers_the_effect_on_debtors_to_come(control: float) -> None:
    hits = 0
    for seed in range(600):
        outcome, treated, before = made(300, seed=seed)
        rng = np.random.default_rng([seed, 1])
        again = rng.random(300) >= control
        outcome += (1 + 0.5 * (before[:, 0] - 5)) * (again.astype(float) - treated)
        found = adjusted(outcome, again, before)
        hits += found.low <= 1.0 <= found.high
    assert 0.925 <= hits / 600 <= 0.975
