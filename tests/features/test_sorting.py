"""Sorting by owner and time, and marking what counted first, against NumPy's own sorts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features._sorting import SHORT, first_of_keys, ordered, same_instant, sorted_by_owner

OWNERS = st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 20)), max_size=60)


@settings(max_examples=100, deadline=None)
@given(rows=OWNERS)
def test_rows_come_by_owner_and_time_with_ties_in_the_order_given(rows: list[tuple[int, int]]) -> None:
    owner, time = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)) if rows else (EMPTY, EMPTY)
    expected = np.lexsort((time, owner))
    np.testing.assert_array_equal(sorted_by_owner(owner, time), expected[owner[expected] >= 0])


EMPTY = np.zeros(0, dtype=np.int64)


def test_an_owner_with_many_rows_is_sorted_like_one_with_few() -> None:
    rng = np.random.default_rng(1)
    owner = np.repeat([0, 1, 2], [3, SHORT * 20, SHORT])
    time = rng.integers(0, 300, len(owner))
    np.testing.assert_array_equal(sorted_by_owner(owner, time), np.lexsort((time, owner)))


@settings(max_examples=100, deadline=None)
@given(rows=OWNERS)
def test_the_row_of_a_key_that_counted_first_is_marked_and_no_other(rows: list[tuple[int, int]]) -> None:
    key, counted = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)) if rows else (EMPTY, EMPTY)
    first = first_of_keys(key, counted, 6)
    marked = {int(key[row]): row for row in np.flatnonzero(first)}
    assert len(marked) == first.sum()
    assert set(marked) == set(key[key >= 0].tolist())
    for one, row in marked.items():
        assert row == min(np.flatnonzero(key == one), key=lambda other: (counted[other], other))


@settings(max_examples=100, deadline=None)
@given(rows=OWNERS)
def test_rows_of_one_owner_and_instant_are_found_where_they_stand(rows: list[tuple[int, int]]) -> None:
    owner, time = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)) if rows else (EMPTY, EMPTY)
    order = sorted_by_owner(owner, time)
    pairs = list(zip(owner[order].tolist(), time[order].tolist(), strict=True))
    assert same_instant(order, owner, time).tolist() == [
        place for place, pair in enumerate(pairs) if pairs.count(pair) > 1
    ]


@settings(max_examples=100, deadline=None)
@given(rows=OWNERS)
def test_ties_are_told_apart_by_what_comes_after_owner_and_time(rows: list[tuple[int, int]]) -> None:
    owner, time = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)) if rows else (EMPTY, EMPTY)
    coarse, tie = time // 7, (time * 5) % 11
    expected = np.lexsort((tie, coarse, owner))
    expected = expected[owner[expected] >= 0]
    order, owners = ordered(owner, coarse, tie)
    np.testing.assert_array_equal(order, expected)
    np.testing.assert_array_equal(owners, owner[expected])
