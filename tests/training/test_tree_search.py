"""The search for trees: as good as trying every tree, honest about size, quiet where there is nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deciding import FloatArray
from training.tree_search import Binned, Cut, End, Found, actions_of, binned, ends, pruned, search


def best_by_trial(scores: FloatArray, features: Binned, *, depth: int, least_rows: int) -> float:
    """The highest summed score of all trees, tried one by one; −inf where a leaf would be too small."""
    if len(scores) < least_rows:
        return -np.inf
    best = float(scores.sum(axis=0).max())
    if depth:
        for feature, cuts in enumerate(features.cuts):
            for place in range(len(cuts)):
                yes = features.code[:, feature] <= place
                sides = [
                    best_by_trial(
                        scores[side], Binned(features.cuts, features.code[side]), depth=depth - 1, least_rows=least_rows
                    )
                    for side in (yes, ~yes)
                ]
                best = max(best, sum(sides))
    return best


def worth(found: Found, scores: FloatArray, features: Binned) -> float:
    return float(scores[np.arange(len(scores)), actions_of(found, features.code)].sum())


def sizes(found: Found, code: np.ndarray) -> list[int]:
    if isinstance(found, End):
        return [len(code)]
    yes = code[:, found.feature] <= found.place
    return [*sizes(found.yes, code[yes]), *sizes(found.no, code[~yes])]


def made(seed: int, *, rows: int = 50) -> tuple[FloatArray, Binned]:
    """Scores of three actions that depend a little on the first of three features; some values are missing."""
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, 6, (rows, 3)).astype(np.float64)
    scores = rng.normal(0, 1, (rows, 3)) + columns[:, :1] * np.array([0.0, 0.2, -0.2])
    columns[rng.random(columns.shape) < 0.1] = np.nan
    return scores, binned(columns, bins=4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), least=st.sampled_from([1, 5, 12]), depth=st.sampled_from([0, 1, 2]))
def test_up_to_two_questions_no_tree_is_better(seed: int, least: int, depth: int) -> None:
    scores, features = made(seed)
    found = search(scores, features, depth=depth, least_rows=least)
    assert worth(found, scores, features) == pytest.approx(
        best_by_trial(scores, features, depth=depth, least_rows=least)
    )
    assert min(sizes(found, features.code)) >= least
    assert len(ends(found)) <= 2**depth


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_third_question_never_makes_it_worse(seed: int) -> None:
    scores, features = made(seed, rows=80)
    two, three = (search(scores, features, depth=depth, least_rows=5) for depth in (2, 3))
    assert worth(three, scores, features) >= worth(two, scores, features) - 1e-9
    assert min(sizes(three, features.code)) >= 5


def test_a_rule_of_two_questions_is_found_where_neither_alone_shows() -> None:
    rng = np.random.default_rng(1)
    columns = rng.random((2_000, 4))
    apart = (columns[:, 1] > 0.5) ^ (columns[:, 3] > 0.5)
    scores = np.stack([np.zeros(2_000), np.where(apart, 1.0, -1.0)], axis=1) + rng.normal(0, 0.5, (2_000, 2))
    features = binned(columns, bins=10)
    found = search(scores, features, depth=2, least_rows=50)
    assert isinstance(found, Cut)
    assert {found.feature, *(one.feature for one in (found.yes, found.no) if isinstance(one, Cut))} == {1, 3}
    assert (actions_of(found, features.code) == apart).mean() > 0.9


def test_every_value_is_coded_by_the_cuts_below_it_and_missing_ones_come_last() -> None:
    columns = np.array([[np.nan], [1.0], [2.0], [2.0], [5.0], [9.0]])
    found = binned(columns, bins=3)
    assert found.cuts[0].tolist() == [2.0, 5.0] or found.cuts[0].tolist() == [2.0]
    for value, code in zip(columns[:, 0].tolist(), found.code[:, 0].tolist(), strict=True):
        assert code == (len(found.cuts[0]) if np.isnan(value) else (found.cuts[0] < value).sum())


@pytest.mark.parametrize("values", [np.full(10, 3.0), np.full(10, np.nan)])
def test_a_feature_that_says_nothing_is_never_asked_about(values: FloatArray) -> None:
    features = binned(values[:, None], bins=4)
    assert len(features.cuts[0]) == 0 or np.isnan(values).any()
    scores = np.random.default_rng(1).normal(0, 1, (10, 2))
    assert search(scores, features, depth=2, least_rows=1) == End(int(np.argmax(scores.sum(axis=0))))


@pytest.mark.parametrize(("strength", "kept"), [(0.0, False), (1.0, True)])
def test_pruning_keeps_what_is_sure_and_takes_what_is_not(strength: float, kept: bool) -> None:
    rng = np.random.default_rng(4)
    columns = rng.random((600, 5))
    effect = np.where(columns[:, 2] > 0.4, strength, -strength)
    scores = np.stack([np.zeros(600), effect + rng.normal(0, 1, 600)], axis=1)
    features = binned(columns, bins=8)
    grown = search(scores, features, depth=1, least_rows=60)
    found = pruned(grown, scores, features.code, unit=np.arange(600), least_errors=4.0)
    assert isinstance(found, Cut) == kept


def test_rows_of_one_debtor_count_as_one_when_pruning() -> None:
    rng = np.random.default_rng(6)
    person = np.repeat(np.arange(30), 20)
    columns = rng.random((30, 1))[person]
    taste = rng.normal(0, 1, 30)[person]
    scores = np.stack([np.zeros(600), taste + np.where(columns[:, 0] > 0.5, 0.4, -0.4)], axis=1)
    features = binned(columns, bins=4)
    grown = Cut(0, 1, End(0), End(1))
    apart, together = (
        pruned(grown, scores, features.code, unit=unit, least_errors=5.0) for unit in (np.arange(600), person)
    )
    assert isinstance(apart, Cut)
    assert isinstance(together, End)


def test_depths_beyond_the_data_end_in_one_action() -> None:
    for rows, depth in product((0, 1, 3), (1, 2, 3)):
        scores, features = np.zeros((rows, 2)), binned(np.arange(rows, dtype=np.float64)[:, None], bins=4)
        assert search(scores, features, depth=depth, least_rows=10) == End(0)
