"""What may be shown: nothing about few debtors, and nothing from which it could be worked out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.reports.blocks import Kind
from training.reports.withholding import FEWEST, quantity, withheld, withheld_in_table
from training.trials.intervals import UNKNOWN, Interval

COUNTS = st.integers(0, 40)


@given(arrays(np.int64, st.integers(1, 12), elements=COUNTS))
def test_what_is_withheld_of_a_group_tells_of_no_few_debtors_even_beside_its_total(debtors: np.ndarray) -> None:
    gone = withheld(debtors)
    assert gone[(debtors > 0) & (debtors < FEWEST)].all()
    assert not gone[debtors == 0].any()
    if gone.any() and debtors.sum() >= FEWEST and (debtors > 0).sum() > 1:
        assert gone.sum() >= 2
        assert debtors[gone].sum() >= FEWEST


@given(arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=COUNTS))
def test_in_a_table_every_row_and_every_column_keeps_the_promise(debtors: np.ndarray) -> None:
    gone = withheld_in_table(debtors)
    for lines, masks in ((debtors, gone), (debtors.T, gone.T)):
        for counts, mask in zip(lines, masks, strict=True):
            assert mask[(counts > 0) & (counts < FEWEST)].all()
            if mask.any() and (counts > 0).sum() > 1 and counts.sum() >= FEWEST:
                assert mask.sum() >= 2


def test_nothing_is_withheld_where_nobody_is_few() -> None:
    assert not withheld(np.array([10, 500, 0])).any()
    assert not withheld_in_table(np.array([[10, 0], [30, 11]])).any()


def test_of_two_groups_both_are_withheld_if_one_is_small() -> None:
    assert withheld(np.array([3, 5_000])).tolist() == [True, True]


def test_a_withheld_number_leaves_nothing_behind() -> None:
    found = quantity(Kind.MONEY, Interval(1.0, 0.5, 1.5), withheld=True)
    assert (found.value, found.low, found.high, found.withheld) == (None, None, None, True)


def test_what_is_not_finite_is_not_known_and_ends_come_in_pairs() -> None:
    assert quantity(Kind.MONEY, UNKNOWN).value is None
    half = quantity(Kind.MONEY, Interval(1.0, float("nan"), 2.0))
    assert (half.value, half.low, half.high) == (1.0, None, None)
