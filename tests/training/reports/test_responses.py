"""Responses by channel and hour, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from data.config import Config
from data.times import to_us
from tests.training.reports.worlds import at, contact, decision, event, log_of, payment, portfolio_of
from training.reports.evidence import Evidence, gather
from training.reports.responses import moments, response, send_hours


def evidence_of(rows: list[dict[str, Any]], *, last_day: float = 60, **tables: list[dict[str, Any]]) -> Evidence:
    log = log_of(rows)
    return gather(log, portfolio_of(log, **tables), config=Config(), known_until_us=to_us(at(last_day)))


def test_a_payment_after_three_contacts_is_credited_to_the_last_and_the_ledger_adds_up() -> None:
    rows = [decision("a", "a/0", day=day, channel=name) for day, name in ((0, "sms"), (3, "letter"), (6, "phone"))]
    found = moments(evidence_of(rows, payments=[payment("a/0", 5, 40), payment("a/0", 8, 2)]), days=14)
    assert found.paid.tolist() == [True, True, True]
    assert found.credited_eur.tolist() == [0, 40, 2]
    assert found.cost_eur.tolist() == [0.07, 1.75, 0.5]


def test_a_contact_answers_for_the_claims_it_covers_only() -> None:
    rows = [
        decision("a", "a/0", channel="sms"),
        decision("a", "a/1", channel="sms", lead=False),
        decision("a", "a/2", decision_id="a-held"),
        decision("b", "b/0"),
        decision("b", "b/1", decision_id="b-other"),
    ]
    evidence = evidence_of(rows, payments=[payment("a/2", 1, 9), payment("b/1", 1, 4)])
    found = moments(evidence, days=14)
    assert [evidence.rows.channels[code] for code in found.channel] == ["sms", "none"]
    assert found.paid.tolist() == [False, True]
    assert found.credited_eur.tolist() == [0, 4]


def test_decisions_not_yet_mature_are_left_out_of_a_response() -> None:
    rows = [decision("a", "a/0", channel="sms"), decision("b", "b/0", day=10, channel="sms")]
    evidence = evidence_of(rows, last_day=20, payments=[payment("a/0", 1, 9)])
    found = response(moments(evidence, days=14), np.ones(2, dtype=bool))
    assert (found.decisions, found.paid, found.share_paid.value) == (1, 1, 1.0)


def test_hours_are_those_of_the_debtors_own_clock() -> None:
    sent = {"channel": "sms", "send_at": datetime(2026, 7, 1, 16, 30, tzinfo=UTC)}
    rows = [decision(one, f"{one}/0", **sent) for one in "abc"] + [decision("d", "d/0")]
    places = (("SE", None, None), ("US", "US-NY", None), ("US", None, "America/Phoenix"), ("SE", None, None))
    debtors = [
        {"debtor_id": one, "country": country, "region": region, "time_zone": zone, "registered_at": at(-9)}
        for one, (country, region, zone) in zip("abcd", places, strict=True)
    ]
    log = log_of(rows)
    portfolio = portfolio_of(log, debtors=debtors)
    evidence = gather(log, portfolio, config=Config(), known_until_us=to_us(at(200)))
    assert send_hours(moments(evidence, days=14), evidence.rows, portfolio).tolist() == [18, 12, 9, -1]


def test_refused_and_replaced_decisions_do_not_count() -> None:
    log = log_of([decision("a", "a/0", channel="sms"), decision("a", "a/0", day=1, channel="sms")])
    log = log.append_column("status", [["replaced", "decided"]])
    evidence = gather(log, portfolio_of(log), config=Config(), known_until_us=to_us(at(60)))
    assert len(moments(evidence, days=14).debtor) == 1


def test_a_call_with_events_but_no_answer_is_unanswered_and_its_payment_counts_all_the_same() -> None:
    rows = [decision(one, f"{one}/0", channel="phone") for one in "abc"]
    told = [event("a-0", 1, "answered"), event("b-0", 1, "voicemail")]
    made = [contact(one, f"{one}/0", channel="phone") for one in "abc"]
    paid = [payment("b/0", 2, 30)]
    found = moments(evidence_of(rows, contacts=made, contact_events=told, payments=paid), days=14)
    assert found.answered.tolist() == [True, False, False]
    assert found.unanswered.tolist() == [False, True, False]
    assert found.paid.tolist() == [False, True, False]
    assert response(found, found.unanswered).credited_eur == 30


def test_a_response_counts_debtors_apart_from_decisions() -> None:
    rows = [decision("a", "a/0", day=day, channel="sms") for day in (0, 3, 6)]
    found = moments(evidence_of(rows), days=14)
    one = response(found, found.channel > 0)
    assert (one.debtors, one.decisions) == (1, 3)
