"""Rates of rare events: a published example, and that few events leave an interval."""

from __future__ import annotations

import numpy as np
import pytest

from training.reports.rare_events import more_at_any_look, more_per_thousand, per_thousand


def hits(count: int, size: int) -> np.ndarray:
    return np.arange(size) < count


def test_the_interval_of_a_difference_is_that_of_the_published_example() -> None:
    """Newcombe (1998), table II, case (a), method 10: 56/70 against 48/80."""
    found = more_per_thousand(hits(56, 70), hits(48, 80))
    assert found == pytest.approx((200, 52.4, 333.9), abs=0.1)


def test_no_event_at_all_still_leaves_an_interval() -> None:
    assert per_thousand(hits(0, 500)).high == pytest.approx(7.62, abs=0.01)
    low, high = more_per_thousand(hits(0, 500), hits(0, 500))[1:]
    assert (low, high) == pytest.approx((-7.62, 7.62), abs=0.01)


def test_without_debtors_on_one_side_nothing_is_known() -> None:
    assert np.isnan(more_per_thousand(hits(0, 0), hits(1, 9)).value)


def test_the_interval_of_a_rare_difference_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(600):
        found = more_per_thousand(rng.random(400) < 0.015, rng.random(100) < 0.005)
        covered += found.low <= 10 <= found.high
    assert covered / 600 >= 0.93


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_arms_without_effect_are_rarely_told_apart_at_any_of_ninety_looks(share: float) -> None:
    """Two outcomes, 1 % and .4 %, 9,000 debtors: with one look's interval a fifth of them would claim harm where arms are alike."""
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(60):
        treated, day = rng.random(9_000) < share, np.sort(rng.integers(0, 90, 9_000))
        hit = rng.random((2, 9_000)) < np.array([[0.01], [0.004]])
        looks = [one for one in np.searchsorted(day, np.arange(1, 91, 3)) if (~treated[:one]).sum() >= 100]
        lows = (
            more_at_any_look(
                one[:look][treated[:look]], one[:look][~treated[:look]], planned_debtors=10_000, outcomes=2
            ).low
            for look in looks
            for one in hit
        )
        wrong += any(low > 0 for low in lows)
    assert wrong <= 3


def test_the_interval_for_all_looks_is_wider_than_that_of_one() -> None:
    one, other = hits(30, 1500), hits(3, 300)
    now, always = more_per_thousand(one, other), more_at_any_look(one, other, planned_debtors=10_000, outcomes=2)
    assert always.value == now.value
    assert always.low < now.low < now.high < always.high
    assert np.isnan(more_at_any_look(hits(0, 0), one, planned_debtors=10_000, outcomes=2).value)
