"""The grid scorer says what LightGBM says, for every kind of model, on hard rows, whatever the grid and its blocks."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.grid import GridScorer, Offset, UnsupportedModel, WrongShape
from models.grid._kernels import BLOCK
from tests.models.grid.boosters import ACTION, CONTEXT, KINDS, WIDTH, actions, booster, expanded, hard_rows, table
from tests.models.naive_trees import raw_score

ACTION_COLUMNS = range(CONTEXT, WIDTH)


def scorer(kind: str) -> GridScorer:
    return GridScorer(booster(kind), ACTION_COLUMNS)


def by_lightgbm(model: lgb.Booster, rows: np.ndarray, grid: np.ndarray) -> np.ndarray:
    cells = expanded(rows, grid)
    return np.asarray(model.predict(cells, raw_score=True, num_threads=1)).reshape(len(rows), len(grid))


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_is_what_lightgbm_says_on_ordinary_odd_and_on_threshold_rows(kind: str) -> None:
    rows, grid = hard_rows(booster(kind), 60, seed=3), actions()
    told = scorer(kind).bind(grid).raw(rows)
    np.testing.assert_allclose(told, by_lightgbm(booster(kind), rows, grid), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_slow_twin_has_lightgbms_bits(kind: str) -> None:
    rows, grid = hard_rows(booster(kind), 4, seed=5), actions()[[0, 1, 40, 84]]
    cells = expanded(rows, grid)
    slow = [raw_score(booster(kind), row) for row in cells]
    np.testing.assert_array_equal(slow, booster(kind).predict(cells, raw_score=True, num_threads=1))


@pytest.mark.parametrize("kind", ["binary", "150 leaves", "action first", "no action", "many thresholds"])
def test_a_row_alone_has_the_bits_that_it_has_among_others(kind: str) -> None:
    rows, grid = hard_rows(booster(kind), 190, seed=7), scorer(kind).bind(actions())
    together = grid.raw(rows)
    alone = np.vstack([grid.raw(rows[one : one + 1]) for one in range(len(rows))])
    np.testing.assert_array_equal(together, alone)
    assert len(rows) > BLOCK


def test_threads_order_and_choice_of_rows_change_nothing() -> None:
    rows, grid = hard_rows(booster("binary"), 700, seed=9), scorer("binary").bind(actions())
    told = grid.raw(rows)
    np.testing.assert_array_equal(grid.raw(rows, threads=2), told)
    order = np.random.default_rng(1).permutation(len(rows))
    np.testing.assert_array_equal(grid.raw(rows[order]), told[order])
    some, out = np.arange(0, len(rows), 3), np.full(told.shape, np.nan)
    grid.raw(rows, take=some, out=out)
    np.testing.assert_array_equal(out[some], told[some])
    assert np.isnan(np.delete(out, some, axis=0)).all()


def test_rows_in_single_precision_are_the_numbers_that_they_are() -> None:
    rows, grid = table(50, 11)[0][:, :CONTEXT].astype(np.float32), actions()
    told = scorer("binary").bind(grid).raw(rows)
    np.testing.assert_allclose(told, by_lightgbm(booster("binary"), rows.astype(np.float64), grid), rtol=0, atol=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 40), st.sampled_from(sorted(KINDS)))
@settings(max_examples=60, deadline=None)
def test_any_set_of_actions_is_a_grid(seed: int, size: int, kind: str) -> None:
    grid = table(max(size, 2), seed)[0][:size, CONTEXT:]
    rows = table(5, seed + 1)[0][:, :CONTEXT]
    told = scorer(kind).bind(grid).raw(rows)
    np.testing.assert_allclose(told, by_lightgbm(booster(kind), rows, grid), rtol=0, atol=1e-12)


def test_another_day_binds_without_compiling_and_the_same_one_is_remembered() -> None:
    compiled, rows = scorer("binary"), table(20, 2)[0][:, :CONTEXT]
    for pay_day in (3, 17, 30):
        grid = actions(pay_day)
        told = compiled.bind(grid).raw(rows)
        np.testing.assert_allclose(told, by_lightgbm(booster("binary"), rows, grid), rtol=0, atol=1e-12)
    assert compiled.bind(actions(17)) is compiled.bind(actions(17))


def test_action_columns_may_stand_anywhere() -> None:
    rows, whole = table(30, 4)[0], GridScorer(booster("binary"), [8, 0])
    context = np.delete(rows, [0, 8], axis=1)
    grid = np.array([[8.0, -1.0], [12.0, 0.3], [18.0, np.nan]])
    told = whole.bind(grid).raw(context)
    for number, (hour, first) in enumerate(grid):
        cells = rows.copy()
        cells[:, 8], cells[:, 0] = hour, first
        np.testing.assert_allclose(
            told[:, number], booster("binary").predict(cells, raw_score=True), rtol=0, atol=1e-12
        )


def test_a_model_of_many_categories_keeps_them_apart() -> None:
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.integers(0, 400, 6_000), rng.integers(0, 3, 6_000)]).astype(float)
    labels = np.sin(x[:, 0]) * (x[:, 1] + 1) + rng.normal(size=6_000)
    fit = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 0.1}
    model = lgb.train(fit | {"max_cat_threshold": 400}, lgb.Dataset(x, labels, categorical_feature=[0, 1]), 20)
    rows, grid = np.arange(-2.0, 420.0)[:, None], np.array([[0.0], [1.0], [2.0], [7.0]])
    told = GridScorer(model, [1]).bind(grid).raw(rows)
    np.testing.assert_allclose(told, by_lightgbm(model, rows, grid), rtol=0, atol=1e-12)


def test_a_column_without_any_split_and_no_rows_at_all_are_no_obstacle() -> None:
    grid = scorer("no action").bind(actions())
    told = grid.raw(table(10, 1)[0][:, :CONTEXT])
    assert (told == told[:, :1]).all()
    assert grid.raw(np.empty((0, CONTEXT))).shape == (0, 85)


def test_zeros_that_count_as_missing_and_an_infinite_threshold_are_kept_apart() -> None:
    rng = np.random.default_rng(1)
    x, action = rng.choice([0.0, 1.0, 2.0, np.inf, -np.inf], 2_000), rng.integers(0, 3, 2_000).astype(float)
    y = (x == 0) * 3.0 + (x == np.inf) + action * (x == 0)
    fit = {"objective": "regression", "zero_as_missing": True, "min_data_in_leaf": 1, "min_data_in_bin": 1}
    model = lgb.train(fit | {"verbose": -1, "num_threads": 1}, lgb.Dataset(np.column_stack([x, action]), y), 10)
    rows, grid = np.array([[0.0], [1.0], [2.0], [np.inf], [-np.inf], [np.nan]]), np.array([[0.0], [1.0], [2.0]])
    told = GridScorer(model, [1]).bind(grid).raw(rows)
    np.testing.assert_allclose(told, by_lightgbm(model, rows, grid), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["threshold", "leaf_value", "Tree", "left_child", "is_linear", "num_leaves"])
def test_columns_may_be_named_like_lightgbms_own_fields(name: str) -> None:
    x, y = table(500, 3)
    names = [name, *(f"f{number}" for number in range(WIDTH - 1))]
    fit = {"objective": "regression", "num_leaves": 2, "verbose": -1, "num_threads": 1}
    model = lgb.train(fit, lgb.Dataset(x, y, feature_name=names), 1)
    told = GridScorer(model, ACTION_COLUMNS).bind(actions()).raw(x[:20, :CONTEXT])
    np.testing.assert_allclose(told, by_lightgbm(model, x[:20, :CONTEXT], actions()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda rows: np.repeat(rows, 2, axis=1)[:, ::2], np.float16])
def test_rows_may_lie_in_memory_as_they_like(change: Callable[[np.ndarray], np.ndarray]) -> None:
    rows, grid = table(30, 6)[0][:, :CONTEXT].astype(np.float16).astype(np.float64), scorer("binary").bind(actions())
    fixed = rows.copy()
    fixed.setflags(write=False)
    np.testing.assert_array_equal(grid.raw(change(rows)), grid.raw(fixed))


@pytest.mark.parametrize("steepness", [1.0, 2.5])
def test_chances_are_lightgbms_and_offsets_are_added_before_the_logistic(steepness: float) -> None:
    x, y = table(800, 8)
    fit = {"objective": "binary", "sigmoid": steepness, "verbose": -1, "num_threads": 1}
    model = lgb.train(fit, lgb.Dataset(x, (y > 1).astype(float)), 10)
    rows, cells = x[:40, :CONTEXT], actions()
    grid = GridScorer(model, ACTION_COLUMNS).bind(cells)
    plain = np.asarray(model.predict(expanded(rows, cells), num_threads=1)).reshape(40, -1)
    np.testing.assert_allclose(grid.probability(rows), plain, rtol=0, atol=1e-12)
    channel = cells[:, 0].astype(np.int64)
    by_channel = np.random.default_rng(1).normal(size=(40, 5))
    odds = np.log(plain / (1 - plain)) + steepness * by_channel[:, channel]
    told = grid.probability(rows, offsets=[Offset(by_channel, channel)])
    np.testing.assert_allclose(told, 1 / (1 + np.exp(-odds)), rtol=0, atol=1e-12)


def test_chances_of_a_model_that_is_not_binary_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="objective `binary` only: take `raw`"):
        scorer("regression").bind(actions()).probability(np.zeros((1, CONTEXT)))


def test_linear_leaves_are_refused() -> None:
    x, y = table(500, 1)
    x = np.nan_to_num(x)
    model = lgb.train(
        {"objective": "regression", "linear_tree": True, "verbose": -1, "num_threads": 1}, lgb.Dataset(x, y), 3
    )
    with pytest.raises(
        UnsupportedModel, match="linear leaves, whose value moves with the row: train with linear_tree=false"
    ):
        GridScorer(model, ACTION_COLUMNS)


def test_several_outputs_a_row_are_refused() -> None:
    x, y = table(500, 1)
    fit = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    model = lgb.train(fit, lgb.Dataset(x, np.digitize(y, [0.5, 2.0])), 3)
    with pytest.raises(UnsupportedModel, match=r"3 outputs a row \(classes\)"):
        GridScorer(model, ACTION_COLUMNS)


def test_rows_and_actions_of_another_shape_are_refused() -> None:
    compiled = scorer("binary")
    with pytest.raises(WrongShape, match=r"columns 0 to 10, none of \[11\]"):
        GridScorer(booster("binary"), [7, 11])
    with pytest.raises(WrongShape, match=r"\(at least 1, 4\) are expected, came \(3, 5\)"):
        compiled.bind(np.zeros((3, ACTION + 1)))
    with pytest.raises(WrongShape, match=r"\(at least 1, 4\) are expected, came \(0, 4\)"):
        compiled.bind(np.zeros((0, ACTION)))
    with pytest.raises(WrongShape, match=r"rows of 7 columns are expected, .* came shape \(2, 11\)"):
        compiled.bind(actions()).raw(np.zeros((2, WIDTH)))
    with pytest.raises(WrongShape, match=r"a column is the action's once, came \[7, 7\]"):
        GridScorer(booster("binary"), [7, 7])


def test_no_memory_but_the_rows_own_is_ever_touched() -> None:
    rows, grid = table(50, 1)[0][:, :CONTEXT], scorer("binary").bind(actions())
    with pytest.raises(WrongShape, match=r"`take` names rows 0 to 50, there are rows 0 to 49"):
        grid.raw(rows, take=np.array([0, 50]))
    with pytest.raises(WrongShape, match=r"`take` names rows -1 to 3"):
        grid.raw(rows, take=np.array([-1, 3]))
    with pytest.raises(WrongShape, match=r"`out` of shape \(50, 85\) and float64 is expected, came \(2, 3\)"):
        grid.raw(rows, out=np.empty((2, 3)))
    assert np.isnan(grid.raw(rows, take=np.arange(5))[5:]).all()
