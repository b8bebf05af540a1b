"""The Qini curve against a plain loop, and what it says of rankings that are known."""

from __future__ import annotations

import numpy as np
import pytest

from training.figures import grid_picture, overlap_picture, qini_picture
from training.qini import qini
from training.trials.curves import POINTS


def made(size: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    effect = rng.normal(1, 2, size)
    return effect + rng.normal(0, 1, size), effect


def test_each_point_is_the_gain_of_those_ranked_so_high() -> None:
    per_row, effect = made(300)
    found = qini(per_row, effect, np.arange(300))
    order = np.argsort(-effect)
    for share, gain in zip(found.share, found.gain, strict=True):
        treated = order[: int(np.floor(share * 300 + 1e-9))]
        assert gain.value == pytest.approx(per_row[treated].sum() / 300)
        assert gain.low <= gain.value <= gain.high
    assert len(found.share) == POINTS + 1
    assert found.gain[-1].value == pytest.approx(per_row.mean())


def test_a_good_ranking_lies_above_the_line_a_bad_one_below_and_none_on_it() -> None:
    per_row, effect = made()
    unit = np.arange(len(effect))
    assert qini(per_row, effect, unit).area.low > 0
    assert qini(per_row, -effect, unit).area.high < 0
    chance = qini(per_row, np.random.default_rng(2).random(len(effect)), unit).area
    assert chance.low < 0 < chance.high


def test_a_ranking_that_tells_nothing_has_no_area_and_ties_share_what_they_have() -> None:
    flat = qini(np.ones(100), np.zeros(100), np.arange(100))
    assert flat.area.value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose([one.value for one in flat.gain], flat.share)
    per_row, effect = made(400)
    tied = qini(per_row, np.round(effect), np.arange(400))
    rng = np.random.default_rng(3)
    broken = [qini(per_row, np.round(effect) + 0.1 * rng.random(400), np.arange(400)) for _ in range(300)]
    assert tied.area.value == pytest.approx(np.mean([one.area.value for one in broken]), abs=5e-3)


def test_the_area_is_that_between_curve_and_line() -> None:
    per_row, effect = made()
    found = qini(per_row, effect, np.arange(len(effect)))
    heights = np.array([one.value for one in found.gain])
    line = np.linspace(0, heights[-1], POINTS + 1)
    assert found.area.value == pytest.approx(np.trapezoid(heights - line, found.share), abs=1e-3)


def test_pictures_are_svg_also_where_nothing_is_known() -> None:
    per_row, effect = made(100)
    assert qini_picture(qini(per_row, effect, np.arange(100))).startswith("<svg")
    assert grid_picture(np.full((1, 2), np.nan), ("sms",), (8, 10)).startswith("<svg")
    assert "+2.0" in grid_picture(np.array([[0.02, np.nan]]), ("sms",), (8, 10))
    assert "sms morning" in overlap_picture(np.ones((1, 1)), np.zeros((1, 1)), ("sms",), ("morning",))
