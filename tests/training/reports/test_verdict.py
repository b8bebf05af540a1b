"""The sentence on top: which evidence leads to which verdict, and that it keeps its word when looked at every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data.config import ArmSettings
from data.times import DAY_US
from models.sample_ratio import sample_ratio
from tests.training.reports.long_world import long_world
from training.reports.blocks import Mood, Verdict
from training.reports.experiment import CHAMPION, CONTROL, Totals
from training.reports.facts import Facts
from training.reports.gains import Comparison, Gain, chance_at_any_look, compare, gain_in
from training.reports.periods import judged
from training.reports.verdict import LONGEST_WEEKS, NO_EXPERIMENT, Case, case_of, inflow_of, judge
from training.trials.intervals import Chance, Interval

FAIR = sample_ratio({"control": 100, "champion": 100}, ArmSettings(0.5, 0.0, 0.5))
UNFAIR = sample_ratio({"control": 100, "champion": 300}, ArmSettings(0.5, 0.0, 0.5))
RARE = Chance(0.001, 0.001)
ABOVE, BELOW, AROUND = Interval(3.0, 1.0, 5.0), Interval(-3.0, -5.0, -1.0), Interval(1.0, -2.0, 4.0)


def comparison(paid_eur: np.ndarray, treated: np.ndarray, *, cap_stands: bool = True) -> Comparison:
    zeros, none = np.zeros(len(paid_eur)), np.zeros(len(paid_eur), dtype=bool)
    paid = (paid_eur > 0).astype(float)
    arm = np.where(treated, CHAMPION, CONTROL)
    rows = np.arange(len(paid_eur))
    found = Totals(rows, arm, paid_eur, zeros + 1, paid, zeros, zeros, zeros, none, none)
    return Comparison(14, found, treated, np.empty((len(rows), 0)), (), 100.0, cap_stands, 0)


def case(
    *,
    recovered: Interval = AROUND,
    cut: Interval = AROUND,
    net: float = 1.0,
    chance: Chance = RARE,
    debtors: int = 200,
    worth_eur: float = 2.0,
    weeks: int | None = 5,
    age_weeks: float = 3.0,
) -> Case:
    two = comparison(np.full(debtors, 10.0), np.arange(debtors) % 2 == 0)
    gains = {"recovered": Gain(AROUND, AROUND, recovered), "recovered_cut": Gain(AROUND, AROUND, cut)}
    gains["net"] = Gain(AROUND, Interval(net, net - 1, net + 1), AROUND)
    return Case(two, gains, chance, FAIR, worth_eur, weeks, age_weeks)


def code(found: Case) -> str:
    return judge(found).code


def headline(found: Case) -> str:
    return judge(found).headline.key


def test_a_gain_needs_the_interval_the_cut_one_chance_and_something_left() -> None:
    good = case(recovered=ABOVE, cut=ABOVE)
    assert code(good) == "gain_shown"
    assert judge(good).mood is Mood.GOOD
    assert code(case(recovered=ABOVE, cut=AROUND)) == "not_yet"
    assert code(case(recovered=AROUND, cut=ABOVE)) == "not_yet"
    assert code(case(recovered=ABOVE, cut=ABOVE, chance=Chance(0.03, 0.5))) == "not_yet"
    assert code(case(recovered=ABOVE, cut=ABOVE, net=-0.1)) == "more_but_dearer"


def test_a_loss_is_the_reverse_whatever_is_saved() -> None:
    assert code(case(recovered=BELOW, cut=BELOW, net=5.0)) == "loss_shown"
    assert code(case(recovered=BELOW, cut=BELOW, chance=Chance(0.001, 0.2))) != "loss_shown"


def test_while_the_cap_is_not_settled_the_cut_gain_of_this_look_has_to_do() -> None:
    open_cap = case(recovered=ABOVE, cut=Interval(3.0, float("nan"), float("nan")))
    one = replace(open_cap, two=replace(open_cap.two, cap_stands=False))
    assert code(one) == "not_yet"
    gains = {**one.gains, "recovered_cut": Gain(AROUND, ABOVE, AROUND)}
    assert code(replace(one, gains=gains)) == "gain_shown"


def test_sizes_that_do_not_fit_end_the_matter() -> None:
    assert code(replace(case(recovered=ABOVE, cut=ABOVE), ratio=UNFAIR)) == "arms_out_of_balance"


def test_no_effect_is_shown_when_a_gain_worth_having_is_ruled_out() -> None:
    narrow = Interval(0.1, -1.9, 1.9)
    assert code(case(recovered=narrow)) == "no_effect_shown"
    assert code(case(recovered=narrow, worth_eur=1.5)) == "not_yet"
    assert code(case(recovered=narrow, debtors=50)) == "not_yet"


def test_after_a_year_without_an_effect_the_verdict_is_that_none_was_shown() -> None:
    old = case(age_weeks=LONGEST_WEEKS)
    assert (code(old), headline(old)) == ("no_effect_shown", "verdict.no_effect_in_a_year.headline")
    assert code(case(age_weeks=LONGEST_WEEKS, debtors=50)) == "not_yet"


def test_as_long_as_nothing_is_known_the_weeks_are_told_or_that_there_is_no_end() -> None:
    waiting = judge(case(weeks=5))
    assert waiting.headline.values["weeks"].value == 5  # type: ignore[union-attr] # a quantity, as every number
    assert judge(case(weeks=0)).headline.values["weeks"].value == 1  # type: ignore[union-attr]
    assert headline(case(weeks=None)) == "verdict.not_yet_never.headline"


def test_of_few_debtors_nothing_is_told_but_that_they_are_few() -> None:
    values = judge(case(debtors=14)).sentence.values
    for place in ("gain", "size", "net", "worth", "champion", "control", "payers"):
        assert values[place].withheld, place  # type: ignore[union-attr]


def verdict_of(facts: Facts) -> Verdict:
    experiment = judged(facts.entrants)
    if experiment is None:
        return NO_EXPERIMENT
    two = compare(experiment.entrants, facts.evidence, days=14)
    return judge(case_of(experiment, two, known_until_us=facts.known_until_us))


def test_a_large_effect_is_shown_and_none_is_not() -> None:
    assert verdict_of(long_world(debtors=2000, rng=np.random.default_rng(1), effect=0.25)).code == "gain_shown"
    assert verdict_of(long_world(debtors=2000, rng=np.random.default_rng(1), effect=-0.25)).code == "loss_shown"
    assert verdict_of(long_world(debtors=2000, rng=np.random.default_rng(1))).code == "not_yet"


def inflow(facts: Facts) -> float:
    experiment = judged(facts.entrants)
    assert experiment is not None
    return inflow_of(experiment, days=14, known_until_us=facts.known_until_us).per_week


def test_new_debtors_are_those_of_the_last_weeks_and_none_once_they_have_stopped() -> None:
    going = long_world(debtors=1500, rng=np.random.default_rng(3), days=42, last=42)
    assert inflow(going) == pytest.approx(1500 / 6, rel=0.1)
    over = long_world(debtors=1500, rng=np.random.default_rng(3), days=42, last=90)
    assert inflow(over) == 0
    assert verdict_of(over).headline.key == "verdict.not_yet_over.headline"


def test_who_enters_after_the_latest_fact_counts_among_the_new_ones() -> None:
    going = long_world(debtors=1500, rng=np.random.default_rng(3), days=42, last=42)
    experiment = judged(going.entrants)
    assert experiment is not None
    behind = inflow_of(experiment, days=14, known_until_us=going.known_until_us - 20 * DAY_US)
    assert behind.per_week == pytest.approx(1500 / 6, rel=0.1)


@pytest.mark.parametrize("day", [3, 10, 13])
def test_in_the_first_days_the_day_is_named_on_which_the_first_debtors_have_been_followed(day: int) -> None:
    verdict = verdict_of(long_world(debtors=3000, rng=np.random.default_rng(2), days=day, last=day))
    assert (verdict.code, verdict.headline.key) == ("not_yet", "verdict.not_yet_begun.headline")
    assert verdict.sentence.values["first"] == date(2026, 3, 15)


def test_of_too_few_debtors_followed_it_is_not_told_that_it_never_becomes_clear() -> None:
    assert headline(case(weeks=None, debtors=60)) == "verdict.not_yet_few.headline"
    assert headline(case(weeks=None, worth_eur=0.0)) == "verdict.not_yet_few.headline"
    assert headline(case(weeks=None, debtors=60, age_weeks=LONGEST_WEEKS)) == "verdict.not_yet_never.headline"
    over = replace(case(weeks=None, debtors=60), over=True)
    assert (code(over), headline(over)) == ("not_yet", "verdict.not_yet_over.headline")
    assert headline(replace(over, weeks=2)) == "verdict.not_yet_weeks.headline"


def test_no_effect_is_not_said_while_the_interval_leaves_zero_out() -> None:
    lost = Interval(-5.0, -8.0, -2.0)
    assert code(case(recovered=lost, cut=lost, chance=Chance(1.0, 0.03), worth_eur=1.0)) == "not_yet"
    won = Interval(5.0, 2.0, 8.0)
    assert code(case(recovered=won, cut=AROUND, age_weeks=LONGEST_WEEKS)) == "not_yet"


def test_payers_are_withheld_by_their_own_number() -> None:
    treated = np.arange(200) % 2 == 0
    paid_eur = np.where(treated | (np.arange(200) < 7), 10.0, 0.0)
    few = replace(case(), two=comparison(paid_eur, treated))
    assert judge(few).sentence.values["payers"].withheld  # type: ignore[union-attr] # a quantity, as every number
    assert not judge(case()).sentence.values["payers"].withheld  # type: ignore[union-attr] # as above


def always_judged(paid_eur: np.ndarray, treated: np.ndarray, *, looks: range) -> set[str]:
    """Codes met at looks after so many debtors each."""
    codes = set()
    for count in looks:
        two = comparison(paid_eur[:count], treated[:count], cap_stands=count >= 1000)
        two = replace(two, cap_eur=float(np.quantile(paid_eur[: min(count, 1000)], 0.99)))
        gains = {name: gain_in(name, two) for name in ("recovered", "recovered_cut", "net")}
        chance = chance_at_any_look(two, share=0.5)
        codes.add(judge(Case(two, gains, chance, FAIR, 2.0, 5, 3.0)).code)
    return codes


@pytest.mark.parametrize("seed", range(3))
def test_who_looks_every_day_at_arms_without_effect_is_told_of_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    paid_eur = rng.lognormal(3, 1, 1500) * (rng.random(1500) < 0.3)
    found = always_judged(paid_eur, rng.random(1500) < 0.5, looks=range(150, 1500, 50))
    assert found <= {"not_yet", "no_effect_shown"}
