"""`[policy]` through `decide`: drawn choices with exact probabilities, the harm budget, the dial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from data.config import Config
from data.policy_settings import PolicySettings
from data.times import NEVER, to_us
from features.tables import Histories
from models.arms import CHAMPION, CONTROL
from models.bundle import Bundle
from models.cells import Cells
from models.decide import Decided, chosen_again, decide
from models.decision_rows import policy_version
from models.policies.cells import cell_of_action
from models.policies.harm import past_harm
from models.policies.softmax import softmax_chances
from models.policies.thompson import NoMembers
from models.prepare import Asks
from models.protocol import PropensityModel
from tests.deciding import (
    GRID,
    PACKS,
    FloatArray,
    FormulaModel,
    arms,
    asks_of,
    bundle_of,
    by_everything,
    decided,
    rate_model,
    rows_of,
    table_of,
)
from tests.portfolios import CONFIG, histories
from tests.strategies import START, random_tables

WEDNESDAY = START + timedelta(days=287, hours=6)
FOUND = histories(random_tables(21, debtors=80))


@dataclass(frozen=True)
class Ensemble(PropensityModel):
    """Some models as one: their mean."""

    members: Sequence[PropensityModel]

    def chance(self, cells: Cells) -> FloatArray:
        return np.mean([one.chance(cells) for one in self.members], axis=0)

    def contributions(self, rows: FloatArray) -> FloatArray:
        return np.mean([one.contributions(rows) for one in self.members], axis=0)

    def dump(self) -> dict[str, str]:
        return {}


SMS, PHONE, NOTHING = (0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1), (0.1,) * 7
ENSEMBLE = Ensemble([rate_model(SMS), rate_model(PHONE), rate_model(PHONE), rate_model(NOTHING)])


def config_of(**policy: object) -> Config:
    return replace(arms(champion=1.0), policy=replace(PolicySettings(), **policy))  # type: ignore[arg-type] # fields by name


def subject(model: PropensityModel | None = None, found: Histories = FOUND, **policy: object) -> Decided:
    bundle = bundle_of(found, model or rate_model())
    return decided(found, WEDNESDAY, bundle=bundle, config=config_of(**policy))


def modelled(one: Decided) -> np.ndarray:
    """Debtors for whom a model draws: in its arm, and not vulnerable."""
    return (one.choice.arm == CHAMPION) & ~one.prepared.situation.vulnerable


def test_left_out_the_table_changes_no_row() -> None:
    bundle = bundle_of(FOUND, FormulaModel(by_everything))
    plain, given = (
        decided(FOUND, WEDNESDAY, bundle=bundle, config=one)
        for one in (CONFIG, replace(CONFIG, policy=PolicySettings()))
    )
    assert table_of(plain).equals(table_of(given))
    assert (plain.choice.action_probability[plain.choice.arm == CHAMPION] == 1).all()


def test_softmax_logs_the_exact_chance_of_what_was_drawn() -> None:
    one = subject(kind="softmax", temperature_eur=20.0, floor=0.01)
    drawn, allowed = np.flatnonzero(modelled(one)), one.prepared.allowed
    bare = softmax_chances(one.scored.value_eur[drawn], allowed[drawn], grid=GRID, temperature_eur=20.0)
    cell = cell_of_action(GRID)
    for place, row in enumerate(drawn.tolist()):
        action = one.choice.action[row]
        cells = len(set(cell[allowed[row]].tolist()))
        mine = cell == cell[action]
        share = 0.01 / (allowed[row] & mine).sum() + (1 - 0.01 * cells) * bare[place, action]
        assert one.choice.action_probability[row] == pytest.approx(share)
        in_cell = 0.01 + (1 - 0.01 * cells) * bare[place, mine].sum()
        assert one.choice.channel_daypart_probability[row] == pytest.approx(in_cell)
        assert one.choice.channel_probability[row] >= in_cell - 1e-12
    assert len(set(GRID.channel[one.choice.action[drawn]].tolist())) > 3
    assert not one.choice.explored.any()


def test_softmax_draws_again_what_it_drew_and_something_else_at_another_moment() -> None:
    first, again = (subject(kind="softmax", temperature_eur=20.0) for _ in range(2))
    assert rows_of(first) == rows_of(again)
    bundle = bundle_of(FOUND, rate_model())
    later = decided(FOUND, WEDNESDAY + timedelta(hours=1), bundle=bundle, config=first.prepared.config)
    assert (later.choice.action != first.choice.action).mean() > 0.3


def test_nothing_is_drawn_for_the_vulnerable_nor_for_who_objected() -> None:
    since = np.where(np.arange(FOUND.size) % 3 == 0, 1, FOUND.vulnerable_from_us)
    found = replace(FOUND, vulnerable_from_us=since, vulnerable_to_us=np.full(FOUND.size, NEVER))
    drawn, greedy = subject(found=found, kind="softmax", temperature_eur=1e6), subject(found=found)
    still = ~modelled(drawn)
    assert (drawn.choice.arm[still] == CONTROL).any()
    assert drawn.prepared.situation.vulnerable.any()
    assert (drawn.choice.action[still] == greedy.choice.action[still]).all()
    assert (drawn.choice.action_probability[still] == 1).all()
    assert ((drawn.choice.action_probability < 1) == (~still & drawn.prepared.allowed[:, 1:].any(axis=1))).all()


def test_thompson_logs_the_share_of_members_that_agree() -> None:
    one = subject(ENSEMBLE, kind="thompson", floor=0.01)
    cell, allowed = cell_of_action(GRID), one.prepared.allowed
    seen = set()
    for row in np.flatnonzero(modelled(one)).tolist():
        action = int(one.choice.action[row])
        best = [int(np.argmax(value[row])) for value in member_values(one)]
        cells = len(set(cell[allowed[row]].tolist()))
        spread = 0.01 / (allowed[row] & (cell == cell[action])).sum()
        expected = spread + (1 - 0.01 * cells) * best.count(action) / 4
        assert one.choice.action_probability[row] == pytest.approx(expected)
        seen.add(best.count(action))
    assert {1, 2} <= seen


def member_values(one: Decided) -> list[FloatArray]:
    """What each member alone makes of every action."""
    members = [replace(one.champion, model=model) for model in ENSEMBLE.members]
    return [
        np.round(np.where(one.prepared.allowed, decided(FOUND, WEDNESDAY, bundle=bundle).scored.value_eur, -np.inf), 12)
        for bundle in members
    ]


def test_thompson_without_an_ensemble_is_refused_for_champion_and_challenger() -> None:
    with pytest.raises(NoMembers, match=r"model m1 \(fake\) has none: train and promote an ensemble"):
        subject(kind="thompson")
    config = replace(config_of(kind="thompson"), arms=arms(champion=0.5, challenger=0.5).arms)
    second = bundle_of(FOUND, rate_model(), model_version="m2")
    with pytest.raises(NoMembers, match="model m2"):
        decide(
            FOUND,
            asks_of(FOUND, WEDNESDAY),
            champion=bundle_of(FOUND, ENSEMBLE),
            challenger=second,
            config=config,
            packs=PACKS,
        )


@pytest.mark.parametrize("kind", ["greedy", "softmax", "thompson"])
def test_greedy_decisions_are_greedy_whatever_the_kind(kind: str) -> None:
    bundle, asks = bundle_of(FOUND, rate_model()), asks_of(FOUND, WEDNESDAY)
    one, plain = (
        decide(FOUND, asks, champion=bundle, config=config, packs=PACKS, everyone_champion=True)
        for config in (config_of(kind=kind), config_of())
    )
    assert (one.choice.action == plain.choice.action).all()
    assert (one.choice.action_probability == 1).all()


@pytest.mark.parametrize("kind", ["greedy", "softmax"])
@pytest.mark.parametrize("budget", [0.2, 0.5, 1.0])
def test_no_debtor_s_contacts_do_more_harm_than_the_budget(kind: str, budget: float) -> None:
    one = subject(kind=kind, temperature_eur=1e3, harm_budget_eur=budget, harm_days=60)
    asks, rows = one.prepared.asks, np.arange(one.prepared.situation.size)
    past = past_harm(FOUND, asks.debtor, as_of_us=asks.as_of_us, days=60, harm=CONFIG.harm)
    fresh = one.price.harm[rows, GRID.channel[one.choice.action]]
    made = (one.choice.action > 0) & (one.choice.arm == CHAMPION)
    assert made.any()
    assert (past[made] + fresh[made] <= budget + 1e-9).all()
    without = subject(kind=kind, temperature_eur=1e3)
    over = past + without.price.harm[rows, GRID.channel[without.choice.action]] > budget
    assert (over & (without.choice.action > 0) & (without.choice.arm == CHAMPION)).any()


def test_the_control_and_explore_know_no_budget_and_no_dial() -> None:
    bundle = bundle_of(FOUND, rate_model())
    for shares in ({"control": 1.0}, {"explore": 1.0}):
        config = arms(**shares)
        tight = replace(config, policy=PolicySettings("softmax", harm_budget_eur=0.01, least_value_eur=1e6))
        one, plain = (decided(FOUND, WEDNESDAY, bundle=bundle, config=each) for each in (tight, config))
        assert (one.choice.action == plain.choice.action).all()
        np.testing.assert_array_equal(one.choice.action_probability, plain.choice.action_probability)


def test_a_higher_dial_never_makes_more_contacts_and_each_is_worth_it() -> None:
    made = []
    for least in (0.0, 1.0, 3.0, 10.0, 1e6):
        one = subject(least_value_eur=least)
        mine = (one.choice.action > 0) & (one.choice.arm == CHAMPION)
        assert (one.scored.value_eur[np.arange(len(mine)), one.choice.action][mine] >= least).all()
        made.append(set(np.flatnonzero(mine).tolist()))
    assert all(fewer <= more for more, fewer in pairwise(made))
    assert len(made[0]) > len(made[2]) > len(made[-1]) == 0


def test_choosing_again_is_deciding_under_the_other_settings() -> None:
    bundle, asks = bundle_of(FOUND, rate_model()), asks_of(FOUND, WEDNESDAY)
    start = decide(FOUND, asks, champion=bundle, config=CONFIG, packs=PACKS, everyone_champion=True)
    for policy in (PolicySettings(least_value_eur=3.0), PolicySettings(harm_budget_eur=0.2)):
        again = chosen_again(start, policy=policy)
        whole = decide(
            FOUND, asks, champion=bundle, config=replace(CONFIG, policy=policy), packs=PACKS, everyone_champion=True
        )
        assert (again.choice.action == whole.choice.action).all()
        assert (again.choice.action != start.choice.action).any()
    ladder = chosen_again(start, policy=PolicySettings(), chooser="control")
    control: Bundle = replace(bundle, chooser="control")
    whole = decide(FOUND, asks, champion=control, config=CONFIG, packs=PACKS, everyone_champion=True)
    assert (ladder.choice.action == whole.choice.action).all()


def test_another_policy_has_another_version() -> None:
    versions = {
        policy_version(subject(**policy))
        for policy in ({}, {"kind": "softmax"}, {"kind": "softmax", "floor": 0.01}, {"least_value_eur": 1.0})
    }
    assert len(versions) == 4


def test_a_debtor_alone_draws_what_it_draws_in_company() -> None:
    whole = subject(kind="softmax", temperature_eur=20.0)
    bundle = bundle_of(FOUND, rate_model())
    for place, debtor in enumerate(whole.prepared.asks.debtor.tolist()[:15]):
        asks = Asks(np.array([debtor]), np.array([to_us(WEDNESDAY)]))
        alone = decide(FOUND, asks, champion=bundle, config=whole.prepared.config, packs=PACKS)
        assert alone.choice.action[0] == whole.choice.action[place]
        assert alone.choice.action_probability[0] == pytest.approx(whole.choice.action_probability[place])
