"""The page on calibration: its numbers are those of plain loops, and its verdict can be trusted itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.config import Config
from data.times import to_us
from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import chart, number, read_in_all_languages, table
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.calibration_figures import Claims, agreement, cash, claims_judged, deciles, error_interval
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.owed import owed_eur
from training.reports.pages.calibration import calibration


@pytest.fixture(scope="module")
def facts() -> Facts:
    return long_world(debtors=1800, rng=np.random.default_rng(8))


def made(predicted: np.ndarray, paid: np.ndarray, *, debtor: np.ndarray | None = None) -> Claims:
    size = len(predicted)
    words, money = np.full(size, "sms", dtype=object), np.ones(size)
    return Claims(
        np.arange(size) if debtor is None else debtor,
        words,
        words,
        words,
        predicted,
        paid,
        money,
        predicted,
        money * paid,
    )


def small(*rows: dict[str, object], **tables: list[dict[str, object]]) -> Facts:
    log = log_of(list(rows))
    tables.setdefault("payments", []).append(payment("a/0", 20, 1))
    portfolio = portfolio_of(log, **tables)
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(20)))


def test_shares_by_tenth_are_those_of_a_plain_loop(facts: Facts) -> None:
    found = claims_judged(facts, days=14, shares={})
    order = sorted(range(len(found.paid)), key=lambda one: found.predicted[one])
    sizes = [len(part) for part in np.array_split(np.arange(len(order)), 10)]
    begin = 0
    for one, size in zip(deciles(found), sizes, strict=True):
        members = order[begin : begin + size]
        begin += size
        assert one.claims == size
        assert one.predicted == pytest.approx(sum(found.predicted[row] for row in members) / size)
        assert one.observed.value == pytest.approx(sum(found.paid[row] for row in members) / size)
        assert one.above.value == pytest.approx(one.observed.value - one.predicted)


def test_claims_inside_their_horizon_and_refused_decisions_are_left_out() -> None:
    rows = [decision("a", "a/0"), decision("b", "b/0", day=10), decision("c", "c/0")]
    facts = small(*rows, payments=[payment("c/0", 3, 5)])
    found = claims_judged(facts, days=14, shares={})
    assert found.paid.tolist() == [False, True]
    status = facts.decisions.append_column("status", [["decided", "decided", "refused"]])
    again = facts_of(
        status, facts.portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=facts.known_until_us
    )
    assert claims_judged(again, days=14, shares={}).paid.tolist() == [False]


def test_what_was_owed_knows_nothing_of_later_payments_and_gives_back_reversed_ones() -> None:
    early = payment("a/0", -5, 30)
    late_known = payment("a/0", -4, 7, known_at=at(2))
    reversed_before = payment("a/0", -3, 11, reversed_at=at(-1))
    reversed_after = payment("a/0", -2, 13, reversed_at=at(4))
    too_much = payment("b/0", -2, 500)
    rows = [decision("a", "a/0"), decision("a", "a/0", day=3), decision("b", "b/0")]
    facts = small(*rows, payments=[early, late_known, reversed_before, reversed_after, too_much])
    assert owed_eur(facts).tolist() == pytest.approx([100 - 30 - 13, 100 - 30 - 7 - 13, 0])


def test_expected_money_is_chance_times_share_times_what_was_owed() -> None:
    rows = [
        decision("a", "a/0"),
        decision("b", "b/0", payment_probability=0.5),
        decision("c", "c/0", model_version="m2"),
    ]
    facts = small(*rows, payments=[payment("b/0", 2, 60), payment("b/0", -2, 20)])
    found = cash(claims_judged(facts, days=14, shares={"model-1": 0.8}))
    assert found is not None
    assert found.expected_eur == pytest.approx(0.2 * 0.8 * 100 + 0.5 * 0.8 * 80)
    assert found.paid_eur == pytest.approx(60)
    assert found.debtors == 2
    assert cash(claims_judged(facts, days=14, shares={})) is None


def test_a_perfect_prediction_shows_no_error_and_its_interval_covers_it() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        predicted = rng.beta(2, 8, 3000)
        covered += error_interval(made(predicted, rng.random(3000) < predicted), rng=rng).low <= 0.0
    assert covered >= 57


def test_an_error_that_is_there_is_found_at_its_size_also_where_claims_of_a_debtor_go_together() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(60):
        chance = np.repeat(rng.beta(2, 8, 900), 4)
        whole = np.repeat(rng.random(900), 4) < chance
        found = error_interval(made(np.minimum(chance + 0.1, 1), whole, debtor=np.repeat(np.arange(900), 4)), rng=rng)
        covered += found.low <= 0.1 <= found.high
    assert covered >= 56


@pytest.mark.parametrize(
    ("claims", "off", "code"),
    [
        (1500, 0.0, "not_enough_data"),
        (2500, 0.0, "not_yet_known"),
        (11_000, 0.0, "trusted"),
        (2500, 0.2, "not_trusted"),
    ],
)
def test_the_verdict_follows_the_gates_limits(claims: int, off: float, code: str) -> None:
    rng = np.random.default_rng(9)
    chance = rng.choice([0.05, 0.2, 0.3], claims)
    rows = [
        decision(f"d{place}", f"d{place}/0", payment_probability=one + off) for place, one in enumerate(chance.tolist())
    ]
    paid = [payment(f"d{place}/0", 3, 5) for place in np.flatnonzero(rng.random(claims) < chance).tolist()]
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[*paid, payment("d0/0", 20, 1)])
    page = calibration(
        facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=to_us(at(20)))
    )
    assert page.verdict is not None
    assert page.verdict.code == code
    assert read_in_all_languages(page) > 100


def test_the_page_tells_by_channel_country_and_month_and_withholds_few(facts: Facts) -> None:
    page = calibration(facts)
    found = claims_judged(facts, days=14, shares={})
    for channel in ("none", "sms"):
        assert number(table(page, "channels"), channel, "claims").value == (found.channel == channel).sum()
    assert [one.key for one in table(page, "months_table").rows] == ["2026-03", "2026-04"]
    assert {one.key for one in chart(page, "months").series} == {"predicted", "observed"}
    few = calibration(of_creditor(long_world(debtors=250, rng=np.random.default_rng(2)), "tiny"))
    assert number(table(few, "tenths"), "1", "claims").withheld
    assert few.verdict is not None
    assert few.verdict.code == "not_enough_data"


def test_where_nothing_is_mature_the_page_has_a_verdict_alone() -> None:
    facts = small(decision("a", "a/0", day=15), decision("b", "b/0", day=15))
    page = calibration(facts)
    assert page.sections == ()
    assert read_in_all_languages(page)


def test_an_error_is_not_told_without_a_source_of_draws() -> None:
    found = agreement("x", made(np.full(20, 0.5), np.arange(20) < 10), rng=None)
    assert np.isnan(found.error.value)
    assert found.above.value == 0
    assert replace(found, name="y").debtors == 20
