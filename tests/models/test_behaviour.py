"""The behaviour of the past: lawful, exact in its probabilities, the same for the same generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.config import ControlSettings, GridSettings
from data.simulator.behaviour import Behaviour, Choices
from data.situation import Situation
from data.times import to_day
from models.behaviour import INCUMBENT, RANDOM, IncumbentWithRandomSlice
from models.control import control_actions
from models.explore import explore_probabilities
from models.rules.mask import contact_mask
from models.rules.pack import read_packs
from tests.situations import MONDAY, claims, one_debtor, random_situation

GRID = ActionGrid.of(GridSettings())
PACKS = read_packs()
COPIES = 20_000


def behaviour(random_share: float = 0.15) -> Behaviour:
    return IncumbentWithRandomSlice(GRID, PACKS, control=ControlSettings(), random_share=random_share)


def many(situation: Situation, size: int = COPIES) -> Situation:
    per_debtor = {
        name: np.repeat(getattr(situation, name), size, axis=0)
        for name in Situation.__dataclass_fields__
        if name not in ("places", "points", "claims", "made")
    }

    def repeated(table: object) -> object:
        columns = {n: getattr(table, n) for n in table.__dataclass_fields__ if n not in ("known", "course_known")}  # type: ignore[attr-defined] # a dataclass
        rows = len(columns["debtor"])
        taken = {n: np.concatenate([values] * size) for n, values in columns.items()}
        return replace(table, **{**taken, "debtor": np.repeat(np.arange(size), rows)})  # type: ignore[type-var] # a dataclass

    return replace(situation, **per_debtor, points=repeated(situation.points), claims=repeated(situation.claims))


def decide(situation: Situation, *, random_share: float = 0.15, seed: int = 5) -> tuple[np.ndarray, Choices]:
    subject = behaviour(random_share)
    allowed = subject.options(situation)
    return allowed, subject.choose(situation, allowed, rng=np.random.default_rng(seed))


def test_every_choice_is_allowed_and_was_possible() -> None:
    crowd = random_situation(np.random.default_rng(2), size=3_000)
    allowed, choices = decide(crowd)
    assert allowed[np.arange(crowd.size), choices.action].all()
    assert ((choices.action_probability > 0) & (choices.action_probability <= 1)).all()
    assert set(choices.policy) == {INCUMBENT, RANDOM}


def test_the_same_generator_gives_the_same_choices() -> None:
    crowd = random_situation(np.random.default_rng(2), size=500)
    first, second = decide(crowd)[1], decide(crowd)[1]
    assert (first.action == second.action).all()
    assert (first.policy == second.policy).all()


def test_the_random_slice_has_its_share_and_spares_the_vulnerable() -> None:
    crowd = random_situation(np.random.default_rng(4), size=8_000, rare=0.3)
    policy = decide(crowd)[1].policy
    assert not (policy[crowd.vulnerable] == RANDOM).any()
    share = (policy[~crowd.vulnerable] == RANDOM).mean()
    assert abs(share - 0.15) < 4 * np.sqrt(0.15 * 0.85 / (~crowd.vulnerable).sum())


@pytest.mark.parametrize("age_days", [5, 50])
@pytest.mark.parametrize(("policy", "random_share"), [(RANDOM, 1.0), (INCUMBENT, 0.0)])
def test_logged_probabilities_are_the_frequencies(age_days: int, policy: str, random_share: float) -> None:
    crowd = many(one_debtor(claims=claims((0, 200.0, to_day(MONDAY.date()) - age_days))))
    _, choices = decide(crowd, random_share=random_share)
    assert set(choices.policy) == {policy}
    total = 0.0
    for action in np.unique(choices.action).tolist():
        mine = choices.action == action
        logged = np.unique(choices.action_probability[mine])
        assert len(logged) == 1
        error = np.sqrt(logged[0] * (1 - logged[0]) / COPIES)
        assert abs(mine.mean() - logged[0]) <= 4 * error
        total += logged[0]
    assert total == pytest.approx(1.0)


def test_the_ladder_s_calls_are_spread_over_the_hours_of_their_day() -> None:
    crowd = many(one_debtor(claims=claims((0, 200.0, to_day(MONDAY.date()) - 50))))
    choices = decide(crowd, random_share=0.0)[1]
    assert set(GRID.hour[choices.action].tolist()) == {8, 10, 12, 14, 16, 18}
    assert set(GRID.day[choices.action].tolist()) == {0}
    assert np.allclose(choices.action_probability, 1 / 6)


def test_everything_but_calls_follows_the_ladder_exactly() -> None:
    crowd = random_situation(np.random.default_rng(8), size=1_000)
    choices = decide(crowd, random_share=0.0)[1]
    mask = contact_mask(crowd, grid=GRID, packs=PACKS)
    ladder = control_actions(crowd, mask, settings=ControlSettings(), grid=GRID)
    phone = GRID.channels.index("phone")
    others = GRID.channel[ladder] != phone
    assert (choices.action[others] == ladder[others]).all()
    assert (choices.action_probability[others] == 1).all()
    assert (GRID.channel[choices.action[~others]] == phone).all()


def test_a_random_choice_logs_the_chance_of_the_exploration() -> None:
    crowd = random_situation(np.random.default_rng(9), size=1_000)
    allowed, choices = decide(crowd, random_share=1.0)
    chances = explore_probabilities(allowed, grid=GRID, p_none=0.2)
    rows = np.flatnonzero(choices.policy == RANDOM)
    assert (choices.action_probability[rows] == chances[rows, choices.action[rows]]).all()


def test_a_choice_stays_inside_a_narrower_set_of_options() -> None:
    crowd = random_situation(np.random.default_rng(10), size=1_000)
    subject = behaviour()
    letters = subject.options(crowd) & np.isin(GRID.channel, [0, GRID.channels.index("letter")])
    choices = subject.choose(crowd, letters, rng=np.random.default_rng(0))
    assert letters[np.arange(crowd.size), choices.action].all()
