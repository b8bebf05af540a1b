"""The page of a plan, and the files and lines of the command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.config import ArmSettings
from data.schemas import write_table
from tests.portfolios import CONFIG
from tests.training.reports.plan_world import year
from training.reports.blocks import Chart, Mood, Quantity, Table, Text
from training.reports.pages.plan import Planned, plan_page, told
from training.reports.plan import planned_on, write_plan
from training.reports.plan_figures import LEVELS, Way, plan_of, weeks_for
from training.reports.site.catalogue import LANGUAGES, the_catalogue
from training.reports.site.files import Order, write_pages
from training.reports.site.reader import reader_of
from training.trials.planning import Inflow, Look

PLAN = plan_of(ArmSettings(), gain=0.04, control=None, power=0.8)


@pytest.fixture(scope="module")
def small() -> Planned:
    return planned_on(year(1_200), plan=PLAN, config=CONFIG, workspace=Path())


def with_inflow(planned: Planned, at_start: float, per_week: float) -> Planned:
    """The same debtors, and many more of them."""
    return replace(
        planned, bases=tuple(replace(one, inflow=Inflow(at_start, per_week, one.days)) for one in planned.bases)
    )


def table(planned: Planned, key: str) -> Table:
    blocks = [block for section in plan_page(planned).sections for block in section.blocks]
    return next(block for block in blocks if isinstance(block, Table) and block.key == key)


def test_every_level_and_the_planned_gain_have_their_row_in_order(small: Planned) -> None:
    rows = table(with_inflow(small, 1e6, 1e5), "weeks_daily").rows
    assert [row.key for row in rows] == [f"gain_{gain:g}" for gain in sorted((*LEVELS, 0.04))]
    assert [row.key for row in rows if row.strong] == ["gain_0.04"]


def test_the_cells_are_the_weeks_of_each_way(small: Planned) -> None:
    many = with_inflow(small, 1e6, 1e5)
    for look in Look:
        row = next(row for row in table(many, f"weeks_{look}").rows if row.strong)
        weeks = [weeks_for(many.basis, PLAN, gain=0.04, way=way, look=look) for way in Way]
        assert [cell.value for cell in row.cells[2:]] == weeks
        assert row.cells[0].value == pytest.approx(0.04 * many.basis.paid[Way.RAW].mean)


@pytest.mark.parametrize(
    ("inflow", "code", "mood"),
    [((1e7, 1e5), "within_a_year", Mood.GOOD), ((0, 1.2e4), "long", Mood.WAIT), ((100, 0), "never", Mood.BAD)],
)
def test_the_verdict_says_how_long(small: Planned, inflow: tuple[float, float], code: str, mood: Mood) -> None:
    verdict = plan_page(with_inflow(small, *inflow)).verdict
    assert verdict is not None
    assert (verdict.code, verdict.mood) == (code, mood)


def test_what_takes_longer_than_ten_years_is_said_in_words(small: Planned) -> None:
    cells = table(with_inflow(small, 100, 0), "weeks_daily").rows[0].cells
    assert cells[2:] == (Text("plan.never"),) * len(Way)


def test_the_chart_falls_with_the_weeks_and_daily_looks_lie_above_one(small: Planned) -> None:
    blocks = [block for section in plan_page(with_inflow(small, 1e4, 1e4)).sections for block in section.blocks]
    chart = next(block for block in blocks if isinstance(block, Chart))
    lines = {line.key: {point.at: point.quantity.value for point in line.points} for line in chart.series}
    for line in lines.values():
        assert list(line.values()) == sorted(line.values(), reverse=True)
        assert len(line) > 5
    assert all(lines["adjusted_daily"][at] > lines["adjusted_once"][at] for at in lines["adjusted_daily"])


def test_a_larger_control_group_is_told_of_as_the_planned_one_is(small: Planned) -> None:
    rows = {row.key: row for row in table(with_inflow(small, 1e5, 1e4), "controls").rows}
    assert [key for key, row in rows.items() if row.strong] == ["control_0.1"]
    weeks = [row.cells[0].value for row in rows.values() if isinstance(row.cells[0], Quantity)]
    assert weeks == sorted(weeks, reverse=True)


def test_it_is_drawn_in_every_language_with_its_numbers_beside(small: Planned, tmp_path: Path) -> None:
    order = Order.of(["all"], now=datetime(2026, 3, 2, tzinfo=UTC), pdf="none", by="plan")
    write_pages([plan_page(with_inflow(small, 0, 1.2e4))], tmp_path, order=order)
    names = {"en": "plan.html"} | {one: f"plan-{one}.html" for one in LANGUAGES if one != "en"}
    pages = [(tmp_path / name).read_text(encoding="utf-8") for name in names.values()]
    assert len(set(pages)) == 4
    assert not any("{" in page.split("<main")[1] for page in pages)
    assert json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("inflow", [(1e7, 1e5), (0, 1.2e4), (100, 0)])
def test_every_verdict_has_its_words(small: Planned, inflow: tuple[float, float], language: str) -> None:
    verdict = plan_page(with_inflow(small, *inflow)).verdict
    assert verdict is not None
    said = [
        reader_of(language, the_catalogue()).text(text) for text in (verdict.headline, verdict.sentence, verdict.advice)
    ]
    assert all(len(text) > 20 for text in said)
    assert any("4" in text for text in said)


def test_the_terminal_is_told_the_same_weeks(small: Planned) -> None:
    many = with_inflow(small, 1e6, 1e5)
    lines = told(many)
    row = next(line for line in lines if line.startswith(">"))
    daily, once = (weeks_for(many.basis, PLAN, gain=0.04, way=Way.CUT, look=look) for look in (Look.DAILY, Look.ONCE))
    assert "4.0%: raw" in row
    assert f"cut {daily} ({once})" in row
    assert "raw – (–)" in " ".join(told(with_inflow(small, 100, 0)))


def test_the_command_reads_a_folder_writes_the_page_and_tells_where_it_is(tmp_path: Path) -> None:
    for name, rows in year(400).tables.items():
        write_table(rows, tmp_path / "portfolio" / f"{name}.parquet")
    order = Order.of(["en"], now=datetime(2026, 3, 2, tzinfo=UTC), pdf="none", by="plan")
    done = write_plan(
        tmp_path / "portfolio", tmp_path / "pages", plan=PLAN, order=order, config=CONFIG, workspace=tmp_path
    )
    assert done.lines() == [*told(done.planned), str(tmp_path / "pages" / "plan.html")]
    assert (tmp_path / "pages" / "plan.html").is_file()
