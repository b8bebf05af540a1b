"""Payments within a horizon: by hand, and against a plain loop."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config import Config, Dated, MissingRate, MoneySettings
from data.outcomes import Outcome, Payments, paid_pairs, paid_within, payments_of
from data.schemas import PAYMENTS
from data.times import DAY_US, NEVER, to_us

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = Config().rates


def payment(claim: str, day: float, amount: str, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(PAYMENTS.names) | {"claim_id": claim, "debtor_id": "d", "currency": "EUR"}
    paid_at = START + timedelta(days=day)
    return row | {"paid_at": paid_at, "amount": Decimal(amount), "payment_id": f"{claim}-{day}"} | more


def outcome(
    rows: list[dict[str, Any]], *, decided: dict[str, float], known_day: float = 100, horizon: float = 14
) -> Outcome:
    table = pa.Table.from_pylist(rows, schema=PAYMENTS.arrow)
    payments = payments_of(table, pa.array(sorted(decided)), rates=RATES)
    decided_us = np.array([to_us(START + timedelta(days=decided[claim])) for claim in sorted(decided)])
    known_us = to_us(START + timedelta(days=known_day))
    rows_of = np.arange(len(decided))
    return paid_within(decided_us, rows_of, payments=payments, horizon_days=horizon, known_until_us=known_us)


def test_payments_on_the_claim_within_the_horizon_are_added_up() -> None:
    rows = [payment("a", 1, "10.00"), payment("a", 13.9, "2.50"), payment("b", 3, "7.00"), payment("c", 3, "99.00")]
    found = outcome(rows, decided={"a": 0, "b": 0})
    assert found.amount_eur.tolist() == [12.5, 7.0]
    assert found.paid.tolist() == [True, True]


def test_the_horizon_holds_its_first_instant_and_not_its_last() -> None:
    rows = [payment("a", 0, "1.00"), payment("a", 14, "2.00"), payment("b", -1e-9, "4.00")]
    assert outcome(rows, decided={"a": 0, "b": 1}).amount_eur.tolist() == [1.0, 0.0]


def test_a_payment_reversed_by_the_end_of_the_data_does_not_count() -> None:
    rows = [payment("a", 1, "10.00", reversed_at=START + timedelta(days=5))]
    assert outcome(rows, decided={"a": 0}, known_day=20).paid.tolist() == [False]
    assert outcome(rows, decided={"a": 0}, known_day=4).paid.tolist() == [True]


def test_a_payment_not_yet_known_of_is_not_seen() -> None:
    rows = [payment("a", 1, "10.00", known_at=START + timedelta(days=18))]
    assert outcome(rows, decided={"a": 0}, known_day=17).amount_eur.tolist() == [0.0]
    assert outcome(rows, decided={"a": 0}, known_day=18).amount_eur.tolist() == [10.0]


def test_a_decision_whose_horizon_is_not_over_is_censored() -> None:
    found = outcome([], decided={"a": 0, "b": 0.1}, known_day=14)
    assert found.mature.tolist() == [True, False]


def test_money_is_converted_at_the_rate_of_the_day_of_payment() -> None:
    rates = MoneySettings({"SEK": (Dated(0.10), Dated(0.08, date(2026, 3, 3)))})
    rows = [payment("a", 1, "100.00", currency="SEK"), payment("a", 2, "100.00", currency="SEK")]
    table = pa.Table.from_pylist(rows, schema=PAYMENTS.arrow)
    payments = payments_of(table, pa.array(["a"]), rates=rates)
    assert payments.amount.tolist() == [100.0, 100.0]
    assert payments.amount_eur.tolist() == [10.0, 8.0]
    with pytest.raises(MissingRate, match="'SEK'"):
        payments_of(table, pa.array(["a"]), rates=MoneySettings({}))


def test_no_payments_and_no_decisions_are_no_trouble() -> None:
    assert outcome([], decided={"a": 0}).amount_eur.tolist() == [0.0]
    assert outcome([payment("a", 1, "1.00")], decided={}).paid.tolist() == []


INSTANTS = st.integers(0, 40)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Payments]:
    decisions = draw(st.lists(st.tuples(INSTANTS, st.integers(-1, 3)), max_size=8))
    rows = draw(st.lists(st.tuples(st.integers(-1, 3), INSTANTS, INSTANTS, st.none() | INSTANTS), max_size=12))
    paid = np.array([row[1] for row in rows], np.int64) * DAY_US
    known = np.maximum(paid, np.array([row[2] for row in rows], np.int64) * DAY_US)
    reversed_us = np.array([NEVER if row[3] is None else row[3] * DAY_US for row in rows], np.int64)
    money = 2.0 ** np.arange(len(rows))
    payments = Payments(np.array([row[0] for row in rows], np.int64), paid, known, reversed_us, money, money)
    decided = np.array([one[0] for one in decisions], np.int64) * DAY_US
    return decided, np.array([one[1] for one in decisions], np.int64), payments


@given(world=worlds(), horizon=st.integers(1, 20), known_day=INSTANTS)
def test_the_sums_equal_those_of_a_plain_loop(
    world: tuple[np.ndarray, np.ndarray, Payments], horizon: int, known_day: int
) -> None:
    decided, claim, payments = world
    known = known_day * DAY_US
    options = {"payments": payments, "horizon_days": horizon, "known_until_us": known}
    found = paid_within(decided, claim, **options)
    pairs = []
    for i, start in enumerate(decided):
        for j, paid in enumerate(payments.paid_us):
            same = claim[i] >= 0 and payments.claim_row[j] == claim[i]
            seen = max(payments.known_us[j], paid) <= known and payments.reversed_us[j] > known
            if same and seen and start <= paid < start + horizon * DAY_US:
                pairs.append((i, j))
    amounts = [sum(payments.amount_eur[j] for i, j in pairs if i == one) for one in range(len(decided))]
    assert found.amount_eur.tolist() == amounts
    assert sorted(zip(*(side.tolist() for side in paid_pairs(decided, claim, **options)), strict=True)) == pairs
    assert found.mature.tolist() == [start + horizon * DAY_US <= known for start in decided.tolist()]
