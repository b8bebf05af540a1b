"""Loops over what the rules leave, held against plain ones that look at every slot."""

from __future__ import annotations

import numpy as np
import pytest

from data.times import NEVER, NO_DAY
from models._rule_kernels import (
    NONE_LEFT,
    Open,
    advance,
    begin_at,
    close,
    drop,
    end_at,
    hold,
    maybe_minors,
    reach_of,
    shut,
    write_allowed,
)

N, C, S, K = 7, 3, 9, 2


def clock(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Instants of slots in two classes, and the class of each debtor."""
    return np.sort(rng.integers(10, 99, (2, S)), axis=1), rng.integers(0, 2, N)


def instants(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Before, among and behind the slots, and never."""
    told = rng.integers(0, 120, shape)
    told[rng.random(shape) < 0.2] = NEVER
    return told


def begun(send_us: np.ndarray, instant_us: int) -> int:
    return sum(instant_us == NEVER or one < instant_us for one in send_us.tolist())


def random_left(rng: np.random.Generator) -> Open:
    own_row = np.full(N, -1, dtype=np.int64)
    own_row[[1, 4]] = [0, 1]
    return Open(
        low=rng.integers(0, 4, (N, C)).astype(np.int16),
        high=rng.integers(4, S + 1, N).astype(np.int16),
        reach=rng.integers(2, S + 1, (N, C)).astype(np.int16),
        sure=rng.integers(0, S + 1, (N, C)).astype(np.int16),
        of_class=rng.integers(0, K, N),
        slots=rng.random((K, C, S)) < 0.7,
        at=rng.random((K, C, S)) < 0.4,
        own_row=own_row,
        own=rng.random((2, C, S)) < 0.5,
    )


def is_open(left: Open, i: int, c: int, slot: int) -> bool:
    k, mine = left.of_class[i], left.own_row[i]
    inside = left.low[i, c] <= slot < min(left.high[i], left.reach[i, c])
    unsure = slot >= left.sure[i, c] and left.at[k, c, slot]
    return bool(inside and left.slots[k, c, slot] and not unsure and not (mine >= 0 and left.own[mine, c, slot]))


@pytest.mark.parametrize("seed", range(20))
def test_slots_that_are_left_and_the_rule_that_took_the_last_are_those_of_a_look_at_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, first = random_left(rng), np.zeros((N, C), dtype=np.int16)
    rule = np.full((N, C), -1, dtype=np.int16)
    advance(left, 3, first, rule)
    left.slots[:] &= rng.random((K, C, S)) < 0.6
    advance(left, 5, first, rule)
    allowed = np.zeros((N, 1 + C * S), dtype=bool)
    write_allowed(left, first, allowed)
    told = np.array([[[is_open(left, i, c, slot) for slot in range(S)] for c in range(C)] for i in range(N)])
    np.testing.assert_array_equal(allowed[:, 1:].reshape(N, C, S), told)
    np.testing.assert_array_equal(rule >= 0, ~told.any(axis=2))
    np.testing.assert_array_equal(first == NONE_LEFT, ~told.any(axis=2))
    assert not allowed[:, 0].any()


def test_the_first_rule_keeps_the_blame() -> None:
    left, all_channels = random_left(np.random.default_rng(1)), np.ones((N, C), dtype=bool)
    first, rule = np.zeros((N, C), dtype=np.int16), np.full((N, C), -1, dtype=np.int16)
    shut(all_channels & (np.arange(N) == 0)[:, None], 3, first, rule)
    advance(left, 4, first, rule)
    shut(all_channels, 5, first, rule)
    assert set(rule[0].tolist()) == {3}
    assert set(rule.ravel().tolist()) == {3, 4, 5}
    assert (first == NONE_LEFT).all()


@pytest.mark.parametrize("seed", range(10))
def test_what_is_dropped_or_closed_is_told_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, kept = rng.random(9) < 0.3, rng.random(9) < 0.7
    barred, slots = rng.random((K, C, S)) < 0.1, rng.random((K, C, S)) < 0.5
    for take, gone, there in ((drop, points, kept), (close, barred, slots)):
        left, some = there & ~gone, bool((there & gone).any())
        assert take(gone, there) == some
        np.testing.assert_array_equal(there, left)
        assert not take(gone, there)


def test_who_may_be_a_minor_is_told_by_the_first_of_today_and_the_due_dates() -> None:
    born = np.array([0, 0, 0, NO_DAY], dtype=np.int32)
    debtor, due_day = np.array([0, 0, 2, 3]), np.array([70, 30, 90, 99], dtype=np.int32)
    rows, first_due = maybe_minors(born, np.array([50, 50, 49, 50]), debtor, due_day, 50)
    assert rows.tolist() == [0, 2, 3]
    assert first_due.tolist() == [30, 49, 50]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("wide", [True, False])
def test_a_beginning_is_put_off_to_the_first_slot_not_before_the_instant(seed: int, wide: bool) -> None:
    rng = np.random.default_rng(seed)
    (send_us, of_debtor), low = clock(rng), rng.integers(0, 4, (N, C)).astype(np.int16)
    until_us = instants(rng, N, C if wide else 1)
    told = np.maximum(
        low, [[begun(send_us[of_debtor[i]], until_us[i, c if wide else 0]) for c in range(C)] for i in range(N)]
    )
    changed = bool((told > low).any())
    assert begin_at(until_us, of_debtor, send_us, low) == changed
    np.testing.assert_array_equal(low, told)
    assert not begin_at(np.zeros_like(until_us), of_debtor, send_us, low)


@pytest.mark.parametrize("seed", range(10))
def test_an_end_is_brought_forward_to_the_first_slot_not_before_the_instant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (send_us, of_debtor), high = clock(rng), rng.integers(4, S + 1, N).astype(np.int16)
    from_us = instants(rng, N)
    told = np.minimum(high, [begun(send_us[of_debtor[i]], from_us[i]) for i in range(N)])
    changed = bool((told < high).any())
    assert end_at(from_us, of_debtor, send_us, high) == changed
    np.testing.assert_array_equal(high, told)
    assert not end_at(np.full(N, NEVER), of_debtor, send_us, high)


@pytest.mark.parametrize("seed", range(10))
def test_a_channel_reaches_as_far_as_the_last_of_its_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (send_us, of_debtor), size = clock(rng), 12
    points, debtor = rng.random(size) < 0.7, np.sort(rng.integers(0, N, size))
    channel, until_us = rng.integers(1, C + 1, size).astype(np.int16), instants(rng, size)
    reach = np.empty((N, C), dtype=np.int16)
    reach_of(points, debtor, channel, until_us, of_debtor, send_us, reach)
    for i in range(N):
        for c in range(C):
            mine = until_us[points & (debtor == i) & (channel == c + 1)]
            assert reach[i, c] == (begun(send_us[of_debtor[i]], mine.max()) if len(mine) else 0)


def test_a_claim_is_held_by_the_first_rule_and_a_debtor_without_a_free_one_is_shut() -> None:
    debtor, rule = np.array([0, 0, 1, 3]), np.array([-1, 2, -1, -1], dtype=np.int16)
    first, named = np.zeros((4, C), dtype=np.int16), np.full((4, C), -1, dtype=np.int16)
    hold(np.zeros(4, dtype=bool), 4, debtor, rule, first, named)
    assert (first == 0).all()
    hold(np.array([False, True, True, False]), 5, debtor, rule, first, named)
    assert rule.tolist() == [-1, 2, 5, -1]
    assert (first == NONE_LEFT).all(axis=1).tolist() == [False, True, True, False]
    assert named[:, 0].tolist() == [-1, 5, 5, -1]
