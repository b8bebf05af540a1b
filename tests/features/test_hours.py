"""Payments near an hour: a bell around the clock, and its logarithm over what is usual."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import claim_features, debtor_features, names
from features.hours import log_over_usual, near, smoothed
from features.reference import EVEN_HOURS, PRIOR_HOURS
from tests.features import naive
from tests.portfolios import CHANNELS, built, histories
from tests.samples import sample_tables
from tests.strategies import START, random_tables

COLUMNS = names((*debtor_features(CHANNELS), *claim_features()))
FIRST = COLUMNS.index("paid_near_00")
SHARES = st.lists(st.integers(1, 1_000), min_size=24, max_size=24).map(
    lambda counts: tuple(count / sum(counts) for count in counts)
)
PAID = st.lists(st.integers(0, 23), max_size=12)


def counted(hours: list[int]) -> np.ndarray:
    return np.bincount(np.array(hours, dtype=np.int64), minlength=24)


def columns(hours: list[int], usual: tuple[float, ...]) -> np.ndarray:
    return log_over_usual(counted(hours)[None], usual, weight=PRIOR_HOURS)[0]


def test_the_bell_sums_to_one_around_every_hour_and_midnight_is_no_border() -> None:
    np.testing.assert_allclose(near().sum(axis=0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(near().sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(near(), near().T)
    np.testing.assert_array_equal(near(), np.roll(near(), (5, 5), axis=(0, 1)))
    np.testing.assert_allclose(near()[0], [naive.bell(hour) for hour in range(24)], rtol=1e-12)
    assert (np.diff(near()[0][:13]) < 0).all()


@given(usual=SHARES)
def test_smoothed_shares_sum_to_one_and_lie_between_those_they_are_made_of(usual: tuple[float, ...]) -> None:
    assert np.isclose(smoothed(usual).sum(), 1.0)
    assert min(usual) <= smoothed(usual).min() * (1 + 1e-12)
    assert smoothed(usual).max() <= max(usual) * (1 + 1e-12)


@settings(max_examples=50, deadline=None)
@given(hours=PAID, usual=SHARES)
def test_columns_equal_a_plain_loop(hours: list[int], usual: tuple[float, ...]) -> None:
    expected = [naive.near_hour(hour, hours, list(usual)) for hour in range(24)]
    np.testing.assert_allclose(columns(hours, usual), expected, rtol=1e-5, atol=1e-6)


@given(usual=SHARES)
def test_without_a_payment_every_hour_is_as_usual(usual: tuple[float, ...]) -> None:
    assert columns([], usual).tolist() == [0.0] * 24


@given(hours=PAID, turned=st.integers(0, 23))
def test_turning_the_clock_turns_the_columns(hours: list[int], turned: int) -> None:
    later = columns([(hour + turned) % 24 for hour in hours], EVEN_HOURS)
    np.testing.assert_allclose(later, np.roll(columns(hours, EVEN_HOURS), turned), rtol=1e-5, atol=1e-6)


@given(hour=st.integers(0, 23), usual=SHARES)
def test_one_payment_raises_its_own_hour_and_lowers_the_opposite_one(hour: int, usual: tuple[float, ...]) -> None:
    found = columns([hour], usual)
    assert found[(hour + 12) % 24] < 0
    assert found[(hour + 12) % 24] < found[hour]


def test_more_payments_at_an_hour_speak_louder() -> None:
    height = [columns([18] * times, EVEN_HOURS)[18] for times in range(6)]
    assert (np.diff(height) > 0).all()


def test_a_row_alone_has_the_bits_that_it_has_among_others() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.2, (1_001, 24))
    usual = tuple(rng.dirichlet(np.ones(24)).tolist())
    together = log_over_usual(counts, usual, weight=PRIOR_HOURS)
    alone = np.stack([log_over_usual(row[None], usual, weight=PRIOR_HOURS)[0] for row in counts])
    assert together.dtype == np.float32
    assert together.tobytes() == alone.tobytes()


def test_rows_that_do_not_lie_together_in_memory_are_the_same_rows() -> None:
    wide = np.random.default_rng(5).poisson(0.3, (40, 60))
    apart, together = wide[::2, 3:27], np.ascontiguousarray(wide[::2, 3:27])
    found = [log_over_usual(counts, EVEN_HOURS, weight=PRIOR_HOURS) for counts in (apart, together)]
    np.testing.assert_array_equal(*found)


def test_nothing_is_missing_and_a_debtor_who_has_not_paid_is_as_usual() -> None:
    seen = set()
    for tables in (random_tables(3), random_tables(8), sample_tables()):
        _, rows = built(histories(tables), START + timedelta(days=60))
        mine, ever = rows.matrix[:, FIRST : FIRST + 24], rows.matrix[:, COLUMNS.index("payments_ever")]
        assert not np.isnan(mine).any()
        np.testing.assert_array_equal((mine == 0).all(axis=1), ever == 0)
        seen |= set((ever == 0).tolist())
    assert seen == {True, False}
