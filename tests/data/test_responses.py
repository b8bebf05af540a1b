"""Answers to contacts and money through them, by when they came and when they were known."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from data.config import Config
from data.outcomes import payments_of
from data.responses import paid_through, responded
from data.times import DAY_US

START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
LATE_US = START_US + 100 * DAY_US
TIME = pa.timestamp("us", "UTC")


def at(day: float) -> int:
    return START_US + round(day * DAY_US)


def events(*rows: tuple[str, str, float, float | None]) -> pa.Table:
    """Contact, kind, day of the event, day on which it became known."""
    contact, kind, when, known = zip(*rows, strict=True)
    return pa.table(
        {
            "contact_id": pa.array(contact),
            "kind": pa.array(kind),
            "at": pa.array([at(one) for one in when], TIME),
            "known_at": pa.array([None if one is None else at(one) for one in known], TIME),
        }
    )


def answered(table: pa.Table, *, days: float = 14, until_us: int = LATE_US) -> list[bool]:
    ids = pa.array(["a", "b"])
    return responded(
        table, ids, decided_us=np.full(2, START_US), horizon_days=days, known_until_us=until_us
    ).tolist()  # fmt: skip


@pytest.mark.parametrize("kind", ["clicked", "answered", "conversation", "promised"])
def test_what_only_a_person_does_is_an_answer_to_its_own_contact(kind: str) -> None:
    assert answered(events(("a", kind, 1, None))) == [True, False]


@pytest.mark.parametrize("kind", ["sent", "delivered", "opened", "bounced", "voicemail", "third_party"])
def test_what_machines_and_others_do_is_none(kind: str) -> None:
    assert answered(events(("a", kind, 1, None))) == [False, False]


def test_an_answer_after_the_horizon_or_not_yet_known_does_not_count() -> None:
    table = events(("a", "clicked", 14, None), ("b", "clicked", 13.9, 50))
    assert answered(table) == [False, True]
    assert answered(table, until_us=at(40)) == [False, False]


def through(*rows: tuple[str | None, str, float, float | None], until_us: int = LATE_US) -> list[bool]:
    """Contact a and b, each on claims k and l, decided on day 0; payments: contact, claim, day, day of reversal."""
    contact, claim, when, back = zip(*rows, strict=True)
    table = pa.table(
        {
            "contact_id": pa.array(contact, pa.string()),
            "claim_id": pa.array(claim),
            "paid_at": pa.array([at(one) for one in when], TIME),
            "known_at": pa.array([None] * len(rows), TIME),
            "reversed_at": pa.array([None if one is None else at(one) for one in back], TIME),
            "amount": pa.array([Decimal("10.00")] * len(rows), pa.decimal128(18, 2)),
            "currency": pa.array(["EUR"] * len(rows)),
        }
    )
    payments = payments_of(table, pa.array(["k", "l"]), rates=Config().rates)
    return paid_through(
        table, payments, contact_id=pa.array(["a", "a", "b", "b"]), claim_row=np.array([0, 1, 0, 1]),
        decided_us=np.full(4, START_US), horizon_days=14, known_until_us=until_us,
    ).tolist()  # fmt: skip


def test_money_counts_for_the_contact_it_came_through_and_the_claim_it_paid() -> None:
    assert through(("a", "l", 3, None), (None, "k", 3, None)) == [False, True, False, False]


def test_money_late_or_taken_back_counts_for_nobody() -> None:
    assert through(("a", "k", 14, None), ("b", "k", 3, 20)) == [False, False, False, False]
    assert through(("b", "k", 3, 20), until_us=at(15)) == [False, False, True, False]
