"""Scores of every cell: the same numbers as the value of each policy on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.config import Dated, MoneySettings
from data.policy_settings import PolicySettings
from models.arms import Choice
from models.decide import Decided, chosen_again
from models.policies.cells import cell_count, cell_of_action
from tests.deciding import GRID, rate_model
from tests.portfolios import CHANNELS, CONFIG
from tests.training.drawn_world import drawn_world
from training.cell_scores import cell_scores, policy_cells
from training.policy_value import policy_value

WORLD = drawn_world(rate_model(), seed=31)
LOG = WORLD.log(np.random.default_rng(1))


def under(least: float) -> Decided:
    return chosen_again(WORLD.decided, policy=PolicySettings(least_value_eur=least))


@pytest.mark.parametrize("least", [0.0, 2.0, 1e6])
def test_scores_at_a_policy_s_cells_are_its_doubly_robust_contributions(least: float) -> None:
    decided, scores = under(least), cell_scores(LOG, WORLD.decided)
    mine = scores.net_eur[np.arange(len(scores.unit)), policy_cells(decided)]
    np.testing.assert_allclose(mine, policy_value(LOG, decided).per_row, atol=1e-9)


def test_recovered_is_net_with_cost_and_harm_given_back() -> None:
    scores = cell_scores(LOG, WORLD.decided)
    channel = np.concatenate([[0], np.repeat(np.arange(1, len(CHANNELS)), 3)])
    price = np.where(scores.open, WORLD.decided.price.total[:, channel], 0.0)
    np.testing.assert_allclose(scores.recovered_eur - scores.net_eur, price, atol=1e-9)


def test_a_cell_without_a_slot_has_the_scores_of_no_contact() -> None:
    scores = cell_scores(LOG, WORLD.decided)
    cell = cell_of_action(GRID)
    for number in range(cell_count(GRID)):
        has_slot = WORLD.decided.prepared.allowed[:, cell == number].any(axis=1)
        assert (scores.open[:, number] == has_slot).all()
        shut = ~has_slot
        np.testing.assert_array_equal(scores.net_eur[shut, number], scores.net_eur[shut, 0])


def test_scores_average_to_what_each_action_truly_recovers() -> None:
    rng = np.random.default_rng(3)
    totals = [cell_scores(WORLD.log(rng), WORLD.decided).recovered_eur.mean(axis=0) for _ in range(60)]
    for number in (0, 1, 5, 15):
        truth = WORLD.recovered_eur(all_in(number))
        values = np.array(totals)[:, number]
        assert abs(values.mean() - truth) <= 4 * values.std() / np.sqrt(len(values))


def all_in(cell: int) -> Decided:
    """The decisions of a policy that always takes one cell, else none."""
    inside = WORLD.decided.prepared.allowed & (cell_of_action(GRID) == cell)
    choice: Choice = replace(WORLD.decided.choice, action=np.argmax(inside, axis=1))
    return replace(WORLD.decided, choice=choice)


def test_a_price_that_all_channels_share_moves_net_by_that_price() -> None:
    dear = MoneySettings({name: (Dated(7.0 if name != "none" else 0.0),) for name in CHANNELS})
    free = MoneySettings({name: (Dated(0.0),) for name in CHANNELS})
    worlds = [
        drawn_world(rate_model(), seed=31, config=replace(CONFIG, costs=cost, harm=free)) for cost in (free, dear)
    ]
    first, second = (cell_scores(LOG, world.decided) for world in worlds)
    moved = first.net_eur - second.net_eur
    np.testing.assert_allclose(moved[:, 1:], np.where(first.open[:, 1:], 7.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(first.recovered_eur, second.recovered_eur, atol=1e-9)


def test_a_decision_for_a_channel_that_the_grid_has_not_speaks_of_no_cell() -> None:
    strange = np.arange(len(LOG.channel)) % 5 == 0
    log = replace(LOG, channel=np.where(strange, -1, LOG.channel).astype(LOG.channel.dtype))
    scores, decided = cell_scores(log, WORLD.decided), under(0.0)
    assert (scores.weight[strange] == 0).all()
    assert (scores.weight[~strange] > 0).any()
    mine = scores.net_eur[np.arange(len(scores.unit)), policy_cells(decided)]
    np.testing.assert_allclose(mine, policy_value(log, decided).per_row, atol=1e-9)
