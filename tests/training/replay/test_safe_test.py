"""What a test is planned from: debtors who come, and the share of them who pay."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.outcomes import payments_of
from data.times import to_us
from tests.portfolios import CONFIG, histories, portfolio_of
from tests.training.replay.old_logs import day, small_world
from tests.training.replay.test_done import paid
from training.replay.done import paid_after
from training.replay.made import contacts_made
from training.replay.safe_test import Traffic, traffic_of


def traffic(contacted: dict[str, list[int]], *, until: int, paid_on: dict[str, int] | None = None) -> Traffic:
    """Traffic of a log of these days of contact; who pays pays on the day given."""
    payments = [paid(number, one, at, "10.00") for number, (one, at) in enumerate((paid_on or {}).items())]
    tables = small_world(contacted, payments=payments)
    found, portfolio, known_us = histories(tables), portfolio_of(tables), to_us(day(until))
    made = contacts_made(portfolio, found, known_us=known_us, horizon_days=14)
    money = payments_of(portfolio["payments"], pa.array(found.claim_id, pa.string()), rates=CONFIG.rates)
    followed = paid_after(made, money, known_us=known_us, days=14)
    return traffic_of(made, followed, known_us=known_us, horizon_days=14)


def test_who_may_still_pay_is_not_counted_as_not_paying() -> None:
    contacted = {f"d{number}": [number % 28] for number in range(560)}
    payers = {f"d{number}": number % 28 + 10 for number in range(560) if number // 28 % 4 == 0}
    assert traffic(contacted, until=28, paid_on=payers).paid == pytest.approx(0.25)


def test_a_debtor_counts_once_however_often_contacted() -> None:
    contacted = {"pays": [0], "silent": [0, 10, 20, 30, 40]}
    assert traffic(contacted, until=80, paid_on={"pays": 3}).paid == 0.5
    assert traffic({"late": [0, 40]}, until=80, paid_on={"late": 45}).paid == 0.0


def test_without_a_first_contact_whose_horizon_is_over_no_share_is_known() -> None:
    assert traffic({"a": [0], "b": [1]}, until=5, paid_on={"a": 3}).paid == 0.0


def test_debtors_there_when_the_log_begins_are_not_new() -> None:
    backlog = {f"old{number}": list(range(number % 10, 56, 14)) for number in range(100)}
    new = {f"new{number}": [14 + number] for number in range(42)}
    assert traffic(backlog, until=60).inflow.per_week == 0.0
    found = traffic({**backlog, **new}, until=60).inflow
    assert found.per_week == pytest.approx(7.0, abs=0.3)
    assert found.at_start == 100 + len([one for one in range(42) if 14 + one > 55 - 14])


def test_a_round_lasts_as_long_as_lies_between_contacts() -> None:
    backlog = {f"old{number}": list(range(number % 28, 84, 28)) for number in range(100)}
    assert traffic(backlog, until=84).inflow.per_week == 0.0


def test_of_a_long_log_the_last_quarter_counts() -> None:
    early = {f"early{number}": [20 + number // 10] for number in range(1_000)}
    late = {f"late{number}": [210 + number] for number in range(91)}
    assert traffic({**early, **late}, until=320).inflow.per_week == pytest.approx(7.0, abs=0.2)


def test_a_log_of_one_day_knows_of_nobody_new() -> None:
    found = traffic({f"d{number}": [3] for number in range(40)}, until=60)
    assert (found.inflow.at_start, found.inflow.per_week) == (40.0, 0.0)
    assert np.isfinite(found.paid)
