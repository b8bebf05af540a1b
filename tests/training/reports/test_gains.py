"""Two arms compared: by hand, with a cap that stays, and never adjusted for what the arm itself has changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.config import HorizonSettings
from tests.training.reports.long_world import long_world
from training.reports.experiment import CHAMPION, CONTROL, Entrants, totals
from training.reports.facts import Facts
from training.reports.gains import MEASURES, by_horizon, chance_at_any_look, compare, gain_in, gains_of, outcome_of
from training.reports.periods import judged


@pytest.fixture(scope="module")
def facts() -> Facts:
    return long_world(debtors=1800, rng=np.random.default_rng(5), effect=0.25)


def entrants_of(facts: Facts) -> Entrants:
    found = judged(facts.entrants)
    assert found is not None
    return found.entrants


def test_raw_gains_are_differences_of_means_by_a_plain_loop(facts: Facts) -> None:
    two = compare(facts.entrants, facts.evidence, days=14)
    found = totals(facts.entrants, facts.evidence, days=14)
    sums = {CONTROL: [0.0, 0.0, 0], CHAMPION: [0.0, 0.0, 0]}
    for arm, money, cost, harm in zip(found.arm, found.recovered_eur, found.cost_eur, found.harm_eur, strict=True):
        if arm in sums:
            sums[arm] = [sums[arm][0] + money, sums[arm][1] + money - cost - harm, sums[arm][2] + 1]
    ours, theirs = sums[CHAMPION], sums[CONTROL]
    gains = gains_of(two)
    assert set(gains) == set(MEASURES)
    assert gains["recovered"].raw.value == pytest.approx(ours[0] / ours[2] - theirs[0] / theirs[2])
    assert gains["net"].raw.value == pytest.approx(ours[1] / ours[2] - theirs[1] / theirs[2])


def test_share_of_claims_is_the_same_difference_raw_and_as_a_mean_of_debtors(facts: Facts) -> None:
    two = compare(facts.entrants, facts.evidence, days=14)
    column = outcome_of("claims_paid", two)
    found = gain_in("claims_paid", two)
    assert column[two.treated].mean() - column[~two.treated].mean() == pytest.approx(found.raw.value)


def test_intervals_for_daily_looks_are_wider_than_those_for_one(facts: Facts) -> None:
    for gain in gains_of(compare(facts.entrants, facts.evidence, days=14)).values():
        assert gain.always.low < gain.adjusted.low
        assert gain.always.high > gain.adjusted.high


def test_the_cap_is_settled_by_the_first_debtors_and_stays(facts: Facts) -> None:
    two = compare(facts.entrants, facts.evidence, days=14)
    later = facts.entrants.entered_us > np.sort(entrants_of(facts).entered_us[two.found.row])[1200]
    early = compare(facts.entrants.only(~later), facts.evidence, days=14)
    assert two.cap_stands
    assert early.cap_eur == pytest.approx(two.cap_eur)
    few = compare(facts.entrants.only(np.arange(len(facts.entrants.debtor)) < 300), facts.evidence, days=14)
    assert not few.cap_stands
    assert np.isnan(gain_in("recovered_cut", few).always.low)


def test_a_column_that_the_arm_has_changed_is_not_adjusted_for(facts: Facts) -> None:
    fine = compare(facts.entrants, facts.evidence, days=14)
    leaked = np.column_stack([facts.entrants.before, facts.entrants.arm == CHAMPION])
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(leaked))
    leaked[:, -1] += noise
    found = compare(replace(facts.entrants, before=leaked), facts.evidence, days=14)
    assert fine.left_out == ()
    assert found.left_out == (leaked.shape[1] - 1,)
    assert gain_in("recovered", found).adjusted == gain_in("recovered", fine).adjusted


def test_horizons_without_anybody_followed_are_left_out_and_the_others_count_who_waits(facts: Facts) -> None:
    each = by_horizon(facts.entrants, facts.evidence, settings=HorizonSettings())
    assert [two.days for two, _ in each] == [7, 14, 30, 60]
    both = np.isin(facts.entrants.arm, (CONTROL, CHAMPION)).sum()
    assert all(len(two.treated) + two.waiting == both for two, _ in each)
    assert len(each[-1][0].treated) < len(each[0][0].treated)


def test_a_large_effect_leaves_chance_nothing_to_explain(facts: Facts) -> None:
    found = chance_at_any_look(compare(facts.entrants, facts.evidence, days=14), share=0.625)
    assert found.of_gain < 0.001
    assert found.of_loss > 0.1
