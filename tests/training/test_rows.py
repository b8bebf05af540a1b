"""Training rows: which decisions train, what they are labelled with, what was known when they were made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar import place_of
from data.schemas import TIME
from data.times import DAY_US, from_us, to_us
from features.pipeline import Targets, build
from features.reference import Reference, learn_reference
from tests.deciding import COLUMNS
from tests.features.naive import Row, known
from tests.portfolios import CHANNELS, CONFIG, histories, portfolio_of
from tests.samples import rows_to_table, with_cell, with_column
from tests.strategies import START, random_tables
from training.rows import NoTrainingRows, TrainingRows, known_until, last_fact_us, training_rows

HORIZON = timedelta(days=CONFIG.horizon.days)
AS_OF = START + timedelta(days=380)
SEEDS = st.integers(0, 10_000)


def with_statutory_steps(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    steps = ["debt_notice" if row % 7 == 0 else None for row in range(len(tables["contacts"]))]
    return tables | {"contacts": with_column(tables["contacts"], "statutory_step", steps, kind=pa.string())}


def trained_on(tables: dict[str, pa.Table], as_of: datetime = AS_OF) -> tuple[TrainingRows, Reference]:
    found = histories(tables)
    reference = learn_reference(found, until_us=to_us(as_of), config=CONFIG)
    rows = training_rows(portfolio_of(tables), found, as_of_us=to_us(as_of), reference=reference, config=CONFIG)
    return rows, reference


def expected_rows(tables: dict[str, pa.Table], as_of: datetime) -> dict[tuple[str, str], Row]:
    """Decisions that train, by contact and claim."""
    claims = {row["claim_id"]: row for row in tables["claims"].to_pylist()}
    found = {}
    for row in tables["contacts"].to_pylist():
        claim = claims[row["claim_id"]]
        is_open = claim["registered_at"] <= row["decided_at"]
        is_open &= claim["closed_at"] is None or claim["closed_at"] > row["decided_at"]
        if row["decided_at"] + HORIZON <= as_of and row["statutory_step"] is None and is_open:
            found[row["contact_id"], row["claim_id"]] = row
    return found


def payments_within(tables: dict[str, pa.Table], decision: Row, as_of: datetime) -> list[Row]:
    """Unreversed payments on the decision's claim from the decision to the end of its horizon, as known at `as_of`."""
    return [
        row
        for row in tables["payments"].to_pylist()
        if row["claim_id"] == decision["claim_id"]
        and decision["decided_at"] <= row["paid_at"] < decision["decided_at"] + HORIZON
        and known(row, "paid_at") <= as_of
        and (row["reversed_at"] is None or row["reversed_at"] > as_of)
    ]


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_mature_decisions_on_open_claims_train_and_no_others(seed: int) -> None:
    tables = with_statutory_steps(random_tables(seed))
    rows, _ = trained_on(tables)
    claim_id = histories(tables).claim_id[rows.claim]
    found = list(zip(rows.contact_id.tolist(), claim_id.tolist(), strict=True))
    assert len(set(found)) == len(found) == len(rows)
    assert set(found) == set(expected_rows(tables, AS_OF))


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_labels_equal_a_plain_loop_over_the_payments(seed: int) -> None:
    tables = with_statutory_steps(random_tables(seed, debtors=16))
    whole, (rows, _) = histories(tables), trained_on(tables)
    expected = expected_rows(tables, AS_OF)
    for number in range(len(rows)):
        decision = expected[rows.contact_id[number], whole.claim_id[rows.claim[number]]]
        payments = payments_within(tables, decision, AS_OF)
        amount = sum(float(one["amount"]) * rate_of(one) for one in payments)
        assert rows.paid[number] == bool(payments)
        assert rows.amount_eur[number] == pytest.approx(amount)
        assert 0 <= rows.share[number] <= 1
        assert (rows.share[number] > 0) == bool(payments)


