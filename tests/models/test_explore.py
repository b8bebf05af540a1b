"""Exploration: exact probabilities, level by level."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import ActionGrid
from data.vocabulary import DAYPARTS
from models.explore import channel_daypart_probability, channel_probability, draw, explore_probabilities, slot_dayparts

GRID = ActionGrid(("none", "sms", "letter", "phone"), days=2, hours=(8, 10, 14, 18))


def random_allowed(seed: int, size: int = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    allowed = rng.random((size, GRID.size)) < rng.choice([0.0, 0.1, 0.6, 1.0], (size, 1))
    allowed[:, 0] = True
    return allowed


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), p_none=st.floats(0.01, 0.99))
def test_rows_sum_to_one_and_are_zero_exactly_where_barred(seed: int, p_none: float) -> None:
    allowed = random_allowed(seed)
    chances = explore_probabilities(allowed, grid=GRID, p_none=p_none)
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-12
    assert (chances[~allowed] == 0).all()
    assert (chances[allowed] > 0).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_each_level_is_shared_evenly(seed: int) -> None:
    allowed = random_allowed(seed)
    chances = explore_probabilities(allowed, grid=GRID, p_none=0.2)
    part = np.concatenate([[-1], np.tile(slot_dayparts(GRID), 3)])
    for row in range(len(allowed)):
        open_channels = sorted(set(GRID.channel[allowed[row]].tolist()) - {0})
        for channel in open_channels:
            here = allowed[row] & (GRID.channel == channel)
            assert np.isclose(chances[row, here].sum(), 0.8 / len(open_channels))
            parts = sorted(set(part[here].tolist()))
            for one in parts:
                slots = here & (part == one)
                assert np.allclose(chances[row, slots], 0.8 / len(open_channels) / len(parts) / slots.sum())


def test_weights_at_channel_and_part_of_day_stay_under_twenty_five() -> None:
    grid = ActionGrid(
        ("none", "sms", "email", "digital_mailbox", "letter", "phone", "portal"), days=7, hours=(8, 12, 18)
    )
    chances = explore_probabilities(np.ones((1, grid.size), dtype=bool), grid=grid, p_none=0.2)
    action = np.arange(grid.size)
    cell = channel_daypart_probability(np.repeat(chances, grid.size, axis=0), action, grid=grid)
    assert (1 / cell).max() <= 25


def test_no_contact_is_certain_where_nothing_is_allowed() -> None:
    nothing = np.zeros((1, GRID.size), dtype=bool)
    nothing[:, 0] = True
    assert explore_probabilities(nothing, grid=GRID, p_none=0.2)[0, 0] == 1.0


@given(seed=st.integers(0, 2**32 - 1))
def test_marginal_chances_are_sums_over_the_row(seed: int) -> None:
    chances = explore_probabilities(random_allowed(seed), grid=GRID, p_none=0.3)
    action = draw(chances, np.random.default_rng(seed).random(len(chances)))
    by_channel = channel_probability(chances, action, grid=GRID)
    by_part = channel_daypart_probability(chances, action, grid=GRID)
    part = [-1, *np.tile(slot_dayparts(GRID), 3).tolist()]
    for row, chosen in enumerate(action.tolist()):
        same = [a for a in range(GRID.size) if GRID.channel[a] == GRID.channel[chosen]]
        assert np.isclose(by_channel[row], chances[row, same].sum())
        assert np.isclose(by_part[row], chances[row, [a for a in same if part[a] == part[chosen]]].sum())
    assert (by_channel >= by_part - 1e-12).all()
    assert (by_part >= chances[np.arange(len(action)), action] - 1e-12).all()


@given(st.lists(st.integers(0, 5), min_size=2, max_size=12).filter(any), st.floats(0, 1, exclude_max=True))
def test_an_action_of_chance_zero_is_never_drawn(weights: list[int], uniform: float) -> None:
    chances = np.array([weights], dtype=np.float64) / sum(weights)
    for one in (uniform, 0.0, np.nextafter(1.0, 0.0)):
        assert chances[0, draw(chances, np.array([one]))[0]] > 0


def test_drawn_frequencies_are_the_probabilities() -> None:
    count = 100_000
    chances = explore_probabilities(random_allowed(3, size=1) | (GRID.channel == 1), grid=GRID, p_none=0.2)
    drawn = draw(np.broadcast_to(chances, (count, GRID.size)), np.random.default_rng(11).random(count))
    frequency = np.bincount(drawn, minlength=GRID.size) / count
    error = np.sqrt(chances[0] * (1 - chances[0]) / count)
    assert (np.abs(frequency - chances[0]) <= 4 * error).all()
    assert np.mean(np.abs(frequency - chances[0]) <= 3 * error) > 0.95


def test_parts_of_the_day_are_those_of_the_vocabulary() -> None:
    assert [DAYPARTS[part] for part in slot_dayparts(GRID)[:4]] == ["morning", "morning", "afternoon", "evening"]
