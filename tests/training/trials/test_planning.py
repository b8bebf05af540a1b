"""Plans against closed forms, and against experiments played through."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.trials.adjusted import contrast, interval_of
from training.trials.planning import (
    LONGEST_WEEKS,
    BadDesign,
    Design,
    Inflow,
    Look,
    Outcome,
    Seen,
    debtors_needed,
    detectable,
    errors_needed,
    weeks_needed,
    weeks_to_tell,
)
from training.trials.sequential import anytime_of

EVEN = Design(control=0.5, treated=0.5)
UNEVEN = Design(control=0.1, treated=0.85)
DAILY = Design(control=0.5, treated=0.5, look=Look.DAILY)


def test_debtors_for_one_look_are_the_textbooks() -> None:
    each_arm = 2 * ((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 7.0 / 1.5) ** 2
    assert debtors_needed(1.5, Outcome(7.0), design=EVEN) == pytest.approx(2 * each_arm, abs=2)


def test_more_variance_among_the_treated_counts_in_their_arm_alone() -> None:
    needed = ((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * 7.0 / 0.5) ** 2 * (1 / 0.1 + 1.4 / 0.85)
    assert debtors_needed(0.5, Outcome(7.0, more=0.4), design=UNEVEN) == pytest.approx(needed, rel=1e-3)


def test_what_is_detectable_after_the_debtors_needed_is_the_gain() -> None:
    for design in (EVEN, UNEVEN, DAILY):
        for outcome in (Outcome(40.0), Outcome(40.0, skewness=8.0), Outcome(40.0, skewness=8.0, more=0.1)):
            needed = debtors_needed(2.0, outcome, design=design)
            assert detectable(needed, outcome, design=design) <= 2.0 < detectable(needed - 1, outcome, design=design)


def test_daily_looks_uneven_arms_tails_and_power_cost_debtors() -> None:
    plain = debtors_needed(1.0, Outcome(10.0), design=EVEN)
    assert 1.5 * plain < debtors_needed(1.0, Outcome(10.0), design=DAILY) < 2.2 * plain
    assert debtors_needed(1.0, Outcome(10.0), design=UNEVEN) > 2.5 * plain
    assert debtors_needed(1.0, Outcome(10.0), design=Design(0.5, 0.5, power=0.9)) > 1.3 * plain
    uneven = debtors_needed(1.0, Outcome(10.0), design=UNEVEN)
    assert debtors_needed(1.0, Outcome(10.0, skewness=10.0), design=UNEVEN) > uneven
    assert debtors_needed(1.0, Outcome(10.0, skewness=10.0), design=EVEN) == plain


def test_less_variance_needs_as_much_fewer_debtors() -> None:
    plain = debtors_needed(0.1, Outcome(10.0), design=EVEN)
    assert debtors_needed(0.1, Outcome(10.0 * np.sqrt(0.6)), design=EVEN) == pytest.approx(0.6 * plain, rel=1e-4)


def test_looks_planned_for_another_day_detect_less_on_this_one() -> None:
    at_plan = detectable(5_000, Outcome(10.0), design=DAILY)
    assert detectable(5_000, Outcome(10.0), design=DAILY, planned=500) > at_plan
    assert detectable(5_000, Outcome(10.0), design=DAILY, planned=50_000) > at_plan
    assert detectable(5_000, Outcome(10.0), design=EVEN, planned=50) == detectable(5_000, Outcome(10.0), design=EVEN)


@pytest.mark.parametrize(
    ("design", "least"),
    [(EVEN, 0.76), (Design(control=0.1, treated=0.9), 0.76), (Design(0.5, 0.5, look=Look.DAILY), 0.76)],
)
def test_experiments_as_large_as_planned_show_the_gain_as_often_as_planned(design: Design, least: float) -> None:
    shown, truth = 0, 0.3
    outcome = Outcome(1.0, skewness=2.0)  # exponential
    size = debtors_needed(truth, outcome, design=design)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        treated = rng.random(size) >= design.control
        found = contrast(rng.exponential(1.0, size) + truth * treated, treated)
        daily = design.look is Look.DAILY
        shown += (anytime_of(found, planned_debtors=size) if daily else interval_of(found)).low > 0
    assert least <= shown / 400 <= 0.86


def test_debtors_are_known_a_horizon_after_they_entered() -> None:
    inflow = Inflow(at_start=1_000, per_week=50, horizon_days=14)
    assert inflow.known(np.array([0.0, 1.9, 2.0, 4.0])).tolist() == [0.0, 0.0, 1_000.0, 1_100.0]
    assert weeks_needed(1_000, inflow) == 2
    assert weeks_needed(1_001, inflow) == 3
    assert weeks_needed(10**9, inflow) is None


def test_weeks_to_tell_are_those_after_which_the_interval_would_show_the_gain() -> None:
    seen = Seen(error=2.0, debtors=2_000)
    inflow = Inflow(at_start=0, per_week=200, horizon_days=14)
    weeks = weeks_to_tell(4.0, seen, inflow=inflow, design=EVEN)
    needed = 2_000 * (2.0 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / 4.0) ** 2
    assert weeks == int(np.ceil((needed - 2_000) / 200 + 2))


def test_who_waits_is_known_within_a_horizon() -> None:
    seen = Seen(error=2.0, debtors=2_000, waiting=2_000)
    nobody = Inflow(at_start=0, per_week=0, horizon_days=14)
    assert weeks_to_tell(4.2, seen, inflow=nobody, design=EVEN) == 2
    assert weeks_to_tell(3.9, seen, inflow=nobody, design=EVEN) is None


@pytest.mark.parametrize("gain", [1.0, 1.6, 2.5, 4.0, 9.0])
def test_the_week_told_is_the_first_of_all_weeks_tried_one_by_one(gain: float) -> None:
    seen, inflow = Seen(1.0, 500, waiting=90, planned=10_000, skewness=-0.4), Inflow(at_start=0, per_week=60)
    found = None
    for week in range(LONGEST_WEEKS, -1, -1):
        debtors = 500 + 90 * min(1, week / 2) + 60 * max(0, week - 2)
        less = float(np.sqrt(500 / debtors))
        needed = errors_needed(DAILY, debtors=debtors, planned=10_000, skewness=-0.4 * less) * less
        found = week if gain >= needed else found
    assert weeks_to_tell(gain, seen, inflow=inflow, design=DAILY) == found


def test_only_debtors_of_the_two_arms_count_towards_them() -> None:
    seen, inflow = Seen(error=2.0, debtors=2_000), Inflow(at_start=0, per_week=200)
    half = Design(control=0.25, treated=0.25)
    all_in = weeks_to_tell(4.0, seen, inflow=inflow, design=EVEN)
    assert weeks_to_tell(4.0, seen, inflow=inflow, design=half) == 2 * all_in - 2


def test_daily_looks_and_a_long_tail_take_longer() -> None:
    inflow = Inflow(at_start=0, per_week=200)
    plain = weeks_to_tell(4.0, Seen(2.0, 2_000), inflow=inflow, design=EVEN)
    assert weeks_to_tell(4.0, Seen(2.0, 2_000, planned=4_000), inflow=inflow, design=DAILY) > plain
    assert weeks_to_tell(4.0, Seen(2.0, 2_000, skewness=-0.5), inflow=inflow, design=EVEN) > plain


def test_nothing_more_is_needed_where_the_gain_would_have_been_shown() -> None:
    assert weeks_to_tell(6.0, Seen(error=2.0, debtors=500), inflow=Inflow(0, 0), design=EVEN) == 0


@pytest.mark.parametrize(
    ("control", "treated", "power", "words"),
    [(0.0, 0.9, 0.8, "shares above 0"), (0.6, 0.6, 0.8, "together at most 1"), (0.5, 0.5, 1.0, "a power from 0.5")],
)
def test_a_design_that_cannot_be_is_refused(control: float, treated: float, power: float, words: str) -> None:
    with pytest.raises(BadDesign, match=words):
        Design(control=control, treated=treated, power=power)


def test_a_gain_of_nothing_is_refused() -> None:
    with pytest.raises(BadDesign, match="a gain and a spread above 0; came gain 0, spread 3"):
        debtors_needed(0.0, Outcome(3.0), design=EVEN)
    with pytest.raises(BadDesign, match="wait for the first ones"):
        weeks_to_tell(1.0, Seen(error=1.0, debtors=0), inflow=Inflow(0, 0), design=EVEN)
