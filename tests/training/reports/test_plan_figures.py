"""What a portfolio says about an experiment, and the plans that follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from data.config import ArmSettings
from data.portfolio import Portfolio
from tests.portfolios import CONFIG
from tests.training.reports.plan_world import END_US, claim, payment, portfolio, year
from training.reports.facts import facts_of
from training.reports.gains import PLANNED_DEBTORS
from training.reports.plan_figures import (
    Basis,
    Way,
    basis_of,
    debtors_for,
    detectable_gain,
    plan_of,
    weeks_for,
    weeks_to_verdict,
)
from training.reports.rehearsal import ShortHistory, rehearse
from training.trials.planning import BadDesign, Inflow, Look, Outcome, debtors_needed
from training.trials.sequential import FIRST_PAYERS

PLAN = plan_of(ArmSettings(), gain=0.1, control=None, power=0.8)


def basis(of: Portfolio, *, days: int = 14) -> Basis:
    """The basis of a portfolio, looked back on as the command does."""
    rehearsal = rehearse(of, horizon_days=30, known_until_us=END_US)
    facts = facts_of(rehearsal.decisions, of, config=CONFIG, workspace=Path(), known_until_us=END_US)
    return basis_of(facts, rehearsal, days=days)


@pytest.fixture(scope="module")
def found() -> Basis:
    return basis(year(1_500))


def test_payments_within_the_days_since_entry_are_added_up_by_debtor() -> None:
    claims = [claim(number, 150) for number in range(90)]
    start = 12 * 7 + 30
    payments = [payment(number, start - 3, 40.0) for number in range(40)]
    payments += [payment(number, start - 20, 1_000.0) for number in range(60)]
    payments += [payment(number, start + 3, 5.0) for number in range(90)]
    both = basis(portfolio(claims, payments)), basis(portfolio(claims, payments), days=30)
    assert [one.debtors for one in both] == [90, 90]
    assert both[0].paid[Way.RAW].mean == pytest.approx(40 * 40 / 90)
    assert both[1].paid[Way.RAW].mean == pytest.approx((40 * 40 + 60_000) / 90)
    assert both[0].payers == pytest.approx(40 / 90)
    assert both[0].paid[Way.PAYERS].mean == pytest.approx(40 / 90)
    assert both[0].inflow == Inflow(90, 0.0, 14)


def test_cutting_and_adjusting_take_variance_away(found: Basis) -> None:
    spread = {way: one.outcome.spread for way, one in found.paid.items()}
    assert spread[Way.CUT] < spread[Way.RAW]
    assert spread[Way.CUT_ADJUSTED] < spread[Way.ADJUSTED] < spread[Way.RAW]
    assert found.paid[Way.CUT_ADJUSTED].explained > 0
    assert found.paid[Way.RAW].explained == 0
    assert found.cap > found.paid[Way.RAW].mean


def test_debtors_come_in_as_they_came(found: Basis) -> None:
    assert found.inflow.per_week == pytest.approx(1_500 / 52, rel=0.2)
    assert 500 < found.inflow.at_start < 1_000


def test_one_look_is_planned_by_the_textbook(found: Basis) -> None:
    even = Basis(14, 1, 0.5, 1.0, {Way.RAW: replace(found.paid[Way.RAW], outcome=Outcome(50.0))}, found.inflow)
    design = PLAN.design(Look.ONCE, 0.475)
    gain_eur = 0.1 * found.paid[Way.RAW].mean
    needed = ((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 50 / gain_eur) ** 2 * (1 / 0.475 + 1.1 / 0.475)
    assert debtors_for(even, gain=0.1, way=Way.RAW, design=design) == pytest.approx(needed, abs=2)


def test_daily_looks_are_those_of_the_reports(found: Basis) -> None:
    design = PLAN.design(Look.DAILY)
    outcome = replace(found.paid[Way.CUT].outcome, more=0.1)
    planned = PLANNED_DEBTORS / design.both
    expected = debtors_needed(0.1 * found.paid[Way.CUT].mean, outcome, design=design, planned=planned)
    assert debtors_for(found, gain=0.1, way=Way.CUT, design=design) == expected


def test_no_gain_shows_before_the_intervals_begin(found: Basis) -> None:
    huge = debtors_for(found, gain=50.0, way=Way.PAYERS, design=PLAN.design(Look.DAILY))
    assert huge == int(np.ceil(FIRST_PAYERS / found.payers / 0.1))


def test_smaller_gains_daily_looks_and_small_control_arms_take_longer(found: Basis) -> None:
    large = replace(found, inflow=Inflow(20_000, 5_000, 14))
    weeks = [weeks_for(large, PLAN, gain=gain, way=Way.CUT, look=Look.ONCE) for gain in (0.3, 0.1, 0.05)]
    assert weeks == sorted(weeks)
    assert weeks[0] < weeks[-1]
    assert weeks_for(large, PLAN, gain=0.1, way=Way.CUT, look=Look.DAILY) > weeks[1]
    by_control = [weeks_to_verdict(large, PLAN, control=share) for share in (0.05, 0.1, 0.3, 0.475)]
    assert by_control == sorted(by_control, reverse=True)
    assert by_control[0] > by_control[-1]


def test_what_is_detectable_after_the_weeks_needed_is_the_gain(found: Basis) -> None:
    large = replace(found, inflow=Inflow(0, 20_000, 14))
    for look in Look:
        weeks = weeks_for(large, PLAN, gain=0.1, way=Way.CUT, look=look)
        assert detectable_gain(large, PLAN, weeks=weeks, way=Way.CUT, look=look) <= 0.1
        assert detectable_gain(large, PLAN, weeks=weeks - 1, way=Way.CUT, look=look) > 0.095
    assert detectable_gain(large, PLAN, weeks=1, way=Way.CUT, look=Look.ONCE) == np.inf


def test_too_few_debtors_for_a_gain_never_show_it(found: Basis) -> None:
    assert weeks_for(found, PLAN, gain=0.001, way=Way.RAW, look=Look.ONCE) is None
    assert weeks_to_verdict(replace(found, inflow=Inflow(10, 0, 14)), PLAN) is None


def test_a_portfolio_in_which_hardly_anybody_paid_is_refused() -> None:
    with pytest.raises(ShortHistory, match="at least 30 debtors who paid within 14 days of their entry, found 0 of 90"):
        basis(portfolio([claim(number, 150) for number in range(90)], []))


def test_a_control_arm_of_another_size_takes_from_the_champions() -> None:
    plan = plan_of(ArmSettings(control=0.1, explore=0.1, champion=0.8), gain=0.03, control=0.3, power=0.9)
    assert (plan.control, plan.treated, plan.power) == (0.3, pytest.approx(0.6), 0.9)
    with pytest.raises(BadDesign, match="expected shares above 0"):
        plan_of(ArmSettings(), gain=0.03, control=0.95, power=0.8)
