"""Prices by name and shards put together: the same actions in the batch and the service."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.capacity_settings import CapacitySettings
from data.times import HOUR_US
from models.capacity import Candidates, Coverage, price_of_actions, reduce, solve, usage_of_contacts
from models.capacity.candidates import WrongShape
from models.capacity.shards import OtherGrid, joined
from models.capacity.usage import limit_of
from tests.models.capacity.limited_world import LIMITS, SMALL, VALUES, World, world

SHARED = CapacitySettings(per_day={"sms": 4, "phone": 2}, creditor_minimum={"c1": 5, "c2": 1})


def reduced(one: World) -> Candidates:
    return reduce(
        one.value, grid=one.grid, slots=one.slots, settings=one.settings, cost_eur=one.cost, coverage=one.coverage
    )


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("limits", LIMITS)
def test_who_was_not_displaced_chooses_the_same_action_by_the_prices(values: str, limits: str) -> None:
    one = world(values, limits, 12, size=60)
    # What float32 holds exactly is compared exactly.
    one = replace(one, value=np.round(one.value * 64) / 64)
    found = solve([reduced(one)], settings=one.settings)
    actions = price_of_actions(found.prices, grid=one.grid, send_us=one.slots.send_us, settings=one.settings)
    price = actions.of_debtors(one.slots.of_debtor, cost_eur=one.cost, coverage=one.coverage)
    net = one.value - price
    got = net[np.arange(one.size), found.action]
    ahead = net.max(axis=1) - got
    assert (price[:, 0] == 0).all()
    assert (ahead[~found.displaced] < 1e-9).all()


def test_shards_stand_in_the_order_they_were_given_in() -> None:
    worlds = [replace(world("heavy", "minimum", seed, size=30), settings=SHARED) for seed in range(3)]
    found = solve([reduced(one) for one in worlds], settings=SHARED)
    assert found.shard_start == (0, 30, 60, 90)


def test_some_debtors_keep_their_candidates() -> None:
    one = world("heavy", "together", 1, size=30)
    rows = np.array([7, 3, 20])
    some, whole = reduced(one).some(rows), reduced(one)
    for place, row in enumerate(rows.tolist()):
        mine, theirs = slice(*some.start[place : place + 2]), slice(*whole.start[row : row + 2])
        np.testing.assert_array_equal(some.value[mine], whole.value[theirs])
        np.testing.assert_array_equal(some.cost[place], whole.cost[row])


def test_a_reduced_portfolio_is_small() -> None:
    one = world("heavy", "day", 1, size=200)
    letters = replace(one, settings=CapacitySettings(per_day={"letter": 5}))
    per_debtor = np.diff(reduced(letters).start)
    assert per_debtor.max() <= 1 + SMALL.days  # the best of what is free, and the best hour of each day of letters


def test_shards_of_different_grids_are_refused() -> None:
    one = world("heavy", "minimum", 1, size=5)
    other = replace(one, settings=replace(one.settings, creditor_minimum={"c9": 1}))
    with pytest.raises(OtherGrid, match="reduce every shard under the same settings"):
        joined([reduced(one), reduced(other)])


def test_values_of_another_shape_than_the_grid_are_refused() -> None:
    one = world("heavy", "day", 1, size=5)
    with pytest.raises(
        WrongShape, match=r"value_eur: expected shape \(5, 19\) for the slots of 5 debtors, came \(5, 18\)"
    ):
        reduced(replace(one, value=one.value[:, 1:]))
    with pytest.raises(WrongShape, match=r"cost_eur: expected shape \(5, 4\)"):
        reduced(replace(one, cost=one.cost[:4]))


def contacts(*sent: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array(["sms"] * len(sent), dtype=object), np.array(sent)


def test_days_and_hours_are_those_of_the_settings_zone() -> None:
    late = 20_514 * 24 * HOUR_US + 22 * HOUR_US  # 2 March 2026, 22:00 UTC
    limits = CapacitySettings(per_day={"sms": 9}, per_hour={"sms": 9}, budget_eur_per_day=1, time_zone="Asia/Kolkata")
    found = usage_of_contacts(*contacts(late), cost_eur=np.array([0.07]), settings=limits)
    assert found == {"sms@2026-03-03": 1.0, "sms@2026-03-03T03": 1.0, "budget@2026-03-03": 0.07}


def test_who_gets_in_touch_is_spread_over_hours_and_over_midnight() -> None:
    late = 20_514 * 24 * HOUR_US + 22 * HOUR_US
    limits = CapacitySettings(inbound_per_hour=9, inbound_per_day=9, inbound_share={"sms": 0.3})
    found = usage_of_contacts(*contacts(late, late), cost_eur=np.zeros(2), settings=limits)
    assert found == {
        "inbound@2026-03-02T22": pytest.approx(0.2),
        "inbound@2026-03-02T23": pytest.approx(0.2),
        "inbound@2026-03-03T00": pytest.approx(0.2),
        "inbound@2026-03-02": pytest.approx(0.4),
        "inbound@2026-03-03": pytest.approx(0.2),
    }


def test_the_hour_that_a_clock_goes_through_twice_has_one_limit() -> None:
    twice = 20_751 * 24 * HOUR_US  # 25 October 2026, 00:00 UTC: Stockholm is at 02:00, and again an hour later
    limits = CapacitySettings(per_hour={"sms": 9}, time_zone="Europe/Stockholm")
    found = usage_of_contacts(*contacts(twice, twice + HOUR_US), cost_eur=np.zeros(2), settings=limits)
    assert found == {"sms@2026-10-25T02": 2.0}


def test_no_contact_uses_nothing() -> None:
    limits = CapacitySettings(per_day={"sms": 9}, budget_eur_per_day=5)
    assert (
        usage_of_contacts(np.array(["none"], dtype=object), np.array([-1]), cost_eur=np.zeros(1), settings=limits) == {}
    )


def test_each_kind_of_name_has_its_limit() -> None:
    limits = CapacitySettings(
        {"sms": 1}, {"sms": 2}, 3.0, inbound_per_hour=4, inbound_per_day=5, creditor_minimum={"a@b": 6}
    )
    names = ["sms@2026-03-02", "sms@2026-03-02T10", "budget@2026-03-02", "inbound@2026-03-02T10", "inbound@2026-03-02"]
    assert [limit_of(name, limits) for name in [*names, "creditor:a@b"]] == [1, 2, 3, 4, 5, 6]


def test_a_claim_of_a_creditor_with_a_price_makes_every_contact_dearer_to_leave_out() -> None:
    grid = ActionGrid(("none", "sms"), 1, (8,))
    actions = price_of_actions(
        {"creditor:c1": 2.0, "creditor:c2": 0.5},
        grid=grid,
        send_us=np.array([[-1, 8 * HOUR_US]]),
        settings=CapacitySettings(),
    )
    covered = Coverage(np.array([0, 0, 0, 1]), np.array(["c1", "c1", "c2", "c3"], dtype=object))
    price = actions.of_debtors(np.zeros(2, dtype=np.int64), cost_eur=np.zeros((2, 2)), coverage=covered)
    np.testing.assert_array_equal(price, [[0.0, -2.5], [0.0, 0.0]])
