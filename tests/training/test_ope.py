"""Off-policy estimators, intervals and overlap on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.ope.estimators import dm, dr, ips, sndr, snips
from training.ope.intervals import Interval, TooFewUnits, bootstrap_interval, normal_interval
from training.ope.overlap import NoOverlap, ess, require_support, support

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

REWARD = np.array([1.0, 0.0, 1.0, 0.0])
WEIGHT = np.array([2.0, 1.0, 0.0, 1.0])
PREDICTED = np.array([0.5, 0.5, 0.25, 0.0])
EXPECTED = np.array([0.5, 0.25, 0.25, 0.0])


def test_estimators_on_four_rows_by_hand() -> None:
    assert ips(REWARD, WEIGHT).mean() == pytest.approx(2 / 4)
    assert snips(REWARD, WEIGHT).mean() == pytest.approx(2 / 4)  # the weights sum to four
    assert dm(EXPECTED).mean() == pytest.approx(1 / 4)
    # residuals .5 -.5 .75 0, weighted 1 -.5 0 0, sum .5: over four rows .125
    assert dr(REWARD, WEIGHT, predicted=PREDICTED, expected=EXPECTED).mean() == pytest.approx(0.375)
    assert sndr(REWARD, WEIGHT, predicted=PREDICTED, expected=EXPECTED).mean() == pytest.approx(0.375)


@given(
    hnp.arrays(np.float64, 8, elements=st.floats(0, 1)),
    hnp.arrays(np.float64, 8, elements=st.floats(0.125, 8)),
    hnp.arrays(np.float64, (2, 8), elements=st.floats(0, 1)),
)
def test_estimators_equal_their_formulas_as_plain_loops(
    reward: FloatArray, weight: FloatArray, model: FloatArray
) -> None:
    predicted, expected = model
    total = weighted = doubly = 0.0
    for i in range(8):
        total += weight[i]
        weighted += weight[i] * reward[i]
        doubly += expected[i] + weight[i] * (reward[i] - predicted[i])
    correction = sum(weight[i] * (reward[i] - predicted[i]) for i in range(8)) / total
    assert ips(reward, weight).mean() == pytest.approx(weighted / 8, abs=1e-9)
    assert snips(reward, weight).mean() == pytest.approx(weighted / total, abs=1e-9)
    assert dr(reward, weight, predicted=predicted, expected=expected).mean() == pytest.approx(doubly / 8, abs=1e-9)
    normed = sndr(reward, weight, predicted=predicted, expected=expected).mean()
    assert normed == pytest.approx(expected.mean() + correction, abs=1e-9)


def test_with_weights_of_one_every_weighted_value_is_the_mean_reward() -> None:
    one = np.ones(4)
    for rows in (ips(REWARD, one), snips(REWARD, one)):
        assert rows.mean() == REWARD.mean()


@dataclass(frozen=True)
class Draw:
    """A simulated log with four actions, a target policy and the chance of every action's reward."""

    unit: IntArray
    action: IntArray
    logged: FloatArray
    target: FloatArray
    reward: FloatArray
    truth: FloatArray

    @property
    def weight(self) -> FloatArray:
        rows = np.arange(len(self.action))
        return np.asarray(self.target[rows, self.action] / self.logged[rows, self.action])

    @property
    def value(self) -> float:
        return float((self.target * self.truth).sum(axis=1).mean())


