"""The page on prices: the night's own prices, what rules bar counted by a plain loop, and no price for the law."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.company_caps import CompanyCap
from data.config import Config
from data.times import to_us
from models.rules.mask import RULES
from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import cell, chart, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.bars_figures import barred
from training.reports.blocks import Text
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.limits_told import BadPriceList, price_list
from training.reports.pages.prices import prices
from training.reports.pages.refusals import PLAIN_REASONS, reason_title, rule_title
from training.reports.site.catalogue import the_catalogue

CHANNELS = ("sms", "email", "digital_mailbox", "letter", "phone", "portal")


def shut(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"channel": channel, "rule": rule} for channel, rule in pairs]


def made(workspace: Path, *, config: Config | None = None) -> Facts:
    """Forty debtors: all stopped for ten, letters alone for twenty of which five have a hold too, nothing for ten."""
    rows = []
    for place in range(40):
        blocked = shut(*((one, "cease_requested") for one in CHANNELS)) if place < 10 else []
        if 10 <= place < 30:
            blocked = shut(*((one, "minor") for one in CHANNELS if one != "letter"))
        if 10 <= place < 15:
            blocked += shut(("letter", "statutory_period"))
        rows.append(decision(f"d{place:02d}", f"d{place:02d}/0", blocked=blocked))
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[payment("d00/0", 20, 5)])
    return facts_of(log, portfolio, config=config or Config(), workspace=workspace, known_until_us=to_us(at(20)))


def limit(name: str, **more: Any) -> dict[str, Any]:
    fixed = {"name": name, "limit": 100.0, "taken": 10.0, "used": 80.0, "price_eur": 0.0, "over": 0.0, "short": 0.0}
    return fixed | more


def keep(workspace: Path, *limits: dict[str, Any]) -> None:
    (workspace / "capacity").mkdir(exist_ok=True)
    night = {"as_of": "2026-03-01T18:00:00+00:00", "value_eur": 90.0, "bound_eur": 100.0, "gave_way": 3}
    (workspace / "capacity" / "prices.json").write_text(json.dumps(night | {"limits": list(limits)}))


PRICED = (
    limit("phone@2026-03-02", price_eur=2.5),
    limit("phone@2026-03-03", price_eur=1.0),
    limit("budget@2026-03-02", price_eur=0.2, limit=50.0),
    limit("inbound@2026-03-02T10"),
)


def test_prices_are_those_of_the_night(tmp_path: Path) -> None:
    keep(tmp_path, *PRICED)
    page = prices(made(tmp_path))
    assert page is not None
    assert page.verdict is not None
    assert page.verdict.code == "limits_cost"
    found = table(page, "prices")
    assert [one.key for one in found.rows] == ["phone@2026-03-02", "phone@2026-03-03", "budget@2026-03-02"]
    assert number(found, "phone@2026-03-02", "one_more").value == 2.5
    assert number(found, "phone@2026-03-02", "tenth_more").value == pytest.approx(25)
    assert number(found, "phone@2026-03-02", "used").value == 90
    days = {one.key: [point.quantity.value for point in one.points] for one in chart(page, "cost_by_day").series}
    assert days == {"budget": [pytest.approx(18)], "channel": [pytest.approx(225), pytest.approx(90)]}
    assert read_in_all_languages(page) > 100


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ((limit("phone@2026-03-02"),), "nothing_binds"),
        ((limit("creditor:c1", short=4.0), *PRICED), "minimum_missed"),
    ],
)
def test_the_verdict_says_what_limits_do(tmp_path: Path, limits: tuple[dict[str, Any], ...], code: str) -> None:
    keep(tmp_path, *limits)
    page = prices(made(tmp_path))
    assert page is not None
    assert page.verdict is not None
    assert page.verdict.code == code
    assert read_in_all_languages(page)


def test_without_a_price_list_the_page_says_so_and_with_a_broken_one_too(tmp_path: Path) -> None:
    none = prices(made(tmp_path))
    (tmp_path / "capacity").mkdir()
    (tmp_path / "capacity" / "prices.json").write_text('{"limits": [{"name": "phone"}]}')
    broken = prices(made(tmp_path))
    codes = [page.verdict.code for page in (none, broken) if page is not None and page.verdict is not None]
    assert codes == ["no_limits", "unreadable"]
    for page in (none, broken):
        assert page is not None
        assert read_in_all_languages(page)
    with pytest.raises(BadPriceList, match="expected a night's price list"):
        price_list(tmp_path)


def test_what_rules_bar_is_counted_as_a_plain_loop_counts_it(tmp_path: Path) -> None:
    facts = made(tmp_path)
    found = barred(facts)
    rows = facts.decisions.to_pylist()
    for one in found.rules:
        hit = [row for row in rows if any(pair["rule"] == one.rule for pair in row["blocked"])]
        assert one.decisions == one.debtors == len(hit)
        assert one.channels == sum(pair["rule"] == one.rule for row in rows for pair in row["blocked"])
        assert one.all_shut == sum(len(row["blocked"]) == 6 for row in hit)
    assert (found.decisions, found.none_left) == (40, 15)
    assert [one.rule for one in found.rules] == ["minor", "cease_requested", "statutory_period"]


def test_law_has_no_price_and_few_debtors_are_withheld(tmp_path: Path) -> None:
    page = prices(made(tmp_path))
    assert page is not None
    found = table(page, "rules")
    assert cell(found, "minor", "price") == Text("prices.rules.no_price")
    assert number(found, "statutory_period", "decisions_in").withheld
    assert number(found, "minor", "decisions_in").value == 20


def test_the_tenants_own_caps_are_shown(tmp_path: Path) -> None:
    page = prices(made(tmp_path, config=replace(Config(), caps={"phone": CompanyCap(2, 7), "any": CompanyCap(3, 7)})))
    assert page is not None
    assert number(table(page, "caps"), "phone", "most").value == 2
    assert read_in_all_languages(page)


def test_every_rule_and_every_reason_has_words() -> None:
    words = the_catalogue()
    for said in (*(rule_title(rule.name) for rule in RULES), *(reason_title(why) for why in (*PLAIN_REASONS, ""))):
        assert isinstance(said, Text)
        assert said.key in words


def test_there_is_no_page_for_one_creditor() -> None:
    facts = long_world(debtors=60, rng=np.random.default_rng(1))
    assert prices(of_creditor(facts, "big")) is None
