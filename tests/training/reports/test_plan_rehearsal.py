"""Who would have entered an experiment that began some weeks ago."""

from __future__ import annotations

import pytest

from data.times import DAY_US
from tests.training.reports.plan_world import END_US, before, claim, portfolio
from training.reports.rehearsal import Rehearsal, ShortHistory, rehearse

START_DAYS = 12 * 7 + 30


def rehearsed(*claims: dict[str, object], debtors: dict[str, dict[str, object]] | None = None) -> Rehearsal:
    """Of these claims, and of an old one that reaches back far enough."""
    return rehearse(
        portfolio([claim(99, 300, closed=250), *claims], [], debtors=debtors), horizon_days=30, known_until_us=END_US
    )


def entries(found: Rehearsal) -> dict[str, float]:
    """Days before the end at which each claim was decided on."""
    days = (END_US - found.decisions["decided_at"].cast("int64").to_numpy()) / DAY_US
    return dict(zip(found.decisions["claim_id"].to_pylist(), days.tolist(), strict=True))


def test_who_has_an_open_claim_enters_at_the_start_and_others_on_the_evening_after_theirs_came() -> None:
    found = rehearsed(claim(1, 200), claim(2, 50.3))
    assert entries(found) == {"c1": START_DAYS, "c2": 50.0}
    assert (found.at_start, found.per_week) == (1, pytest.approx(1 / (START_DAYS / 7)))


def test_a_debtor_enters_once_with_the_claims_open_then() -> None:
    found = rehearsed(
        claim(1, 200), claim(2, 150, debtor=1), claim(3, 20, debtor=1), claim(4, 180, closed=120, debtor=1)
    )
    assert entries(found) == {"c1": START_DAYS, "c2": START_DAYS}
    assert found.at_start == 1


def test_a_claim_closed_before_the_evening_lets_nobody_in() -> None:
    found = rehearsed(claim(1, 200, closed=START_DAYS), claim(2, 50.3, closed=50.1), claim(3, 90))
    assert entries(found) == {"c3": 90.0}


def test_a_debtor_enters_with_a_later_claim_where_an_earlier_one_closed_too_soon() -> None:
    found = rehearsed(claim(1, 50.3, closed=50.1), claim(2, 40, debtor=1))
    assert entries(found) == {"c2": 40.0}


@pytest.mark.parametrize("column", ["blocked_at", "cease_at", "objected_at"])
def test_who_is_not_decided_on_does_not_enter(column: str) -> None:
    barred = {"d1": {column: before(START_DAYS)}, "d2": {column: before(START_DAYS - 1)}}
    assert entries(rehearsed(claim(1, 200), claim(2, 200), debtors=barred)) == {"c2": START_DAYS}


def test_a_shorter_portfolio_is_looked_back_on_as_far_as_it_reaches() -> None:
    found = rehearse(portfolio([claim(1, 70), claim(2, 5)], []), horizon_days=30, known_until_us=END_US)
    assert found.weeks == pytest.approx(10)
    assert found.at_start == 1


def test_a_portfolio_of_a_few_weeks_is_refused() -> None:
    young = portfolio([claim(1, 40)], [])
    with pytest.raises(
        ShortHistory, match="at least 8 weeks before the end of the data, the first came 6 weeks before"
    ):
        rehearse(young, horizon_days=30, known_until_us=END_US)


def test_a_portfolio_whose_claims_are_all_closed_is_refused() -> None:
    with pytest.raises(ShortHistory, match="open claims in the last weeks"):
        rehearsed()
