"""What was known of debtors at the first decision, counted by hand, and nothing that came later or from the arm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.worlds import at, contact, decision, log_of, payment, portfolio_of
from training.reports.background import COLUMNS
from training.reports.facts import Facts, facts_of

CONTROL = {"arm": "control", "arm_probability": 0.1}


def before(**tables: list[dict[str, Any]]) -> dict[str, list[float]]:
    rows = [decision("a", "a/0", payment_probability=0.5, uplift=0.2), decision("a", "a/1", payment_probability=0.3)]
    log = log_of([*rows, decision("b", "b/0", day=2, **CONTROL)])
    facts = known(log, **tables)
    return dict(zip(COLUMNS, np.expm1(facts.entrants.before).T.round(6).tolist(), strict=True))


def known(log: Any, **tables: list[dict[str, Any]]) -> Facts:
    portfolio = portfolio_of(log, **tables)
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))


def test_claims_payments_and_contacts_before_are_counted_by_debtor() -> None:
    paid = [payment("a/0", -5, 40), payment("a/0", -400, 1), payment("b/0", 1, 10)]
    made = [contact("a", "a/0", day=-3), contact("a", "a/1", day=-3), contact("a", "a/0", day=-100)]
    found = before(payments=paid, contacts=made)
    assert found["claims"] == [2, 1]
    assert found["outstanding"] == pytest.approx([159, 90])
    assert found["paid_before"] == pytest.approx([40, 10])
    assert found["payments_before"] == [1, 1]
    assert found["contacts_before"] == [1, 0]
    assert found["expected_without_contact"] == pytest.approx([0.3 * 59 + 0.3 * 100, 0.2 * 90])


def test_later_facts_and_those_known_later_are_not_in_it() -> None:
    late = [payment("a/0", 0, 40), payment("a/1", -1, 10, known_at=at(1)), payment("a/1", -9, 7, reversed_at=at(-2))]
    assert before(payments=late) == before(payments=[payment("b/0", 20, 1)])
    unheard = [contact("a", "a/0", day=-1, known_at=at(3)), contact("a", "a/0", day=1)]
    assert before(contacts=unheard) == before(payments=[payment("b/0", 20, 1)])


def test_a_payment_reversed_after_the_first_decision_was_still_there_then() -> None:
    assert before(payments=[payment("a/0", -1, 10, reversed_at=at(3))])["paid_before"] == pytest.approx([10, 0])


def test_the_action_that_the_arm_chose_makes_no_difference() -> None:
    rows = [decision("a", "a/0", payment_probability=0.9, uplift=0.7, channel="sms"), decision("b", "b/0", **CONTROL)]
    found = np.expm1(known(log_of(rows)).entrants.before[:, COLUMNS.index("expected_without_contact")])
    assert found == pytest.approx([20.0, 20.0])
