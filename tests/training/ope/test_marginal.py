"""Weights of embedded actions, and the question that they answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ope.estimators import dr, ips
from training.ope.intervals import normal_interval
from training.ope.marginal import BadEmbedding, cell_probability, cell_reward, cell_weight, embedding_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CELL = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
EMBEDDING = embedding_of(CELL)


def chances(rng: np.random.Generator, rows: int) -> FloatArray:
    drawn = rng.random((rows, 10)) ** 2 + 0.02
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


@given(st.integers(0, 10_000))
def test_the_weight_of_a_cell_is_the_mean_weight_of_its_actions_as_logged(seed: int) -> None:
    target, logging = chances(np.random.default_rng(seed), 1), chances(np.random.default_rng(seed + 1), 1)
    wanted, drawn = cell_probability(target, EMBEDDING), cell_probability(logging, EMBEDDING)
    for cell in range(3):
        inside = np.flatnonzero(cell == CELL)
        mean = sum(logging[0, a] * target[0, a] / logging[0, a] for a in inside) / logging[0, inside].sum()
        assert cell_weight(wanted, drawn, cell=np.array([cell]))[0] == pytest.approx(mean)


def test_with_a_cell_for_every_action_weights_are_those_of_actions() -> None:
    rng = np.random.default_rng(0)
    target, logging, action = chances(rng, 50), chances(rng, 50), rng.integers(0, 10, 50)
    each, row = embedding_of(np.arange(10)), np.arange(50)
    weight = cell_weight(cell_probability(target, each), cell_probability(logging, each), cell=action)
    assert weight == pytest.approx(target[row, action] / logging[row, action])


def test_the_correction_of_a_cells_reward_has_mean_zero_under_the_log() -> None:
    # Whatever the model says, the sum over actions of logging chance, weight and prediction is what the target gets.
    rng = np.random.default_rng(1)
    target, logging, predicted = chances(rng, 40), chances(rng, 40), rng.random((40, 10))
    wanted, drawn = cell_probability(target, EMBEDDING), cell_probability(logging, EMBEDDING)
    reward = cell_reward(predicted, logging, embedding=EMBEDDING)
    corrected = (logging * (wanted / drawn)[:, CELL] * reward[:, CELL]).sum(axis=1)
    assert corrected == pytest.approx((wanted * reward).sum(axis=1))


def test_a_cell_that_is_never_drawn_has_reward_zero_and_not_a_hole() -> None:
    logging = np.array([[0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0, 0]])
    assert cell_reward(np.ones((1, 10)), logging, embedding=EMBEDDING).tolist() == [[1.0, 0.0, 0.0]]


def test_an_embedding_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadEmbedding, match="expected an embedding of 4 actions; came one of 10"):
        cell_probability(np.full((1, 4), 0.25), EMBEDDING)
    with pytest.raises(BadEmbedding, match="shares of 1 of 10 actions do not sum to one, the first is 0"):
        cell_probability(np.full((1, 10), 0.1), EMBEDDING * np.where(np.arange(10) == 0, 0.5, 1.0)[:, None])


def test_where_actions_of_a_cell_are_alike_intervals_cover_the_target_and_are_narrower() -> None:
    covered, narrower = {"IPS": 0, "DR": 0}, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        target, logging = chances(rng, 800) ** 3, chances(rng, 800)
        target = target / target.sum(axis=1, keepdims=True)
        action = (logging.cumsum(axis=1) < rng.random((800, 1))).sum(axis=1).clip(max=9)
        chance = np.array([0.2, 0.4, 0.6])
        truth = float((cell_probability(target, EMBEDDING) * chance).sum(axis=1).mean())
        reward = (rng.random(800) < chance[CELL[action]]).astype(np.float64)
        wanted, drawn = cell_probability(target, EMBEDDING), cell_probability(logging, EMBEDDING)
        weight = cell_weight(wanted, drawn, cell=CELL[action])
        model = cell_reward(np.tile(rng.random(10), (800, 1)), logging, embedding=EMBEDDING)
        predicted, expected = model[np.arange(800), CELL[action]], (wanted * model).sum(axis=1)
        columns = {"IPS": ips(reward, weight), "DR": dr(reward, weight, predicted=predicted, expected=expected)}
        found = {name: normal_interval(column, np.arange(800)) for name, column in columns.items()}
        for name, interval in found.items():
            covered[name] += interval.low <= truth <= interval.high
        single = ips(reward, target[np.arange(800), action] / logging[np.arange(800), action])
        narrower += found["IPS"].half_width < normal_interval(single, np.arange(800)).half_width
    assert 181 <= covered["IPS"] <= 199
    assert 181 <= covered["DR"] <= 200  # given the contexts, its interval is on the wide side
    assert narrower >= 195
