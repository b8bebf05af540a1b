"""Chances of what was decided: learnt across debtors, never for what was never done, exact where the log is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from data.times import DAY_US
from tests.training.made_rows import rows_with
from training.logged.chances import ESTIMATED, LOGGED, UNKNOWN, ActionChances, ChanceSettings, Decisions, action_chances
from training.logged.folds import TooFewUnits, folds_by_unit, sampled
from training.logged.from_rows import decisions_behind, decisions_of, paid_of
from training.logged.loggers import tell_loggers
from training.logged.multinomial import FitSettings, calibration_error, estimate_chances, vector_scaling

FloatArray = npt.NDArray[np.float64]
QUICK = FitSettings(folds=2, most_rounds=60, column_share=1.0, threads=1)
SETTINGS = ChanceSettings(QUICK)
MONTH_US = 30 * DAY_US


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 1_000))
def test_no_debtor_is_in_two_folds_and_folds_are_of_one_size(unit: list[int], seed: int) -> None:
    units = np.array(unit)
    count = min(3, len(set(unit)))
    fold = folds_by_unit(units, count, rng=np.random.default_rng(seed))
    of_unit = {name: set(fold[units == name].tolist()) for name in set(unit)}
    assert all(len(folds) == 1 for folds in of_unit.values())
    sizes = np.bincount([folds.pop() for folds in of_unit.values()], minlength=count)
    assert sizes.max() - sizes.min() <= 1


def test_fewer_debtors_than_folds_are_refused() -> None:
    with pytest.raises(TooFewUnits, match="at least 3 debtors, one for each fold; came 2"):
        folds_by_unit(np.array([1, 1, 2]), 3, rng=np.random.default_rng(1))


def test_a_sample_keeps_its_order_and_its_size() -> None:
    rows = np.arange(100, 200)
    found = sampled(rows, 10, rng=np.random.default_rng(1))
    assert len(found) == 10
    assert (np.diff(found) > 0).all()
    assert np.isin(found, rows).all()


def drawn_by_score(size: int, *, rng: np.random.Generator, actions: int = 3) -> tuple[FloatArray, FloatArray, Any]:
    """Features, the chances they give, and actions drawn with these."""
    features = rng.normal(size=(size, 4))
    truth = softmax(np.column_stack([np.zeros(size), *(1.2 * features[:, one] for one in range(actions - 1))]), axis=1)
    action = (rng.random(size)[:, None] > np.cumsum(truth, axis=1)[:, :-1]).sum(axis=1)
    return features, truth, action


def test_chances_are_found_calibrated_and_better_than_plain_shares() -> None:
    rng = np.random.default_rng(1)
    features, truth, action = drawn_by_score(6_000, rng=rng)
    found = estimate_chances(features, action, unit=np.arange(6_000) // 2, actions=4, settings=QUICK, rng=rng)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0, atol=1e-9)
    plain = np.abs(truth.mean(axis=0) - truth).mean()
    assert np.abs(found.chance[:, :3] - truth).mean() < min(0.06, plain / 3)
    assert found.log_loss < found.base_log_loss - 0.15
    assert found.calibration_error < 0.03
    assert found.supported.tolist() == [True, True, True, False]
    assert not found.chance[:, 3].any()


def test_an_action_taken_too_rarely_to_learn_has_its_share() -> None:
    rng = np.random.default_rng(2)
    features, _, action = drawn_by_score(2_000, rng=rng)
    action[:10] = 3
    found = estimate_chances(features, action, unit=np.arange(2_000), actions=4, settings=QUICK, rng=rng)
    np.testing.assert_allclose(found.chance[:, 3], 10 / 2_000)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1.0, atol=1e-9)


def test_no_fit_has_seen_the_debtor_it_speaks_of() -> None:
    """What a debtor got is the debtor's alone: with folds by row its number would tell it, with folds by debtor nothing does."""
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(400), 5)
    action = rng.integers(0, 2, 400)[unit]
    features = rng.normal(size=(400, 3))[unit]
    by_debtor = estimate_chances(features, action, unit=unit, actions=2, settings=QUICK, rng=rng)
    by_row = estimate_chances(features, action, unit=np.arange(2_000), actions=2, settings=QUICK, rng=rng)
    assert by_debtor.log_loss > by_debtor.base_log_loss - 0.02
    assert by_row.log_loss < by_row.base_log_loss - 0.05


def test_the_same_seed_gives_the_same_chances() -> None:
    features, _, action = drawn_by_score(600, rng=np.random.default_rng(4))
    found = [
        estimate_chances(
            features, action, unit=np.arange(600), actions=3, settings=QUICK, rng=np.random.default_rng(9)
        ).chance
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*found)


def test_scores_three_times_too_sure_are_scaled_back() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(4_000, 3))
    truth = softmax(scores, axis=1)
    code = (rng.random(4_000)[:, None] > np.cumsum(truth, axis=1)[:, :-1]).sum(axis=1)
    slope, intercept = vector_scaling(3 * scores, code)
    assert slope == pytest.approx(1 / 3, abs=0.04)
    assert np.abs(intercept - intercept.mean()).max() < 0.15


