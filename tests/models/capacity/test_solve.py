"""The portfolio under limits: near to the exact best, never beyond a limit, prices that mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.capacity_settings import CapacitySettings
from models.capacity import Allotment, Candidates, creditors_reached, reduce, solve, usage_of_contacts
from models.capacity.problem import problem_of
from models.capacity.usage import UnknownResource
from tests.models.capacity.limited_world import (
    LIMITS,
    SMALL,
    VALUES,
    World,
    best,
    missing,
    usage_of,
    violations,
    world,
)


def reduced(one: World) -> Candidates:
    return reduce(
        one.value, grid=one.grid, slots=one.slots, settings=one.settings, cost_eur=one.cost, coverage=one.coverage
    )


def solved(one: World) -> Allotment:
    return solve([reduced(one)], settings=one.settings, taken=one.taken)


def value_of(one: World, found: Allotment) -> float:
    return float(one.value[np.arange(one.size), found.action].sum())


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("limits", LIMITS)
def test_the_value_is_98_percent_of_the_exact_best_with_as_few_below_minimums(values: str, limits: str) -> None:
    for seed in range(2):
        one = world(values, limits, seed, size=50)
        found, top = solved(one), best(one)
        assert violations(one, found.action) == []
        assert missing(one, usage_of(one, found.action)) == pytest.approx(top.short)
        assert value_of(one, found) >= 0.98 * top.bound - 1e-6
        assert found.value_eur == pytest.approx(value_of(one, found), rel=1e-6, abs=1e-6)
        assert found.bound_eur >= top.value - 1e-4 * abs(top.value) - 1e-6


@settings(max_examples=60, deadline=None)
@given(
    values=st.sampled_from(VALUES),
    limits=st.sampled_from(LIMITS),
    seed=st.integers(0, 10**6),
    size=st.integers(1, 60),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]),
    part=st.floats(0, 1.5),
)
def test_no_limit_is_ever_exceeded_and_nothing_barred_is_done(
    values: str, limits: str, seed: int, size: int, zone: str, part: float
) -> None:
    one = world(values, limits, seed, size=size, zone=zone)
    problem = problem_of(reduced(one), settings=one.settings, taken={})
    taken = {name: part * limit for name, limit in zip(problem.names[::2], problem.limit[::2].tolist(), strict=True)}
    one = replace(one, taken=taken)
    assert violations(one, solved(one).action) == []


@pytest.mark.parametrize("limits", ["day", "hour", "budget", "inbound", "together"])
def test_more_of_a_limit_never_lowers_the_bound(limits: str) -> None:
    one = world("correlated", limits, 7, size=120)
    whole = solved(one)
    for name in [use.name for use in whole.resources][::4]:
        more = solved(replace(one, taken={name: -5.0}))
        assert more.bound_eur >= whole.bound_eur - 1e-4


def test_the_bound_is_that_of_the_exact_linear_program() -> None:
    for values, limits in [
        ("heavy", "together"),
        ("correlated", "hour"),
        ("unrelated", "minimum"),
        ("ties", "inbound"),
    ]:
        one = world(values, limits, 5, size=60)
        assert solved(one).bound_eur == pytest.approx(best(one, whole=False).bound, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "limits"), [("correlated", "together"), ("unrelated", "budget"), ("correlated", "hour")]
)
def test_a_price_is_what_a_little_more_of_its_limit_is_worth(values: str, limits: str) -> None:
    one = world(values, limits, 11, size=80)
    # Whole limits of whole contacts stand at corners, where any price between two is right; a part of a contact less does not.
    one = replace(one, taken={use.name: 0.37 for use in solved(one).resources})
    uses, step, checked = solved(one).resources, 1e-3, 0

    def worth(name: str, more: float) -> float:
        return best(replace(one, taken={**one.taken, name: 0.37 - more}), whole=False).value

    for use in [use for use in uses if use.binding][:8] + [use for use in uses if not use.binding][:3]:
        left, right = (
            (worth(use.name, step) - worth(use.name, 0)) / step,
            (worth(use.name, 0) - worth(use.name, -step)) / step,
        )
        if abs(left - right) < 1e-4:
            assert use.price_eur == pytest.approx(right, abs=1e-3)
            checked += use.binding
    assert checked >= 2


def test_the_same_portfolio_gets_the_same_actions_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.capacity.problem.BLOCK", 16)
    one = world("heavy", "together", 2, size=100)
    first, again = (solve([reduced(one)], settings=one.settings, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(first.action, again.action)
    assert first.prices == again.prices
    assert first.value_eur == again.value_eur


def test_shards_are_decided_as_one_portfolio() -> None:
    one = world("heavy", "together", 4, size=90)
    halves = []
    for rows in (np.arange(0, 30), np.arange(30, 90)):
        inside = np.isin(one.coverage.debtor, rows)
        halves.append(
            replace(
                one,
                value=one.value[rows],
                cost=one.cost[rows],
                slots=replace(one.slots, of_debtor=one.slots.of_debtor[rows]),
                coverage=replace(
                    one.coverage,
                    debtor=one.coverage.debtor[inside] - rows[0],
                    creditor_id=one.coverage.creditor_id[inside],
                ),
            )
        )
    whole, apart = solved(one), solve([reduced(half) for half in halves], settings=one.settings)
    np.testing.assert_array_equal(whole.action, apart.action)
    assert [apart.of_shard(0), apart.of_shard(1)] == [slice(0, 30), slice(30, 90)]
    assert apart.prices == whole.prices


def test_shards_may_stand_in_different_time_zones() -> None:
    one = world("correlated", "hour", 6, size=40)
    later = replace(one.slots, send_us=np.where(one.slots.send_us < 0, -1, one.slots.send_us + 5 * 3_600_000_000))
    other = replace(one, slots=later)
    found = solve([reduced(one), reduced(other)], settings=one.settings)
    used = usage_of(one, found.action[found.of_shard(0)])
    for name, amount in usage_of(other, found.action[found.of_shard(1)]).items():
        used[name] = used.get(name, 0.0) + amount
    told = {use.name: use.used for use in found.resources}
    assert all(told[name] == pytest.approx(amount) for name, amount in used.items() if "@" in name)
    assert all(use.used <= use.limit + 1e-9 for use in found.resources)


def test_a_minimum_that_cannot_be_met_is_come_as_near_as_can_be_and_told() -> None:
    one = world("heavy", "infeasible", 1, size=50)
    found, top = solved(one), best(one)
    told = {use.name: use.short for use in found.resources if use.short}
    assert sum(told.values()) == pytest.approx(top.short)
    assert set(told) <= {"creditor:c1", "creditor:c2"}


def test_a_minimum_is_met_by_contacts_that_lose_where_none_gains() -> None:
    one = world("unrelated", "minimum", 3, size=50)
    one = replace(one, value=np.where(np.isfinite(one.value), np.minimum(one.value, 0) - 1.0, -np.inf))
    one.value[:, 0] = 0.0
    one = replace(one, settings=CapacitySettings(creditor_minimum={"c1": 5}))
    found = solved(one)
    used = usage_of(one, found.action)
    assert used["creditor:c1"] == 5
    assert (found.action > 0).sum() == 5
    assert found.prices["creditor:c1"] >= 1.0


def test_what_is_taken_before_is_left_out_and_what_is_over_is_told() -> None:
    one = world("heavy", "tight", 3, size=50)
    name = next(use.name for use in solved(one).resources if use.binding)
    limit = next(use.limit for use in solved(one).resources if use.name == name)
    found = solved(replace(one, taken={name: limit + 3}))
    use = next(use for use in found.resources if use.name == name)
    assert (use.used, use.over, use.taken) == (0.0, 3.0, limit + 3)


def test_contacts_already_made_for_a_creditor_count_towards_its_minimum() -> None:
    one = world("heavy", "infeasible", 1, size=50)
    wanted = one.settings.creditor_minimum["c1"]
    found = solved(replace(one, taken={"creditor:c1": float(wanted)}))
    use = next(use for use in found.resources if use.name == "creditor:c1")
    assert (use.short, use.taken) == (0.0, wanted)


def test_what_the_settings_do_not_limit_cannot_be_taken() -> None:
    one = world("heavy", "day", 3, size=5)
    with pytest.raises(
        UnknownResource, match=r"\[capacity\] limits, such as 'phone@2026-03-02', came 'fax@2026-03-02'"
    ):
        solve([reduced(one)], settings=one.settings, taken={"fax@2026-03-02": 1.0})


@pytest.mark.parametrize("limits", LIMITS)
def test_what_is_told_as_used_is_what_the_actions_use(limits: str) -> None:
    one = world("correlated", limits, 9, size=60)
    found = solved(one)
    used = usage_of(one, found.action)
    for use in found.resources:
        assert use.used == pytest.approx(used.get(use.name, 0.0)), use.name
    action = found.action.astype(np.int64)
    channel = np.array([one.grid.channels[code] for code in one.grid.channel[action]], dtype=object)
    sent = one.slots.send_us[one.slots.of_debtor, action]
    cost = one.cost[np.arange(one.size), one.grid.channel[action]]
    counted = usage_of_contacts(channel, sent, cost_eur=cost, settings=one.settings)
    counted |= creditors_reached(one.coverage, action > 0, settings=one.settings)
    assert all(counted.get(use.name, 0.0) == pytest.approx(use.used) for use in found.resources)


def test_without_limits_everyone_gets_the_best_and_nothing_has_a_price() -> None:
    one = replace(world("heavy", "day", 1, size=40), settings=CapacitySettings())
    found = solved(one)
    np.testing.assert_array_equal(found.action, np.argmax(one.value, axis=1))
    assert (found.prices, found.resources, found.displaced.any(), found.share) == ({}, (), False, pytest.approx(1.0))


def test_a_portfolio_of_nobody_is_decided() -> None:
    one = world("heavy", "together", 1, size=1)
    nobody = reduced(one).some(np.zeros(0, dtype=np.int64))
    assert len(solve([nobody], settings=one.settings).action) == 0
    assert len(solve([], settings=one.settings).action) == 0
    barred = replace(one, value=np.where(np.arange(SMALL.size) == 0, 0.0, -np.inf)[None, :])
    assert solved(barred).action.tolist() == [0]


@pytest.mark.parametrize(("values", "limits"), [("heavy", "together"), ("ties", "together"), ("correlated", "budget")])
def test_prices_alone_come_near_the_bound_where_debtors_are_many(
    values: str, limits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.capacity.finish._together", lambda problem, prices, choice: choice)
    found = solved(world(values, limits, 5, size=2_000))
    assert found.share >= 0.98
    assert any(use.binding for use in found.resources)


def test_a_sample_gives_nearly_the_prices_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    one = world("correlated", "together", 5, size=2_000)
    whole = solved(one)
    monkeypatch.setattr("models.capacity.dual.SAMPLE", 500)
    sampled = solved(one)
    assert sampled.bound_eur == pytest.approx(whole.bound_eur, rel=1e-3)
    assert sampled.share >= 0.98
    assert violations(one, sampled.action) == []
