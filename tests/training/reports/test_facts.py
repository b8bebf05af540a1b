"""What pages are computed from: narrowed to a creditor it adds up, and nothing that became known later is in it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.config import Config
from data.portfolio import Portfolio
from data.times import to_us
from tests.training.reports.long_world import CREDITORS, long_world
from tests.training.reports.worlds import at, contact, decision, event, log_of, payment, portfolio_of
from training.reports import experiment as arms
from training.reports.facts import Facts, NothingDecided, UnknownCreditor, creditors, facts_of, of_creditor

CONTROL = {"arm": "control", "arm_probability": 0.1}


def claim(claim_id: str, creditor: str) -> dict[str, Any]:
    fixed = {"sector": "telecom", "currency": "EUR", "registered_at": at(-99), "due_on": at(-60).date()}
    names = {"claim_id": claim_id, "debtor_id": claim_id.split("/")[0], "creditor_id": creditor}
    return {**names, "principal": Decimal("100.00"), **fixed}


def facts_from(rows: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> Facts:
    log = log_of(rows)
    return known_on(28, log, portfolio_of(log, **tables))


def known_on(day: float, log: pa.Table, portfolio: Portfolio) -> Facts:
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(day)))


def two_creditors(**tables: list[dict[str, Any]]) -> Facts:
    """Debtor a owes x and y, b owes y; one SMS to a covers both claims."""
    rows = [decision("a", "a/0", channel="sms"), decision("a", "a/1", channel="sms"), decision("b", "b/0", **CONTROL)]
    claims = [claim("a/0", "x"), claim("a/1", "y"), claim("b/0", "y")]
    return facts_from(rows, claims=claims, **tables)


def totals_of(facts: Facts) -> arms.Totals:
    return arms.totals(facts.entrants, facts.evidence, days=14)


def test_a_creditor_has_the_debtors_and_the_money_of_its_claims_and_its_share_of_a_contact() -> None:
    facts = two_creditors(payments=[payment("a/0", 1, 30), payment("a/1", 2, 12), payment("b/0", 3, 7)])
    x, y = totals_of(of_creditor(facts, "x")), totals_of(of_creditor(facts, "y"))
    assert creditors(facts) == ("y", "x")
    assert (x.recovered_eur.tolist(), y.recovered_eur.tolist()) == ([30], [12, 7])
    assert (x.claims.tolist(), y.claims.tolist()) == ([1], [1, 1])
    assert (x.contacts.tolist(), y.contacts.tolist()) == ([1], [1, 0])
    assert x.cost_eur == pytest.approx([0.035])
    assert y.cost_eur == pytest.approx([0.035, 0])


def test_the_arm_and_the_moment_are_those_of_the_debtor_not_of_the_creditor() -> None:
    rows = [decision("a", "a/0", **CONTROL), decision("a", "a/1", day=5), decision("b", "b/0", day=1)]
    facts = facts_from(rows, claims=[claim("a/0", "x"), claim("a/1", "y"), claim("b/0", "y")])
    theirs = of_creditor(facts, "y")
    assert theirs.evidence.rows.debtor_id.take(theirs.entrants.debtor).to_pylist() == ["b"]
    assert of_creditor(facts, "x").entrants.arm.tolist() == [arms.CONTROL]


def test_a_complaint_about_a_contact_counts_for_the_creditors_it_was_about() -> None:
    made = [contact("a", "a/0", day=1), contact("b", "b/0", day=1)]
    noise = [event("a-1", 2, "complained"), event("b-1", 2, "opted_out")]
    facts = two_creditors(contacts=made, contact_events=noise)
    assert totals_of(facts).complained.tolist() == [True, False]
    assert totals_of(of_creditor(facts, "x")).complained.tolist() == [True]
    assert totals_of(of_creditor(facts, "y")).complained.tolist() == [False, False]
    assert totals_of(of_creditor(facts, "y")).opted_out.tolist() == [False, True]


def test_money_claims_and_costs_of_all_creditors_add_up_to_those_of_the_whole() -> None:
    facts = long_world(debtors=300, rng=np.random.default_rng(1))
    whole = totals_of(facts)
    parts = [totals_of(of_creditor(facts, one)) for one in creditors(facts)]
    assert set(creditors(facts)) == set(CREDITORS)
    for name in ("recovered_eur", "claims", "claims_paid", "cost_eur", "harm_eur"):
        assert sum(getattr(one, name).sum() for one in parts) == pytest.approx(getattr(whole, name).sum())


def test_tables_of_a_creditor_hold_no_other_creditors_rows() -> None:
    facts = long_world(debtors=100, rng=np.random.default_rng(2))
    theirs = of_creditor(facts, "other")
    claims = set(theirs.portfolio["claims"]["claim_id"].to_pylist())
    assert theirs.portfolio["claims"]["creditor_id"].unique().to_pylist() == ["other"]
    assert set(theirs.decisions["claim_id"].to_pylist()) == claims
    assert set(theirs.portfolio["payments"]["claim_id"].to_pylist()) <= claims
    assert set(theirs.portfolio["contacts"]["claim_id"].to_pylist()) <= claims


def test_what_happened_or_became_known_later_changes_nothing() -> None:
    early = {"payments": [payment("a/0", 1, 30)], "contacts": [contact("a", "a/0", day=1)]}
    late = {
        "payments": [payment("a/1", 2, 99, known_at=at(29)), payment("a/0", 29, 5)],
        "contacts": [contact("a", "a/1", day=3, known_at=at(30))],
    }
    heard = [event("a-1", 2, "opted_out") | {"known_at": at(40)}]
    fewer = two_creditors(**early)
    more = two_creditors(**{name: [*early[name], *late[name]] for name in early}, contact_events=heard)
    for name, column in vars(totals_of(fewer)).items():
        assert column.tolist() == getattr(totals_of(more), name).tolist(), name
    assert fewer.entrants.before.tolist() == more.entrants.before.tolist()


def test_decisions_of_other_claims_or_later_ones_are_left_out_and_none_left_is_an_error() -> None:
    log = log_of([decision("a", "a/0"), decision("b", "b/0", day=40)])
    portfolio = portfolio_of(log_of([decision("a", "a/0")]), payments=[payment("a/0", 1, 1)])
    found = known_on(30, log, portfolio)
    assert found.decisions["claim_id"].to_pylist() == ["a/0"]
    with pytest.raises(NothingDecided, match="found none among 2 rows"):
        known_on(-1, log, portfolio)


def test_decisions_since_the_latest_fact_count_as_waiting_when_the_time_of_writing_is_told() -> None:
    log = log_of([decision("a", "a/0"), decision("b", "b/0", day=29), decision("c", "c/0", day=31)])
    portfolio, days = portfolio_of(log, payments=[payment("a/0", 1, 1)]), {"known_until_us": to_us(at(28))}
    found = facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), **days, now_us=to_us(at(30)))
    assert found.decisions["claim_id"].to_pylist() == ["a/0", "b/0"]
    assert len(arms.totals(found.entrants, found.evidence, days=14).arm) == 1


def test_an_unknown_creditor_is_an_error() -> None:
    facts = two_creditors(payments=[payment("a/0", 1, 30)])
    with pytest.raises(UnknownCreditor, match="came 'z'"):
        of_creditor(facts, "z")
