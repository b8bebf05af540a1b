"""How long `none` holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, from_us, to_us
from models.prepare import Prepared
from models.waiting import wait_until_us
from tests.deciding import GRID, bundle_of, decided, rate_model
from tests.portfolios import histories
from tests.strategies import DAYS, START, random_tables

AS_OF = START + timedelta(days=200, hours=6)


def quiet(seed: int = 1, as_of=AS_OF) -> Prepared:  # type: ignore[no-untyped-def]
    """Debtors of whom nothing is known that will lift."""
    found = histories(random_tables(seed))
    prepared = decided(found, as_of, bundle=bundle_of(found, rate_model())).prepared
    size = prepared.situation.size
    state = prepared.rows.state._replace(next_due_day=np.full(len(prepared.targets.claim), NO_DAY))
    claims = replace(prepared.situation.claims, promised_until_us=np.zeros(len(prepared.targets.claim), dtype=np.int64))
    situation = replace(prepared.situation, stop_until_us=np.full(size, NEVER), claims=claims)
    return replace(prepared, rows=replace(prepared.rows, state=state), situation=situation)


def nobody(prepared: Prepared) -> np.ndarray:
    return np.zeros(prepared.situation.size, dtype=bool)


def with_stop(prepared: Prepared, after_us: int) -> Prepared:
    until_us = prepared.asks.as_of_us + after_us
    return replace(prepared, situation=replace(prepared.situation, stop_until_us=until_us))


def waits(prepared: Prepared) -> list[int]:
    found: list[int] = (wait_until_us(prepared, by_value=nobody(prepared)) - prepared.asks.as_of_us).tolist()
    return found


def test_where_nothing_is_known_to_lift_it_holds_for_the_days_of_the_grid() -> None:
    prepared = quiet()
    assert prepared.situation.size > 3
    assert set(waits(prepared)) == {GRID.days * DAY_US}


@pytest.mark.parametrize(
    ("after_us", "expected"),
    [
        (3 * DAY_US + 5, 3 * DAY_US + 5),
        (HOUR_US, HOUR_US),
        (60_000_000, HOUR_US),
        (0, GRID.days * DAY_US),
        (-DAY_US, GRID.days * DAY_US),
        (GRID.days * DAY_US + 1, GRID.days * DAY_US),
    ],
)
def test_it_ends_with_a_pause_inside_the_grid_but_not_within_the_hour(after_us: int, expected: int) -> None:
    assert set(waits(with_stop(quiet(), after_us))) == {expected}


@pytest.mark.parametrize(("days", "morning"), [(0, 1), (2, 3), (5, 6), (6, None), (-1, None)])
def test_it_ends_on_the_morning_after_a_promised_day(days: int, morning: int | None) -> None:
    prepared = quiet()
    slots, moment = prepared.mask.slots, prepared.targets.moment
    until_us = (slots.first_day[slots.of_debtor][moment] + days + 1) * DAY_US
    claims = replace(prepared.situation.claims, promised_until_us=until_us)
    promised = replace(prepared, situation=replace(prepared.situation, claims=claims))
    assert set(waits(with_stop(promised, HOUR_US))) == {HOUR_US}
    if morning is None:
        assert set(waits(promised)) == {GRID.days * DAY_US}
        return
    action = GRID.action_of(1, morning, min(GRID.hours))
    found = wait_until_us(promised, by_value=nobody(promised))
    assert found.tolist() == slots.send_us[slots.of_debtor, action].tolist()


@pytest.mark.parametrize(("days", "morning"), [(0, 1), (3, 4), (5, 6), (6, None), (-1, None)])
def test_it_ends_on_the_morning_after_the_day_until_which_a_stage_runs(days: int, morning: int | None) -> None:
    prepared = quiet()
    slots, moment = prepared.mask.slots, prepared.targets.moment
    due = slots.first_day[slots.of_debtor][moment] + days
    ending = replace(prepared, rows=replace(prepared.rows, state=prepared.rows.state._replace(next_due_day=due)))
    until_us = wait_until_us(ending, by_value=nobody(ending))
    if morning is None:
        assert set(waits(ending)) == {GRID.days * DAY_US}
        return
    action = GRID.action_of(1, morning, min(GRID.hours))
    assert until_us.tolist() == slots.send_us[slots.of_debtor, action].tolist()


def test_who_is_left_alone_by_value_is_asked_about_on_the_morning_after_the_pay_day() -> None:
    prepared = quiet(as_of=START + timedelta(days=201, hours=6))
    debtors = prepared.rows.debtors._replace(pay_day=np.full(prepared.situation.size, 23))
    paid_on_23rd = replace(prepared, rows=replace(prepared.rows, debtors=debtors))
    plain = wait_until_us(paid_on_23rd, by_value=nobody(prepared))
    assert set((plain - prepared.asks.as_of_us).tolist()) == {GRID.days * DAY_US}
    by_value = ~nobody(prepared)
    by_value[0] = False
    found = wait_until_us(paid_on_23rd, by_value=by_value)
    assert found[0] == plain[0]
    local = [from_us(int(one)) for one in found[1:]]
    # 21 July 2025 and the 23rd a Wednesday: morning of the 24th on each debtor's clock.
    assert {(one + timedelta(hours=2)).date() for one in local if one.hour < 10} <= {date(2025, 7, 24)}
    assert {one.date() for one in local} == {date(2025, 7, 24)}
    assert len(set(found.tolist())) > 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), day=st.integers(60, DAYS - 10))
def test_it_always_ends_at_least_an_hour_on_and_within_the_grid(seed: int, day: int) -> None:
    found = histories(random_tables(seed))
    as_of = START + timedelta(days=day, hours=6)
    prepared = decided(found, as_of, bundle=bundle_of(found, rate_model())).prepared
    for by_value in (nobody(prepared), ~nobody(prepared)):
        wait_us = wait_until_us(prepared, by_value=by_value) - to_us(as_of)
        assert ((wait_us >= HOUR_US) & (wait_us <= GRID.days * DAY_US)).all()
