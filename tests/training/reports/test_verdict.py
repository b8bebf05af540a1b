"""The verdict's rule, and how often it is wrong where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from models.sample_ratio import SampleRatio
from training.reports.experiment import CHAMPION, CONTROL, Totals, chance_alone, gains
from training.reports.intervals import Chance
from training.reports.verdict import Verdict, detectable, judge

FAIR = SampleRatio(("control", "champion"), (400, 3600), (400.0, 3600.0), 0.0, 1.0)


def totals(rng: np.random.Generator, *, size: int = 4000, more: float = 0.0, cost: float = 0.0) -> Totals:
    """Heavy-tailed payments of a quarter of the debtors; the champion's are larger by the share `more`."""
    arm = np.where(rng.random(size) < 0.1, CONTROL, CHAMPION)
    paid = (rng.random(size) < 0.25).astype(float)
    money = paid * rng.lognormal(4, 1.6, size) * np.where(arm == CHAMPION, 1 + more, 1)
    nothing, no = np.zeros(size), np.zeros(size, dtype=bool)
    return Totals(arm, money, np.ones(size), paid, nothing, cost * (arm == CHAMPION), nothing, no, no)


def judged(found: Totals, ratio: SampleRatio = FAIR) -> Verdict:
    gain = gains(found)
    open_question = gain["recovered_eur_per_debtor"].low > 0 or gain["recovered_eur_per_debtor"].high < 0
    drawn = np.random.default_rng(1)  # redrawing takes time, and without an interval beyond zero it decides nothing
    chance = chance_alone(found, rng=drawn) if open_question else Chance(1.0, 1.0)
    return judge(found, gain, chance=chance, ratio=ratio, days=14)


def verdict(found: Totals, ratio: SampleRatio = FAIR) -> str:
    return judged(found, ratio).code


def test_without_any_effect_a_gain_is_claimed_in_at_most_one_experiment_in_twenty() -> None:
    rng = np.random.default_rng(20260301)
    codes = [verdict(totals(rng)) for _ in range(200)]
    assert codes.count("gain_shown") <= stats.binom.ppf(0.99, 200, 0.05)
    assert codes.count("gain_shown") / 200 <= 0.05
    assert codes.count("more_but_dearer") == 0
    assert codes.count("loss_shown") <= stats.binom.ppf(0.99, 200, 0.05)


def test_a_small_control_arm_with_heavy_tails_does_not_raise_false_alarms() -> None:
    rng = np.random.default_rng(9)
    codes = [verdict(totals(rng, size=1500)) for _ in range(200)]
    assert codes.count("gain_shown") <= stats.binom.ppf(0.99, 200, 0.05)


def test_without_any_effect_but_with_cheaper_contacts_no_gain_in_payments_is_claimed() -> None:
    rng = np.random.default_rng(5)
    codes = [verdict(totals(rng, cost=-2.0)) for _ in range(100)]
    assert codes.count("gain_shown") <= 5


def test_a_large_effect_is_shown_and_its_reverse_is_a_loss() -> None:
    rng = np.random.default_rng(6)
    assert verdict(totals(rng, more=1.0, size=20_000)) == "gain_shown"
    assert verdict(totals(rng, more=-0.7, size=20_000)) == "loss_shown"


def test_a_gain_that_costs_more_than_it_brings_is_not_called_one() -> None:
    assert verdict(totals(np.random.default_rng(6), more=1.0, size=20_000, cost=500.0)) == "more_but_dearer"


def test_small_arms_and_arms_hardly_paid_on_are_not_enough() -> None:
    rng = np.random.default_rng(7)
    small = totals(rng, size=300)
    found = judged(small)
    assert found.code == "not_enough_data"
    assert "debtors of the control arm have been followed to the end, 100 needed" in found.sentence
    one_payer = Totals(**{**vars(totals(rng)), "claims_paid": np.arange(4000) < 1.0})
    assert "20 needed" in judged(one_payer).sentence


def test_nothing_is_concluded_from_arms_out_of_balance() -> None:
    found = totals(np.random.default_rng(6), more=1.0, size=20_000)
    odd = SampleRatio(("control", "champion"), (4000, 16000), (2000.0, 18000.0), 2222.2, 0.0)
    assert verdict(found, odd) == "arms_out_of_balance"


def test_a_difference_of_the_detectable_size_shows_in_four_experiments_of_five() -> None:
    rng = np.random.default_rng(8)
    shown = 0
    for _ in range(300):
        arm = np.where(rng.random(2000) < 0.3, CONTROL, CHAMPION)
        base = rng.normal(100, 30, 2000)
        zero, no = np.zeros(2000), np.zeros(2000, dtype=bool)
        size = detectable(gains(Totals(arm, base, zero + 1, zero + 1, zero, zero, zero, no, no))["net_eur_per_debtor"])
        found = Totals(arm, base + size * (arm == CHAMPION), zero + 1, zero + 1, zero, zero, zero, no, no)
        shown += gains(found)["recovered_eur_per_debtor"].low > 0
    assert shown / 300 == pytest.approx(0.8, abs=0.07)
