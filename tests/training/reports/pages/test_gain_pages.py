"""The pages on gain: what they say is in the catalogue, their numbers are those of a plain loop, and few debtors are withheld."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.training.reports.long_world import long_world
from tests.training.reports.pages.page_parts import chart, number, parts, table
from training.reports.blocks import Chart, Page, Quantity, Section, Table, Text
from training.reports.experiment import CHAMPION, CONTROL, totals
from training.reports.facts import Facts, creditors, of_creditor
from training.reports.pages.channels import channels
from training.reports.pages.experiment import experiment_pages
from training.reports.pages.overview import overview
from training.reports.pages.segments import segments
from training.reports.site.catalogue import LANGUAGES, the_catalogue
from training.reports.site.reader import reader_of


@pytest.fixture(scope="module")
def facts() -> Facts:
    return long_world(debtors=3000, rng=np.random.default_rng(21), effect=0.25, lift=0.1)


def pages_of(facts: Facts) -> list[Page]:
    found = [overview(facts), *experiment_pages(facts), channels(facts), segments(facts)]
    return [one for one in found if one is not None]


def section(page: Page, key: str) -> Section:
    return next(one for one in page.sections if one.key == key)


@pytest.fixture(scope="module")
def many_pages(facts: Facts) -> list[Page]:
    """Pages about many debtors, about few, and about those of a small creditor."""
    lone = long_world(debtors=60, rng=np.random.default_rng(1))
    return [*pages_of(facts), *pages_of(of_creditor(facts, "tiny")), *pages_of(lone)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_and_every_definition_of_the_pages_is_in_the_catalogue(
    many_pages: list[Page], language: str
) -> None:
    reader = reader_of(language, the_catalogue())
    told = 0
    for page in many_pages:
        for text in (one for one in parts(page) if isinstance(one, Text)):
            assert reader.text(text)
            told += 1
        for key in (key for one in page.sections for key in one.definitions):
            assert reader.word(f"definition.{key}.term")
            assert reader.word(f"definition.{key}.meaning")
    assert told > 500


def test_names_of_pages_are_addresses_and_every_section_and_block_has_a_key_of_its_own(facts: Facts) -> None:
    found = pages_of(facts)
    assert [one.name for one in found] == ["overview", "experiment-2026-03-01", "channels", "segments"]
    for page in found:
        keys = [one.key for one in page.sections]
        assert len(set(keys)) == len(keys)
        blocks = [b.key for s in page.sections for b in s.blocks if isinstance(b, Table | Chart)]
        assert len(set(blocks)) == len(blocks)


def test_the_overview_shows_the_gain_of_a_plain_loop(facts: Facts) -> None:
    found = totals(facts.entrants, facts.evidence, days=14)
    means = {}
    for arm in (CHAMPION, CONTROL):
        money = [float(eur) for eur, one in zip(found.recovered_eur, found.arm, strict=True) if one == arm]
        means[arm] = sum(money) / len(money)
    shown = number(table(overview(facts), "gains"), "recovered", "raw")
    assert shown.value == pytest.approx(means[CHAMPION] - means[CONTROL])
    arms = table(overview(facts), "arms")
    assert number(arms, "champion", "per_debtor").value == pytest.approx(means[CHAMPION])


def test_cohorts_on_the_page_add_up_to_the_arms_table(facts: Facts) -> None:
    page = overview(facts)
    cohorts = table(page, "cohorts")
    for arm in ("control", "champion"):
        shown = [number(cohorts, row.key, f"{arm}_recovered").value for row in cohorts.rows]
        assert sum(one for one in shown if one is not None) == pytest.approx(
            number(table(page, "arms"), arm, "recovered").value
        )


def test_debtors_of_few_are_withheld_together_with_a_second_creditor(facts: Facts) -> None:
    found = table(overview(facts), "creditors")
    assert creditors(facts)[-1] == "tiny"
    assert number(found, "tiny", "control").withheld
    assert number(found, "tiny", "recovered").withheld
    assert number(found, "other", "recovered").withheld
    assert not number(found, "big", "recovered").withheld


def test_the_page_of_a_creditor_with_few_debtors_shows_no_number_about_them() -> None:
    few = of_creditor(long_world(debtors=1000, rng=np.random.default_rng(5)), "tiny")
    assert len(few.entrants.debtor) < 30
    for page in (overview(few), *experiment_pages(few)):
        for key in ("gains", "arms"):
            for row in table(page, key).rows:
                if row.key in ("control", "champion", "recovered"):
                    assert all(one.withheld for one in row.cells if isinstance(one, Quantity)), (page.name, row.key)


def test_a_creditors_page_compares_nothing_between_creditors(facts: Facts) -> None:
    page = overview(of_creditor(facts, "big"))
    assert page.creditor == "big"
    assert "creditors" not in [one.key for one in page.sections]
    where = segments(of_creditor(facts, "big"))
    assert where is not None
    assert [one.key for one in where.sections] == ["segment", "country"]


def test_uplift_over_none_stands_on_the_page_or_why_it_does_not(facts: Facts) -> None:
    assert number(table(overview(facts), "over_none"), "14", "recovered").value is not None
    few = overview(long_world(debtors=150, rng=np.random.default_rng(2)))
    notes = [b.text.key for b in section(few, "over_none").blocks if hasattr(b, "text")]
    assert "uplift.too_few" in notes


def test_without_drawn_arms_the_overview_describes_and_judges_nothing() -> None:
    facts = long_world(debtors=200, rng=np.random.default_rng(3))
    lone = dataclasses.replace(facts, entrants=dataclasses.replace(facts.entrants, randomised=False))
    page = overview(lone)
    assert page.verdict is not None
    assert page.verdict.code == "no_experiment"
    assert [one.key for one in page.sections] == ["arms", "time", "data"]
    assert experiment_pages(lone) == ()
    assert segments(lone) is None


def test_credited_money_of_all_channels_is_what_was_paid_once(facts: Facts) -> None:
    found = table(channels(facts), "followed")
    credited = sum(number(found, row.key, "credited").value or 0.0 for row in found.rows)
    everything = facts.entrants
    paid = totals(everything, facts.evidence, days=14).recovered_eur.sum()
    assert credited == pytest.approx(paid)


def test_calls_that_nobody_answered_have_a_row_and_add_up_to_all_calls(facts: Facts) -> None:
    page = channels(facts)
    calls = table(page, "calls")
    assert [row.key for row in calls.rows] == ["answered", "unanswered"]
    assert (number(calls, "unanswered", "credited").value or 0) > 0
    counted = sum(number(calls, row.key, "decisions").value or 0 for row in calls.rows)
    assert counted == number(table(page, "followed"), "phone", "decisions").value


def test_fields_of_channels_and_hours_hold_every_contact_once(facts: Facts) -> None:
    heat = chart(channels(facts), "decided_hours")
    shown = sum(point.quantity.value or 0 for series in heat.series for point in series.points)
    assert not any(point.quantity.withheld for series in heat.series for point in series.points)
    made = {one for one, channel in zip(*_sent(facts), strict=True) if channel > 0}
    assert shown == len(made)


def _sent(facts: Facts) -> tuple[list[int], list[int]]:
    rows = facts.evidence.rows
    return rows.decision.tolist(), rows.channel.tolist()


def test_segments_show_intervals_for_all_at_once_that_are_wider_than_alone(facts: Facts) -> None:
    page = segments(facts)
    assert page is not None
    found = table(page, "country")
    together, alone = number(found, "SE", "together"), number(found, "SE", "alone")
    assert together.low is not None
    assert alone.low is not None
    assert together.low < alone.low
    sizes = sum(number(found, row.key, "champion").value or 0 for row in found.rows)
    assert sizes == (totals(facts.entrants, facts.evidence, days=14).arm == CHAMPION).sum()


def test_who_changed_groups_is_counted_in_the_first_one_and_told() -> None:
    facts = long_world(debtors=300, rng=np.random.default_rng(4))
    rows = facts.evidence.rows
    crossed = dataclasses.replace(facts.entrants, crossed=np.ones(len(facts.entrants.debtor), dtype=bool))
    page = experiment_pages(dataclasses.replace(facts, entrants=crossed))[0]
    found = table(page, "crossed")
    assert (
        number(found, "control", "control").value == (rows.arm[np.unique(rows.debtor, return_index=True)[1]] == 0).sum()
    )


def test_the_same_facts_give_the_same_pages(facts: Facts) -> None:
    assert pages_of(facts) == pages_of(facts)
