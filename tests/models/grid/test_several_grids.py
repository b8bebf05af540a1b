"""Several grids scored in one go say what each says by itself, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from models.grid import GridScorer, WrongShape
from models.grid import scorer as scorers
from models.grid._kernels import BLOCK, by_number
from models.grid.scorer import FEW
from tests.models.grid.boosters import CONTEXT, WIDTH, actions, booster, hard_rows


def grids_of(count: int) -> np.ndarray:
    """Grids of as many actions: the usual ones, shifted, and one whose actions are all the same."""
    first = actions()
    return np.stack(
        [first if one == 0 else first[::-1] if one == 1 else first[:1].repeat(len(first), 0) for one in range(count)]
    )


@pytest.mark.parametrize("kind", ["binary", "150 leaves", "action first", "no action", "many thresholds"])
@pytest.mark.parametrize("size", [1, FEW, 40, BLOCK + 90])
def test_every_row_has_the_bits_of_its_own_grid(kind: str, size: int) -> None:
    scorer = GridScorer(booster(kind), range(CONTEXT, WIDTH))
    rows, grids = hard_rows(booster(kind), size, seed=11)[:size], grids_of(3)
    of_row = np.random.default_rng(2).integers(0, 3, len(rows))
    told = scorer.bind_each(grids).raw(rows, of_row=of_row)
    each = [scorer.bind(one).raw(rows) for one in grids]
    np.testing.assert_array_equal(told, [each[one][row] for row, one in enumerate(of_row.tolist())])


def test_a_grid_without_rows_changes_nothing() -> None:
    scorer = GridScorer(booster("binary"), range(CONTEXT, WIDTH))
    rows = hard_rows(booster("binary"), 30, seed=12)
    told = scorer.bind_each(grids_of(3)).raw(rows, of_row=np.full(len(rows), 1))
    np.testing.assert_array_equal(told, scorer.bind(grids_of(2)[1]).raw(rows))


def test_no_grid_and_rows_of_another_width_are_refused() -> None:
    scorer = GridScorer(booster("binary"), range(CONTEXT, WIDTH))
    with pytest.raises(WrongShape, match="one grid of actions or more are expected"):
        scorer.bind_each(actions())
    with pytest.raises(WrongShape, match="rows of"):
        scorer.bind_each(grids_of(2)).raw(np.zeros((2, CONTEXT + 1)), of_row=np.zeros(2, dtype=np.int64))


def test_grids_met_later_leave_those_that_were_met_as_they_are() -> None:
    compiled, rows = GridScorer(booster("binary"), range(CONTEXT, WIDTH)), hard_rows(booster("binary"), 9, seed=13)
    first, told = compiled.bind_each(grids_of(2)), []
    of_row = np.zeros(len(rows), dtype=np.int64)
    for shift in range(6):
        later = compiled.bind_each(actions()[None] + shift)
        told.append(later.raw(rows, of_row=of_row))
        np.testing.assert_array_equal(told[-1], compiled.bind(actions() + shift).raw(rows))
        np.testing.assert_array_equal(first.raw(rows, of_row=of_row), told[0])
    assert compiled.bind_each(actions()[None] + 3).which.tolist() == [4]


def test_grids_are_known_by_their_keys_and_begun_anew_when_they_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = GridScorer(booster("binary"), range(CONTEXT, WIDTH))
    assert compiled.bind_each(grids_of(3), keys=(b"a", b"b", b"c")).which.tolist() == [0, 1, 2]
    assert compiled.bind_each(grids_of(2)[::-1], keys=(b"b", b"a")).which.tolist() == [1, 0]
    monkeypatch.setattr(scorers, "KEPT_BYTES", 0)
    assert compiled.bind_each(grids_of(2)[::-1], keys=(b"b", b"a")).which.tolist() == [1, 0]
    assert compiled.bind_each(grids_of(2)[::-1], keys=(b"b", b"d")).which.tolist() == [0, 1]


def test_rows_by_number_keep_their_order() -> None:
    numbers = np.random.default_rng(3).integers(0, 7, 200)
    order, begin = by_number(numbers, 9)
    np.testing.assert_array_equal(order, np.argsort(numbers, kind="stable"))
    np.testing.assert_array_equal(begin, np.searchsorted(numbers[order], np.arange(10)))
