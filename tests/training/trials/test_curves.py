"""Curves by share treated: against a plain loop, and how often their band holds the whole truth."""

from __future__ import annotations

import numpy as np
import pytest

from training.qini import qini
from training.trials.curves import POINTS, Curve, drawn_gain, joint_reach, policy_curve, treated_part


def made(size: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Noisy contributions of known effects, the effects, base outcomes, debtors of two rows each."""
    rng = np.random.default_rng(seed)
    effect, unit = rng.normal(0.3, 1, size), np.repeat(np.arange(size // 2), 2)
    shared = rng.normal(0, 1, size // 2)[unit]
    return effect + shared + rng.normal(0, 2, size), effect, rng.normal(4, 1, size), unit


def over_nobody(per_row: np.ndarray, rank_by: np.ndarray, unit: np.ndarray, *, seed: int) -> Curve:
    return policy_curve(per_row, np.zeros(len(per_row)), rank_by, unit=unit, rng=np.random.default_rng(seed))


def test_at_each_share_those_ranked_highest_are_treated() -> None:
    per_row, effect, untreated, unit = made(400, seed=1)
    found = policy_curve(per_row, untreated, effect, unit=unit, rng=np.random.default_rng(1))
    order = np.argsort(-effect)
    for place, share in enumerate(found.share):
        treated = order[: round(share * 400)]
        assert found.value[place] == pytest.approx(untreated.mean() + per_row[treated].sum() / 400)
        assert found.low[place] <= found.value[place] <= found.high[place]


def test_it_is_the_qini_curve_of_a_run_with_a_wider_band() -> None:
    per_row, effect, _, unit = made(1_000, seed=2)
    ours, theirs = over_nobody(per_row, effect, unit, seed=1), qini(per_row, effect, unit)
    assert ours.value.tolist() == pytest.approx([one.value for one in theirs.gain])
    assert ours.area == theirs.area
    assert all(low < one.low for low, one in zip(ours.low[1:], theirs.gain[1:], strict=True))


def test_nobody_treated_brings_nothing_with_certainty() -> None:
    per_row, effect, _, unit = made(400, seed=3)
    found = over_nobody(per_row, effect, unit, seed=1)
    assert (found.value[0], found.low[0], found.high[0]) == (0.0, 0.0, 0.0)


def test_rows_of_equal_rank_are_treated_in_part() -> None:
    part = treated_part(np.array([1.0, 1.0, 1.0, 5.0]), points=POINTS)
    assert part.sum(axis=1).tolist() == pytest.approx((np.linspace(0, 1, POINTS + 1) * 4).tolist())
    assert part[5].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_the_band_holds_the_whole_curve_and_debtors_are_its_clusters() -> None:
    whole, pointwise = 0, 0
    for seed in range(100):
        per_row, effect, _, unit = made(400, seed=seed)
        found = over_nobody(per_row, effect, unit, seed=seed)
        truth = (treated_part(effect, points=POINTS) * effect).mean(axis=1)
        whole += bool(((found.low <= truth) & (truth <= found.high)).all())
        each = qini(per_row, effect, unit).gain
        pointwise += all(one.low <= at <= one.high for one, at in zip(each, truth, strict=True))
    assert whole >= 89  # 95 % of 100 less three standard errors
    assert pointwise < whole - 5


def test_independent_means_reach_as_far_as_sidak_says() -> None:
    rows = np.random.default_rng(4).normal(size=(5_000, 10))
    reach = joint_reach(rows, np.arange(5_000), rng=np.random.default_rng(5))
    assert reach == pytest.approx(2.80, abs=0.1)  # of 10 at 95 % together
    same = np.repeat(rows[:, :1], 10, axis=1)
    assert joint_reach(same, np.arange(5_000), rng=np.random.default_rng(5)) == pytest.approx(1.96, abs=0.08)
    assert joint_reach(np.ones((50, 3)), np.arange(50), rng=np.random.default_rng(5)) == pytest.approx(1.96, abs=0.01)


def test_the_gain_of_drawn_arms_is_unbiased_and_quieter_than_plain_weights() -> None:
    rng = np.random.default_rng(6)
    plain, ours = [], []
    for _ in range(300):
        outcome = rng.normal(50, 5, 500)
        treated = rng.random(500) < 0.8
        outcome = outcome + 2.0 * treated
        ours.append(drawn_gain(outcome, treated, share=0.8).mean())
        plain.append((outcome * (treated / 0.8 - ~treated / 0.2)).mean())
    assert np.mean(ours) == pytest.approx(2.0, abs=4 * np.std(ours) / np.sqrt(300))
    assert np.std(ours) < 0.3 * np.std(plain)


def test_without_noise_every_debtor_tells_the_same_gain() -> None:
    treated = np.arange(10) < 8
    assert drawn_gain(10.0 * treated, treated, share=0.8).tolist() == pytest.approx([10.0] * 10)
