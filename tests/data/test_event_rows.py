from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.decision_log import DecisionLog
from data.event_log import ConflictingEvent, Event, debtor_named, events_of_debtor, events_of_parts, record
from data.event_rows import BadRow, rows_table, to_json, typed_row
from data.schemas import SCHEMAS
from data.vocabulary import CHANNELS
from tests.samples import moment, sample_tables

PAYMENT = {
    "payment_id": "p1",
    "claim_id": "c1",
    "debtor_id": "d1",
    "paid_at": "2026-03-02T11:05:00+01:00",
    "amount": "120.50",
    "currency": "EUR",
}


def read(table="payments", **changes):
    row = PAYMENT if table == "payments" else {}
    return typed_row(table, {**row, **changes}, channels=CHANNELS)


def test_values_come_in_contract_types():
    row = read(method="card")
    assert row["paid_at"] == datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
    assert row["amount"] == Decimal("120.50")
    assert row["reversed_at"] is None


@pytest.mark.parametrize("amount", ["120.5", 120.5, Decimal("120.5"), "1.205e2"])
def test_money_is_a_decimal_string_or_a_number(amount):
    assert read(amount=amount)["amount"] == Decimal("120.50")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "120.505"}, "amount: an amount with more than two decimals"),
        ({"amount": "1e400"}, "amount: an amount out of range"),
        ({"amount": "NaN"}, "amount: an amount out of range"),
        ({"amount": Decimal("1e999999")}, "amount: a number out of range"),
        ({"amount": True}, "amount: not a number"),
        ({"amount": "-5"}, "amount: must be above 0"),
        ({"amount": None}, "amount: a required column is missing or null"),
        ({"paid_at": "2026-03-02T11:05:00"}, "paid_at: a time without its zone"),
        ({"paid_at": 1_772_000_000}, "paid_at: not a time"),
        ({"paid_at": "0001-01-01T00:00:00+23:59"}, "paid_at: a year out of range"),
        ({"currency": "euro"}, "currency: currency is not ISO 4217"),
        ({"colour": "red"}, "row: a column that payments does not have"),
        ({"debtor_id": "x" * 129}, "debtor_id: an identifier that is not 1-128 characters long"),
        ({"debtor_id": "a\x00b"}, "debtor_id: text too long or with control characters"),
        ({"debtor_id": "\ud800"}, "debtor_id: text too long or with control characters"),
        ({"debtor_id": ["d1"]}, "debtor_id: not text"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_remedy(changes, said):
    with pytest.raises(BadRow, match=said):
        read(**changes)


def test_an_unknown_word_is_answered_with_the_known_ones():
    point = {"debtor_id": "d1", "channel": "fax", "valid_from": "2026-01-01T00:00:00Z", "verified": True}
    with pytest.raises(
        BadRow, match=r"channel: a word that is not known, use one of sms, email, .*add it under \[grid\] channels"
    ):
        read("contact_points", **point, consent="given")


def test_no_message_repeats_what_came():
    with pytest.raises(BadRow) as caught:
        read(amount="13 secret", currency="secret", method=5, secret=1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_row_of_a_portfolio_goes_over_the_wire_and_back(table):
    rows = sample_tables()[table].to_pylist()
    sent = [to_json(typed_row(table, to_json(row), channels=CHANNELS)) for row in rows]
    assert rows_table(table, sent).to_pylist() == rows


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_json_value_is_read_or_refused(value):
    for column in SCHEMAS["payments"].columns:
        with suppress(BadRow):
            read(**{column.name: value})


@pytest.fixture
def log(tmp_path):
    found = DecisionLog.open(tmp_path)
    yield found
    found.close()


def test_an_event_counts_once_however_often_it_is_sent(log):
    event = Event("e1", "payments", read())
    with log.writing() as connection:
        assert [record(connection, event, at=moment(3, 3)) for _ in range(3)] == [True, False, False]
        (found,) = events_of_debtor(connection, "d1")
    assert found.row["amount"] == "120.50"
    with log.writing() as connection, pytest.raises(ConflictingEvent, match="another event was stored"):
        record(connection, Event("e1", "payments", read(amount="1.00")), at=moment(3, 3))


def test_events_are_found_by_debtor_claim_and_contact(log):
    inbound = {"event_id": "e2", "claim_id": "c1", "at": "2026-03-02T10:00:00Z", "kind": "inbound"}
    sent = {"event_id": "e3", "contact_id": "a1", "at": "2026-03-02T10:00:00Z", "kind": "sent"}
    claim = {"claim_id": "c1", "debtor_id": "d1", "creditor_id": "k", "sector": "energy", "principal": 10}
    claim |= {"currency": "EUR", "due_on": "2026-01-01", "registered_at": "2026-01-01T00:00:00Z"}
    with log.writing() as connection:
        for name, table, row in (
            ("e2", "claim_events", inbound),
            ("e3", "contact_events", sent),
            ("e4", "claims", claim),
        ):
            record(connection, Event(name, table, read(table, **row)), at=moment(3, 3))
        parts = events_of_parts(connection, claims={"c1"}, contacts={"a1"})
        assert [part.event_id for part in parts] == ["e2", "e3"]
        assert debtor_named(connection, "claims", "c1") == "d1"
        assert debtor_named(connection, "claims", "c2") is None
    assert rows_table("claims", [to_json(read("claims", **claim))])["due_on"].to_pylist() == [date(2026, 1, 1)]
