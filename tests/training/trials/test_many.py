"""Many segments at once: what is corrected, what is drawn in, what stays silent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from training.trials.adjusted import contrast, interval_of, p_value
from training.trials.many import drawn_in, holm, same_effect, segment_differences


def made(sizes: list[int], effects: list[float], *, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normal outcomes of debtors in segments, half of them treated."""
    rng = np.random.default_rng(seed)
    segment = np.repeat(np.arange(len(sizes)), sizes)
    treated = rng.random(len(segment)) < 0.5
    return rng.normal(5, 1, len(segment)) + np.array(effects)[segment] * treated, treated, segment


def test_each_segment_alone_is_what_it_would_be_without_the_others() -> None:
    outcome, treated, segment = made([400, 900, 300], [0.0, 0.5, 1.0])
    found = segment_differences(outcome, treated, segment)
    for one, part in enumerate(found.each):
        here = segment == one
        assert part.alone == pytest.approx(interval_of(contrast(outcome[here], treated[here])))
        assert (part.treated, part.control) == (int(treated[here].sum()), int((~treated[here]).sum()))


def test_together_they_lie_further_out_by_sidaks_level() -> None:
    outcome, treated, segment = made([5_000] * 4, [0.0] * 4)
    for part in segment_differences(outcome, treated, segment).each:
        wider = (part.together.high - part.together.low) / (part.alone.high - part.alone.low)
        assert wider == pytest.approx(stats.norm.ppf(0.5 + 0.95**0.25 / 2) / stats.norm.ppf(0.975), rel=2e-3)


def test_a_segment_too_small_to_say_is_not_shown_and_not_corrected_for() -> None:
    outcome, treated, segment = made([400, 90, 400, 400, 400], [0.0, 9.0, 0.0, 0.1, 0.2])
    with_small = segment_differences(outcome, treated, segment)
    large = segment != 1
    without = segment_differences(outcome[large], treated[large], np.maximum(segment[large] - 1, 0))
    assert np.isnan(with_small.each[1].alone).all()
    assert np.isnan(with_small.each[1].p_value)
    assert (with_small.each[0], *with_small.each[2:]) == without.each
    assert with_small.same == without.same


def test_debtors_in_no_segment_count_nowhere() -> None:
    outcome, treated, segment = made([400] * 4, [0.0, 1.0, 0.5, 0.2])
    outside = np.append(segment, np.full(500, -1))
    more = segment_differences(np.append(outcome, np.full(500, 1e6)), np.append(treated, np.arange(500) < 250), outside)
    assert more == segment_differences(outcome, treated, segment)
    assert segment_differences(outcome, treated, np.full(1_600, -1)).each == ()


def test_holm_rejects_what_stepping_down_by_hand_rejects() -> None:
    p_values = np.array([0.004, 0.011, 0.03, 0.3, 0.012])
    rejected = set()
    for step, one in enumerate(np.argsort(p_values)):
        if p_values[one] * (5 - step) >= 0.05:
            break
        rejected.add(int(one))
    assert set(np.flatnonzero(holm(p_values) < 0.05).tolist()) == rejected == {0, 1, 4}
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_the_p_values_of_segments_are_holms() -> None:
    outcome, treated, segment = made([500, 500, 500], [0.0, 0.2, 0.3])
    plain = np.array([p_value(contrast(outcome[segment == one], treated[segment == one])) for one in range(3)])
    found = [part.p_value for part in segment_differences(outcome, treated, segment).each]
    assert found == pytest.approx(holm(plain).tolist())


def test_among_twenty_segments_without_effect_one_seldom_stands_out() -> None:
    single, corrected, together = 0, 0, 0
    for seed in range(200):
        outcome, treated, segment = made([260] * 20, [0.0] * 20, seed=seed)
        parts = segment_differences(outcome, treated, segment).each
        single += any(part.alone.low > 0 or part.alone.high < 0 for part in parts)
        together += any(part.together.low > 0 or part.together.high < 0 for part in parts)
        corrected += any(part.p_value < 0.05 for part in parts)
    assert single > 100
    assert max(corrected, together) <= 20  # 5 % of 200 and three standard errors


def test_equal_effects_seldom_look_different_and_different_ones_do() -> None:
    same = [segment_differences(*made([300] * 6, [0.4] * 6, seed=seed)).same for seed in range(300)]
    assert 0.02 <= np.mean(np.array(same) < 0.05) <= 0.09
    assert segment_differences(*made([300] * 6, [0.0, 0.8, 0.0, 0.8, 0.0, 0.8])).same < 0.001
    assert np.isnan(segment_differences(*made([300], [0.0])).same)


def test_two_equal_effects_are_compared_as_a_difference_of_two_is() -> None:
    values, errors = np.array([1.0, 2.5]), np.array([0.5, 0.7])
    z = (values[1] - values[0]) / np.hypot(*errors)
    assert same_effect(values, errors) == pytest.approx(2 * stats.norm.sf(z))


def test_values_drawn_in_are_nearer_to_their_truths() -> None:
    rng = np.random.default_rng(2)
    plain, drawn, hits = 0.0, 0.0, 0
    for _ in range(300):
        truth, errors = rng.normal(1, 0.5, 20), rng.uniform(0.3, 1.5, 20)
        values = truth + errors * rng.normal(size=20)
        found = drawn_in(values, errors)
        plain += ((values - truth) ** 2).sum()
        drawn += ((np.array([one.value for one in found]) - truth) ** 2).sum()
        hits += sum(one.low <= at <= one.high for one, at in zip(found, truth, strict=True))
    assert drawn < 0.4 * plain
    assert 0.90 <= hits / 6_000 <= 0.97


def test_the_spread_of_true_effects_is_where_paule_and_mandel_have_it() -> None:
    values, errors = np.array([0.0, 1.0, 4.0, 5.5, 2.0]), np.array([0.5, 0.4, 0.6, 0.5, 0.5])
    grid = np.linspace(0, 30, 300_001)[:, None]
    weight = 1 / (errors**2 + grid)
    mean = (weight * values).sum(axis=1) / weight.sum(axis=1)
    unrest = (weight * (values - mean[:, None]) ** 2).sum(axis=1)
    best = int(np.abs(unrest - 4).argmin())
    pull = (5 - 3) / (5 - 1) * errors**2 * weight[best]
    found = [one.value for one in drawn_in(values, errors)]
    assert found == pytest.approx((values - pull * (values - mean[best])).tolist(), rel=1e-3)


def test_fewer_than_four_segments_are_not_drawn_anywhere() -> None:
    few = drawn_in(np.array([2.0, 9.0, 1.0]), np.array([1.0, 1.0, 1.0]))
    assert [one.value for one in few] == [2.0, 9.0, 1.0]
    assert np.isnan([one.low for one in few]).all()
