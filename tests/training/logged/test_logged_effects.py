"""Effects from logs, the bounds around them, and what it takes to measure one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.benchmarks.confounded_world import NONE, PHONE, World, draw_log
from training.logged.effect import EffectSettings, Log, effect
from training.logged.multinomial import FitSettings
from training.logged.randomisation import Traffic, smallest_randomisation, traffic_of
from training.logged.sensitivity import Arm, bound_per_row, mean_per_row
from training.ope.overlap import NoOverlap

FloatArray = npt.NDArray[np.float64]
QUICK = EffectSettings(
    FitSettings(folds=2, most_rounds=60, column_share=1.0, threads=1), odds_ratios=(1.5, 2.0), outcome_rounds=40
)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_confounded_log_has_the_wrong_plain_sign_and_the_right_effect() -> None:
    drawn = draw_log(World(decisions=15_000), rng=rng_of(1))
    found = effect(drawn.log, of=PHONE, over=NONE, settings=QUICK, rng=rng_of(2))
    assert found.naive.high < 0
    assert found.value.low <= drawn.lift.mean() <= found.value.high
    assert found.value.low > 0
    assert found.units == 5_000
    assert found.kept > 0.99
    assert 1.0 < found.overturned_at < 1.5


def test_a_hidden_driver_misleads_the_effect_and_the_bound_says_so() -> None:
    drawn = draw_log(World(decisions=15_000, hidden=1.75), rng=rng_of(1))
    assert drawn.odds_ratio <= 2.0
    found = effect(drawn.log, of=PHONE, over=NONE, settings=QUICK, rng=rng_of(2))
    truth = float(drawn.lift.mean())
    assert found.value.value < truth
    bound = found.bounds[1]
    assert bound.odds_ratio == 2.0
    assert bound.low < bound.least < truth < bound.most < bound.high
    assert not bound.identified


def drawn_log(size: int = 4_000, *, lift: float = 0.2) -> tuple[Log, FloatArray]:
    rng = rng_of(5)
    action = rng.integers(0, 2, size)
    features = rng.normal(size=(size, 2))
    paid = (rng.random(size) < 0.3 + lift * action + 0.1 * (features[:, 0] > 0)).astype(np.float64)
    chance = np.full((size, 2), 0.5)
    return Log(features, action, paid, np.arange(size), chance), chance


def test_a_drawn_log_gives_its_effect_without_bounds() -> None:
    log, _ = drawn_log()
    found = effect(log, of=1, over=0, settings=QUICK, rng=rng_of(1), drawn=True)
    assert found.value.low < 0.2 < found.value.high
    assert found.bounds == ()
    assert np.isnan(found.overturned_at)
    assert found.as_dict()["overturned_at"] is None
    assert found.of.rows == found.rows == 4_000


def test_the_effect_is_in_the_outcomes_own_unit_and_turns_with_the_question() -> None:
    log, _ = drawn_log()
    one = effect(log, of=1, over=0, settings=QUICK, rng=rng_of(1))
    many = effect(replace(log, outcome=70 + 100 * log.outcome), of=1, over=0, settings=QUICK, rng=rng_of(1))
    turned = effect(log, of=0, over=1, settings=QUICK, rng=rng_of(1))
    assert many.value.value == pytest.approx(100 * one.value.value, rel=1e-6)
    assert many.naive.value == pytest.approx(100 * one.naive.value, rel=1e-9)
    assert turned.value.value == pytest.approx(-one.value.value, abs=0.005)
    assert turned.naive.value == pytest.approx(-one.naive.value)


def test_a_strong_drawn_effect_needs_a_strong_driver_to_be_overturned() -> None:
    log, _ = drawn_log(lift=0.4)
    weak, _ = drawn_log(lift=0.0)
    strong = effect(log, of=1, over=0, settings=QUICK, rng=rng_of(1))
    assert strong.overturned_at > 2.0
    assert strong.bounds[0].identified
    assert effect(weak, of=1, over=0, settings=QUICK, rng=rng_of(1)).overturned_at == 1.0


def test_an_action_that_was_never_taken_is_refused() -> None:
    log, _ = drawn_log()
    with pytest.raises(NoOverlap, match="4,000 rows of the one action and 0 of the other, expected both"):
        effect(replace(log, action=np.ones_like(log.action)), of=1, over=0, settings=QUICK, rng=rng_of(1))


def test_a_rule_without_exception_is_refused() -> None:
    log, chance = drawn_log()
    decided = np.zeros_like(chance)
    decided[np.arange(len(chance)), log.action] = 1.0
    with pytest.raises(NoOverlap, match=r"in no row do both actions have a chance of at least 0\.02"):
        effect(replace(log, chance=decided), of=1, over=0, settings=QUICK, rng=rng_of(1))


def test_rows_without_a_fair_chance_are_left_out_and_their_share_is_told() -> None:
    log, chance = drawn_log()
    lopsided = chance.copy()
    lopsided[:1_000] = [0.99, 0.01]
    found = effect(replace(log, chance=lopsided), of=1, over=0, settings=QUICK, rng=rng_of(1))
    assert found.rows == 3_000
    assert found.kept == 0.75


UNIT = st.floats(0.02, 0.98)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), UNIT, st.booleans(), UNIT), min_size=1, max_size=8), st.floats(1.0, 6.0))
def test_bounds_close_on_the_mean_at_one_and_open_with_the_odds_ratio(
    rows: list[tuple[bool, float, bool, float]], odds_ratio: float
) -> None:
    taken, chance, outcome, predicted = (np.array(column) for column in zip(*rows, strict=True))
    arm = Arm(taken, chance, outcome.astype(np.float64), predicted)
    for end in ("low", "high"):
        np.testing.assert_allclose(bound_per_row(arm, odds_ratio=1.0, end=end), mean_per_row(arm), atol=1e-9)
    others = Arm(np.zeros_like(taken), chance, arm.outcome, predicted)
    low, high = (bound_per_row(others, odds_ratio=odds_ratio, end=end) for end in ("low", "high"))
    assert (low <= predicted + 1e-12).all()
    assert (predicted <= high + 1e-12).all()
    assert ((low >= 0) & (high <= 1)).all()


@pytest.mark.parametrize(("mean", "odds_ratio"), [(0.1, 2.0), (0.5, 1.5), (0.9, 3.0), (0.3, 8.0)])
def test_the_extreme_mean_is_that_of_a_linear_programme(mean: float, odds_ratio: float) -> None:
    """Density ratios of both outcomes between 1/L and L, averaging 1: the largest share of payers."""
    ends = [(1 / odds_ratio, odds_ratio)] * 2
    best = linprog([-mean, 0.0], A_eq=[[mean, 1 - mean]], b_eq=[1.0], bounds=ends)
    arm = Arm(np.array([False]), np.array([0.5]), np.array([0.0]), np.array([mean]))
    assert bound_per_row(arm, odds_ratio=odds_ratio, end="high")[0] == pytest.approx(-best.fun)


def test_the_bound_at_the_true_odds_ratio_holds_the_true_mean_of_an_exact_population() -> None:
    """Chances and means known exactly: the bound of a mean holds it although the driver is not in them."""
    rng = rng_of(7)
    size = 200_000
    driver = rng.random(size) < 0.5
    known = np.where(driver, 0.6, 0.3)
    taken = rng.random(size) < known
    outcome = (rng.random(size) < np.where(driver, 0.2, 0.5)).astype(np.float64)
    chance = np.full(size, 0.45)
    mean_taken = (0.6 * 0.2 + 0.3 * 0.5) / 0.9
    arm = Arm(taken, chance, outcome, np.full(size, mean_taken))
    odds = (0.45 / 0.55, 0.6 / 0.4, 0.3 / 0.7)
    ratio = max(odds[1] / odds[0], odds[0] / odds[2])
    low, high = (float(bound_per_row(arm, odds_ratio=ratio, end=end).mean()) for end in ("low", "high"))
    assert mean_per_row(arm).mean() == pytest.approx(mean_taken, abs=0.01)
    assert mean_taken < 0.35 - 0.04
    assert low < 0.35 < high


def test_the_smallest_randomisation_gives_the_half_width_it_promises() -> None:
    rng = rng_of(3)
    traffic = Traffic(variance=0.2 * 0.8, design_effect=1.0, per_week=500.0)
    need = smallest_randomisation(traffic, of_share=0.3, over_share=0.2, explore_share=0.1, half_width=0.03)
    means = []
    for _ in range(400):
        of, over = (rng.binomial(round(need.drawn * share), 0.2) / round(need.drawn * share) for share in (0.3, 0.2))
        means.append(of - over)
    assert 1.96 * np.std(means) == pytest.approx(0.03, rel=0.12)
    assert need.drawn == pytest.approx(need.decisions * 0.1, abs=1)
    assert need.weeks == pytest.approx(need.decisions / 500, abs=0.01)
    assert need.half_width_soon == pytest.approx(0.03 * np.sqrt(need.decisions / 500 / 13), rel=1e-3)
    assert "draw 10% of decisions at random" in need.sentence()


def test_rows_that_repeat_each_other_need_more_decisions() -> None:
    paid = (rng_of(4).random(500) < 0.3).astype(np.float64)
    alone = traffic_of(paid, np.arange(500), weeks=10)
    four = traffic_of(np.repeat(paid, 4), np.repeat(np.arange(500), 4), weeks=10)
    assert alone.design_effect == pytest.approx(1.0, abs=0.01)
    assert four.design_effect == pytest.approx(4.0, rel=0.02)
    assert four.per_week == 200.0


def test_without_any_spread_that_of_one_half_is_taken() -> None:
    assert traffic_of(np.zeros(10), np.arange(10), weeks=1).variance == 0.25
