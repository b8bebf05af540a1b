"""Comparisons and bounds hold what the world that made the log knows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.benchmarks.confounded_world import PHONE, Drawn, World, draw_log
from tests.training.replay.old_logs import rng_of
from training.logged.effect import Bound, EffectSettings
from training.logged.multinomial import FitSettings, estimate_chances
from training.replay.arms import Arms, expected_under
from training.replay.between import channels_compared
from training.replay.nested import nested
from training.replay.over_none import ODDS_RATIOS, STATED, OverNone, over_none
from training.replay.safe_test import SHARES, SafeTest, Traffic, safe_tests, smallest
from training.replay.sparing import Asked, spared, sparing
from training.replay.targeting import AS_BEFORE, Offer, Targeting, targeting
from training.trials.planning import Inflow, Look

FloatArray = npt.NDArray[np.float64]
FIT = FitSettings(folds=2, most_rounds=60, column_share=1.0, threads=1)
QUICK = EffectSettings(FIT, odds_ratios=ODDS_RATIOS, outcome_rounds=40)
FREE = np.zeros(3)


def arms_of(drawn: Drawn, outcome: FloatArray | None = None, *, name: str = "paid 14", seed: int = 2) -> Arms:
    """A log of the confounded world, whose probabilities nobody kept."""
    log, rng = drawn.log, rng_of(seed)
    found = estimate_chances(log.features, log.action, unit=log.unit, actions=3, settings=FIT, rng=rng)
    came = log.outcome if outcome is None else outcome
    expected = expected_under(
        log.features, log.action, log.unit, outcomes={name: (came, float(came.max()))}, actions=3, settings=QUICK,
        rng=rng,
    )  # fmt: skip
    return Arms(log.action, log.unit, found.chance, expected, np.zeros(len(log.action), dtype=np.bool_))


def everyone(arms: Arms) -> npt.NDArray[np.bool_]:
    return np.ones(len(arms.action), dtype=np.bool_)


def phone_over_none(arms: Arms) -> OverNone:
    found = over_none(arms, whats=("paid 14",), rows=everyone(arms), settings=QUICK)
    return next(one for one in found if one.channel == PHONE)


def holds(bound: Bound | None, truth: float) -> bool:
    assert bound is not None
    return bound.low <= truth <= bound.high


def test_a_confounded_log_is_flagged_where_the_plain_difference_has_the_wrong_sign() -> None:
    arms = arms_of(draw_log(World(decisions=15_000), rng=rng_of(1)))
    settings = replace(QUICK, least_chance=0.02)
    found = {(one.of, one.over): one for one in channels_compared(arms, days=(14,), settings=settings)}
    mine = next(one for pair, one in found.items() if PHONE in pair)
    assert mine.effect is not None
    assert mine.effect.naive.high < 0 or mine.effect.naive.low > 0
    assert mine.sign == "turns"
    bounds = phone_over_none(arms)
    assert bounds.effect is not None
    assert bounds.effect.naive.high < 0 < bounds.effect.value.value


def test_bounds_hold_the_truth_at_the_stated_rate_where_all_that_matters_is_recorded() -> None:
    held = []
    for seed in range(10):
        drawn = draw_log(World(decisions=4_000), rng=rng_of(seed))
        found = phone_over_none(arms_of(drawn))
        held.append([holds(found.at(one), float(drawn.lift.mean())) for one in (1.0, STATED, float("inf"))])
    rate = np.mean(held, axis=0)
    assert rate[0] >= 0.9
    assert rate[1] == rate[2] == 1.0


def test_bounds_hold_the_truth_where_something_unrecorded_moves_the_odds_as_far_as_stated() -> None:
    held = []
    for seed in range(10):
        drawn = draw_log(World(decisions=4_000, hidden=1.75), rng=rng_of(seed))
        assert drawn.odds_ratio <= 2.0
        found = phone_over_none(arms_of(drawn))
        held.append(holds(found.at(2.0), float(drawn.lift.mean())))
        assert not any(one.identified for one in found.bounds if one.odds_ratio >= 2.0)
    assert np.mean(held) >= 0.9


def test_no_figure_over_none_stands_without_its_odds_ratio() -> None:
    found = phone_over_none(arms_of(draw_log(World(decisions=4_000), rng=rng_of(1))))
    assert [one.odds_ratio for one in found.bounds] == [*ODDS_RATIOS, float("inf")]
    widths = [one.high - one.low for one in found.bounds]
    assert widths == sorted(widths)
    assert found.bounds[-1].high - found.bounds[-1].low > 1.0


def of_null(seed: int) -> Arms:
    """A world in which no action does anything: the outcome is drawn without looking at it."""
    drawn = draw_log(World(decisions=3_000), rng=rng_of(seed))
    rng = rng_of(seed + 1_000)
    hard = drawn.log.features[:, 0] > 90
    came = (rng.random(len(hard)) < np.where(hard, 0.1, 0.3)) * rng.lognormal(4, 1, len(hard))
    return arms_of(drawn, came, name="eur 14", seed=seed)


def offer_of(arms: Arms) -> Offer:
    cell = np.arange(len(arms.action)) // 3 % 2
    return Offer(arms, cell, (("0 to 30", "under 100"), ("0 to 30", "100 to 500")), FREE, 0.02)


def targeted(arms: Arms, seed: int = 1) -> Targeting:
    return targeting(offer_of(arms), whats=("eur 14",), chosen_on="eur 14", odds_ratios=ODDS_RATIOS, rng=rng_of(seed))


def test_where_no_action_does_anything_nothing_is_claimed() -> None:
    claims = 0
    for seed in range(12):
        arms = of_null(seed)
        claims += targeted(arms).net[0].at(STATED).low > 0
        spares = sparing(
            Asked(arms, everyone(arms), offer_of(arms).cell, offer_of(arms).names, FREE), what="eur 14", settings=QUICK
        )
        claims += spared(spares, STATED)[0] > 0
        found = over_none(arms, whats=("eur 14",), rows=everyone(arms), settings=QUICK)
        claims += any(one.at(STATED) is not None and one.at(STATED).identified for one in found)  # type: ignore[union-attr] # just asked
    assert claims == 0


def better_phone(seed: int, lift: float = 60.0) -> Arms:
    """Phone brings more to everybody, chosen at random."""
    drawn = draw_log(World(decisions=6_000), rng=rng_of(seed))
    rng = rng_of(seed)
    action = rng.integers(1, 3, len(drawn.log.action))
    came = (rng.random(len(action)) < 0.5) * (100.0 + lift * (action == PHONE))
    log = replace(drawn.log, action=action)
    return arms_of(Drawn(log, drawn.lift, 1.0), came, name="eur 14", seed=seed)


def test_the_better_channel_is_chosen_and_its_gain_lies_within_the_bounds() -> None:
    arms = better_phone(3)
    found = targeted(arms)
    assert {one.channel for one in found.choices} == {PHONE}
    assert found.moved == pytest.approx(0.5, abs=0.05)
    truth = 0.5 * 60.0 * float((arms.action != PHONE).mean())
    gain = found.gains[0].at(1.0)
    assert gain.low <= truth <= gain.high
    assert gain.low > 0


def test_a_channel_that_costs_more_than_it_brings_is_not_chosen() -> None:
    arms = better_phone(3, lift=10.0)
    dear = replace(offer_of(arms), cost_eur=np.array([0.0, 0.0, 50.0]))
    found = targeting(dear, whats=("eur 14",), chosen_on="eur 14", odds_ratios=ODDS_RATIOS, rng=rng_of(1))
    assert PHONE not in {one.channel for one in found.choices}
    kept = targeting(
        replace(offer_of(arms), cost_eur=np.array([0.0, 30.0, 30.0])), whats=("eur 14",), chosen_on="eur 14",
        odds_ratios=ODDS_RATIOS, rng=rng_of(1),
    )  # fmt: skip
    assert {one.channel for one in kept.choices} <= {PHONE, AS_BEFORE}


def test_contacts_that_cost_more_than_they_can_bring_are_spared_whatever_is_assumed_up_to_there() -> None:
    arms = of_null(1)
    asked = Asked(arms, everyone(arms), offer_of(arms).cell, offer_of(arms).names, np.array([0.0, 500.0, 500.0]))
    assert spared(sparing(asked, what="eur 14", settings=QUICK), STATED) == (1.0, 1.0)


def test_without_support_there_is_a_reason_and_no_number() -> None:
    drawn = draw_log(World(decisions=3_000), rng=rng_of(1))
    action = np.where(np.arange(len(drawn.log.action)) < 5, PHONE, np.minimum(drawn.log.action, 1))
    arms = arms_of(Drawn(replace(drawn.log, action=action), drawn.lift, 1.0))
    found = {one.channel: one for one in over_none(arms, whats=("paid 14",), rows=everyone(arms), settings=QUICK)}
    assert found[PHONE].refusal
    assert not found[PHONE].bounds
    assert found[1].bounds
    compared = channels_compared(arms, days=(14,), settings=QUICK)
    assert any(one.refusal and one.sign == "nothing" for one in compared)


def test_drawn_decisions_need_no_bound() -> None:
    drawn = draw_log(World(decisions=4_000), rng=rng_of(1))
    rng = rng_of(4)
    action = rng.integers(0, 3, len(drawn.log.action))
    arms = arms_of(Drawn(replace(drawn.log, action=action), drawn.lift, 1.0))
    by_draw = replace(arms, chance=np.full_like(arms.chance, 1 / 3), drawn=everyone(arms))
    found = phone_over_none(by_draw)
    assert found.drawn
    assert not found.bounds
    assert found.effect is not None


def test_bounds_are_nested_whatever_chance_does() -> None:
    rng = rng_of(1)
    made = tuple(Bound(one, *np.sort(rng.normal(size=4)).tolist()) for one in (1.0, 1.2, 1.5))
    found = nested(made)
    for narrow, wide in pairwise(found):
        assert wide.low <= narrow.low
        assert wide.high >= narrow.high


def test_a_larger_share_or_difference_takes_less_time() -> None:
    tests = safe_tests(Traffic(Inflow(2_000.0, 100.0), paid=0.2))
    assert len(tests) == len(SHARES) * 3 * len(Look)
    by = {(one.share, one.difference, one.look): one for one in tests}
    assert by[0.2, 0.03, Look.ONCE].debtors < by[0.05, 0.03, Look.ONCE].debtors < by[0.05, 0.02, Look.ONCE].debtors
    assert by[0.2, 0.03, Look.DAILY].debtors > by[0.2, 0.03, Look.ONCE].debtors
    assert by[0.05, 0.03, Look.ONCE].drawn == pytest.approx(0.05 * by[0.05, 0.03, Look.ONCE].debtors, abs=1)
    assert safe_tests(Traffic(Inflow(2_000.0, 100.0), paid=0.0)) == ()


def test_a_test_that_never_ends_is_not_proposed() -> None:
    endless = tuple(SafeTest(share, 0.02, Look.ONCE, 10**6, 10**5, None) for share in SHARES)
    assert smallest(endless, difference=0.02, look=Look.ONCE) is None
