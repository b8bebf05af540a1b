"""Choices by value: what the dial, the temperature, an ensemble and a log without some channels make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.policy_settings import PolicySettings
from models.policies.cells import by_cell, cell_of_action, with_floor
from models.policies.offer import Offer, best, chances, narrowed
from models.policies.softmax import softmax_chances
from models.policies.thompson import HasMembers, NoMembers, members_of, thompson_chances
from tests.deciding import rate_model

GRID = ActionGrid(("none", "sms", "email"), days=1, hours=(8, 10, 18))
SMS_8, SMS_10, SMS_18, EMAIL_8, EMAIL_10, EMAIL_18 = range(1, 7)
ALL = np.ones((1, GRID.size), dtype=bool)
VALUE = np.array([[0.0, 1.0, 3.0, -1.0, 2.0, 0.5, 2.5]])


def offer(**changes: object) -> Offer:
    return Offer(ALL, VALUE, GRID, replace(PolicySettings(), **changes))  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(("least", "action"), [(0.0, SMS_10), (3.0, SMS_10), (3.001, 0), (100.0, 0)])
def test_contact_is_made_only_where_it_is_worth_the_dial(least: float, action: int) -> None:
    assert best(offer(least_value_eur=least)).tolist() == [action]


def test_at_a_dial_of_nothing_a_contact_worth_nothing_is_left() -> None:
    assert best(replace(offer(), value_eur=np.zeros((1, GRID.size)))).tolist() == [0]


def test_softmax_shares_by_the_best_slot_of_each_cell() -> None:
    rows = softmax_chances(VALUE, ALL, grid=GRID, temperature_eur=2.0)[0]
    cells = {0: 0.0, SMS_10: 3.0, SMS_18: -1.0, EMAIL_8: 2.0, EMAIL_18: 2.5}
    total = sum(np.exp(value / 2.0) for value in cells.values())
    expected = [np.exp(cells[action] / 2.0) / total if action in cells else 0.0 for action in range(GRID.size)]
    np.testing.assert_allclose(rows, expected)


def test_a_cold_softmax_is_greedy_but_for_the_floor() -> None:
    rows = chances(offer(kind="softmax", temperature_eur=1e-6, floor=0.02), ())[0]
    assert rows[best(offer())[0]] == pytest.approx(
        1 - 4 * 0.02 - 0.01
    )  # half of its own cell's floor is the other slot's
    assert rows[SMS_8] == pytest.approx(0.01)


def test_a_dial_makes_softmax_contact_less() -> None:
    none = [chances(offer(kind="softmax", least_value_eur=least), ())[0, 0] for least in (0.0, 1.0, 5.0, 50.0)]
    assert none == sorted(none)
    assert none[0] < 0.1
    assert none[-1] == pytest.approx(1 - 4 * 0.04)


def test_thompson_chooses_as_often_as_members_agree() -> None:
    other = VALUE.copy()
    other[0, EMAIL_18] = 9.0
    worthless = np.where(np.arange(GRID.size) > 0, -1.0, 0.0)[None, :]
    rows = thompson_chances([VALUE, other, other, worthless], ALL)[0]
    assert rows[[0, SMS_10, EMAIL_18]].tolist() == [0.25, 0.25, 0.5]
    assert rows.sum() == 1


def test_thompson_holds_each_member_against_the_dial() -> None:
    rows = chances(offer(kind="thompson", least_value_eur=2.9, floor=0.01), [VALUE, VALUE - 1.0])[0]
    assert rows[0] == pytest.approx(0.01 + 0.95 * 0.5)


def test_a_model_without_members_is_refused_with_the_way_out() -> None:
    model = rate_model()
    assert not isinstance(model, HasMembers)
    with pytest.raises(
        NoMembers, match=r'model m1 \(fake\) has none: train and promote an ensemble, or set kind to "softmax"'
    ):
        members_of(model, named="model m1 (fake)")


def test_the_floor_of_a_cell_goes_evenly_to_its_slots() -> None:
    allowed = ALL.copy()
    allowed[0, EMAIL_18] = False
    rows = with_floor(np.eye(GRID.size)[:1], allowed, grid=GRID, floor=0.1)[0]
    np.testing.assert_allclose(rows, [0.7, 0.05, 0.05, 0.1, 0.05, 0.05, 0.0])


def test_cells_hold_their_best_slot_value_and_count() -> None:
    allowed = ALL.copy()
    allowed[0, [SMS_10, EMAIL_18]] = False
    found = by_cell(VALUE, allowed, grid=GRID)
    of_action = cell_of_action(GRID)
    assert found.best[0, of_action[SMS_8]] == SMS_8
    assert found.value_eur[0, of_action[SMS_8]] == 1.0
    assert found.count[0, of_action[EMAIL_8]] == 2
    assert found.count[0, of_action[EMAIL_18]] == 0
    assert found.value_eur[0, of_action[EMAIL_18]] == -np.inf


def test_channels_that_the_log_hardly_holds_are_no_candidates() -> None:
    untried = np.isin(GRID.channel, [2])
    kept = narrowed(ALL, untried=untried, whether=np.array([False]))
    assert kept[0].tolist() == [True, True, True, True, False, False, False]


def test_where_no_contact_is_untried_the_rules_say_whether_and_the_model_how() -> None:
    allowed = np.repeat(ALL, 3, axis=0)
    allowed[2, 1:] = False
    untried = GRID.channel == 0
    kept = narrowed(allowed, untried=untried, whether=np.array([True, False, True]))
    bad = np.repeat(VALUE - 10, 3, axis=0)
    settings = PolicySettings(least_value_eur=5.0)
    assert best(Offer(kept, bad, GRID, settings, values_known=False)).tolist() == [SMS_10, 0, 0]
    assert chances(Offer(kept, bad, GRID, PolicySettings("softmax")), ())[1, 0] == 1.0
