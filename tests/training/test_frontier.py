"""Fewer contacts at equal recovery: told from drawn logs whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.policy_settings import PolicySettings
from models.decide import chosen_again
from tests.deciding import rate_model
from tests.training.drawn_world import drawn_world
from training.frontier import NO_DIAL, RULES, BadDial, NothingToJudge, Setting, equal_recovery, frontier, usual_dials
from training.ope.intervals import Interval
from training.policy_value import Judged

WORLD = drawn_world(rate_model(), seed=31)
DIALS = usual_dials(WORLD.decided)


def test_contacts_cost_and_harm_fall_with_the_dial_and_the_model_s_value_with_them() -> None:
    found = frontier(WORLD.log(np.random.default_rng(1)), WORLD.decided)
    for name in ("contacts", "harm_eur", "expected_eur"):
        values = [getattr(one, name) for one in found.settings]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1]
    assert found.settings[0].name == NO_DIAL
    assert found.rules.name == RULES
    assert found.settings[0].lost is None
    assert len(found.settings) > 5


def test_the_usual_dials_leave_about_the_shares_of_contacts_they_are_named_for() -> None:
    made = [
        (chosen_again(WORLD.decided, policy=PolicySettings(least_value_eur=one)).choice.action > 0).sum()
        for one in DIALS
    ]
    shares = np.array(made) / (WORLD.decided.choice.action > 0).sum()
    assert shares[0] > 0.85
    assert shares[-1] < 0.25


@pytest.mark.parametrize("dial", [DIALS[1], DIALS[5]])
def test_the_interval_of_what_is_lost_covers_the_truth_as_often_as_it_says(dial: float) -> None:
    rng = np.random.default_rng(7)
    fewer = chosen_again(WORLD.decided, policy=PolicySettings(least_value_eur=dial))
    truth = WORLD.recovered_eur(fewer) - WORLD.recovered_eur(WORLD.decided)
    found = [frontier(WORLD.log(rng), WORLD.decided, dials=[dial]).settings[1].lost for _ in range(60)]
    covered = [one.low <= truth <= one.high for one in found if one is not None]
    assert len(covered) == 60
    assert np.mean(covered) >= 0.88  # two and a half standard errors below .95


def test_the_difference_is_known_better_than_either_value() -> None:
    found = frontier(WORLD.log(np.random.default_rng(2)), WORLD.decided, dials=[DIALS[1]])
    one = found.settings[1]
    assert one.lost is not None
    assert one.recovered is not None
    assert one.lost.half_width < one.recovered.half_width / 2
    start = found.settings[0].recovered
    assert start is not None
    assert one.lost.value == pytest.approx(one.recovered.value - start.value)


def test_the_setting_chosen_truly_keeps_the_recovery_in_nearly_all_logs() -> None:
    rng, margin = np.random.default_rng(5), 0.1
    today = WORLD.recovered_eur(WORLD.decided)
    kept, fewer = [], []
    for _ in range(40):
        found = frontier(WORLD.log(rng), WORLD.decided, margin=margin)
        least = found.picked.least_value_eur
        assert least is not None
        chosen = chosen_again(WORLD.decided, policy=PolicySettings(least_value_eur=least))
        kept.append(WORLD.recovered_eur(chosen) >= today * (1 - margin) - 1e-9)
        fewer.append(found.picked.contacts < found.settings[0].contacts)
    assert np.mean(kept) >= 0.9
    assert np.mean(fewer) >= 0.5  # half of the contacts add nothing in this world, and the model knows which


@pytest.mark.parametrize(("dials", "margin", "told"), [([-1.0], 0.1, "came -1"), ([1.0], 1.5, "came 1.5")])
def test_a_dial_or_margin_that_cannot_be_is_refused(dials: list[float], margin: float, told: str) -> None:
    with pytest.raises(BadDial, match=told):
        frontier(WORLD.log(np.random.default_rng(1)), WORLD.decided, dials=dials, margin=margin)


def a_setting(low: float | None) -> Setting:
    lost = None if low is None else Interval(0.0, low, 1.0)
    return Setting("x", 1.0, 0.5, 0, 0, 0, Interval(10.0, 9.0, 11.0), None, lost, None, "")


@pytest.mark.parametrize(
    ("lows", "chosen"), [([], 0), ([-0.05, -0.1, -0.2], 2), ([-0.2, -0.05], 0), ([-0.05, None, -0.05], 1)]
)
def test_settings_are_tried_until_the_first_that_fails(lows: list[float | None], chosen: int) -> None:
    assert equal_recovery([a_setting(None), *(a_setting(low) for low in lows)], 0.01) == chosen


def test_without_a_number_for_the_dial_at_nothing_nothing_is_chosen() -> None:
    today = replace(a_setting(None), recovered=None)
    assert equal_recovery([today, a_setting(0.5)], 0.01) == 0


def test_a_log_without_overlap_gets_refusals_and_no_numbers() -> None:
    log = WORLD.log(np.random.default_rng(1))
    letters = replace(log, channel=np.full_like(log.channel, 4), hour=np.full_like(log.hour, 8))
    found = frontier(letters, WORLD.decided, dials=[1.0])
    assert found.chosen == 0
    for one in found.settings:
        assert one.refusal
        assert one.recovered is None
        assert one.lost is None


def test_a_log_without_random_decisions_says_what_to_draw() -> None:
    log = WORLD.log(np.random.default_rng(1))
    nobody = Judged(*(getattr(log, name)[:0] for name in Judged.__dataclass_fields__))
    with pytest.raises(NothingToJudge, match="draw 5 % of decisions at random"):
        frontier(nobody, WORLD.decided)