def test_calibration_error_of_a_constant_is_its_distance_from_the_share() -> None:
    happened = np.arange(1_000) % 4 == 0
    assert calibration_error(np.full(1_000, 0.4), happened, bins=1) == pytest.approx(0.15)
    assert calibration_error(np.where(happened, 1.0, 0.0), happened) == 0.0


def decisions(size: int = 600, **columns: Any) -> Decisions:
    """Decisions of one unlogged policy that draws evenly from none, two channels and parts of the day."""
    rng = np.random.default_rng(size)
    channel = columns.get("channel", rng.integers(0, 3, size))
    base: dict[str, Any] = {
        "features": rng.normal(size=(size, 3)).astype(np.float32),
        "channel": channel.astype(np.int16),
        "part": np.where(channel > 0, rng.integers(0, 3, size), -1),
        "policy": np.full(size, "old", dtype=object),
        "decided_us": rng.integers(0, MONTH_US, size),
        "unit": np.arange(size) // 2,
        "group": np.zeros(size, dtype=np.int64),
        "action_probability": np.full(size, np.nan),
        "channels": 4,
    }
    return Decisions(**(base | columns | {"channel": base["channel"]}))


def chances(log: Decisions) -> ActionChances:
    return action_chances(log, settings=SETTINGS, rng=np.random.default_rng(1))


def test_an_unlogged_policy_has_estimated_chances_and_zero_for_what_it_never_did() -> None:
    log = decisions()
    found = chances(log)
    assert (found.source == ESTIMATED).all()
    assert not found.drawn.any()
    assert not found.channel[:, 3].any()
    np.testing.assert_allclose(found.channel.sum(axis=1), 1.0, atol=1e-9)
    assert found.chosen.mean() == pytest.approx(1 / 3, abs=0.06)
    np.testing.assert_array_equal(found.chosen, found.channel[np.arange(600), log.channel])
    contact = log.channel > 0
    np.testing.assert_array_equal(found.chosen_part[~contact], found.chosen[~contact])
    assert found.chosen_part[contact].mean() == pytest.approx(1 / 9, abs=0.03)
    assert [one.never for one in found.fits] == [(3,)]


def test_shares_over_parts_of_the_day_sum_to_one_for_channels_that_were_used() -> None:
    found = chances(decisions())
    np.testing.assert_allclose(found.part.sum(axis=2)[:, 1:3], 1.0, atol=1e-5)
    np.testing.assert_array_equal(found.part[:, [0, 3]], 0.0)


def test_what_the_log_tells_exactly_is_taken_and_a_slots_chance_is_a_least_value() -> None:
    rng = np.random.default_rng(8)
    channel = rng.choice(3, 600, p=[0.2, 0.4, 0.4])
    slot_chance = np.where(channel == 0, 0.2, rng.choice([0.01, 0.9], 600, p=[0.9, 0.1]))
    log = decisions(channel=channel, action_probability=slot_chance)
    found = chances(log)
    none = channel == 0
    assert (found.source[none] == LOGGED).all()
    np.testing.assert_array_equal(found.chosen[none], 0.2)
    assert (found.source[~none] == ESTIMATED).all()
    assert (found.chosen >= slot_chance - 1e-12).all()
    assert (found.chosen_part >= slot_chance - 1e-12).all()
    assert found.drawn.all()
    np.testing.assert_allclose(found.channel.sum(axis=1), 1.0, atol=1e-9)


def test_the_logged_chance_of_the_channel_is_taken_before_any_estimate() -> None:
    known = np.where(np.arange(600) % 2 == 0, 0.37, np.nan)
    found = chances(decisions(channel_probability=known))
    np.testing.assert_allclose(found.chosen[::2], 0.37)
    assert found.source.tolist()[:2] == [LOGGED, ESTIMATED]
    np.testing.assert_allclose(found.channel.sum(axis=1), 1.0, atol=1e-9)


def test_a_certain_choice_has_chance_one_and_its_part_of_the_day_too() -> None:
    found = chances(decisions(action_probability=np.ones(600)))
    assert (found.source == LOGGED).all()
    np.testing.assert_array_equal(found.chosen, 1.0)
    np.testing.assert_array_equal(found.chosen_part, 1.0)
    assert [one.kind for one in found.loggers.every] == ["decided"]
    assert found.fits == ()


def test_a_decision_without_probability_among_drawn_ones_was_displaced_and_stays_unknown() -> None:
    log = decisions()
    logged = np.where(log.channel == 0, 0.33, 0.05)
    logged[:20] = np.nan
    found = chances(replace(log, action_probability=logged))
    assert (found.source[:20] == UNKNOWN).all()
    assert np.isnan(found.channel[:20]).all()
    assert np.isnan(found.chosen_part[:20]).all()
    assert not found.drawn[:20].any()
    assert found.drawn[20:].all()


