"""A model says of a grid what it says of the grid's rows, one by one."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from models.cells import GridCells, RowCells
from tests.deciding import COLUMNS, GRID, FormulaModel, by_everything, rate_model

ACTIONS = 8
WIDTH = len(COLUMNS) - ACTIONS


def grid_of(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows without an action, and actions: `none`, then every channel at odd hours."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, WIDTH)).astype(np.float32)
    actions = rng.normal(size=(GRID.size, ACTIONS)).astype(np.float32)
    actions[:, 0] = GRID.channel
    actions[0, 1:] = np.nan
    return rows, actions


def expanded(rows: np.ndarray, actions: np.ndarray) -> np.ndarray:
    return np.hstack([np.repeat(rows, len(actions), axis=0), np.tile(actions, (len(rows), 1))])


@pytest.mark.parametrize("model", [rate_model(), FormulaModel(by_everything)])
def test_a_formula_of_columns_gives_the_same_for_grid_and_rows(model: FormulaModel) -> None:
    rows, actions = grid_of(6, 1)
    told = np.broadcast_to(model.chance(GridCells(rows, actions)), (6, GRID.size))
    np.testing.assert_allclose(told.ravel(), model.probability(expanded(rows, actions)), rtol=0, atol=1e-6)


def test_parts_of_a_grid_are_the_parts_of_its_rows() -> None:
    rows, actions = grid_of(4, 2)
    grid, cells = GridCells(rows, actions), RowCells(expanded(rows, actions))
    here = actions[:, 0] == 2
    np.testing.assert_array_equal(grid.only(here).actions, actions[here])
    every = np.tile(here, 4)
    np.testing.assert_array_equal(expanded(grid.only(here).rows, grid.only(here).actions), cells.only(every).rows)
    picked = np.arange(GRID.size) % WIDTH
    np.testing.assert_array_equal(grid.picked(picked).ravel(), cells.picked(np.tile(picked, 4)))
    blank = grid.without_action(WIDTH)
    np.testing.assert_array_equal(
        np.repeat(expanded(blank.rows, blank.actions), GRID.size, axis=0), cells.without_action(WIDTH).rows
    )
    last = grid.with_last(3.0)
    np.testing.assert_array_equal(expanded(last.rows, last.actions), cells.with_last(3.0).rows)


def test_a_booster_that_has_grown_is_scored_anew() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(400, 3)), rng.normal(size=400)
    booster = lgb.Booster({"objective": "regression", "verbose": -1, "num_threads": 1}, lgb.Dataset(x, y))
    for _ in range(3):
        booster.update()
        grid, actions = x[:20, :2], np.array([[0.0], [1.0]])
        told = GridCells(grid, actions).raw(booster)
        np.testing.assert_allclose(told.ravel(), RowCells(expanded(grid, actions)).raw(booster), rtol=0, atol=1e-12)
