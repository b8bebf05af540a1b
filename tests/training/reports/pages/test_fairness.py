"""The page on fairness: pressure at equal need as a plain loop finds it, unequal treatment flagged, few withheld."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.pages.page_parts import cell, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.blocks import Quantity, Text
from training.reports.facts import Facts, facts_of
from training.reports.fairness_figures import choices, groups, pressure_by, vulnerable_explored
from training.reports.gains import compare
from training.reports.pages.fairness import fairness

SHUT = [
    {"channel": name, "rule": "blocked"} for name in ("sms", "email", "digital_mailbox", "letter", "phone", "portal")
]


def of(rows: list[dict[str, Any]], debtors: list[dict[str, Any]], *, last: float = 30, **tables: Any) -> Facts:
    log = log_of(rows)
    portfolio = portfolio_of(log, debtors=debtors, payments=[payment(rows[0]["claim_id"], last, 1)], **tables)
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(last)))


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"debtor_id": name, "country": "SE", "registered_at": at(-99)} | more


def treated(size: int, *, young: float, old: float, rng: np.random.Generator, areas: int = 2) -> Facts:
    """So many debtors; the chance of a contact differs by age alone, need differs a little by chance."""
    rows, debtors = [], []
    for place in range(size):
        is_young = bool(rng.random() < 0.5)
        name = f"d{place:05d}"
        channel = "sms" if rng.random() < (young if is_young else old) else "none"
        chance = float(rng.choice([0.1, 0.2, 0.3, 0.4]))
        arm = "champion" if rng.random() < 0.8 else "control"
        extra = {"arm": arm, "arm_probability": 0.8 if arm == "champion" else 0.2, "channel": channel}
        rows.append(decision(name, f"{name}/0", payment_probability=chance, **extra))
        born = date(2003, 5, 1) if is_young else date(1970, 5, 1)
        debtors.append(person(name, birth_date=born, language="sv", region=f"SE-{place % areas:02d}"))
    return of(rows, debtors)


def test_pressure_is_that_of_a_plain_loop_over_strata() -> None:
    facts = treated(3000, young=0.6, old=0.4, rng=np.random.default_rng(30))
    found = choices(facts, (2,))
    names = groups(facts)["age"]
    shown = pressure_by("age", found, group=names)
    for name in ("under 25", "55 to 64"):
        total = 0.0
        for stratum in set(found.need.tolist()):
            share = sum(one == stratum for one in found.need.tolist()) / len(found.need)
            rows = [k for k in range(len(found.need)) if found.need[k] == stratum and names[found.debtor[k]] == name]
            total += share * sum(bool(found.contacted[k]) for k in rows) / len(rows)
        assert shown.rates[name].contacts == pytest.approx(total)
    rates = [one.contacts for one in shown.rates.values()]
    assert shown.ratio.value == pytest.approx(max(rates) / min(rates))
    assert shown.ratio.low < 1.5 < shown.ratio.high


@pytest.mark.parametrize(("young", "old", "code"), [(0.5, 0.5, "equal"), (0.7, 0.4, "unequal")])
def test_unequal_treatment_is_flagged_and_equal_is_not(young: float, old: float, code: str) -> None:
    page = fairness(treated(4000, young=young, old=old, rng=np.random.default_rng(4)))
    assert page.verdict is not None
    assert page.verdict.code == code
    state = "fairness.state.flagged" if code == "unequal" else "fairness.state.fine"
    assert cell(table(page, "ratios"), "age", "state") == Text(state)
    assert cell(table(page, "ratios"), "area", "state") == Text("fairness.state.fine")
    assert read_in_all_languages(page) > 200


def test_decisions_without_a_lawful_contact_are_no_choice() -> None:
    rows = [
        decision("a", "a/0", blocked=SHUT),
        decision("b", "b/0", blocked=SHUT[:5]),
        decision("c", "c/0", channel="sms"),
    ]
    facts = of(rows, [person(name) for name in "abc"])
    found = choices(facts, (2,))
    assert found.contacted.tolist() == [False, True]


def test_need_counts_all_open_claims_of_the_debtor() -> None:
    rows = [decision("a", f"a/{place}", payment_probability=0.5, uplift=0.1) for place in range(2)]
    rows += [decision(name, f"{name}/0", payment_probability=0.5, uplift=0.1) for name in "bcd"]
    found = choices(of(rows, [person(name) for name in "abcd"]), (2,))
    assert found.need[0] > found.need[1]
    assert len(set(found.need[1:].tolist())) == 1


def test_nobody_vulnerable_may_have_been_explored() -> None:
    rows = [
        decision("a", "a/0", explored=True),
        decision("b", "b/0", explored=True),
        decision("c", "c/0", explored=True),
        decision("d", "d/0"),
    ]
    debtors = [
        person("a", vulnerable_from=at(-3), vulnerable_to=at(-1)),
        person("b", vulnerable_to=at(5)),
        person("c", vulnerable_from=at(1)),
        person("d", vulnerable_from=at(-3)),
    ]
    facts = of(rows, debtors)
    assert vulnerable_explored(facts) == (2, 2, 1)
    page = fairness(facts)
    assert page.verdict is not None
    assert page.verdict.code == "vulnerable_explored"
    assert read_in_all_languages(page)


def test_groups_of_few_debtors_are_withheld_with_another_beside_them() -> None:
    rows = [decision(f"d{place:03d}", f"d{place:03d}/0") for place in range(60)]
    regions = ["SE-01"] * 40 + ["SE-02"] * 15 + ["SE-03"] * 5
    facts = of(rows, [person(f"d{place:03d}", region=name) for place, name in enumerate(regions)])
    found = table(fairness(facts), "outcomes_area")
    hidden = {one.key: number(found, one.key, "debtors").withheld for one in found.rows}
    assert hidden == {"SE-01": False, "SE-02": True, "SE-03": True}


def test_columns_for_this_check_are_used_and_their_absence_is_told() -> None:
    facts = treated(800, young=0.5, old=0.5, rng=np.random.default_rng(5))
    plain = {one.key for one in fairness(facts).sections}
    debtors = facts.portfolio["debtors"]
    sex = ["female" if place % 2 else "male" for place in range(debtors.num_rows)]
    told = facts_of(
        facts.decisions,
        type(facts.portfolio)(
            {**facts.portfolio.tables, "debtors": debtors.append_column("audit_sex", [sex])}, facts.portfolio.given
        ),
        config=Config(),
        workspace=Path("nowhere"),
        known_until_us=facts.known_until_us,
    )
    page = fairness(told)
    assert {one.key for one in page.sections} - plain == {"audit-sex"}
    assert isinstance(cell(table(page, "ratios"), "audit_sex", "ratio"), Quantity)
    assert read_in_all_languages(page)


def test_recovered_money_of_a_group_is_that_of_a_plain_loop() -> None:
    rows = [decision(f"d{place:03d}", f"d{place:03d}/0", arm_probability=0.5) for place in range(40)]
    rows += [decision(f"k{place:03d}", f"k{place:03d}/0", arm="control", arm_probability=0.5) for place in range(40)]
    debtors = [person(row["debtor_id"], language="sv" if place % 2 else "fi") for place, row in enumerate(rows)]
    log = log_of(rows)
    paid = [payment(row["claim_id"], 3, 10 + place) for place, row in enumerate(rows) if place % 3 == 0]
    portfolio = portfolio_of(log, debtors=debtors, payments=[*paid, payment(rows[0]["claim_id"], 30, 1)])
    facts = facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))
    found = table(fairness(facts), "outcomes_language")
    for name, odd in (("sv", 1), ("fi", 0)):
        sums = [10 + place for place in range(80) if place % 3 == 0 and place % 2 == odd]
        assert number(found, name, "recovered").value == pytest.approx(sum(sums) / 40)
        assert number(found, name, "debtors").value == 40
    assert Decimal("100.00") == portfolio["claims"]["principal"][0].as_py()


def test_experiments_with_other_shares_are_not_pooled_into_a_gain() -> None:
    """Two seasons of 10 and 60 % payers, half and a tenth of them in the control arm: pooled, 18 EUR of gain from nothing."""
    rng, rows, paid, debtors = np.random.default_rng(0), [], [], []
    for day, control, pays in ((0, 0.5, 0.1), (40, 0.1, 0.6)):
        for place in range(2500):
            name, ours = f"d{day:02d}-{place:04d}", rng.random() >= control
            share = {"arm": "champion" if ours else "control", "arm_probability": 1 - control if ours else control}
            debtors.append(person(name, region="SE-AB" if place % 2 else "SE-O"))
            rows.append(decision(name, f"{name}/0", day=day, **share))
            paid += [payment(f"{name}/0", day + 3, 50)] if rng.random() < pays else []
    log = log_of(rows)
    portfolio = portfolio_of(log, debtors=debtors, payments=[*paid, payment(rows[0]["claim_id"], 90, 1)])
    facts = facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(90)))
    page = fairness(facts)
    found = table(page, "outcomes_area")
    for area in ("SE-AB", "SE-O"):
        assert number(found, area, "debtors").value == 1250
        gain = number(found, area, "gain")
        assert gain.value is None or (gain.low or 0) <= 0 <= (gain.high or 0)
        assert number(found, area, "recovered").value == pytest.approx(30, abs=3)
    assert read_in_all_languages(page)


def test_gain_of_a_group_is_told_as_on_the_page_about_segments() -> None:
    rng, rows, paid, debtors = np.random.default_rng(1), [], [], []
    for place in range(1200):
        name, ours = f"d{place:04d}", place % 2 == 0
        debtors.append(person(name, region="SE-AB", language="sv" if place % 4 < 2 else "fi", country="SE"))
        rows.append(decision(name, f"{name}/0", arm="champion" if ours else "control", arm_probability=0.5))
        paid += [payment(f"{name}/0", 3, float(rng.pareto(1.2) * 20))] if rng.random() < 0.9 else []
    log = log_of(rows)
    portfolio = portfolio_of(log, debtors=debtors, payments=[*paid, payment(rows[0]["claim_id"], 30, 1)])
    facts = facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(30)))
    gain = number(table(fairness(facts), "outcomes_language"), "sv", "gain")
    kept = facts.entrants.only(groups(facts)["language"][facts.entrants.debtor] == "sv")
    two = compare(facts.entrants, facts.evidence, days=14)
    here = np.isin(facts.entrants.debtor[two.found.row], kept.debtor)
    cut = np.minimum(two.found.recovered_eur, two.cap_eur)
    raw = cut[here & two.treated].mean() - cut[here & ~two.treated].mean()
    assert gain.value == pytest.approx(raw, abs=3)
    assert (gain.high or 0) - (gain.low or 0) < 40
