"""Expected value: worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from data.action_grid import ActionGrid
from data.config import Config, Dated, GridSettings, MissingRate, MoneySettings
from data.times import DAY_US, to_day
from models._value_kernels import add_lifts, answer_rates, best_worth
from models.grid import SCALE, best
from models.value import Prices, prices, value_grid

GRID = ActionGrid(("none", "sms", "phone"), days=1, hours=(10,))
CONFIG = replace(Config(), grid=GridSettings(("none", "sms", "phone"), 1, (10,)))
TODAY = to_day(date(2026, 3, 2)) * DAY_US


def test_a_call_costs_its_dialling_and_its_expected_talk() -> None:
    price = prices(CONFIG, as_of_us=np.array([TODAY]), answer_rate=np.array([[0.9, 0.9, 0.3]]))
    np.testing.assert_allclose(price.cost, [[0.0, 0.07, 0.50 + 5 * 0.3]])
    np.testing.assert_allclose(price.harm, [[0.0, 0.15, 0.50]])
    np.testing.assert_allclose(price.total, [[0.0, 0.22, 2.50]])


def test_the_price_is_that_of_the_day() -> None:
    rows = {**CONFIG.costs.rows, "sms": (Dated(0.07), Dated(0.10, date(2026, 3, 3)))}
    config = replace(CONFIG, costs=MoneySettings(rows))
    days = np.array([TODAY, TODAY + DAY_US])
    assert prices(config, as_of_us=days, answer_rate=np.zeros((2, 3))).cost[:, 1].tolist() == [0.07, 0.10]


def test_a_channel_without_a_price_on_the_day_is_an_error() -> None:
    config = replace(CONFIG, costs=MoneySettings({"none": (Dated(0.0),), "sms": (Dated(0.07, date(2027, 1, 1)),)}))
    with pytest.raises(MissingRate, match="no amount for 'sms' on that day"):
        prices(config, as_of_us=np.array([TODAY]), answer_rate=np.zeros((1, 3)))


def test_the_value_is_the_sum_over_covered_claims_less_one_price() -> None:
    lift = np.array([[0.0, 20.0, 30.0], [0.0, 1.0, 2.0], [0.0, 7.0, 9.0]])
    price = Prices(np.array([[0.0, 0.07, 2.0]] * 2), np.array([[0.0, 0.15, 0.5]] * 2))
    value = value_grid(
        0.1 + lift / 200,
        worth_eur=np.full(3, 200.0),
        debtor=np.array([0, 0, 1]),
        covered=np.array([True, True, False]),
        price=price,
        grid=GRID,
        allowed=np.array([[True, True, True], [True, True, False]]),
    )
    np.testing.assert_allclose(value, [[0.0, 20.78, 29.5], [0.0, -0.22, -np.inf]])


def test_the_sum_over_claims_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    chance, debtor, covered = rng.random((60, 5)), rng.integers(0, 9, 60), rng.random(60) < 0.7
    chance[:, 1:][rng.random((60, 4)) < 0.2] = np.nan
    worth, total = rng.gamma(2, 50, 60), np.zeros((9, 5))
    add_lifts(chance, worth, debtor, covered, total)
    plain = np.zeros((9, 5))
    for claim in range(60):
        for action in range(5):
            if covered[claim] and not np.isnan(chance[claim, action]):
                plain[debtor[claim], action] += (chance[claim, action] - chance[claim, 0]) * worth[claim]
    np.testing.assert_array_equal(total, plain)


def test_the_best_of_what_is_worth_enough_is_that_of_a_plain_search() -> None:
    rng = np.random.default_rng(4)
    value, candidates = rng.normal(size=(300, 8)).round(1), rng.random((300, 8)) < 0.5
    value[rng.random((300, 8)) < 0.1] = -np.inf
    value += rng.choice([0.0, 1e-14], value.shape)
    for least in (-np.inf, 0.0, 0.7):
        kept = candidates & (value >= least)
        kept[:, 0] = candidates[:, 0]
        plain = best(np.where(kept, value, -np.inf))
        np.testing.assert_array_equal(best_worth(value, candidates, least, SCALE), plain)


def test_the_last_claim_of_a_debtor_tells_how_often_it_answers() -> None:
    rows = np.array([[9.0, 0.2, np.nan], [9.0, 0.3, 1.5], [9.0, np.nan, -0.1]], dtype=np.float32)
    told = answer_rates(rows, np.array([1, 2]), np.array([0, 0, 2]), np.array([0.0, 0.6, 0.7]), 3)
    np.testing.assert_allclose(told, [[0.0, 0.3, 1.0], [0.0, 0.6, 0.7], [0.0, 0.6, 0.0]], atol=1e-7)


def test_a_cell_that_was_not_scored_is_worth_nothing_but_its_price() -> None:
    price = Prices(np.array([[0.0, 0.07, 2.0]]), np.zeros((1, 3)))
    every = np.ones((1, 3), dtype=bool)
    value = value_grid(
        np.array([[0.1, np.nan, 0.6]]),
        worth_eur=np.array([10.0]),
        debtor=np.zeros(1, dtype=np.int64),
        covered=np.array([True]),
        price=price,
        grid=GRID,
        allowed=every,
    )
    np.testing.assert_allclose(value, [[0.0, -0.07, 3.0]])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([0.0, 0.0, 0.0], 0),
        ([0.0, 1e-14, 1e-13], 0),
        ([0.0, 2.0, 2.0 + 1e-13], 1),
        ([0.0, -1.0, -np.inf], 0),
        ([0.0, -1.0, 3.0], 2),
    ],
)
def test_a_tie_goes_to_the_lowest_action_so_that_none_wins_at_zero(value: list[float], expected: int) -> None:
    assert best(np.array([value])).tolist() == [expected]


@given(arrays.arrays(np.float64, (4, 6), elements=st.floats(-1e6, 1e6)))
def test_no_action_is_worth_more_than_the_best(value: np.ndarray) -> None:
    chosen = best(value)
    assert (value[np.arange(4), chosen] >= value.max(axis=1) - 1e-9).all()
