"""Debtors by when they came in: cohorts add up to all, and points of the gain tell of no few debtors."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from data.times import DAY_US, to_us
from tests.training.reports.long_world import long_world
from tests.training.reports.worlds import at
from training.reports.cohorts import cohorts, gain_over_time, starts
from training.reports.experiment import CHAMPION, CONTROL, totals
from training.reports.gains import compare, gain_in


def test_debtors_and_money_of_all_cohorts_are_those_of_the_whole() -> None:
    facts = long_world(debtors=400, rng=np.random.default_rng(7))
    found = totals(facts.entrants, facts.evidence, days=14)
    each = cohorts(found, facts.entrants.entered_us[found.row])
    assert sum(one.debtors for one in each) == len(found.arm)
    for arm in np.unique(found.arm).tolist():
        theirs = sum(one.recovered_eur for one in each if one.arm == arm)
        assert theirs == pytest.approx(found.of(arm).recovered_eur.sum())


def test_weeks_begin_on_monday_and_long_experiments_are_told_by_month() -> None:
    sunday, monday = to_us(at(0)), to_us(at(1))
    assert starts(np.array([sunday, monday])).astype(str).tolist() == ["2026-02-23", "2026-03-02"]
    year = sunday + np.arange(0, 300) * DAY_US
    assert np.unique(starts(year)).astype(str).tolist()[:2] == ["2026-03-01", "2026-04-01"]


def test_the_last_point_is_the_gain_of_all_and_each_point_brings_enough_debtors_of_both_arms() -> None:
    facts = long_world(debtors=1500, rng=np.random.default_rng(8), effect=0.2)
    two = compare(facts.entrants, facts.evidence, days=14)
    both = facts.entrants.only(np.isin(facts.entrants.arm, (CONTROL, CHAMPION)))
    known = gain_over_time(two, both.entered_us[two.found.row])
    assert known[-1].debtors == len(two.treated)
    assert known[-1].gain == gain_in("recovered", two).always
    before = 0
    for point in known:
        fresh = two.treated[before : point.debtors]
        assert min(fresh.sum(), (~fresh).sum()) >= 10
        before = point.debtors


def test_the_last_point_is_that_of_the_table_though_few_debtors_came_since_the_one_before() -> None:
    facts = long_world(debtors=300, rng=np.random.default_rng(10), days=15, last=60)
    two = compare(facts.entrants, facts.evidence, days=14)
    both = facts.entrants.only(np.isin(facts.entrants.arm, (CONTROL, CHAMPION)))
    entered_us = both.entered_us[two.found.row].copy()
    entered_us[-5:] += 14 * DAY_US
    known = gain_over_time(two, entered_us)
    assert len(known) > 1
    assert known[-1].debtors == len(two.treated)
    assert len(two.treated) - known[-2].debtors >= 20


def test_a_point_stands_at_the_day_on_which_its_debtors_were_known() -> None:
    facts = long_world(debtors=300, rng=np.random.default_rng(9), days=1)
    two = compare(facts.entrants, facts.evidence, days=14)
    both = facts.entrants.only(np.isin(facts.entrants.arm, (CONTROL, CHAMPION)))
    assert [one.day for one in gain_over_time(two, both.entered_us[two.found.row])] == [date(2026, 3, 15)]
