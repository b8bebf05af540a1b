"""Loops over waits and caps, held against plain ones over every debtor, claim, contact and wait."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from data.times import DAY_US, NEVER, NO_DAY
from models._cap_kernels import Counting, Told, with_enough
from models._wait_kernels import Courses, after_event, after_stage, never_about, put_off, put_off_unwritten

N, M, C, W, STAGES = 5, 12, 3, 4, 3
NOW = 20_000 * DAY_US


def lasting(since_us: int, as_of_us: int, longest_us: int) -> bool:
    return since_us > 0 and since_us > as_of_us - longest_us


def instants(rng: np.random.Generator, size: int) -> np.ndarray:
    """None (0), or up to 30 days ago."""
    return np.where(rng.random(size) < 0.3, 0, NOW - rng.integers(0, 30 * DAY_US, size))


@pytest.mark.parametrize("seed", range(20))
def test_waits_that_may_last_are_those_of_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    as_of_us, of_debtor = NOW + rng.integers(0, DAY_US, N), rng.integers(-1, 2, N)
    pack, longest_us = rng.integers(0, 2, W), rng.integers(1, 20, W) * DAY_US
    since_us = instants(rng, N)
    event = after_event(since_us, as_of_us, of_debtor, pack, longest_us)
    assert [one.tolist() for one in event] == _columns(
        (i, w, since_us[i])
        for i in range(N)
        for w in range(W)
        if of_debtor[i] == pack[w] and lasting(since_us[i], as_of_us[i], longest_us[w])
    )
    courses, covered = _courses(rng), rng.random(M) < 0.7
    stages = np.append(rng.random((W, STAGES)) < 0.5, np.zeros((W, 1), dtype=bool), axis=1)
    begun, dates = [], []
    for row, w in [(row, w) for row in range(M) for w in range(W) if covered[row]]:
        i = courses.debtor[row]
        inside = courses.stage[row] >= 0 and stages[w, courses.stage[row]]
        latest = max(courses.stage_us[row] * inside, courses.statutory_us[row])
        if of_debtor[i] == pack[w] and lasting(latest, as_of_us[i], longest_us[w]):
            begun.append((i, w, latest))
        if of_debtor[i] == pack[w] and inside and courses.next_due_day[row] > as_of_us[i] // DAY_US - 2:
            dates.append((i, w, courses.next_due_day[row]))
    found = after_stage(covered, courses, as_of_us, of_debtor, pack, longest_us, stages)
    assert [[one.tolist() for one in kind] for kind in found] == [_columns(begun), _columns(dates)]


def _courses(rng: np.random.Generator) -> Courses:
    days = (NOW // DAY_US + rng.integers(-5, 5, M)).astype(np.int32)
    days[rng.random(M) < 0.3] = NO_DAY
    stage = rng.integers(-1, STAGES, M).astype(np.int16)
    return Courses(np.sort(rng.integers(0, N, M)), stage, instants(rng, M), instants(rng, M), days)


def _columns(rows: Iterable[tuple[int, int, int]]) -> list[list[int]]:
    told = [[int(one) for one in row] for row in rows]
    return [list(column) for column in zip(*told, strict=True)] or [[], [], []]


def test_channels_wait_for_the_latest_end() -> None:
    until_us, channels = np.zeros((2, C), dtype=np.int64), np.array([[True, False, True], [False, True, True]])
    put_off(until_us, np.array([0, 0, 1]), np.array([7, 5, 3]), np.array([0, 1, 1]), channels)
    assert until_us.tolist() == [[7, 5, 7], [0, 3, 3]]
    never_about(until_us, np.array([False, True]), np.array([0, 1]), np.array([True, False, False]))
    assert until_us.tolist() == [[7, 5, 7], [NEVER, 3, 3]]


@pytest.mark.parametrize("seed", range(20))
def test_channels_wait_until_every_covered_claim_is_written_about(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covered, debtor, of_debtor = rng.random(M) < 0.7, rng.integers(0, N, M), rng.integers(-1, 2, N)
    sent, statutory = (
        np.where(rng.random(shape) < 0.5, NEVER, rng.integers(1, 99, shape)) for shape in ((M, 1 + C), M)
    )
    forms, channels = rng.random((3, 1 + C)) < 0.5, rng.random((3, C)) < 0.5
    forms[-1], channels[-1] = False, False
    until_us, told = np.zeros((N, C), dtype=np.int64), np.zeros((N, C), dtype=np.int64)
    some = put_off_unwritten(until_us, covered, debtor, sent, statutory, of_debtor, forms, channels, 1)
    for row in np.flatnonzero(covered).tolist():
        pack = of_debtor[debtor[row]]
        written = min(int(statutory[row]), *(int(one) for one in np.where(forms[pack], sent[row], NEVER)))
        for c in np.flatnonzero(channels[pack]).tolist():
            told[debtor[row], c] = max(told[debtor[row], c], min(written, NEVER - 1) + 1)
    np.testing.assert_array_equal(until_us, told)
    assert some == bool(told.any())


@pytest.mark.parametrize("seed", range(20))
def test_contacts_of_owners_who_have_as_many_as_a_cap_allows_are_those_of_a_plain_loop(seed: int) -> None:
    rng, caps, contacts, pairs, owners = np.random.default_rng(seed), 3, 15, 25, 4
    named, bound = rng.random((caps, C + 2)) < 0.6, rng.random((caps, 3)) < 0.7
    bound[:, -1] = False
    counting = Counting(rng.integers(1, 4, caps), rng.integers(1, 20, caps) * DAY_US, bound, named)
    told = Told(
        rng.integers(0, N, contacts), rng.integers(-1, C + 1, contacts).astype(np.int16), instants(rng, contacts),
        rng.random(contacts) < 0.2, np.full(N, NOW), rng.integers(-1, 2, N),
    )  # fmt: skip
    contact, owner, expected = rng.integers(0, contacts, pairs), rng.integers(0, owners, pairs), []
    for cap in range(caps):
        mine = [
            (one, whose)
            for one, whose in zip(contact.tolist(), owner.tolist(), strict=True)
            if _counts(counting, told, cap, one)
        ]
        held = [whose for _, whose in mine]
        expected += [(cap, one, whose) for one, whose in mine if held.count(whose) >= counting.most[cap]]
    assert [one.tolist() for one in with_enough(counting, told, contact, owner, owners)] == _columns(expected)


def _counts(counting: Counting, told: Told, cap: int, one: int) -> bool:
    i = told.debtor[one]
    recent = told.send_us[one] > told.as_of_us[i] - counting.age_us[cap]
    named = counting.packs[cap, told.pack[i]] and counting.channels[cap, told.channel[one]]
    return bool(named and recent and not told.statutory[one])
