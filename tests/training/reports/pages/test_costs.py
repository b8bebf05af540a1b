"""The page on costs: its numbers are those of plain loops, its verdict follows its rule, few debtors are withheld."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.capacity_settings import CapacitySettings
from data.config import Config
from data.times import DAY_US, to_us
from data.vocabulary import ARMS
from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import cell, chart, number, read_in_all_languages, table
from tests.training.reports.worlds import at, contact, decision, event, log_of, payment, portfolio_of
from training.reports.blocks import Text
from training.reports.cost_figures import noise_by_channel, ratio_interval
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.pages.costs import costs


@pytest.fixture(scope="module")
def facts() -> Facts:
    return long_world(debtors=900, rng=np.random.default_rng(21))


def arms_of(debtors: int, *, complaining: int = 0, config: Config | None = None, **more: Any) -> Facts:
    """So many debtors in each of two arms on one evening, each with an SMS; so many of the champion's complain."""
    rows, contacts, events = [], [], []
    for arm, first in (("champion", complaining), ("control", 0)):
        for number_ in range(debtors):
            name = f"{arm}{number_:04d}"
            extra = {"arm": arm, "arm_probability": 0.5, "channel": "sms", **more}
            rows.append(decision(name, f"{name}/0", **extra))
            contacts.append(contact(name, f"{name}/0"))
            events += [event(f"{name}-0", 2, "complained")] if number_ < first else []
    log = log_of(rows)
    portfolio = portfolio_of(log, contacts=contacts, contact_events=events, payments=[payment("champion0000/0", 20, 9)])
    return facts_of(log, portfolio, config=config or Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))


def test_contacts_and_cost_of_an_arm_are_those_of_a_plain_loop(facts: Facts) -> None:
    first: dict[str, dict[str, Any]] = {}
    for one in sorted(facts.decisions.to_pylist(), key=lambda one: one["decided_at"]):
        first.setdefault(one["debtor_id"], one)
    mature = {
        name: one for name, one in first.items() if to_us(one["decided_at"]) + 14 * DAY_US <= facts.known_until_us
    }
    answered = {one["contact_id"] for one in facts.portfolio["contact_events"].to_pylist() if one["kind"] == "answered"}
    made = {one["contact_id"]: one for one in facts.portfolio["contacts"].to_pylist()}
    price = {"sms": 0.07, "email": 0.005, "phone": 0.5}
    found = table(costs(facts), "arms")
    for arm in ("control", "champion"):
        ours = {name for name, one in mature.items() if one["arm"] == arm}
        contacts = [
            one
            for one in made.values()
            if one["debtor_id"] in ours
            and 0 <= to_us(one["decided_at"]) - to_us(first[one["debtor_id"]]["decided_at"]) < 14 * DAY_US
        ]
        cost = sum(price[one["channel"]] + 5.0 * (one["contact_id"] in answered) for one in contacts)
        assert number(found, arm, "debtors").value == len(ours)
        assert number(found, arm, "contacts").value == pytest.approx(len(contacts) / len(ours))
        assert number(found, arm, "cost_eur").value == pytest.approx(cost / len(ours))


def test_channels_add_up_to_all_contacts(facts: Facts) -> None:
    page = costs(facts)
    whole, each = table(page, "arms"), table(page, "channels")
    in_all = sum(
        (number(whole, arm, "contacts").value or 0) * (number(whole, arm, "debtors").value or 0) for arm in ARMS[:3]
    )
    assert sum(number(each, one.key, "contacts_made").value or 0 for one in each.rows) == pytest.approx(in_all)
    assert {one.key for one in each.rows} == {"sms", "email", "phone"}


def test_weeks_begin_on_monday_and_hold_every_debtor_once(facts: Facts) -> None:
    drawn = chart(costs(facts), "contacts_by_week")
    days = [point.at for one in drawn.series for point in one.points]
    assert {one.weekday() for one in days} == {0}  # type: ignore[union-attr] # dates, as the chart has them
    assert len(set(days)) >= 6


@pytest.mark.parametrize(
    ("debtors", "complaining", "code"),
    [
        (60, 0, "not_enough_data"),
        (150, 0, "not_yet_known"),
        (300, 12, "not_yet_known"),  # shown at one look, not at whichever one likes
        (300, 30, "harm_shown"),
        (3000, 0, "within_limits"),
    ],
)
def test_the_verdict_follows_from_what_can_be_ruled_out(debtors: int, complaining: int, code: str) -> None:
    page = costs(arms_of(debtors, complaining=complaining))
    assert page.verdict is not None
    assert page.verdict.code == code
    assert read_in_all_languages(page) > 100


def test_without_drawn_arms_costs_are_described_alone() -> None:
    page = costs(arms_of(20, arm_probability=1.0))
    assert page.verdict is not None
    assert page.verdict.code == "no_experiment"
    assert [one.key for one in table(page, "arms").rows] == ["control", "champion"]
    assert read_in_all_languages(page)


def test_a_limit_that_was_exceeded_comes_first() -> None:
    config = Config(capacity=CapacitySettings(per_day={"sms": 100}, budget_eur_per_day=50))
    page = costs(arms_of(60, config=config))
    assert page.verdict is not None
    assert page.verdict.code == "over_limit"
    found = table(page, "limits")
    assert number(found, "sms@2026-03-02", "used").value == 120
    assert cell(found, "sms@2026-03-02", "state") == Text("costs.limits.over")
    assert number(found, "budget@2026-03-02", "used").value == pytest.approx(120 * 0.07)
    assert cell(found, "budget@2026-03-02", "state") == Text("costs.limits.kept")


def test_objections_count_for_the_channel_of_the_contact_they_followed() -> None:
    found = noise_by_channel(arms_of(40, complaining=3))
    assert found["sms"].debtors == 80
    assert found["sms"].complained.value == pytest.approx(1000 * 3 / 80)
    assert found["sms"].opted_out.value == 0


def test_a_creditor_of_few_debtors_is_withheld_and_a_creditors_page_has_no_limits(facts: Facts) -> None:
    few = long_world(debtors=250, rng=np.random.default_rng(2))
    debtors = len({one["debtor_id"] for one in few.portfolio["claims"].to_pylist() if one["creditor_id"] == "tiny"})
    assert 0 < debtors < 10
    found = table(costs(few), "creditors")
    assert {number(found, "tiny", one.key).withheld for one in found.columns} == {True}
    assert not number(found, "big", "contacts").withheld
    page = costs(of_creditor(facts, "other"))
    assert page.creditor == "other"
    assert {one.key for one in page.sections} == {"arms", "channels", "weeks"}


def test_the_words_of_the_page_are_in_every_language(facts: Facts) -> None:
    assert read_in_all_languages(costs(facts)) > 300


def test_a_ratio_of_sums_has_an_interval_that_covers_it() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(400):
        size = rng.integers(1, 5, 200).astype(np.float64)
        found = ratio_interval(rng.binomial(size.astype(int), 0.3).astype(np.float64), size)
        covered += found.low <= 0.3 <= found.high
    assert covered / 400 >= 0.92
    assert np.isnan(ratio_interval(np.ones(3), np.zeros(3)).value)