def drawn_log(rng: np.random.Generator, *, units: int, per_unit: int) -> Draw:
    """A log whose rows share their unit's mood, chosen from by what moves the reward too."""
    rows = units * per_unit
    unit = np.repeat(np.arange(units), per_unit)
    x, mood = rng.normal(size=units)[unit], 0.05 * rng.normal(size=units)[unit]
    pull = np.exp(np.column_stack([0 * x, 0.7 * x, -0.7 * x, np.full(rows, -0.5)]))
    logged = pull / pull.sum(axis=1, keepdims=True)
    truth = np.clip(0.3 + mood[:, None] + 0.05 * x[:, None] + np.array([0.0, 0.1, -0.1, 0.15]), 0.01, 0.99)
    action = (logged.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    reward = (rng.random(rows) < truth[np.arange(rows), action]).astype(np.float64)
    target = np.tile([0.1, 0.4, 0.1, 0.4], (rows, 1))
    return Draw(unit, action, logged, target, reward, truth)


POPULATION_VALUE = 0.39
"""Value of the target in `drawn_log`: mean of .3 + (.4 x .1 - .1 x .1 + .4 x .15), moods and x averaging to nothing."""


def test_intervals_cover_the_known_truth_at_their_rate() -> None:
    hits: dict[str, list[bool]] = {}
    for seed in range(200):
        log = drawn_log(np.random.default_rng(seed), units=200, per_unit=3)
        rough = np.clip(0.8 * log.truth + 0.1, 0, 1)
        predicted = rough[np.arange(len(log.action)), log.action]
        expected = (log.target * rough).sum(axis=1)
        for name, rows in {
            "IPS": ips(log.reward, log.weight),
            "SNIPS": snips(log.reward, log.weight),
            "DR": dr(log.reward, log.weight, predicted=predicted, expected=expected),
            "SN-DR": sndr(log.reward, log.weight, predicted=predicted, expected=expected),
        }.items():
            found = normal_interval(rows, log.unit)
            hits.setdefault(name, []).append(found.low <= POPULATION_VALUE <= found.high)
    for name, hit in hits.items():
        assert 0.90 <= np.mean(hit) <= 0.99, name  # three standard errors around .95 at 200 logs


def test_bootstrap_agrees_with_the_normal_interval_on_many_units() -> None:
    log = drawn_log(np.random.default_rng(5), units=500, per_unit=2)
    rows = snips(log.reward, log.weight)
    normal = normal_interval(rows, log.unit)
    resampled = bootstrap_interval(rows, log.unit, rng=np.random.default_rng(1))
    assert resampled.value == normal.value
    assert resampled.half_width == pytest.approx(normal.half_width, rel=0.1)


def test_bootstrap_is_the_same_for_the_same_generator() -> None:
    rows, unit = np.arange(30.0), np.arange(30) // 2
    first = bootstrap_interval(rows, unit, rng=np.random.default_rng(3), resamples=50)
    assert first == bootstrap_interval(rows, unit, rng=np.random.default_rng(3), resamples=50)


def test_rows_that_repeat_their_unit_do_not_narrow_the_interval() -> None:
    once = np.random.default_rng(0).normal(size=50)
    single = normal_interval(once, np.arange(50))
    tenfold = normal_interval(np.repeat(once, 10), np.repeat(np.arange(50), 10))
    assert tenfold.half_width == pytest.approx(single.half_width)


def test_one_unit_has_no_interval() -> None:
    with pytest.raises(TooFewUnits, match="expected at least two units"):
        normal_interval(np.ones(5), np.zeros(5, dtype=np.int64))


def test_half_width_is_half_the_range() -> None:
    assert Interval(0.5, 0.4, 0.7).half_width == pytest.approx(0.15)


@given(hnp.arrays(np.float64, 12, elements=st.floats(0.01, 100)))
def test_effective_rows_lie_between_one_and_all(weight: FloatArray) -> None:
    assert 1 - 1e-9 <= ess(weight) <= 12 + 1e-9


def test_a_policy_that_never_does_what_was_logged_has_no_overlap() -> None:
    with pytest.raises(NoOverlap, match="never does what was logged"):
        support(np.zeros(10))


COIN = np.tile([0.0, 1.0], 500)


def heavy(count: int, weight: float) -> FloatArray:
    """A thousand weights with mean one, `count` of them heavy."""
    light = (1000 - count * weight) / (1000 - count)
    return np.concatenate([np.full(count, weight), np.full(1000 - count, light)])


def test_few_effective_rows_are_refused() -> None:
    with pytest.raises(NoOverlap, match=r"effective rows 45 of 1,000 that count \(4.5%\), expected at least 5.0%"):
        require_support(heavy(40, 23.5), COIN)


def test_a_weight_over_a_hundred_is_refused() -> None:
    with pytest.raises(NoOverlap, match="one row weighs 120 times the mean, expected at most 100"):
        require_support(heavy(1, 120.0), COIN)


def test_the_bounds_are_arguments() -> None:
    assert require_support(heavy(1, 120.0), COIN, largest_weight=150).largest == 120


def test_a_policy_with_one_of_many_actions_is_not_refused_for_being_decided() -> None:
    weight = np.where(np.arange(10_000) % 100 < 1, 100.0, 0.0)
    assert require_support(weight, np.random.default_rng(0).random(10_000).round()).matched == 100


def test_weights_far_from_one_on_average_are_refused() -> None:
    with pytest.raises(NoOverlap, match=r"weights average 3.00, expected 1: the logged probabilities"):
        require_support(np.full(1000, 3.0), COIN)


def test_rewards_that_hardly_differ_are_refused() -> None:
    with pytest.raises(NoOverlap, match="3 of 1,000 rows that count differ from 0, expected at least 5"):
        require_support(np.ones(1000), (np.arange(1000) < 3).astype(np.float64))


def test_a_policy_of_actions_never_logged_is_refused() -> None:
    with pytest.raises(NoOverlap, match="30% of what the policy does was never done"):
        require_support(np.ones(1000), COIN, unlogged_mass=0.3)
