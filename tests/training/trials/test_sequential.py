"""Intervals and chances that hold at every look."""

from __future__ import annotations

import numpy as np
import pytest

from training.ope.anytime import BadPlan, anytime_interval
from training.trials.adjusted import contrast, interval_of
from training.trials.sequential import (
    CAP_DEBTORS,
    FIRST_DEBTORS,
    FIRST_PAYERS,
    SILENT,
    STRENGTHS,
    anytime_chance,
    anytime_difference,
    fixed_cap,
    ready,
)


def drawn(size: int, *, seed: int, control: float, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Lognormal amounts of one debtor in four, more of them among the treated."""
    rng = np.random.default_rng(seed)
    treated = rng.random(size) >= control
    return rng.lognormal(3, 1.2, size) * (rng.random(size) < 0.25 * (1 + gain * treated)), treated


def test_it_is_the_sequence_of_the_mean_of_each_debtors_part() -> None:
    outcome, treated = drawn(3_000, seed=1, control=0.3)
    found = contrast(outcome, treated)
    foreign = anytime_interval(found.value + found.rows, np.arange(3_000), planned_units=5_000)
    ours = anytime_difference(outcome, treated, planned_debtors=5_000)
    assert ours == pytest.approx((foreign.value, foreign.low, foreign.high), rel=1e-3)


def test_it_is_wider_than_the_interval_for_one_look_and_less_than_twice_as_wide_at_the_plan() -> None:
    outcome, treated = drawn(4_000, seed=2, control=0.5)
    once = interval_of(contrast(outcome, treated))
    always = anytime_difference(outcome, treated, planned_debtors=4_000)
    assert 1.4 < (always.high - always.low) / (once.high - once.low) < 2


def test_what_was_known_before_makes_it_narrower() -> None:
    rng = np.random.default_rng(3)
    before, treated = rng.normal(size=(4_000, 1)), rng.random(4_000) < 0.5
    outcome = 10 + 3 * before[:, 0] + rng.normal(size=4_000)
    raw = anytime_difference(outcome, treated, planned_debtors=4_000)
    adjusted = anytime_difference(outcome, treated, planned_debtors=4_000, covariates=before)
    assert (adjusted.high - adjusted.low) / (raw.high - raw.low) == pytest.approx(1 / np.sqrt(10), rel=0.05)


def test_it_has_no_ends_before_both_arms_have_debtors_and_payers_enough() -> None:
    outcome, treated = np.zeros(1_000), np.arange(1_000) < 900
    outcome[treated] = 1.0
    outcome[900 : 899 + FIRST_PAYERS] = 1.0
    early = anytime_difference(outcome, treated, planned_debtors=1_000)
    assert np.isnan([early.low, early.high]).all()
    assert early.value == pytest.approx(0.01)
    outcome[999] = 1.0
    assert not np.isnan(anytime_difference(outcome, treated, planned_debtors=1_000).low)
    assert not ready(np.ones(FIRST_DEBTORS + 99), np.arange(FIRST_DEBTORS + 99) < 99)


def test_a_plan_of_nobody_is_refused() -> None:
    outcome, treated = drawn(2_000, seed=1, control=0.5)
    with pytest.raises(BadPlan, match="at least one planned unit"):
        anytime_difference(outcome, treated, planned_debtors=0)


def test_looking_daily_it_seldom_leaves_out_no_effect_where_fixed_intervals_often_do() -> None:
    fixed, always = 0, 0
    for seed in range(200):
        outcome, treated = drawn(3_600, seed=seed, control=0.25)
        looks = [(outcome[:known], treated[:known]) for known in range(1_640, 3_601, 40)]
        once = [interval_of(contrast(*one)) for one in looks]
        daily = [anytime_difference(*one, planned_debtors=3_600) for one in looks]
        fixed += any(one.low > 0 or one.high < 0 for one in once)
        always += any(one.low > 0 or one.high < 0 for one in daily)
    assert fixed > 20
    assert always <= 18  # 5 % of 200 and two and a half standard errors


def test_the_cap_is_settled_by_enough_debtors_and_then_moves_no_more() -> None:
    rng = np.random.default_rng(1)
    early = rng.lognormal(3, 1, CAP_DEBTORS)
    assert fixed_cap(early) == pytest.approx(np.sort(early)[989], rel=0.02)
    assert np.isnan(fixed_cap(early[:-1]))


def wealth(outcome: np.ndarray, treated: np.ndarray, share: float, planned: int) -> float:
    """The largest mixed wealth of bets on a gain, debtor by debtor."""
    purses, best = np.ones(len(STRENGTHS)) / len(STRENGTHS), 1.0
    for one in range(SILENT, len(outcome)):
        mean = [outcome[:place].mean() if place else 0.0 for place in range(one + 1)]
        earlier = np.array([outcome[place] - mean[place] for place in range(one)])
        spread = np.sqrt((earlier**2).mean() * share * (1 - share))
        bet = STRENGTHS * (outcome[one] - mean[one]) / (spread * np.sqrt(planned))
        fair = share * np.exp(bet * (1 - share)) + (1 - share) * np.exp(-bet * share)
        purses = purses * np.exp(bet * (treated[one] - share)) / fair
        best = max(best, purses.sum())
    return float(best)


def test_the_chance_is_one_over_the_wealth_of_bets_made_debtor_by_debtor() -> None:
    outcome, treated = drawn(150, seed=5, control=0.4, gain=2.0)
    found = anytime_chance(outcome, treated, share=0.6, planned_debtors=150)
    assert found.of_gain == pytest.approx(1 / wealth(outcome, treated, 0.6, 150))
    assert found.of_loss == pytest.approx(1 / wealth(-outcome, treated, 0.6, 150))


def test_a_bet_gains_nothing_on_average_whatever_the_outcome() -> None:
    outcome, _ = drawn(60, seed=6, control=0.5)
    draws = np.random.default_rng(7).random((4_000, 60)) < 0.9
    below = np.mean([anytime_chance(outcome, one, share=0.9, planned_debtors=60).of_gain <= 0.2 for one in draws])
    assert below <= 0.2 + 3 * np.sqrt(0.16 / 4_000)


@pytest.mark.parametrize("control", [0.1, 0.5])
def test_arms_without_effect_seldom_ever_look_different_however_heavy_the_tail(control: float) -> None:
    alarms = np.zeros(2)
    for seed in range(800):
        rng = np.random.default_rng(seed)
        outcome = (rng.pareto(1.3, 500) + 1) * (
            rng.random(500) < 0.1
        )  # no variance: no interval of the mean would hold
        treated = rng.random(500) >= control
        alarms += np.array(anytime_chance(outcome, treated, share=1 - control, planned_debtors=500)) <= 0.025
    assert (alarms <= 800 * 0.025 + 3 * np.sqrt(800 * 0.025)).all()


def test_a_large_effect_is_noticed_and_stays_noticed() -> None:
    outcome, treated = drawn(4_000, seed=8, control=0.5, gain=0.5)
    found = anytime_chance(outcome, treated, share=0.5, planned_debtors=4_000)
    assert found.of_gain < 0.001
    assert found.of_loss > 0.05
    longer = np.concatenate([outcome, np.zeros(1_000)]), np.concatenate([treated, np.arange(1_000) % 2 > 0])
    assert anytime_chance(*longer, share=0.5, planned_debtors=4_000).of_gain <= found.of_gain


def test_what_is_expected_of_each_debtor_makes_the_chance_sharper() -> None:
    rng = np.random.default_rng(9)
    expected, treated = rng.lognormal(3, 1, 1_500), rng.random(1_500) < 0.5
    outcome = expected + rng.normal(0, 5, 1_500) + 1.5 * treated
    plain = anytime_chance(outcome, treated, share=0.5, planned_debtors=1_500)
    sharp = anytime_chance(outcome, treated, share=0.5, planned_debtors=1_500, expected=expected)
    assert sharp.of_gain < 0.001 < plain.of_gain


def test_the_first_debtors_say_nothing() -> None:
    few = np.arange(float(SILENT))
    assert anytime_chance(few, few > 9, share=0.5, planned_debtors=100) == (1.0, 1.0)
    assert anytime_chance(np.zeros(90), np.arange(90) < 9, share=0.5, planned_debtors=100) == (1.0, 1.0)