def test_a_policy_of_too_few_debtors_has_its_shares() -> None:
    log = decisions(40)
    found = chances(log)
    share = np.bincount(log.channel, minlength=4) / 40
    np.testing.assert_allclose(found.channel, np.tile(share, (40, 1)))


def loggers_of(log: Decisions) -> list[tuple[str, str, int]]:
    found = tell_loggers(
        log.policy, log.channel, decided_us=log.decided_us, action_probability=log.action_probability, channels=4
    )
    assert [int((found.of_row == one).sum()) for one in range(len(found.every))] == [
        one.decisions for one in found.every
    ]
    return [(one.policy, one.kind, one.decisions) for one in found.every]


def months(log: Decisions, count: int) -> Decisions:
    """The same decisions spread evenly over so many months of 1970, in their order."""
    month = np.arange(len(log.channel)) * count // len(log.channel)
    first = np.array([np.datetime64(f"1970-{one + 1:02d}-05", "us").astype(np.int64) for one in range(count)])
    return replace(log, decided_us=first[month])


def test_policies_are_told_apart_by_label_and_by_what_they_logged() -> None:
    log = decisions(1_200)
    kind = np.arange(1_200) // 300
    policy = np.array(["a", "b", "c", "d"], dtype=object)[kind]
    logged = np.select([kind == 0, kind == 1, kind == 2], [np.nan, 1.0, np.where(log.channel == 0, 0.3, 0.01)], 0.0)
    logged[kind == 3] = np.where(log.channel[kind == 3] == 1, 0.15, 1.0)
    found = loggers_of(replace(log, policy=policy, action_probability=logged))
    expected = [("a", "unlogged"), ("b", "decided"), ("c", "drawn"), ("d", "slots drawn")]
    assert found == [(label, kind, 300) for label, kind in expected]


def test_a_label_is_cut_where_its_mixture_changes_and_nowhere_else() -> None:
    rng = np.random.default_rng(12)
    steady = months(decisions(1_200), 6)
    assert loggers_of(steady) == [("old", "unlogged", 1_200)]
    later = np.arange(1_200) >= 800
    changed = np.where(later, rng.choice(3, 1_200, p=[0.1, 0.1, 0.8]), steady.channel)
    assert loggers_of(months(decisions(1_200, channel=changed), 6)) == [
        ("old", "unlogged", 800), ("old", "unlogged", 400)
    ]  # fmt: skip


def test_a_label_is_cut_where_it_begins_to_log_its_probabilities() -> None:
    log = months(decisions(1_200), 4)
    logged = np.where(np.arange(1_200) < 300, np.nan, np.where(log.channel == 0, 0.3, 0.02))
    assert loggers_of(replace(log, action_probability=logged)) == [("old", "unlogged", 300), ("old", "drawn", 900)]


def test_a_month_too_small_to_tell_is_no_period_of_its_own() -> None:
    log = months(decisions(1_200), 6)
    few = np.concatenate([np.arange(1_000), np.arange(1_000, 1_030)])
    channel = log.channel.copy()
    channel[1_000:1_030] = 2
    cut = decisions(len(few), channel=channel[few], decided_us=log.decided_us[few])
    assert loggers_of(cut) == [("old", "unlogged", 1_030)]


def test_the_order_of_rows_does_not_matter_to_loggers() -> None:
    log = months(decisions(1_200, channel=np.where(np.arange(1_200) < 600, 1, 2)), 4)
    order = np.random.default_rng(3).permutation(1_200)
    mixed = decisions(1_200, channel=log.channel[order], decided_us=log.decided_us[order], policy=log.policy[order])
    assert loggers_of(log) == loggers_of(mixed) == [("old", "unlogged", 600), ("old", "unlogged", 600)]


def test_claims_of_one_contact_are_one_decision_with_one_chance() -> None:
    size = 300
    rng = np.random.default_rng(6)
    channel = np.repeat(rng.integers(0, 3, size), 2)
    rows = rows_with(
        channel=channel.astype(np.int16),
        hour=np.where(channel > 0, 10, -1),
        paid=np.arange(2 * size) % 2 == 1,
        debtor=np.repeat(np.arange(size), 2),
        contact_id=np.repeat(np.array([f"c{one:04d}" for one in rng.permutation(size)], dtype=object), 2),
        action_probability=np.full(2 * size, np.nan),
    )
    behind = decisions_behind(rows)
    np.testing.assert_array_equal(behind.first, np.arange(0, 2 * size, 2))
    np.testing.assert_array_equal(behind.decision, np.repeat(np.arange(size), 2))
    np.testing.assert_array_equal(paid_of(rows, behind), 1.0)
    log = decisions_of(rows, behind, channels=7)
    assert log.features.shape[1] == len(rows.names) - 8
    assert set(log.part[log.channel > 0]) == {0}
    found = action_chances(log, settings=SETTINGS, rng=np.random.default_rng(1)).of_decision(behind.decision)
    assert found.channel.shape == (2 * size, 7)
    np.testing.assert_array_equal(found.chosen[::2], found.chosen[1::2])
