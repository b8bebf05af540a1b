"""Arms by intention to treat, on a handful of debtors counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.config import ArmSettings, Config
from data.times import to_us
from models.sample_ratio import sample_ratio
from tests.training.reports.worlds import at, contact, decision, event, log_of, payment, portfolio_of
from training.reports import experiment as arms
from training.reports.evidence import Evidence, NoFacts, facts_after, gather, latest_fact_us
from training.reports.gains import compare, gain_in

CONTROL = {"arm": "control", "arm_probability": 0.1}


def evidence_of(rows: list[dict[str, Any]], *, last_day: float = 28, **tables: list[dict[str, Any]]) -> Evidence:
    log = log_of(rows)
    return gather(log, portfolio_of(log, **tables), config=Config(), known_until_us=to_us(at(last_day)))


def totals_of(evidence: Evidence, days: int = 14) -> dict[str, arms.Totals]:
    found = arms.totals(arms.enter(evidence), evidence, days=days)
    return {"control": found.of(arms.CONTROL), "champion": found.of(arms.CHAMPION)}


def test_money_and_claims_are_counted_in_the_arm_of_the_first_decision() -> None:
    rows = [
        decision("a", "a/0"),
        decision("a", "a/1"),
        decision("b", "b/0", **CONTROL),
        decision("c", "c/0", **CONTROL),
    ]
    paid = [payment("a/0", 1, 30), payment("a/1", 2, 12), payment("a/1", 20, 5), payment("b/0", 13, 7)]
    found = totals_of(evidence_of(rows, payments=paid))
    assert found["champion"].recovered_eur.tolist() == [42]
    assert found["champion"].claims_paid.tolist() == [2]
    assert found["control"].recovered_eur.tolist() == [7, 0]
    assert found["control"].claims.tolist() == [1, 1]
    evidence = evidence_of(rows, payments=paid)
    gain = gain_in("recovered", compare(arms.enter(evidence), evidence, days=14))
    assert np.isnan(gain.raw.value)
    assert np.isnan(gain.always.low)


def test_a_payment_after_several_contacts_is_counted_once() -> None:
    rows = [decision("a", "a/0", day=day, channel="sms") for day in (0, 3, 6)] + [decision("b", "b/0", **CONTROL)]
    found = totals_of(evidence_of(rows, payments=[payment("a/0", 8, 100)]))
    assert found["champion"].recovered_eur.tolist() == [100]
    assert found["champion"].contacts.tolist() == [3]
    assert found["champion"].cost_eur == pytest.approx([0.21])
    assert found["champion"].harm_eur == pytest.approx([0.45])
    assert found["champion"].net_eur == pytest.approx([99.34])


def test_a_reversed_payment_is_not_recovered() -> None:
    rows = [decision("a", "a/0"), decision("b", "b/0", **CONTROL)]
    found = totals_of(evidence_of(rows, payments=[payment("a/0", 1, 9, reversed_at=at(3))]))
    assert found["champion"].recovered_eur.tolist() == [0]


def test_debtors_inside_their_horizon_are_left_out_and_not_counted_as_unpaid() -> None:
    rows = [decision("a", "a/0"), decision("b", "b/0", day=15), decision("c", "c/0", **CONTROL)]
    evidence = evidence_of(rows, last_day=20, payments=[payment("a/0", 1, 9)])
    found = totals_of(evidence)
    assert found["champion"].recovered_eur.tolist() == [9]
    assert int(arms.mature(arms.enter(evidence), 14, known_until_us=evidence.known_until_us).sum()) == 2


def test_later_decisions_and_a_change_of_arm_leave_the_first_arm_in_force() -> None:
    rows = [decision("a", "a/0", **CONTROL), decision("a", "a/0", day=5), decision("b", "b/0")]
    evidence = evidence_of(rows, payments=[payment("a/0", 6, 9)])
    entrants = arms.enter(evidence)
    assert entrants.switched == 1
    assert totals_of(evidence)["control"].recovered_eur.tolist() == [9]


def test_claims_that_came_later_do_not_count() -> None:
    rows = [decision("a", "a/0"), decision("a", "a/9", day=3), decision("b", "b/0", **CONTROL)]
    found = totals_of(evidence_of(rows, payments=[payment("a/9", 4, 50)]))
    assert found["champion"].recovered_eur.tolist() == [0]


def test_debtors_all_given_to_one_arm_are_no_experiment() -> None:
    greedy = {"arm_probability": 1.0}
    evidence = evidence_of([decision("a", "a/0", **greedy), decision("b", "b/0", **greedy)])
    assert not arms.enter(evidence).randomised
    assert len(arms.enter(evidence).debtor) == 2


def test_debtors_not_drawn_or_who_objected_take_no_part_in_the_comparison() -> None:
    rows = [decision(one, f"{one}/0") for one in "ao"]
    rows += [decision("b", "b/0", **CONTROL), decision("g", "g/0", arm_probability=1.0)]
    debtors = [{"debtor_id": one, "country": "SE", "registered_at": at(-9)} for one in "abg"]
    objected = {"debtor_id": "o", "country": "SE", "registered_at": at(-9), "objected_at": at(-1)}
    entrants = arms.enter(evidence_of(rows, debtors=[*debtors, objected]))
    assert len(entrants.debtor) == 2
    assert entrants.objected == 1


def test_contacts_are_those_recorded_once_the_collection_system_hands_some_back() -> None:
    rows = [decision("a", "a/0", channel="phone"), decision("b", "b/0", channel="sms", **CONTROL)]
    made = [contact("a", "a/0", channel="phone"), contact("a", "a/0", day=9, policy="clerk", channel="letter")]
    statutory = contact("b", "b/0", day=2, channel="letter", statutory_step="notice")
    planned = totals_of(evidence_of(rows))
    told = evidence_of(rows, contacts=[*made, statutory], contact_events=[event("a-0", 1, "answered")])
    found = totals_of(told)
    assert planned["champion"].contacts.tolist() == planned["control"].contacts.tolist() == [1]
    assert found["champion"].contacts.tolist() == [2]
    assert found["champion"].cost_eur == pytest.approx([0.50 + 5.0 + 1.75])
    assert found["control"].contacts.tolist() == [0]


def test_opt_outs_and_complaints_are_debtors_not_events() -> None:
    rows = [decision("a", "a/0", channel="sms"), decision("b", "b/0", channel="sms", **CONTROL)]
    made = [contact("a", "a/0"), contact("a", "a/0", day=4)]
    noise = [event("a-0", 1, "opted_out"), event("a-4", 5, "opted_out"), event("a-4", 15, "complained")]
    found = totals_of(evidence_of(rows, contacts=made, contact_events=noise))["champion"]
    assert found.opted_out.tolist() == [True]
    assert found.complained.tolist() == [False]


def test_the_curve_by_day_ends_at_the_total() -> None:
    rows = [decision(one, f"{one}/0") for one in "abc"] + [decision(one, f"{one}/0", **CONTROL) for one in "xy"]
    evidence = evidence_of(rows, payments=[payment("a/0", 0.5, 6), payment("b/0", 3.2, 3), payment("c/0", 15, 8)])
    curve = [one.value for one in arms.day_by_day(arms.enter(evidence), evidence, days=14)[arms.CHAMPION]]
    assert curve == pytest.approx([0, 2, 2, 2] + [3] * 11)


def test_sizes_of_arms_are_held_against_their_shares() -> None:
    rows = [decision(f"d{n}", f"d{n}/0") for n in range(85)] + [
        decision(f"c{n}", f"c{n}/0", **CONTROL) for n in range(10)
    ]
    rows += [decision(f"e{n}", f"e{n}/0", arm="explore", arm_probability=0.05) for n in range(5)]
    exact = sample_ratio(arms.arm_sizes(arms.enter(evidence_of(rows))), ArmSettings())
    lost = sample_ratio(arms.arm_sizes(arms.enter(evidence_of(rows[30:]))), ArmSettings())
    foreign = sample_ratio(
        arms.arm_sizes(arms.enter(evidence_of(rows))), ArmSettings(control=0.1, explore=0.0, champion=0.9)
    )
    assert (exact.debtors, exact.expected, exact.p_value) == ((10, 5, 85), (10, 5, 85), 1.0)
    assert lost.p_value == pytest.approx(0.3216, abs=0.001)
    assert foreign.p_value == 0.0


def test_who_stands_outside_the_draw_is_in_no_arm() -> None:
    outside = [decision(f"o{one}", f"o{one}/0", arm="control", arm_probability=None) for one in range(3)]
    drawn = [decision("a", "a/0"), decision("b", "b/0", arm="control", arm_probability=0.1)]
    assert arms.arm_sizes(arms.enter(evidence_of([*outside, *drawn])))["control"] == 1
    alone = arms.enter(evidence_of([*outside, decision("a", "a/0", arm_probability=None)]))
    assert (alone.randomised, len(alone.debtor)) == (False, 4)


def test_facts_dated_in_the_future_do_not_make_the_data_older() -> None:
    log = log_of([decision("a", "a/0")])
    paid = [payment("a/0", 3, 1), payment("a/0", 3650, 1), payment("a/0", 2, 1, known_at=at(4000))]
    portfolio = portfolio_of(log, payments=paid)
    assert latest_fact_us(portfolio, now_us=to_us(at(20))) == to_us(at(3))
    assert facts_after(portfolio, to_us(at(3))) == 2
    with pytest.raises(NoFacts, match="not dated in the future"):
        latest_fact_us(portfolio, now_us=to_us(at(1)))


def test_the_age_of_the_data_is_the_latest_fact_and_no_fact_is_an_error() -> None:
    log = log_of([decision("a", "a/0")])
    late = payment("a/0", 3, 1, known_at=at(5))
    assert latest_fact_us(portfolio_of(log, payments=[late], contacts=[contact("a", "a/0")])) == to_us(at(5))
    with pytest.raises(NoFacts, match="found none"):
        latest_fact_us(portfolio_of(log))
