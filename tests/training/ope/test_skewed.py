"""The interval that knows of long tails."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from training.ope.intervals import TooFewUnits, normal_interval, skewed_interval

FloatArray = npt.NDArray[np.float64]


@given(hnp.arrays(np.float64, 40, elements=st.floats(-100, 100)), st.integers(2, 40))
def test_what_the_normal_interval_covers_it_covers(rows: FloatArray, units: int) -> None:
    unit = np.arange(40) % units
    normal, skewed = normal_interval(rows, unit), skewed_interval(rows, unit)
    assert skewed.value == normal.value
    assert skewed.low <= normal.low + 1e-9
    assert skewed.high >= normal.high - 1e-9
    moved = [normal.low - skewed.low > 1e-9, skewed.high - normal.high > 1e-9]
    assert sum(moved) <= 1


def test_rows_without_a_tail_have_the_normal_interval() -> None:
    even = np.tile([-1.0, 0.0, 1.0], 50)
    normal, skewed = normal_interval(even, np.arange(150)), skewed_interval(even, np.arange(150))
    assert (skewed.low, skewed.high) == pytest.approx((normal.low, normal.high))


def test_a_payment_seen_from_the_other_side_has_the_mirrored_interval() -> None:
    rows, unit = np.random.default_rng(3).exponential(1.0, 90) ** 2, np.arange(90) // 2
    one, other = skewed_interval(rows, unit), skewed_interval(-rows, unit)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_heavy_amounts_are_covered_at_nearly_the_stated_rate_and_missed_less_than_by_the_normal_interval() -> None:
    normal, skewed = 0, 0
    for seed in range(600):
        rng = np.random.default_rng(seed)
        amounts = (rng.random(400) < 0.2) * np.exp(rng.normal(-0.5, 1.0, 400))  # mean .2
        found, wider = normal_interval(amounts, np.arange(400)), skewed_interval(amounts, np.arange(400))
        normal += found.low <= 0.2 <= found.high
        skewed += wider.low <= 0.2 <= wider.high
    assert skewed > normal
    assert 0.925 <= skewed / 600 <= 0.975


def test_one_unit_has_no_interval() -> None:
    with pytest.raises(TooFewUnits, match="expected at least two units"):
        skewed_interval(np.ones(5), np.zeros(5, dtype=np.int64))
