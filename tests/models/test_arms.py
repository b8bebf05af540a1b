"""Arms: who is in which, what each does, and with which probability."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.action_grid import ActionGrid
from data.config import ArmSettings, Config
from data.vocabulary import ARMS
from models.arms import (
    CHAMPION,
    CONTROL,
    EXPLORE,
    Candidates,
    Choice,
    arms_of,
    choose,
    constant_action,
    decision_ids,
    greedy,
)
from models.explore import explore_probabilities
from models.hashing import keyed_hex, keyed_uniform
from tests.deciding import arms

GRID = ActionGrid(("none", "sms", "email", "phone"), days=2, hours=(8, 13, 18))
MANY = 20_000


def people(size: int) -> np.ndarray:
    return np.array([f"d{number}" for number in range(size)], dtype=object)


def candidates(rng: np.random.Generator, size: int) -> Candidates:
    allowed = rng.random((size, GRID.size)) < 0.6
    allowed[:, 0] = True
    chosen = [np.array([rng.choice(np.flatnonzero(row)) for row in allowed]) for _ in range(3)]
    return Candidates(*chosen, allowed)


def chosen(found: Candidates, arm: np.ndarray, *, config: Config, **flags: np.ndarray) -> Choice:
    size = len(arm)
    nobody = np.zeros(size, dtype=bool)
    ids = decision_ids(people(size), np.arange(size), salt=config.arms.salt)
    given_flags = {"never_explore": nobody, "outside": nobody} | flags
    return choose(found, arm=arm, decision_id=ids, config=config, grid=GRID, **given_flags)


@pytest.mark.parametrize("settings", [ArmSettings(), ArmSettings(0.25, 0.25, 0.25, 0.25), ArmSettings(0, 1, 0, 0)])
def test_arms_approach_their_shares(settings: ArmSettings) -> None:
    arm = arms_of(people(MANY), settings)
    for number, name in enumerate(ARMS):
        share = getattr(settings, name)
        assert abs((arm == number).mean() - share) <= 3 * np.sqrt(share * (1 - share) / MANY)


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20, unique=True))
def test_a_debtors_arm_depends_on_its_own_name_only(some: list[str]) -> None:
    whole = arms_of(np.array(some, dtype=object), ArmSettings())
    alone = [arms_of(np.array([name], dtype=object), ArmSettings())[0] for name in some]
    assert whole.tolist() == alone


def test_another_salt_draws_other_arms() -> None:
    first, second = (arms_of(people(2_000), ArmSettings(salt=salt)) for salt in ("a", "b"))
    assert (first != second).mean() > 0.1


def test_more_share_for_the_control_takes_no_debtor_out_of_it() -> None:
    before = arms_of(people(5_000), ArmSettings(0.10, 0.05, 0.85, 0.0))
    after = arms_of(people(5_000), ArmSettings(0.20, 0.05, 0.75, 0.0))
    assert (after[before == CONTROL] == CONTROL).all()


@given(st.text(), st.text(max_size=80))
def test_keyed_hashes_are_hexadecimal_and_uniforms_lie_in_the_unit_interval(text: str, key: str) -> None:
    assert len(keyed_hex(text, key=key)) == 32
    assert set(keyed_hex(text, key=key)) <= set("0123456789abcdef")
    assert 0 <= keyed_uniform(np.array([text], dtype=object), key=key)[0] < 1


def test_uniforms_of_many_names_are_spread_evenly() -> None:
    counts = np.histogram(keyed_uniform(people(MANY), key="k"), bins=20, range=(0, 1))[0]
    assert np.abs(counts - MANY / 20).max() < 5 * np.sqrt(MANY / 20)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_arm_does_what_its_name_says_and_logs_its_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = arms(control=0.1, explore=0.2, champion=0.4, challenger=0.3)
    found, arm = candidates(rng, 400), rng.integers(0, 4, 400)
    choice = chosen(found, arm, config=config)
    by_arm = {CONTROL: found.control, CHAMPION: found.champion, 3: found.challenger}
    for number, action in by_arm.items():
        mine = arm == number
        assert (choice.action[mine] == action[mine]).all()
        assert not choice.explored[mine].any()
        for logged in (choice.action_probability, choice.channel_probability, choice.channel_daypart_probability):
            assert (logged[mine] == 1).all()
    shares = np.array([0.1, 0.2, 0.4, 0.3])
    assert np.allclose(choice.arm_probability, shares[arm])
    assert (choice.explored == (arm == EXPLORE)).all()
    assert found.allowed[np.arange(400), choice.action].all()


def test_explored_actions_come_as_often_as_logged() -> None:
    allowed = np.zeros((1, GRID.size), dtype=bool)
    allowed[0, [0, 1, 2, 3, 7, 9, 12, 14, 18]] = True
    none = np.zeros(MANY, dtype=np.int64)
    found = Candidates(none, none, none, np.repeat(allowed, MANY, axis=0))
    choice = chosen(found, np.full(MANY, EXPLORE), config=arms(explore=1.0))
    chances = explore_probabilities(allowed, grid=GRID, p_none=0.2)[0]
    for action in np.flatnonzero(chances).tolist():
        mine = choice.action == action
        assert abs(mine.mean() - chances[action]) <= 3 * np.sqrt(chances[action] * (1 - chances[action]) / MANY)
        assert np.allclose(choice.action_probability[mine], chances[action])
        same_channel = GRID.channel == GRID.channel[action]
        assert np.allclose(choice.channel_probability[mine], chances[same_channel].sum())
        same_part = same_channel & (GRID.daypart == GRID.daypart[action])
        assert np.allclose(choice.channel_daypart_probability[mine], chances[same_part].sum())
    assert (chances[choice.action] > 0).all()


def test_the_draw_hangs_on_the_decision_alone() -> None:
    found = candidates(np.random.default_rng(3), 50)
    whole = chosen(found, np.full(50, EXPLORE), config=arms(explore=1.0))
    first = Candidates(found.control[:5], found.champion[:5], found.challenger[:5], found.allowed[:5])
    assert (chosen(first, np.full(5, EXPLORE), config=arms(explore=1.0)).action == whole.action[:5]).all()


def test_the_vulnerable_are_never_explored() -> None:
    rng = np.random.default_rng(4)
    found, vulnerable = candidates(rng, 500), rng.random(500) < 0.5
    choice = chosen(found, np.full(500, EXPLORE), config=arms(explore=1.0), never_explore=vulnerable)
    assert not choice.explored[vulnerable].any()
    assert (choice.action[vulnerable] == found.control[vulnerable]).all()
    assert (choice.action_probability[vulnerable] == 1).all()
    assert choice.explored[~vulnerable].all()


def test_who_objected_gets_the_control_and_stands_outside_the_draw_of_arms() -> None:
    rng = np.random.default_rng(5)
    found, objected = candidates(rng, 500), rng.random(500) < 0.5
    choice = chosen(found, rng.integers(0, 4, 500), config=Config(), outside=objected)
    assert (choice.arm[objected] == CONTROL).all()
    assert (choice.action[objected] == found.control[objected]).all()
    assert np.isnan(choice.arm_probability[objected]).all()
    assert np.isfinite(choice.arm_probability[~objected]).all()
    assert not choice.explored[objected].any()


def test_greedy_gives_everybody_the_champions_action_for_certain() -> None:
    found = candidates(np.random.default_rng(6), 100)
    objected = np.arange(100) < 10
    choice = greedy(found, outside=objected)
    assert (choice.action[~objected] == found.champion[~objected]).all()
    assert (choice.action_probability == 1).all()
    assert not choice.explored.any()
    assert (choice.arm == np.where(objected, CONTROL, CHAMPION)).all()
    assert (choice.action[objected] == found.control[objected]).all()
    assert (np.isnan(choice.arm_probability) == objected).all()


def test_decision_ids_differ_by_debtor_moment_and_salt() -> None:
    ids = [
        decision_ids(np.array([who], dtype=object), np.array([when]), salt=salt)[0]
        for who in ("d1", "d2")
        for when in (1, 2)
        for salt in ("a", "b")
    ]
    assert len(set(ids)) == 8


@given(st.lists(st.integers(0, 4_000_000_000_000_000), min_size=2, max_size=10))
def test_decision_ids_stand_in_the_order_of_their_moments(moments: list[int]) -> None:
    ids = decision_ids(people(len(moments)), np.array(moments), salt="a").tolist()
    assert [moments[ids.index(one)] for one in sorted(ids)] == sorted(moments)


def test_a_constant_action_is_the_first_allowed_slot_of_its_channel_and_part_of_the_day() -> None:
    allowed = np.zeros((3, GRID.size), dtype=bool)
    allowed[:, 0] = True
    evening_sms = GRID.action_of(1, 0, 18), GRID.action_of(1, 1, 18)
    allowed[0, [*evening_sms, GRID.action_of(1, 0, 8)]] = True
    allowed[1, evening_sms[1]] = True
    allowed[2, GRID.action_of(2, 0, 18)] = True
    assert constant_action(allowed, grid=GRID, channel="sms", daypart=2).tolist() == [*evening_sms, 0]


def test_candidates_of_nobody_give_no_choice() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    found = Candidates(nobody, nobody, nobody, np.zeros((0, GRID.size), dtype=bool))
    assert len(chosen(found, nobody, config=replace(Config())).action) == 0
