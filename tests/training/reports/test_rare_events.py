"""Rates of rare events: a published example, and that few events leave an interval."""

from __future__ import annotations

import numpy as np
import pytest

from training.reports.rare_events import more_per_thousand, per_thousand


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
