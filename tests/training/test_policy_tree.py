"""Policy trees from a log: a planted rule is found and told truly, nothing is promised where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.vocabulary import DAYPARTS
from models.policies.tree import Split
from models.prepare import debtor_columns
from tests.deciding import PACKS, bundle_of, rate_model
from tests.portfolios import CHANNELS, CONFIG
from training.fit import recipe
from training.material import Material
from training.policy_tree import (
    READABLE,
    TREE_SETTINGS,
    LearntTree,
    TooFewDrawn,
    TreeSettings,
    fit_tree,
    learn_tree,
    tree_settings,
    with_tree,
)
from training.policy_value import Judged, decide_again
from training.splits import judged_debtors
from training.unseen import learnt_without_judged

QUICK = TreeSettings(least_rows=60, base="incumbent")


@pytest.fixture(scope="module")
def material(large_material: Material) -> Material:
    return large_material


@pytest.fixture(scope="module")
def drawn(material: Material) -> Judged:
    return material.drawn


@pytest.fixture(scope="module")
def owed(drawn: Judged, material: Material) -> np.ndarray:
    """Log of what each debtor owed, shape (n,)."""
    bundle = bundle_of(material.histories, rate_model())
    again = decide_again(material.histories, drawn, bundle=bundle, config=CONFIG, packs=PACKS)
    return debtor_columns(again.prepared)["outstanding_all_log"].astype(np.float64)


def planted(drawn: Judged, owed: np.ndarray, *, gain_eur: float) -> Judged:
    """The log, had every contact by letter or mailbox brought in `gain_eur` from who owes much, and by e-mail from others."""
    much = owed > np.median(owed)
    dear = np.isin(drawn.channel, [CHANNELS.index("letter"), CHANNELS.index("digital_mailbox")])
    cheap = drawn.channel == CHANNELS.index("email")
    return replace(drawn, paid_eur=np.where(np.where(much, dear, cheap), gain_eur, 0.0))


def test_drawn_decisions_are_random_ones_on_debtors_that_no_policy_is_judged_on(
    drawn: Judged, material: Material
) -> None:
    held_out = judged_debtors(material.histories.debtor_id, seed=material.seed)
    assert len(drawn.debtor) > 500
    assert not held_out[drawn.debtor].any()
    assert held_out[material.judged.debtor].all()
    assert ((drawn.action_probability > 0) & (drawn.action_probability < 1)).all()


def test_a_planted_rule_is_found_and_its_worth_told(drawn: Judged, owed: np.ndarray, material: Material) -> None:
    found = learn_tree(planted(drawn, owed, gain_eur=100.0), material, settings=QUICK)
    asked = {found.tree.root.feature} if isinstance(found.tree.root, Split) else set()
    assert asked & {"outstanding_all_log", "largest_open_log"}
    assert {leaf.channel for leaf in found.tree.leaves} <= {"email", "letter", "digital_mailbox"}
    assert found.over_none.low > 0
    assert found.over_none.low < 100 < found.over_none.high + 100
    assert found.over_best.value > 0
    assert found.grown_on + found.told_on == len(drawn.debtor)


def test_where_contact_only_costs_the_tree_makes_none(drawn: Judged, material: Material) -> None:
    paid = np.where(drawn.channel == 0, 300.0, 0.0)
    found = learn_tree(replace(drawn, paid_eur=paid), material, settings=QUICK)
    assert [leaf.channel for leaf in found.tree.leaves] == ["none"]
    assert found.over_none.value == 0.0
    assert found.lines()[0] == "no contact"


def test_in_a_log_of_noise_the_telling_half_promises_nothing_more_often_than_chance(
    drawn: Judged, material: Material
) -> None:
    promised = []
    for seed in range(12):
        paid = np.random.default_rng(seed).exponential(20.0, len(drawn.debtor))
        found = learn_tree(replace(drawn, paid_eur=paid), material, settings=replace(QUICK, depth=1))
        promised.append(found.over_none.low > 0)
    assert sum(promised) <= 3  # more has a chance below .0003 where each promises in 2.5 % of logs


def test_the_same_log_and_seed_grow_the_same_tree(drawn: Judged, owed: np.ndarray, material: Material) -> None:
    log = planted(drawn, owed, gain_eur=50.0)
    first, second = (learn_tree(log, material, settings=QUICK) for _ in range(2))
    assert first == second


def test_untried_channels_are_in_no_leaf(drawn: Judged, owed: np.ndarray, material: Material) -> None:
    log = planted(drawn, owed, gain_eur=100.0)
    found = learn_tree(log, material, settings=QUICK, untried=("email", "none"))
    assert "email" not in {leaf.channel for leaf in found.tree.leaves}


def test_too_few_random_decisions_are_told_with_their_number(drawn: Judged, material: Material) -> None:
    few = Judged(*(getattr(drawn, name)[:90] for name in Judged.__dataclass_fields__))
    with pytest.raises(TooFewDrawn, match=r"half has \d+ randomised decisions, expected at least 120: draw more"):
        learn_tree(few, material, settings=QUICK)


def test_what_a_tree_may_ask_about_is_a_feature_of_the_debtor_and_nothing_of_the_person() -> None:
    from features.catalogue import SENSITIVE, debtor_features

    features = {one.name: one for one in debtor_features(CHANNELS)}
    assert set(READABLE) <= set(features)
    assert not set(READABLE) & set(SENSITIVE)
    assert not {features[name].group for name in READABLE} & {"person"} - {
        "person" if "other_debts" in READABLE else ""
    }
    assert not any(features[name].category for name in READABLE)


def test_a_bundle_with_the_tree_decides_by_it_and_says_so(drawn: Judged, owed: np.ndarray, material: Material) -> None:
    learnt: LearntTree = learn_tree(planted(drawn, owed, gain_eur=100.0), material, settings=QUICK)
    draft = bundle_of(
        material.histories, rate_model(), recipe="incumbent", card={"seed": 1, "settings": {"base": "incumbent"}}
    )
    bundle = with_tree(draft, learnt)
    assert (bundle.chooser, bundle.recipe, bundle.card["tree"]) == ("tree", "tree", learnt.lines())
    again = decide_again(material.histories, material.judged, bundle=bundle, config=CONFIG, packs=PACKS)
    wanted = {leaf.channel for leaf in learnt.tree.leaves} | {"none"}
    judged = again.prepared.situation.objected_us > again.prepared.situation.as_of_us
    grid = again.prepared.grid
    assert {CHANNELS[code] for code in grid.channel[again.choice.action[judged]].tolist()} <= wanted
    parts = {leaf.daypart for leaf in learnt.tree.leaves}
    assert {DAYPARTS[part] for part in grid.daypart[again.choice.action[judged]].tolist() if part >= 0} <= parts
    unseen = learnt_without_judged(bundle, material)
    assert (unseen.chooser, unseen.tree) == ("tree", learnt.tree)


def test_the_recipe_s_model_is_that_of_its_base_and_its_chooser_the_tree(
    drawn: Judged, owed: np.ndarray, material: Material
) -> None:
    log = planted(drawn, owed, gain_eur=100.0)
    fitted, learnt = fit_tree(log, material, settings={"least_rows": 60, "base": "incumbent"}, untried=())
    base = recipe("incumbent")(material.rows, material.split, material.reference, {}, material.seed)
    assert (fitted.chooser, fitted.constant, fitted.model) == ("tree", None, base.model)
    assert learnt == learn_tree(log, material, settings=QUICK)
    assert tree_settings(TREE_SETTINGS) == TreeSettings()
