"""Policy trees: who ends where, what is done there, the same from a bundle, and readable."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from data.action_grid import ActionGrid
from data.config import Config
from data.policy_settings import PolicySettings
from models.bundle import Bundle, read_bundle, write_bundle
from models.policies.tree import BadTree, Leaf, PolicyTree, Split
from models.policies.tree_words import tree_lines
from models.prepare import debtor_columns
from tests.deciding import GRID, arms, bundle_of, decided, rate_model, rows_of
from tests.portfolios import CHANNELS, histories
from tests.strategies import START, random_tables

TREE = PolicyTree(
    Split(
        "since_payment", 30.0,
        Leaf("none", "", 50),
        Split("outstanding_all_log", np.log1p(500.0), Leaf("sms", "evening", 80, 1.25, -0.5, 3.0), Leaf("phone", "morning", 7)),
    )
)  # fmt: skip
WEDNESDAY = START + timedelta(days=287, hours=6)


def by_tree(**changes: object) -> Bundle:
    found = histories(random_tables(21, debtors=60))
    return replace(bundle_of(found, rate_model(), chooser="tree", tree=TREE), **changes)  # type: ignore[arg-type] # fields by name


def test_questions_are_answered_by_at_most_and_missing_values_go_to_no() -> None:
    columns = {
        "since_payment": np.array([30.0, 30.5, np.nan, np.nan]),
        "outstanding_all_log": np.log1p([1.0, 400.0, 600.0, np.nan]),
    }
    assert TREE.leaf_of(columns, size=4).tolist() == [0, 1, 2, 2]


def test_a_leaf_s_action_is_the_first_allowed_slot_of_its_cell_or_none() -> None:
    grid = ActionGrid(CHANNELS, days=2, hours=(8, 18))
    columns = {"since_payment": np.full(3, 99.0), "outstanding_all_log": np.zeros(3)}
    allowed = np.ones((3, grid.size), dtype=bool)
    allowed[1, grid.action_of(1, 0, 18)] = False
    allowed[2, 1 : 1 + grid.slots] = False
    actions = TREE.actions(columns, allowed, grid=grid)
    assert actions.tolist() == [grid.action_of(1, 0, 18), grid.action_of(1, 1, 18), 0]


def test_a_tree_about_another_feature_or_channel_is_refused() -> None:
    with pytest.raises(BadTree, match="asks about since_payment, which is no feature here"):
        TREE.leaf_of({"outstanding_all_log": np.zeros(1)}, size=1)
    with pytest.raises(BadTree, match="sends by 'pigeon' in the 'morning'"):
        PolicyTree(Leaf("pigeon", "morning")).actions({}, np.ones((1, GRID.size), dtype=bool), grid=GRID)


def test_a_tree_decides_the_same_after_a_round_trip_through_a_bundle(tmp_path: Path) -> None:
    found, before = histories(random_tables(21, debtors=60)), by_tree()
    after = read_bundle(write_bundle(before, tmp_path / "m1"))
    assert after.tree == TREE
    first, second = (decided(found, WEDNESDAY, bundle=one, config=arms(champion=1.0)) for one in (before, after))
    assert rows_of(first) == rows_of(second)
    assert read_bundle(write_bundle(by_tree(tree=None, chooser="value"), tmp_path / "m2")).tree is None


def test_every_debtor_gets_what_its_leaf_says_inside_the_rules() -> None:
    found = histories(random_tables(21, debtors=60))
    subject = decided(found, WEDNESDAY, bundle=by_tree(), config=arms(champion=1.0))
    leaf = TREE.leaf_of(debtor_columns(subject.prepared), size=subject.prepared.situation.size)
    action, modelled = subject.choice.action, subject.choice.arm == 2
    assert len(set(leaf[modelled].tolist())) == 3
    assert subject.prepared.allowed[np.arange(len(action)), action].all()
    wanted = {0: ("none", -1), 1: ("sms", 2), 2: ("phone", 0)}
    for number, (channel, part) in wanted.items():
        mine = modelled & (leaf == number)
        cell = (GRID.channel == CHANNELS.index(channel)) & (GRID.daypart == part)
        could = (subject.prepared.allowed & cell).any(axis=1)
        assert (GRID.channel[action[mine & could]] == CHANNELS.index(channel)).all()
        assert (GRID.daypart[action[mine & could]] == part).all()
        assert (action[mine & ~could] == 0).all()


def test_a_debtor_alone_ends_in_the_leaf_it_ends_in_among_others() -> None:
    found = histories(random_tables(21, debtors=60))
    subject = decided(found, WEDNESDAY, bundle=by_tree(), config=arms(champion=1.0))
    columns = debtor_columns(subject.prepared)
    moment, rows = subject.prepared.targets.moment, subject.prepared.rows.matrix
    names = list(columns)
    for debtor in range(subject.prepared.situation.size):
        for claim in np.flatnonzero(moment == debtor):
            mine = [columns[name][debtor] for name in names]
            np.testing.assert_array_equal(rows[claim, : len(names)], mine)


def test_a_tree_s_contact_must_be_worth_the_dial_where_one_is_set() -> None:
    found, tree = histories(random_tables(21, debtors=200)), PolicyTree(Leaf("letter", "morning"))
    counts = []
    for least in (0.0, 20.0, 1e6):
        config = replace(arms(champion=1.0), policy=PolicySettings(least_value_eur=least))
        subject = decided(found, WEDNESDAY, bundle=by_tree(tree=tree), config=config)
        made = (subject.choice.action > 0) & (subject.choice.arm == 2)
        value = subject.scored.value_eur[np.arange(len(made)), subject.choice.action]
        assert (value[made] >= least).all() or least == 0.0
        counts.append(int(made.sum()))
    assert counts[0] > counts[1] > counts[2] == 0


def test_the_words_tell_every_question_and_end() -> None:
    assert tree_lines(TREE, channels=CHANNELS) == [
        "If days since the last payment: at most 30",
        "    no contact",
        "Else (more, or: no payment yet)",
        "    If the outstanding sum of all open claims: at most 500 EUR",
        "        sms in the evening: +1.25 EUR a decision over no contact (95 %: -0.50 to +3.00; 80 decisions)",
        "    Else (more)",
        "        phone in the morning (7 decisions: too few to say what it brings in)",
    ]


def test_the_default_configuration_draws_nothing_for_a_tree_even_under_softmax() -> None:
    found = histories(random_tables(21, debtors=60))
    config = replace(arms(champion=1.0), policy=PolicySettings("softmax"))
    drawn = decided(found, WEDNESDAY, bundle=by_tree(), config=config)
    plain = decided(found, WEDNESDAY, bundle=by_tree(), config=replace(Config(), arms=config.arms))
    assert (drawn.choice.action == plain.choice.action).all()
    assert (drawn.choice.action_probability == 1).all()
