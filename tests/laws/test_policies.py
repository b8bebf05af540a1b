"""Laws of every policy: rows sum to one, nothing barred has a chance, the same inputs give the same choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import ActionGrid, BoolArray
from data.policy_settings import KINDS, PolicySettings
from models.explore import channel_daypart_probability, channel_probability, draw, explore_probabilities
from models.hashing import keyed_uniform
from models.policies.cells import cell_count, cell_of_action
from models.policies.offer import Offer, best, chances
from models.policies.tree import Leaf, PolicyTree, Split
from tests.deciding import FloatArray

GRID = ActionGrid(("none", "sms", "letter", "phone"), days=2, hours=(8, 10, 14, 18))
SIZE = 12
FLOOR = 0.04
TREE = PolicyTree(Split("payments_ever", 1.0, Leaf("sms", "evening"), Leaf("phone", "morning")))


@dataclass(frozen=True)
class Case:
    """Debtors with what is allowed and what two members of an ensemble think it worth."""

    allowed: BoolArray
    values: tuple[FloatArray, FloatArray]

    @property
    def value(self) -> FloatArray:
        return (self.values[0] + self.values[1]) / 2


def case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    allowed = rng.random((SIZE, GRID.size)) < rng.choice([0.0, 0.1, 0.6, 1.0], (SIZE, 1))
    allowed[:, 0] = True
    values = [rng.normal(0, 3, (SIZE, GRID.size)) for _ in range(2)]
    for one in values:
        one[:, 0] = 0.0
    return Case(allowed, (values[0], values[1]))


def certain(action: np.ndarray) -> FloatArray:
    rows = np.zeros((len(action), GRID.size))
    rows[np.arange(len(action)), action] = 1.0
    return rows


def drawn(kind: str, **changes: float) -> Callable[[Case], FloatArray]:
    settings_of = PolicySettings(kind, floor=FLOOR, temperature_eur=changes.pop("temperature_eur", 1.0), **changes)
    return lambda one: chances(Offer(one.allowed, one.value, GRID, settings_of), one.values)


def by_tree(one: Case) -> FloatArray:
    return certain(TREE.actions({"payments_ever": one.value[:, 1]}, one.allowed, grid=GRID))


POLICIES: dict[str, Callable[[Case], FloatArray]] = {
    "greedy": lambda one: certain(best(Offer(one.allowed, one.value, GRID, PolicySettings()))),
    "greedy with a dial": lambda one: certain(
        best(Offer(one.allowed, one.value, GRID, PolicySettings(least_value_eur=2.0)))
    ),
    "softmax": drawn("softmax"),
    "cold softmax": drawn("softmax", temperature_eur=1e-3),
    "hot softmax": drawn("softmax", temperature_eur=1e6),
    "softmax with a dial": drawn("softmax", least_value_eur=2.0),
    "thompson": drawn("thompson"),
    "tree": by_tree,
    "explore": lambda one: explore_probabilities(one.allowed, grid=GRID, p_none=0.2),
}
"""Every policy, written out; each kind of the configuration is among them."""

DRAWN = [name for name in POLICIES if "softmax" in name or name == "thompson"]


def test_every_kind_of_the_configuration_has_its_policy_here() -> None:
    assert set(KINDS) <= set(POLICIES)
    assert len(POLICIES) == 9


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_rows_sum_to_one_and_are_zero_where_barred(name: str, seed: int) -> None:
    one = case(seed)
    rows = POLICIES[name](one)
    assert np.abs(rows.sum(axis=1) - 1).max() < 1e-12
    assert (rows >= 0).all()
    assert (rows[~one.allowed] == 0).all()


@pytest.mark.parametrize("name", POLICIES)
def test_the_same_inputs_and_identifiers_give_the_same_choice(name: str) -> None:
    ids = np.array([f"decision {number}" for number in range(SIZE)], dtype=object)
    first, second = (draw(POLICIES[name](case(5)), keyed_uniform(ids, key="k/policy")) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", POLICIES)
def test_a_debtor_alone_has_the_chances_it_has_in_company(name: str) -> None:
    whole = case(6)
    rows = POLICIES[name](whole)
    for place in range(SIZE):
        here = slice(place, place + 1)
        alone = POLICIES[name](Case(whole.allowed[here], (whole.values[0][here], whole.values[1][here])))
        np.testing.assert_allclose(alone[0], rows[place], atol=1e-14)


@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_open_cell_has_the_floor_so_that_its_weight_is_at_most_twenty_five(name: str, seed: int) -> None:
    one = case(seed)
    rows = POLICIES[name](one)
    cell = cell_of_action(GRID)
    for number in range(cell_count(GRID)):
        inside = cell == number
        is_open = one.allowed[:, inside].any(axis=1)
        assert (rows[is_open][:, inside].sum(axis=1) >= FLOOR - 1e-12).all()
    assert (rows[one.allowed] > 0).all()
    action = draw(rows, keyed_uniform(np.array([str(n) for n in range(SIZE)], dtype=object), key=str(seed)))
    logged = channel_daypart_probability(rows, action, grid=GRID)
    assert (1 / logged <= 25 + 1e-9).all()
    assert (channel_probability(rows, action, grid=GRID) >= logged - 1e-12).all()


@pytest.mark.parametrize("name", DRAWN)
def test_actions_come_as_often_as_their_chance_says(name: str) -> None:
    one = case(8)
    rows = POLICIES[name](one)
    row = int(np.argmax(one.allowed.sum(axis=1)))
    many = 20_000
    ids = np.array([f"d{number}" for number in range(many)], dtype=object)
    action = draw(np.repeat(rows[row : row + 1], many, axis=0), keyed_uniform(ids, key="often"))
    share = np.bincount(action, minlength=GRID.size) / many
    error = np.sqrt(rows[row] * (1 - rows[row]) / many)
    assert (np.abs(share - rows[row]) <= 4.5 * error + 1e-12).all()
