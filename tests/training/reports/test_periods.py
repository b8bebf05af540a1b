"""Experiments: they begin when the shares of the arms change, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.worlds import at, decision, log_of, portfolio_of
from training.reports.evidence import gather
from training.reports.experiment import Entrants, enter
from training.reports.gains import balance, share_of_two
from training.reports.periods import Experiment, experiments, judged

FIRST = (("control", 0.1), ("explore", 0.05), ("champion", 0.85))
SECOND = (("control", 0.05), ("explore", 0.1), ("champion", 0.85))
THIRD = (("control", 0.05), ("explore", 0.45), ("champion", 0.5))


def entrants_of(*nights: tuple[float, tuple[tuple[str, float], ...]], **more: Any) -> Entrants:
    """One debtor of each arm on each night."""
    rows = [
        decision(f"{arm}{day:g}", f"{arm}{day:g}/0", day=day, arm=arm, arm_probability=share, **more)
        for day, shares in nights
        for arm, share in shares
    ]
    log = log_of(rows)
    return enter(gather(log, portfolio_of(log), config=Config(), known_until_us=to_us(at(60))))


def found(*nights: tuple[float, tuple[tuple[str, float], ...]]) -> list[tuple[str, int]]:
    return [(one.name, len(one.entrants.debtor)) for one in experiments(entrants_of(*nights))]


def test_as_long_as_shares_stay_there_is_one_experiment() -> None:
    assert found((0, FIRST), (1, FIRST), (30, FIRST)) == [("experiment-2026-03-01", 9)]


def test_other_shares_begin_another_experiment_whichever_arm_is_met_first() -> None:
    both = [("experiment-2026-03-01", 6), ("experiment-2026-03-04", 3)]
    assert found((0, FIRST), (1, FIRST), (3, SECOND)) == both
    assert found((0, FIRST), (1, FIRST), (3, SECOND[::-1])) == both


def test_an_arm_that_kept_its_share_through_one_change_is_seen_to_change_at_the_next() -> None:
    names = [name for name, _ in found((0, FIRST), (3, SECOND), (4, SECOND), (8, THIRD))]
    assert names == ["experiment-2026-03-01", "experiment-2026-03-04", "experiment-2026-03-09"]


def test_two_that_begin_on_one_day_have_names_of_their_own() -> None:
    names = [name for name, _ in found((0, FIRST), (0.1, SECOND))]
    assert names == ["experiment-2026-03-01", "experiment-2026-03-01-2"]


def test_a_new_model_begins_no_new_experiment() -> None:
    rows = [decision(f"{arm}{day}", f"{arm}{day}/0", day=day, arm=arm, arm_probability=share, model_version=f"m{day}")
            for day in range(3) for arm, share in FIRST]  # fmt: skip
    log = log_of(rows)
    evidence = gather(log, portfolio_of(log), config=Config(), known_until_us=to_us(at(60)))
    assert len(experiments(enter(evidence))) == 1


def test_a_debtor_belongs_to_the_experiment_of_the_first_decision() -> None:
    rows = [decision(arm, f"{arm}/0", day=day, arm=arm, arm_probability=share)
            for day, shares in ((0, FIRST), (5, SECOND)) for arm, share in shares]  # fmt: skip
    log = log_of(rows)
    evidence = gather(log, portfolio_of(log), config=Config(), known_until_us=to_us(at(60)))
    assert [len(one.entrants.debtor) for one in experiments(enter(evidence))] == [3]


def test_shares_of_an_experiment_are_those_of_its_log() -> None:
    one, two = experiments(entrants_of((0, FIRST), (3, THIRD)))
    assert one.shares == {"control": 0.1, "explore": 0.05, "champion": 0.85}
    assert share_of_two(two) == pytest.approx(0.5 / 0.55)
    assert (one.to_us, two.to_us) == (to_us(at(3)), None)


def test_the_newest_experiment_is_judged_unless_it_has_too_few_debtors() -> None:
    many = [(day, FIRST) for day in range(100)]
    chosen = judged(entrants_of(*many, (200, SECOND)))
    assert chosen is not None
    assert chosen.name == "experiment-2026-03-01"
    few = judged(entrants_of((0, FIRST), (3, SECOND)))
    assert few is not None
    assert few.name == "experiment-2026-03-04"


def test_a_newer_experiment_is_not_judged_before_enough_of_its_debtors_have_been_followed() -> None:
    both = entrants_of(*((day, FIRST) for day in range(100)), *((day, SECOND) for day in range(200, 300)))
    names = []
    for followed_to in (250, 299):
        found = judged(replace(both, followed_to_us=to_us(at(followed_to))))
        assert found is not None
        names.append(found.name)
    assert names == ["experiment-2026-03-01", "experiment-2026-09-17"]


def test_without_drawn_arms_there_is_no_experiment() -> None:
    alone = entrants_of((0, (("champion", 1.0),)))
    assert experiments(alone) == ()
    assert judged(alone) is None


def balance_of(**sizes: int) -> float:
    rows = [
        decision(f"{arm}{n}", f"{arm}{n}/0", arm=arm, arm_probability=dict(FIRST)[arm])
        for arm, size in sizes.items()
        for n in range(size)
    ]
    log = log_of(rows)
    evidence = gather(log, portfolio_of(log), config=Config(), known_until_us=to_us(at(60)))
    one: Experiment = experiments(enter(evidence))[0]
    return balance(one).p_value


def test_sizes_of_arms_are_held_against_the_shares_in_the_log() -> None:
    assert balance_of(control=10, explore=5, champion=85) == pytest.approx(1.0)
    assert balance_of(control=40, explore=5, champion=85) < 0.001


def test_an_arm_that_nobody_came_into_is_missed() -> None:
    assert balance_of(control=100, champion=850) < 0.001
