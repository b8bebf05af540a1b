"""The best actions of a grid, and its parts by axis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grid import best, best_of_each, breakdown


def test_ties_go_to_the_lowest_index_and_what_is_barred_is_never_best() -> None:
    value = np.array([[1.0, 2.0, 2.0 + 1e-14], [5.0, 4.0, 3.0], [1.0, 1.0, 1.0]])
    allowed = np.array([[True, True, True], [False, True, True], [False, False, False]])
    assert best(value).tolist() == [1, 0, 0]
    assert best(value, allowed).tolist() == [1, 1, -1]


@given(st.integers(0, 1_000), st.integers(1, 4))
def test_the_best_of_each_group_are_those_of_a_plain_sort(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    value, group = rng.integers(0, 5, (6, 20)).astype(float), rng.integers(0, 4, 20)
    allowed = rng.random((6, 20)) < 0.7
    found = best_of_each(value, group, most=most, allowed=allowed)
    for row in range(6):
        for one in range(int(group.max()) + 1):
            cells = [cell for cell in range(20) if group[cell] == one and allowed[row, cell]]
            ranked = sorted(cells, key=lambda cell: (-value[row, cell], cell))[:most]  # used at once
            assert found[row, one].tolist() == ranked + [-1] * (most - len(ranked))


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (6, 7, 7)])
def test_the_parts_of_every_cell_add_up_to_its_score_and_each_part_to_nothing(shape: tuple[int, ...]) -> None:
    scores = np.random.default_rng(1).normal(size=(5, int(np.prod(shape))))
    parts = breakdown(scores, shape)
    for cell in np.ndindex(*shape):
        told = parts.parts(np.tile(cell, (5, 1)))
        np.testing.assert_allclose(sum(told.values()), scores.reshape(5, *shape)[(slice(None), *cell)], atol=1e-12)
    for one in parts.alone:
        np.testing.assert_allclose(one.sum(axis=1), 0.0, atol=1e-12)
    for pair in parts.by_pair:
        np.testing.assert_allclose(parts.together(*pair).sum(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(parts.together(*pair).sum(axis=2), 0.0, atol=1e-12)


def test_the_parts_are_those_of_plain_means() -> None:
    scores = np.random.default_rng(2).normal(size=(1, 60))
    cube, parts = scores.reshape(3, 4, 5), breakdown(scores, (3, 4, 5))
    told = parts.parts(np.array([[1, 2, 3]]))
    assert told[()][0] == pytest.approx(cube.mean())
    assert told[(1,)][0] == pytest.approx(cube[:, 2].mean() - cube.mean())
    apart = cube[1, :, 3].mean() - cube[1].mean() - cube[:, :, 3].mean() + cube.mean()
    assert told[0, 2][0] == pytest.approx(apart)


def test_what_adds_up_has_no_part_together() -> None:
    channel, hour = np.array([1.0, 2.0, 4.0]), np.array([0.5, -0.5])
    parts = breakdown((channel[:, None] + hour).reshape(1, -1), (3, 2))
    np.testing.assert_allclose(parts.alone[0][0], channel - channel.mean(), atol=1e-12)
    np.testing.assert_allclose(parts.together(0, 1), 0.0, atol=1e-12)
    assert parts.parts(np.array([[2, 1]]))[0, 1][0] == pytest.approx(0.0, abs=1e-12)
