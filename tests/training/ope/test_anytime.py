"""Intervals that hold at every look."""

from __future__ import annotations

import numpy as np
import pytest

from training.ope.anytime import BadPlan, anytime_interval, reach_in_errors
from training.ope.estimators import snips
from training.ope.intervals import TooFewUnits, normal_interval


def test_it_is_narrowest_where_planned_and_below_twice_the_fixed_width_there() -> None:
    for planned in (200, 5_000, 1_000_000):
        there = reach_in_errors(planned, planned_units=planned)
        others = [reach_in_errors(planned, planned_units=max(1, round(planned * by))) for by in (0.25, 0.8, 1.25, 4)]
        assert there < 2 * 1.96
        assert there <= min(others) * 1.001


def test_a_higher_level_reaches_further() -> None:
    assert reach_in_errors(500, level=0.99) > reach_in_errors(500, level=0.95) > reach_in_errors(500, level=0.80)


def test_only_the_side_of_the_longer_tail_is_moved_outwards() -> None:
    rng = np.random.default_rng(2)
    skewed, unit = rng.exponential(1.0, 500) ** 2, np.arange(500)
    right, left = anytime_interval(skewed, unit), anytime_interval(-skewed, unit)
    even = reach_in_errors(500) * normal_interval(skewed, unit, level=0.95).half_width / 1.9647
    assert right.value - right.low == pytest.approx(even, rel=1e-3)
    assert right.high - right.value > 1.1 * even
    assert (left.low, left.high) == pytest.approx((-right.high, -right.low))


def test_rows_of_one_unit_count_once() -> None:
    once = np.random.default_rng(0).exponential(1.0, 300)
    single = anytime_interval(once, np.arange(300))
    tenfold = anytime_interval(np.repeat(once, 10), np.repeat(np.arange(300), 10))
    assert (tenfold.low, tenfold.high) == pytest.approx((single.low, single.high))


def test_rows_that_do_not_differ_have_an_interval_of_no_width() -> None:
    assert anytime_interval(np.ones(100), np.arange(100)).half_width == 0.0


@pytest.mark.parametrize(("planned", "level"), [(0, 0.95), (100, 1.0), (100, 0.0)])
def test_a_plan_that_makes_no_sense_is_refused(planned: int, level: float) -> None:
    with pytest.raises(BadPlan, match="expected at least one planned unit and a level between 0 and 1"):
        anytime_interval(np.arange(10.0), np.arange(10), planned_units=planned, level=level)


def test_one_unit_has_no_interval() -> None:
    with pytest.raises(TooFewUnits, match="expected at least two units"):
        anytime_interval(np.ones(5), np.zeros(5, dtype=np.int64))


def test_looking_every_so_often_it_covers_where_fixed_intervals_do_not() -> None:
    # A ratio of clustered rows with weights, looked at forty times while it grows from 100 to 2,000 units.
    fixed, anytime = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        unit = np.repeat(np.arange(2_000), 2)
        weight = rng.gamma(1.0, 1.0, 4_000)
        reward = (rng.random(4_000) < 0.1 + 0.1 * rng.random(2_000)[unit]).astype(np.float64)
        looks = range(100, 2_001, 50)
        rows = [(snips(reward[: 2 * at], weight[: 2 * at]), unit[: 2 * at]) for at in looks]
        found = [normal_interval(*each) for each in rows]
        always = [anytime_interval(*each, planned_units=2_000) for each in rows]
        fixed += all(each.low <= 0.15 <= each.high for each in found)
        anytime += all(each.low <= 0.15 <= each.high for each in always)
    assert fixed < 170  # of 200: looking forty times misses far more often than 5 %
    assert anytime >= 181  # .95 less three standard errors
