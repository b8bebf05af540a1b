"""The harm budget: which contacts of the past count, and which actions they leave."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.action_grid import ActionGrid
from data.config import Dated, MissingRate, MoneySettings
from data.times import DAY_US, to_us
from models.policies.harm import past_harm, within_budget
from tests.portfolios import CHANNELS, CONFIG, histories
from tests.strategies import DAYS, START, random_tables

GRID = ActionGrid(("none", "sms", "phone"), days=1, hours=(10, 18))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 5_000), day=st.integers(30, DAYS), days=st.integers(1, 90))
def test_past_harm_is_that_of_a_plain_loop_over_contacts(seed: int, day: int, days: int) -> None:
    found = histories(random_tables(seed))
    as_of_us = to_us(START + timedelta(days=day))
    debtors = np.arange(found.size)[::-1]
    contacts = found.contacts
    expected = []
    for debtor in debtors.tolist():
        total = 0.0
        for row in range(contacts.start[debtor], contacts.start[debtor + 1]):
            decided, known = int(contacts.decided_us[row]), int(contacts.known_us[row])
            if as_of_us - days * DAY_US <= decided < as_of_us and known <= as_of_us and contacts.channel[row] > 0:
                total += CONFIG.harm.on(CHANNELS[contacts.channel[row]], decided // DAY_US).amount
        expected.append(total)
    got = past_harm(found, debtors, as_of_us=np.full(len(debtors), as_of_us), days=days, harm=CONFIG.harm)
    assert got == pytest.approx(expected)


def test_a_contact_counts_with_the_harm_of_its_own_day() -> None:
    found = histories(random_tables(4))
    turn = START + timedelta(days=200)
    dear = {name: (Dated(1.0), Dated(5.0, since=date(turn.year, turn.month, turn.day))) for name in CHANNELS}
    everybody, late = np.arange(found.size), to_us(turn + timedelta(days=400))
    whole = past_harm(found, everybody, as_of_us=np.full(found.size, late), days=10_000, harm=MoneySettings(dear))
    contact = found.contacts.channel > 0
    before = contact & (found.contacts.decided_us < to_us(turn.replace(hour=0, minute=0, second=0, microsecond=0)))
    assert before.any()
    assert whole.sum() == pytest.approx(before.sum() + 5 * (contact & ~before).sum())


def test_a_channel_without_a_harm_on_that_day_is_an_error() -> None:
    found = histories(random_tables(4))
    new = MoneySettings({name: (Dated(1.0, since=date(2100, 1, 1)),) for name in CHANNELS})
    late = np.full(found.size, to_us(START + timedelta(days=DAYS)))
    with pytest.raises(MissingRate, match="add a dated row"):
        past_harm(found, np.arange(found.size), as_of_us=late, days=10_000, harm=new)


def test_nobody_has_no_past_harm() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(past_harm(histories(random_tables(4)), none, as_of_us=none, days=30, harm=CONFIG.harm)) == 0


@given(past=st.floats(0, 3), sms=st.floats(0, 2), phone=st.floats(0, 2), budget=st.floats(0.01, 3))
def test_what_fits_stays_inside_the_budget_and_no_contact_always_fits(
    past: float, sms: float, phone: float, budget: float
) -> None:
    harm = np.array([[0.0, sms, phone]])
    fits = within_budget(np.array([past]), harm, grid=GRID, budget_eur=budget)[0]
    assert fits[0]
    assert (past + harm[0, GRID.channel[fits]][1:] <= budget + 1e-8).all()
    assert (past + harm[0, GRID.channel[~fits]] > budget).all()