def rate_of(payment: Row) -> float:
    return CONFIG.rates.on(payment["currency"], to_us(payment["paid_at"]) // 86_400_000_000).amount


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_a_row_holds_the_features_of_the_instant_of_its_decision_and_of_what_was_sent(seed: int) -> None:
    tables = random_tables(seed)
    whole, (rows, reference) = histories(tables), trained_on(tables)
    decisions = {(row["contact_id"], row["claim_id"]): row for row in tables["contacts"].to_pylist()}
    people = {row["debtor_id"]: row for row in tables["debtors"].to_pylist()}
    for number in range(0, len(rows), 5):
        moment = np.array([rows.decided_us[number]])
        one = Targets(rows.debtor[number : number + 1], moment, rows.claim[number : number + 1], np.zeros(1, np.int64))
        own = build(whole, one, reference=reference, rates=CONFIG.rates).matrix[0]
        np.testing.assert_array_equal(rows.matrix[number, : len(own)], own)
        decision = decisions[rows.contact_id[number], whole.claim_id[rows.claim[number]]]
        assert from_us(int(rows.decided_us[number])) == decision["decided_at"]
        person = people[decision["debtor_id"]]
        action = dict(zip(COLUMNS[len(own) :], rows.matrix[number, len(own) :].tolist(), strict=True))
        assert CHANNELS[int(action["channel"])] == CHANNELS[rows.channel[number]] == decision["channel"]
        if decision["channel"] == "none":
            assert np.isnan(action["hour"])
        else:
            zone = ZoneInfo(place_of(person["country"], region=person["region"], time_zone=None).zones[0])
            local = decision["send_at"].astimezone(zone)
            assert (action["hour"], action["weekday"]) == (local.hour, local.weekday())
            ahead = (local.date() - decision["decided_at"].astimezone(zone).date()).days
            assert action["days_ahead"] == ahead


def test_rows_stand_in_order_of_debtor_and_time() -> None:
    rows, _ = trained_on(random_tables(6, debtors=30))
    assert rows.names == COLUMNS
    assert rows.matrix.shape == (len(rows), len(COLUMNS))
    order = np.lexsort((rows.decided_us, rows.debtor))
    assert (np.diff(rows.debtor) >= 0).all()
    assert (rows.decided_us[order] == rows.decided_us).all()


def test_a_later_look_adds_rows_and_changes_no_features_of_the_earlier_ones() -> None:
    tables = random_tables(8, debtors=30)
    whole = histories(tables)
    reference = learn_reference(whole, until_us=to_us(START + timedelta(days=200)), config=CONFIG)
    early, late = (
        training_rows(
            portfolio_of(tables), whole, as_of_us=to_us(START + timedelta(days=day)), reference=reference, config=CONFIG
        )
        for day in (250, 380)
    )
    keys = [list(zip(rows.contact_id.tolist(), rows.claim.tolist(), strict=True)) for rows in (early, late)]
    assert set(keys[0]) < set(keys[1])
    place = [keys[1].index(key) for key in keys[0]]
    np.testing.assert_array_equal(early.matrix, late.matrix[place])


def test_a_log_without_mature_decisions_says_what_to_give() -> None:
    with pytest.raises(NoTrainingRows, match="give a later --as-of or a longer history"):
        trained_on(random_tables(1), START)


def test_a_log_without_any_decision_says_what_to_give() -> None:
    tables = random_tables(1)
    for name in ("contacts", "contact_events"):
        del tables[name]
    with pytest.raises(NoTrainingRows, match="0 of 0 rows of contacts"):
        trained_on(tables)


def test_tables_that_end_before_as_of_bear_no_negatives_of_later_days() -> None:
    subject, ever = histories(random_tables(5)), 2**62
    last = last_fact_us([subject], as_of_us=ever)
    times = (subject.contacts.decided_us, subject.payments.paid_us, subject.contact_events.at_us)
    assert last == max(int(one.max()) for one in (*times, subject.claim_events.at_us))
    assert known_until(last, as_of_us=last + 60 * DAY_US) == last
    assert known_until(last, as_of_us=last + DAY_US) == last + DAY_US
    assert last_fact_us([subject], as_of_us=last - 1) < last
    assert last_fact_us([subject, histories({})], as_of_us=ever) == last
    assert known_until(last_fact_us([histories({})], as_of_us=last), as_of_us=last) == last
    assert known_until(last_fact_us([], as_of_us=last), as_of_us=last) == last


@pytest.mark.parametrize(("silent_days", "known_day"), [(4, 35), (12, 30)])
def test_payments_that_fell_silent_for_longer_than_ever_end_what_is_known(silent_days: int, known_day: int) -> None:
    """Of payments every sixth day up to day 30, a contact some days later."""
    subject, last_day = histories(random_tables(5)), 30 + silent_days
    contacts = np.full_like(subject.contacts.decided_us, (last_day + 1) * DAY_US)
    none = np.zeros(0, dtype=np.int64)
    quiet = replace(
        subject,
        payments=subject.payments._replace(paid_us=np.arange(0, 31, 6) * DAY_US + DAY_US),
        contacts=subject.contacts._replace(decided_us=contacts),
        contact_events=subject.contact_events._replace(at_us=none),
        claim_events=subject.claim_events._replace(at_us=none),
    )
    as_of_us = (last_day + 2) * DAY_US
    assert known_until(last_fact_us([quiet], as_of_us=as_of_us), as_of_us=as_of_us) == (known_day + 1) * DAY_US


def test_two_contacts_of_one_instant_on_one_claim_do_not_shift_what_another_row_sees() -> None:
    """The claims of the targets then read like those of all open claims, one moment apart."""
    tables = two_at_once()
    rows, reference = trained_on(tables)
    whole = histories(tables)
    assert len(rows) == 3
    for number in range(len(rows)):
        moment = np.array([rows.decided_us[number]])
        one = Targets(rows.debtor[number : number + 1], moment, rows.claim[number : number + 1], np.zeros(1, np.int64))
        own = build(whole, one, reference=reference, rates=CONFIG.rates).matrix[0]
        np.testing.assert_array_equal(rows.matrix[number, : len(own)], own)


def two_at_once() -> dict[str, pa.Table]:
    claim = {
        "debtor_id": "d", "creditor_id": "k", "sector": "energy", "principal": Decimal(100), "currency": "EUR",
        "due_on": START.date(),
    }  # fmt: skip
    later = START + timedelta(days=30)
    claims = [
        {**claim, "claim_id": "a", "registered_at": START},
        {**claim, "claim_id": "b", "registered_at": later - timedelta(days=1)},
    ]
    contact = {"debtor_id": "d", "policy": "p"}
    first = START + timedelta(days=5)
    contacts = [
        {**contact, "contact_id": "1", "claim_id": "a", "decided_at": first, "send_at": first, "channel": "sms"},
        {**contact, "contact_id": "2", "claim_id": "a", "decided_at": first, "send_at": first, "channel": "email"},
        {**contact, "contact_id": "3", "claim_id": "b", "decided_at": later, "send_at": later, "channel": "sms"},
    ]
    paid = {"payment_id": "p", "claim_id": "a", "debtor_id": "d", "amount": Decimal(60), "currency": "EUR"}
    return {
        "debtors": rows_to_table("debtors", [{"debtor_id": "d", "country": "DE", "registered_at": START}]),
        "claims": rows_to_table("claims", claims),
        "contacts": rows_to_table("contacts", contacts),
        "payments": rows_to_table("payments", [{**paid, "paid_at": later - timedelta(days=16)}]),
    }


def test_a_decision_that_became_known_later_or_went_by_a_channel_outside_the_grid_is_no_row() -> None:
    tables = two_at_once()
    known = [None, AS_OF + timedelta(days=1), None]
    late = tables | {"contacts": with_column(tables["contacts"], "known_at", known, kind=TIME)}
    assert trained_on(late)[0].contact_id.tolist() == ["1", "3"]
    strange = tables | {"contacts": with_cell(tables["contacts"], "channel", "pigeon")}
    assert trained_on(strange)[0].contact_id.tolist() == ["2", "3"]
