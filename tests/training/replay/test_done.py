"""What was done: every contact and every payment counted once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.outcomes import payments_of
from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import DAY_US, to_us
from tests.portfolios import CHANNELS, CONFIG, histories, portfolio_of
from tests.training.replay.old_logs import day, old_log, small_world
from training.replay.done import Done, what_was_done
from training.replay.latest import latest_before
from training.replay.ledger import LONG_AFTER, WITHOUT, Ledger, ledger_of
from training.replay.made import Made, NothingDone, contacts_made


def looked_at(tables: dict[str, pa.Table], *, until: int) -> tuple[Made, Ledger, Done]:
    found, portfolio, known_us = histories(tables), portfolio_of(tables), to_us(day(until))
    made = contacts_made(portfolio, found, known_us=known_us, horizon_days=14)
    payments = payments_of(portfolio["payments"], pa.array(found.claim_id, pa.string()), rates=CONFIG.rates)
    ledger = ledger_of(made, payments, known_us=known_us, days=30)
    return made, ledger, what_was_done(made, found, payments, known_us=known_us, config=CONFIG)


def paid(number: int, debtor: str, at: int, amount: str, **more: Any) -> dict[str, Any]:
    known = {"payment_id": f"p{number}", "claim_id": f"c-{debtor}", "debtor_id": debtor, "paid_at": day(at, hour=1)}
    return {**known, "amount": Decimal(amount), "currency": "SEK", **more}


def test_three_contacts_and_one_payment_make_one_payment_under_the_last_contact() -> None:
    tables = small_world({"a": [0, 5, 10]}, payments=[paid(1, "a", 12, "30.00")])
    made, ledger, done = looked_at(tables, until=60)
    assert ledger.cents.tolist() == [3_000]
    assert ledger.contact.tolist() == [int(np.argmax(made.decided_us))]
    assert [(one.payments, one.under) for one in done.money] == [(1, CHANNELS.index("letter"))]
    (letters,) = done.channels
    assert letters.credited_eur == pytest.approx(30.0 * 0.089)
    assert letters.followed is not None
    assert letters.followed.value == 1.0


def test_payments_stand_where_they_belong() -> None:
    payments = [
        paid(1, "a", 4, "1.00"),
        paid(2, "a", 11, "2.00"),
        paid(3, "a", 45, "4.00"),
        paid(4, "b", 3, "8.00"),
        paid(5, "a", 12, "16.00", reversed_at=day(13)),
        paid(6, "a", 58, "32.00", known_at=day(70)),
    ]
    _, ledger, done = looked_at(small_world({"a": [5, 10], "b": []}, payments=payments), until=60)
    letter = CHANNELS.index("letter")
    assert sorted(zip(ledger.under.tolist(), ledger.cents.tolist(), strict=True)) == sorted(
        [(WITHOUT, 100), (letter, 200), (LONG_AFTER, 400), (WITHOUT, 800)]
    )
    assert done.taken_back == 1


def test_payments_add_up_to_the_ledger_to_the_cent(simulated: Portfolio) -> None:
    portfolio = old_log(simulated)
    known_us = to_us(UNTIL)
    tables = {name: portfolio[name] for name in ("debtors", "claims", "contacts", "payments", "claim_events")}
    found = histories(tables)
    made = contacts_made(portfolio, found, known_us=known_us, horizon_days=14)
    payments = payments_of(portfolio["payments"], pa.array(found.claim_id, pa.string()), rates=CONFIG.rates)
    ledger = ledger_of(made, payments, known_us=known_us, days=30)
    stands = payments.reversed_us > known_us
    rows = portfolio["payments"].filter(pa.array(stands)).to_pylist()
    whole = sum((row["amount"] for row in rows), Decimal(0))
    assert Decimal(int(ledger.cents.sum())) / 100 == whole
    done = what_was_done(made, found, payments, known_us=known_us, config=CONFIG)
    assert done.paid_eur == pytest.approx(payments.amount_eur[stands].sum(), rel=1e-12)
    assert sum(one.payments for one in done.money) == len(rows)
    credited = sum(one.credited_eur for one in done.channels)
    assert credited == pytest.approx(sum(one.eur for one in done.money if one.under > 0))
    assert sum(one.contacts for one in done.channels) == done.contacts == int(done.month_contacts.sum())
    assert int(done.stage_contacts.sum()) == done.contacts
    assert sum(one.decisions for one in done.eras) == done.contacts
    assert sum(one.count for one in done.debtor_bands) == found.size


def test_a_contact_over_two_claims_is_one_contact() -> None:
    tables = small_world({"a": [1], "b": [2]})
    rows = tables["contacts"].to_pylist()
    rows.append({**rows[0], "claim_id": "c-b"})
    tables["contacts"] = pa.Table.from_pylist(rows, schema=tables["contacts"].schema)
    made, _, done = looked_at(tables, until=60)
    assert (len(made), len(made.cover), done.contacts) == (2, 3, 2)


def test_debtors_of_a_month_and_of_an_old_policy_count_once() -> None:
    _, _, done = looked_at(small_world({"a": [0, 5, 10, 40], "b": [6]}), until=80)
    letter = CHANNELS.index("letter")
    assert done.month_contacts[:, letter].tolist() == [4, 1]
    assert done.month_debtors[:, letter].tolist() == [2, 1]
    assert done.era_debtors.tolist() == [2]


def test_nothing_else_happened_where_nobody_stirred_and_nobody_paid() -> None:
    tables = small_world({"a": [1], "b": [1], "c": [1], "d": [1]}, payments=[paid(1, "b", 3, "5.00")])
    kinds = [("a-1", "sent"), ("a-1", "delivered"), ("c-1", "opened"), ("d-1", "opened")]
    tables["contact_events"] = pa.table(
        {
            "event_id": [str(number) for number in range(4)],
            "contact_id": [one for one, _ in kinds],
            "at": pa.array([day(2), day(2), day(2), day(40)], pa.timestamp("us", "UTC")),
            "kind": [kind for _, kind in kinds],
        }
    )
    _, _, done = looked_at(tables, until=60)
    assert done.silent is not None
    assert done.silent.value == pytest.approx(0.5)


def test_what_comes_after_the_moment_is_not_seen() -> None:
    early = looked_at(small_world({"a": [1, 5]}, payments=[paid(1, "a", 6, "5.00")]), until=30)
    late = looked_at(
        small_world({"a": [1, 5, 31]}, payments=[paid(1, "a", 6, "5.00"), paid(2, "a", 31, "7.00")]), until=30
    )
    assert repr(early[2]) == repr(late[2])


def test_a_log_without_contacts_says_what_to_hand_over() -> None:
    with pytest.raises(NothingDone, match="hand over the contacts"):
        looked_at(small_world({"a": []}), until=30)


@given(
    facts=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=30),
    asked=st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 10)), max_size=30),
)
def test_the_latest_fact_is_that_of_a_plain_loop(facts: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    owner, at = (np.array([one[side] for one in facts], dtype=np.int64) for side in (0, 1))
    of, until = (np.array([one[side] for one in asked], dtype=np.int64) for side in (0, 1))
    found = latest_before(owner, at * DAY_US, of=of, until_us=until * DAY_US)
    for place, one, last in zip(found.tolist(), of.tolist(), until.tolist(), strict=True):
        times = [when for who, when in facts if who == one and when <= last]
        assert (place == -1) == (not times)
        if times:
            assert facts[place] == (one, max(times))


def test_a_call_that_somebody_took_costs_more() -> None:
    tables = small_world({"a": [1], "b": [1]}, channel="phone")
    event = {"event_id": ["1"], "contact_id": ["a-1"], "kind": ["answered"]}
    tables["contact_events"] = pa.table(
        {**event, "at": pa.array([day(1) + timedelta(hours=3)], pa.timestamp("us", "UTC"))}
    )
    assert looked_at(tables, until=60)[2].cost_eur == pytest.approx(0.5 + 5.5)
