"""Calibration by slice, features that tell the outcome, and contact pressure at equal need: what is planted is found."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.gate.calibration import FEWEST_IN_SLICE, calibration_slices
from training.gate.fairness import CERTAINTY, FEWEST_IN_GROUP, STEPS, need_strata, pressure
from training.gate.leakage import ALARM, most_telling


def groups(rng: np.random.Generator, size: int, *words: str) -> np.ndarray:
    return np.array(words, dtype=object)[rng.integers(0, len(words), size)]


def test_a_slice_that_is_off_is_told_beside_the_whole_and_a_small_one_is_not() -> None:
    rng = np.random.default_rng(1)
    size = 3 * FEWEST_IN_SLICE
    chance = rng.uniform(0.1, 0.4, size)
    group = np.where(np.arange(size) < FEWEST_IN_SLICE, "sms AT", "letter AT").astype(object)
    group[-5:] = "phone AT"
    paid = rng.random(size) < chance + np.where(group == "sms AT", 0.1, 0.0)
    found = {one.name: one for one in calibration_slices(chance, paid, group=group, rng=rng)}
    assert set(found) == {"all", "sms AT", "letter AT"}
    assert found["sms AT"].error == pytest.approx(0.1, abs=0.02)
    assert found["letter AT"].error < 0.04
    assert found["letter AT"].error == pytest.approx(found["letter AT"].by_chance, abs=0.01)


@pytest.mark.parametrize("leak", ["same", "reversed", "by being missing", "in the middle"])
def test_a_feature_that_tells_the_outcome_is_named_however_it_does(leak: str) -> None:
    rng = np.random.default_rng(3)
    paid = rng.random(4_000) < 0.2
    matrix = rng.normal(size=(4_000, 6)).astype(np.float32)
    shown = {
        "same": paid * 1.0, "reversed": -1.0 * paid, "by being missing": np.where(paid, np.nan, 1.0),
        "in the middle": np.where(paid, 0.0, rng.choice([-1.0, 1.0], 4_000)),
    }  # fmt: skip
    matrix[:, 4] = shown[leak]
    names = tuple("abcdef")
    found = most_telling((matrix[:2_000], paid[:2_000]), (matrix[2_000:], paid[2_000:]), names=names)
    assert found.feature == "e"
    assert found.auc > ALARM


def test_the_figure_is_the_auc_of_a_feature_that_is_its_own_bin() -> None:
    rng = np.random.default_rng(9)
    values = rng.integers(0, 12, 4_000).astype(np.float32)
    paid = rng.random(4_000) < 0.05 + 0.06 * values
    found = most_telling((values[:, None], paid), (values[:, None], paid), names=("a",))
    means = np.array([paid[values == one].mean() for one in range(12)])
    assert found.auc == pytest.approx(roc_auc_score(paid, means[values.astype(int)]), abs=1e-3)


def test_no_feature_that_says_nothing_raises_the_alarm() -> None:
    rng = np.random.default_rng(4)
    paid = rng.random(3_000) < 0.2
    matrix = rng.normal(size=(3_000, 8)).astype(np.float32)
    matrix[:, 2] = np.nan
    found = most_telling((matrix[:1_500], paid[:1_500]), (matrix[1_500:], paid[1_500:]), names=tuple("abcdefgh"))
    assert found.auc < 0.6


def test_a_group_that_gets_more_contacts_at_equal_need_is_found() -> None:
    rng = np.random.default_rng(5)
    group, need = groups(rng, 8_000, "a", "b"), rng.integers(0, STEPS**2, 8_000)
    contacted = rng.random(8_000) < np.where(group == "a", 0.6, 0.4)
    found = pressure("sex", contacted, group=group, need=need, unit=np.arange(len(need)))
    assert found.too_high
    assert found.ratio == pytest.approx(1.5, abs=0.15)


def test_a_group_that_gets_more_contacts_because_it_needs_more_is_not() -> None:
    rng = np.random.default_rng(6)
    group = groups(rng, 20_000, "a", "b")
    need = np.where(
        group == "a", rng.integers(0, 16, 20_000), np.minimum(rng.integers(0, 16, 20_000), rng.integers(0, 16, 20_000))
    )
    contacted = rng.random(20_000) < 0.1 + 0.05 * need
    assert contacted[group == "a"].mean() / contacted[group == "b"].mean() > 1.25
    assert not pressure("age", contacted, group=group, need=need, unit=np.arange(len(need))).too_high


def test_groups_that_differ_by_chance_alone_are_held_against_a_policy_in_one_of_a_hundred_worlds_at_most() -> None:
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        group, need = groups(rng, 5_000, *"abcdefghij"), rng.integers(0, STEPS**2, 5_000)
        contacted = rng.random(5_000) < 0.3
        held += pressure("area", contacted, group=group, need=need, unit=np.arange(5_000)).too_high
    assert held <= 300 * (1 - CERTAINTY)


def test_debtors_decided_on_often_are_not_many_debtors() -> None:
    """Six debtors in each group, always or never contacted: four of the one and two of the other may be chance."""
    debtor = np.repeat(np.arange(12), 400)
    group = np.where(debtor < 6, "a", "b").astype(object)
    contacted = np.isin(debtor, [0, 1, 2, 3, 6, 7])
    need = np.zeros(len(debtor), dtype=np.int64)
    found = pressure("sex", contacted, group=group, need=need, unit=debtor)
    assert found.ratio == pytest.approx(2.0)
    assert not found.too_high
    assert pressure("sex", contacted, group=group, need=need, unit=np.arange(len(debtor))).too_high


def test_small_groups_and_unknown_ones_are_left_out() -> None:
    rng = np.random.default_rng(7)
    group = groups(rng, 2_000, "a", "b", "")
    group[: FEWEST_IN_GROUP - 1] = "small"
    found = pressure(
        "area", np.ones(2_000, dtype=bool), group=group, need=np.zeros(2_000, dtype=np.int64), unit=np.arange(2_000)
    )
    assert set(found.contacts) == {"a", "b"}
    assert found.ratio == 1.0


def test_need_has_sixteen_strata_of_about_equal_size() -> None:
    rng = np.random.default_rng(8)
    count = np.bincount(need_strata(rng.random(8_000), rng.exponential(100, 8_000)))
    assert len(count) == STEPS**2
    assert count.min() > 350
