"""The page on an old log, from a simulated portfolio that lost its decisions for none and its probabilities."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import DAY_US, to_us
from tests.portfolios import CHANNELS, CONFIG, portfolio_of
from tests.training.replay.old_logs import QUICK, day, old_log, small_world, with_contacts, written
from tests.training.reports.pages.page_parts import cell, chart, number, parts, read_in_all_languages, table
from training.logged.effect import Bound
from training.ope.intervals import Interval
from training.replay.done import Group
from training.replay.made import NothingDone
from training.replay.over_none import STATED
from training.replay.report import Replay, replay
from training.replay.run import ReplayOrder, write_replay
from training.replay.targeting import Gain
from training.reports.blocks import Chart, Mood, Note, Page, Text
from training.reports.pages.replay import replay_page, verdict_code
from training.reports.site.catalogue import LANGUAGES, the_catalogue
from training.reports.site.files import Order
from training.rows import NoTrainingRows

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)


def replayed(portfolio: Portfolio, *, seed: int = 1) -> Replay:
    return replay(portfolio, as_of_us=to_us(UNTIL), config=CONFIG, seed=seed, settings=QUICK)


@pytest.fixture(scope="module")
def found(simulated: Portfolio) -> Replay:
    return replayed(old_log(simulated))


@pytest.fixture(scope="module")
def page(found: Replay) -> Page:
    return replay_page(found)


def keys(page: Page) -> list[str]:
    return [one.key for one in page.sections]


def test_the_page_goes_from_what_was_done_to_the_test_that_settles_it(page: Page) -> None:
    assert keys(page) == ["done", "rows", "map", "between", "none", "gain", "test"]
    assert page.verdict is not None
    assert page.verdict.mood in (Mood.WAIT, Mood.NONE)


def test_every_word_stands_in_every_language(page: Page) -> None:
    assert read_in_all_languages(page) > 300


def test_figures_of_the_page_are_those_found(page: Page, found: Replay) -> None:
    letter = next(one for one in found.done.channels if CHANNELS[one.name] == "letter")
    assert number(table(page, "channels"), "letter", "contacts").value == letter.contacts
    assert number(table(page, "money"), "all", "eur").value == pytest.approx(found.done.paid_eur)
    of_bands = [number(table(page, "per-debtor"), one.key, "count").value for one in table(page, "per-debtor").rows]
    shown = [one for one in of_bands if one is not None]
    assert sum(shown) <= found.done.all_debtors


def test_everything_that_rests_on_rows_worked_out_says_that_nothing_was_randomised(page: Page) -> None:
    for key in ("rows", "none", "gain"):
        section = next(one for one in page.sections if one.key == key)
        cautions = [one for one in section.blocks if isinstance(one, Note) and one.caution]
        assert cautions
        assert any(one.text.key in SAYS_SO for one in cautions)
    for key in ("none-paid", "none-money", "gains", "spared", "spares"):
        assert table(page, key).caption.key in SAYS_SO


SAYS_SO = {
    "replay.rows.caution", "replay.none.caution", "replay.not-randomised-spare", "replay.none-paid.caption",
    "replay.none-money.caption", "replay.gains.caption", "replay.spares.caption", "replay.spared.caption",
}  # fmt: skip


def test_the_words_for_not_randomised_are_in_every_such_text() -> None:
    said = {"en": "ot randomised", "sv": "nte slumpa", "nb": "kke trukket tilfeldig", "da": "kke trukket tilfældigt"}
    for key in SAYS_SO:
        for language, words in said.items():
            assert words in the_catalogue().text(key, language)


def test_over_none_there_are_ranges_by_odds_ratio_and_never_a_single_figure(page: Page, found: Replay) -> None:
    assert found.rows > 100
    for key in ("none-paid", "none-money"):
        shown = table(page, key)
        assert {one.key for one in shown.columns} >= {"ratio-1", "ratio-1.2", "ratio-1.5", "ratio-2"}
        for row in shown.rows:
            assert all(isinstance(one, Text) and one.key in ("replay.within", "replay.refused") for one in row.cells)
    assert not any(isinstance(one, Chart) for one in next(s for s in page.sections if s.key == "none").blocks)


def test_the_same_seed_gives_the_same_page(page: Page, simulated: Portfolio) -> None:
    assert replay_page(replayed(old_log(simulated))) == page


def test_facts_after_the_moment_change_nothing(simulated: Portfolio) -> None:
    early_us = to_us(UNTIL) - 60 * DAY_US
    whole = old_log(simulated)
    cut = {
        name: whole[name].filter(pc.less_equal(whole[name][column].cast("int64"), early_us))
        for name, column in (("contacts", "decided_at"), ("contact_events", "at"), ("payments", "paid_at"))
    }
    without = with_contacts(
        replace(whole, tables={**whole.tables, **{name: cut[name] for name in ("contact_events", "payments")}}),
        cut["contacts"],
    )
    pages = [
        replay_page(replay(one, as_of_us=early_us, config=CONFIG, seed=1, settings=QUICK)) for one in (whole, without)
    ]
    assert pages[0] == pages[1]


def test_a_moment_long_after_the_last_fact_is_not_taken_for_knowledge(simulated: Portfolio, page: Page) -> None:
    late = replay(old_log(simulated), as_of_us=to_us(UNTIL) + 365 * DAY_US, config=CONFIG, seed=1, settings=QUICK)
    assert late.known_us <= to_us(UNTIL)
    assert number(table(replay_page(late), "money"), "all", "eur") == number(table(page, "money"), "all", "eur")


def test_few_debtors_are_withheld(found: Replay) -> None:
    first = found.done.channels[0]
    few = Group(first.name, 5, 4, 1.0, 5, first.answered, first.followed, 3.0)
    done = replace(found.done, channels=(few, *found.done.channels[1:]))
    shown = table(replay_page(replace(found, done=done)), "channels")
    hidden = number(shown, CHANNELS[first.name], "contacts")
    assert hidden.withheld
    assert hidden.value is None
    assert sum(number(shown, row.key, "contacts").withheld for row in shown.rows) >= 2


def test_months_are_withheld_by_debtors_and_cannot_be_worked_out_from_the_channels(found: Replay) -> None:
    contacts, debtors = found.done.month_contacts.copy(), found.done.month_debtors.copy()
    code = max(found.done.channels, key=lambda one: one.debtors).name
    contacts[0, code], debtors[0, code] = 60, 4
    done = replace(found.done, month_contacts=contacts, month_debtors=debtors)
    months = chart(replay_page(replace(found, done=done)), "months")
    points = {one.key: one.points for one in months.series}
    of_channel = points[CHANNELS[code]]
    assert of_channel[0].quantity.withheld
    assert of_channel[0].quantity.value is None
    assert sum(one.quantity.withheld for one in of_channel) >= 2
    assert sum(each[0].quantity.withheld for each in points.values()) >= 2
    assert sum(not one.quantity.withheld for each in points.values() for one in each) > len(points)


def test_old_policies_are_withheld_by_debtors(found: Replay) -> None:
    few = found.done.era_debtors.copy()
    few[0] = 3
    shown = table(replay_page(replace(found, done=replace(found.done, era_debtors=few))), "eras")
    assert number(shown, "era-1", "contacts").withheld
    assert sum(number(shown, one.key, "contacts").withheld for one in shown.rows) >= 2


def with_net(found: Replay, low: float, high: float) -> Replay:
    bound = Bound(STATED, low, low, high, high)
    net = tuple(
        Gain(one.what, tuple(bound if b.odds_ratio == STATED else b for b in one.bounds)) for one in found.targeting.net
    )
    return replace(found, targeting=replace(found.targeting, net=net))


def test_a_gain_is_likely_only_where_its_lower_end_lies_above_zero(found: Replay) -> None:
    none_spared = replace(found, spares=())
    assert verdict_code(with_net(none_spared, 0.1, 2.0)) == "gain_likely"
    assert verdict_code(with_net(none_spared, -0.1, 2.0)) == "not_shown"
    silent = replace(
        with_net(none_spared, -0.1, 0.1),
        compared=tuple(replace(one, effect=None) for one in found.compared),
        over_none=(),
    )
    assert verdict_code(silent) == "too_little"


def test_every_verdict_can_be_read(found: Replay) -> None:
    for one in (with_net(found, 1.0, 2.0), with_net(found, -1.0, 2.0), replace(found, tests=())):
        assert read_in_all_languages(replay_page(one)) > 300


def test_a_log_with_decisions_for_none_is_accepted_and_more_can_be_said_elsewhere(simulated: Portfolio) -> None:
    with_none = replayed(simulated)
    page = replay_page(with_none)
    assert "rows" not in keys(page)
    assert with_none.rows == 0
    assert with_none.done.nones > 0
    assert any(isinstance(one, Text) and one.key == "replay.more-by-draw" for one in parts(page))
    assert any(one.drawn for one in with_none.over_none)
    assert table(page, "none-paid").caption.key == "replay.none-drawn.caption"
    assert read_in_all_languages(page) > 200


def test_pages_are_written_in_every_language(simulated: Portfolio, tmp_path: Path) -> None:
    folder = written(old_log(simulated), tmp_path / "portfolio")
    order = ReplayOrder(None, 1, Order.of(["all"], now=NOW, pdf="none", by="replay"))
    done = write_replay(folder, tmp_path / "out", order=order, config=CONFIG, settings=QUICK)
    names = {one.name for one in done.written.files}
    assert {"replay.html", "replay-sv.html", "replay-nb.html", "replay-da.html", "replay.json", "replay.csv"} <= names
    assert len(LANGUAGES) == 4
    assert json.loads((tmp_path / "out" / "replay.json").read_text(encoding="utf-8"))
    lines = done.lines()
    assert any("not randomised" in one for one in lines)
    assert lines[-1].endswith("replay-da.html")


def test_a_log_without_contacts_or_too_short_says_so(simulated: Portfolio, tmp_path: Path) -> None:
    contacts = simulated["contacts"]
    empty = with_contacts(simulated, contacts.filter(pc.equal(contacts["channel"], "none")))
    with pytest.raises(NothingDone, match="hand over the contacts"):
        replayed(empty)
    first_us = pc.min(contacts["decided_at"].cast("int64")).as_py()
    with pytest.raises(NoTrainingRows, match="later --as-of or a longer history"):
        replay(old_log(simulated), as_of_us=first_us + 5 * DAY_US, config=CONFIG, seed=1, settings=QUICK)


def test_a_comparison_that_little_overturns_is_called_fragile(found: Replay) -> None:
    one = next(each for each in found.compared if each.kind == "channel" and each.effect is not None)
    assert one.effect is not None
    value, plain = Interval(0.05, 0.01, 0.09), Interval(0.05, 0.02, 0.08)

    def says(overturned_at: float) -> str:
        assert one.effect is not None
        sure = replace(one, effect=replace(one.effect, value=value, naive=plain, overturned_at=overturned_at))
        shown = table(replay_page(replace(found, compared=(sure,))), "compared")
        said = cell(shown, shown.rows[0].key, "says")
        assert isinstance(said, Text)
        return said.key

    assert says(1.1) == "replay.says.fragile"
    assert says(1.8) == "replay.says.trust"


def test_a_plain_difference_with_the_wrong_sign_is_flagged_on_top(found: Replay) -> None:
    one = next(each for each in found.compared if each.kind == "channel" and each.effect is not None)
    assert one.effect is not None
    value, plain = Interval(0.05, 0.01, 0.09), Interval(-0.05, -0.08, -0.02)
    turned = replace(one, effect=replace(one.effect, value=value, naive=plain))
    page = replay_page(replace(found, compared=(turned,)))
    section = next(one for one in page.sections if one.key == "between")
    assert any(isinstance(one, Note) and one.text.key == "replay.between.misleads" for one in section.blocks)


def test_a_log_of_a_few_debtors_gets_a_page_that_claims_nothing() -> None:
    days = {f"r{number}": [number % 5, number % 5 + 7, number % 5 + 14] for number in range(12)}
    last = {"payment_id": "p", "claim_id": "c-r1", "debtor_id": "r1", "paid_at": day(79), "amount": Decimal("9.00")}
    tables = small_world({**days, "left-out": [0, 14]}, payments=[{**last, "currency": "SEK"}])
    found = replay(portfolio_of(tables), as_of_us=to_us(day(80)), config=CONFIG, seed=1, settings=QUICK)
    assert verdict_code(found) == "too_little"
    assert found.tests == ()
    assert not any(one.bounds for one in found.over_none)
    assert read_in_all_languages(replay_page(found)) > 200
