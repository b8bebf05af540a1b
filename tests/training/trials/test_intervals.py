"""Intervals against an independent implementation, and their coverage where debtors have many claims."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.trials.intervals import mean_difference, ratio_difference, share_interval, winsorised


def test_the_difference_of_means_is_welchs() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.lognormal(1, 1, 60), rng.lognormal(0.5, 2, 25)
    foreign = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert mean_difference(one, two)[1:] == pytest.approx((foreign.low, foreign.high))


def test_arms_without_debtors_have_no_interval() -> None:
    assert np.isnan(mean_difference(np.zeros(0), np.ones(9)).low)
    assert mean_difference(np.ones(3), np.zeros(3)) == (1.0, 1.0, 1.0)


def test_one_huge_debtor_does_not_move_the_winsorised_gain() -> None:
    rng = np.random.default_rng(2)
    ours, theirs = rng.exponential(50, 2000), rng.exponential(50, 500)
    with_giant = np.append(ours, 1e7)
    raw = mean_difference(with_giant, theirs).value - mean_difference(ours, theirs).value
    cut = mean_difference(*winsorised(with_giant, theirs)).value - mean_difference(*winsorised(ours, theirs)).value
    assert raw > 1000
    assert abs(cut) < 1


def test_independent_rows_give_wilsons_interval() -> None:
    hit = np.arange(40) < 10
    foreign = stats.binomtest(10, 40).proportion_ci(method="wilson")
    assert share_interval(hit, np.arange(40))[1:] == pytest.approx((foreign.low, foreign.high))
    assert share_interval(np.zeros(40, bool), np.arange(40)).high == pytest.approx(
        stats.binomtest(0, 40).proportion_ci(method="wilson").high
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_shares_of_claims_are_covered_only_when_debtors_are_the_clusters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    by_debtor, by_claim, difference = 0, 0, 0
    for _ in range(400):
        arms = []
        for size in (150, 300):
            debtor = np.repeat(np.arange(size), 7)
            hit = rng.random(size * 7) < np.repeat(rng.beta(0.6, 1.4, size), 7)
            arms.append((np.bincount(debtor, weights=hit), np.bincount(debtor).astype(float)))
        inside = share_interval(hit, debtor)
        naive = share_interval(hit, np.arange(len(hit)))
        gain = ratio_difference((arms[0][0], arms[1][0]), (arms[0][1], arms[1][1]))
        by_debtor += inside.low <= 0.3 <= inside.high
        by_claim += naive.low <= 0.3 <= naive.high
        difference += gain.low <= 0 <= gain.high
    assert 0.92 <= by_debtor / 400 <= 0.98
    assert by_claim / 400 < 0.85
    assert 0.92 <= difference / 400 <= 0.98
