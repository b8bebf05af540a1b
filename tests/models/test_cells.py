"""A model says of a grid what it says of the grid's rows, one by one."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from features.action import GridActions
from models._cell_kernels import class_of_contacts, numbered, wanted_cells
from models.calibration import Calibration
from models.cells import ClassCells, GridCells, RowCells
from models.propensity import BLOCK_ROWS, BoosterModel, grid_probability
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


def of_classes(seed: int, *, alike: bool) -> tuple[ClassCells, list[GridCells]]:
    """Nine rows of three classes, and each row's cells by itself; hours differ between classes unless they are alike."""
    rows, first = grid_of(9, seed)
    grids = np.stack([first] * 3)
    if not alike:
        grids[1:, 1:, 1:] += np.float32(1.0)
    of_row = np.array([2, 0, 1, 0, 0, 2, 1, 1, 2])
    return ClassCells(rows, grids, of_row), [
        GridCells(rows[k : k + 1], grids[one]) for k, one in enumerate(of_row.tolist())
    ]


@pytest.mark.parametrize("alike", [True, False])
def test_cells_of_several_classes_are_those_of_each_rows_own_class(alike: bool) -> None:
    cells, alone = of_classes(3, alike=alike)
    here = cells.actions[0, :, 0] == 2
    for column in (0, WIDTH, WIDTH + 1):
        told = np.broadcast_to(cells.column(column), cells.shape)
        np.testing.assert_array_equal(
            told, np.vstack([np.broadcast_to(one.column(column), one.shape) for one in alone])
        )
    assert cells.column(WIDTH).ndim == 1
    assert cells.column(WIDTH + 1).ndim == (1 if alike else 2)
    np.testing.assert_array_equal(cells.only(here).actions[cells.of_row], [one.only(here).actions for one in alone])
    np.testing.assert_array_equal(
        cells.with_last(3.0).actions[cells.of_row], [one.with_last(3.0).actions for one in alone]
    )
    blank = cells.without_action(WIDTH)
    np.testing.assert_array_equal(blank.actions[blank.of_row], [one.without_action(WIDTH).actions for one in alone])


def test_a_row_has_the_bits_among_other_classes_that_it_has_alone() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, WIDTH + ACTIONS)).astype(np.float32)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
    booster = lgb.train(settings, lgb.Dataset(x, (x[:, 0] + x[:, -1] > 0).astype(float)), 30)
    cells, alone = of_classes(5, alike=False)
    np.testing.assert_array_equal(cells.raw(booster), np.vstack([one.raw(booster) for one in alone]))


def small_booster(seed: int) -> lgb.Booster:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, WIDTH + ACTIONS)).astype(np.float32)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
    return lgb.train(settings, lgb.Dataset(x, (x[:, 0] + x[:, -1] > 0).astype(float)), 10)


def test_a_score_that_nobody_wants_is_missing_and_the_others_are_what_they_were() -> None:
    cells, _ = of_classes(6, alike=False)
    wanted = np.random.default_rng(1).random(cells.shape) < 0.4
    some = ClassCells(cells.rows, cells.actions, cells.of_row, wanted)
    booster, here = small_booster(1), cells.actions[0, :, 0] == 2
    np.testing.assert_array_equal(some.raw(booster), np.where(wanted, cells.raw(booster), np.nan))
    np.testing.assert_array_equal(
        some.only(here).raw(booster), np.where(wanted[:, here], cells.only(here).raw(booster), np.nan)
    )
    assert not np.isnan(some.without_action(WIDTH).raw(booster)).any()


@pytest.mark.parametrize("count", [1, 40, BLOCK_ROWS + 3])
def test_chances_of_a_grid_are_those_of_each_row_by_itself_where_they_are_wanted(count: int) -> None:
    rng = np.random.default_rng(2)
    rows, first = grid_of(count, 7)
    grids = np.stack([first, first, first])
    grids[1, 1:, 1:] += np.float32(0.5)
    wanted, of_row = rng.random((count, GRID.size)) < 0.3, rng.integers(0, 3, count)
    wanted[rng.random(count) < 0.2] = False
    wanted[:, 0] = True
    model = BoosterModel(small_booster(2), Calibration(0.1, 1.2))
    actions = GridActions(of_row, grids, tuple(one.tobytes() for one in grids))
    told = grid_probability(model, rows, actions=actions, class_of_row=of_row, wanted=wanted)
    for row in range(0, count, 9):
        alone = model.chance(GridCells(rows[row : row + 1], grids[of_row[row]] if wanted[row, 1:].any() else first[:1]))
        np.testing.assert_array_equal(told[row, wanted[row]], np.broadcast_to(alone, (1, GRID.size))[0, wanted[row]])
    np.testing.assert_array_equal(np.isnan(told), ~wanted)


def test_what_is_wanted_and_by_whom_is_that_of_plain_expressions() -> None:
    rng = np.random.default_rng(3)
    allowed, debtor, covered = rng.random((9, 6)) < 0.2, rng.integers(0, 9, 50), rng.random(50) < 0.7
    expected = allowed[debtor] & covered[:, None]
    expected[:, 0] = True
    wanted, classes = wanted_cells(allowed, debtor, covered), rng.integers(0, 4, 50)
    np.testing.assert_array_equal(wanted, expected)
    np.testing.assert_array_equal(
        class_of_contacts(wanted, classes, 4), np.where(wanted[:, 1:].any(axis=1), classes, 4)
    )
    there, place = numbered(classes[classes != 1], 5)
    assert there.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(there[place], classes[classes != 1])
