"""What is withheld of an experiment is withheld in every place, so that no few debtors follow from what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from data.config import Config
from data.times import to_us
from tests.training.reports.long_world import long_world
from tests.training.reports.worlds import at, decision, log_of, payment, portfolio_of
from training.reports.blocks import Note, Page, Quantity, Table, Tiles
from training.reports.facts import Facts, facts_of, of_creditor
from training.reports.gains import hidden_arms
from training.reports.pages.experiment import experiment_pages
from training.reports.pages.overview import overview

KNOWN_US = to_us(at(60))


def facts_from(rows: list[dict[str, Any]], payments: list[dict[str, Any]], *, objected: tuple[str, ...] = ()) -> Facts:
    log = log_of(rows)
    people = [
        {
            "debtor_id": one,
            "country": "SE",
            "registered_at": at(-99),
            "objected_at": at(-10) if one in objected else None,
        }
        for one in sorted({row["debtor_id"] for row in rows})
    ]
    portfolio = portfolio_of(log, payments=payments, debtors=people)
    return facts_of(log, portfolio, config=Config(), workspace=Path("nowhere"), known_until_us=KNOWN_US)


def arms_of(**sizes: int) -> list[dict[str, Any]]:
    """Debtors of each arm, decided on in one evening."""
    whole = sum(sizes.values())
    return [
        decision(f"{arm}{number}", f"{arm}{number}/0", arm=arm, arm_probability=size / whole)
        for arm, size in sizes.items()
        for number in range(size)
    ]


def blocks(page: Page) -> dict[str, Table]:
    return {b.key: b for s in page.sections for b in s.blocks if isinstance(b, Table)}


def shown(page: Page, table: str, column: int = 0) -> dict[str, float | None]:
    """Values of a column by row; what is withheld is None."""
    cells = {row.key: row.cells[column] for row in blocks(page)[table].rows}
    return {key: one.value for key, one in cells.items() if isinstance(one, Quantity)}


def test_an_arm_from_which_another_would_follow_is_withheld_in_every_place() -> None:
    rows = arms_of(control=15, challenger=5, champion=380)
    facts = facts_from(rows, [payment("champion0/0", 5, 7.0), payment("challenger1/0", 5, 77.0)])
    for page in (overview(facts), *experiment_pages(facts)):
        assert shown(page, "arms")["control"] is None
        assert shown(page, "gains", 2)["recovered"] is None
        assert page.verdict is not None
        said = page.verdict.sentence.values
        assert all(said[one].withheld for one in ("control", "champion", "gain"))  # type: ignore[union-attr] # quantities
    tiles = next(b for s in overview(facts).sections for b in s.blocks if isinstance(b, Tiles))
    assert all(one.said.withheld for one in tiles.tiles)  # type: ignore[union-attr] # quantities
    assert all(row.cells[3] is None or row.cells[3].withheld for row in blocks(overview(facts))["horizons"].rows)  # type: ignore[union-attr] # quantities


def test_control_is_withheld_for_another_arms_sake_only_where_no_other_arm_will_do() -> None:
    assert hidden_arms(np.array([20, 30, 900, 4])).tolist() == [False, True, False, True]
    assert hidden_arms(np.array([20, 0, 900, 4])).tolist() == [True, False, False, True]


def test_who_objected_does_not_follow_from_who_is_compared() -> None:
    rows = arms_of(control=100, champion=300)
    facts = facts_from(rows, [payment("champion9/0", 5, 7.0)], objected=("champion1", "champion2", "champion3"))
    found = shown(overview(facts), "data")
    assert found["debtors"] == 400
    assert (found["compared"], found["objected"]) == (None, None)


def test_a_small_experiment_does_not_follow_from_the_others() -> None:
    small = [
        decision(f"t{one}", f"t{one}/0", day=20, arm="control" if one % 2 else "champion", arm_probability=0.5)
        for one in range(6)
    ]
    page = overview(facts_from([*arms_of(control=100, champion=300), *small], [payment("champion9/0", 59, 7.0)]))
    assert list(shown(page, "experiments", 2).values()) == [None, None]
    assert shown(page, "data")["compared"] is None


def test_a_creditors_page_shows_nothing_that_rests_on_claims_of_others() -> None:
    whole = long_world(debtors=1500, rng=np.random.default_rng(21), effect=0.25)
    theirs = of_creditor(whole, "big")
    assert "over_none" in [one.key for one in overview(whole).sections]
    assert "over_none" not in [one.key for one in overview(theirs).sections]
    assert "ranked" in [one.key for one in experiment_pages(whole)[0].sections]
    assert "ranked" not in [one.key for one in experiment_pages(theirs)[0].sections]


def test_facts_dated_later_are_told_of_with_a_caution() -> None:
    rows = arms_of(control=20, champion=30)
    late = [payment(f"champion{one}/0", 3650, 7.0) for one in range(12)]
    page = overview(facts_from(rows, [payment("champion1/0", 20, 7.0), *late]))
    notes = [b for s in page.sections for b in s.blocks if isinstance(b, Note) and b.text.key == "overview.data.later"]
    assert [one.caution for one in notes] == [True]
    assert notes[0].text.values["later"].value == 12  # type: ignore[union-attr] # a quantity
    none = overview(facts_from(rows, [payment("champion1/0", 20, 7.0)]))
    assert "overview.data.later" not in [b.text.key for s in none.sections for b in s.blocks if isinstance(b, Note)]


def test_a_log_without_chances_of_the_arms_holds_no_experiment() -> None:
    rows = [one | {"arm_probability": None} for one in arms_of(control=20, champion=30)]
    page = overview(facts_from(rows, [payment("champion1/0", 20, 7.0)]))
    assert page.verdict is not None
    assert page.verdict.code == "no_experiment"


def test_pages_are_made_of_decisions_that_are_all_later_than_the_latest_fact() -> None:
    log = log_of(arms_of(control=30, champion=90))
    portfolio = portfolio_of(log, payments=[payment("champion1/0", -3, 7.0)])
    facts = facts_of(
        log,
        portfolio,
        config=Config(),
        workspace=Path("nowhere"),
        known_until_us=to_us(at(-3)),
        now_us=to_us(at(1)),
    )
    page = overview(facts)
    assert page.verdict is not None
    assert page.verdict.headline.key == "verdict.not_yet_begun.headline"
    assert len(experiment_pages(facts)) == 1
