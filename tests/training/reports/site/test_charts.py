"""Charts as inline SVG: in the reader's language, told apart without colour, light and dark, without identifiers of others."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.training.reports.site import made_up
from training.reports.blocks import Chart, Kind, Name, Point, Quantity, Series, Shape, Text
from training.reports.drawing import DARK, dark_rules
from training.reports.site.charts import chart_svg
from training.reports.site.heat import ranges_of
from training.reports.site.marks import MARKS, marks
from training.reports.site.reader import reader_of

CHARTS = {
    "lines": made_up.lines(),
    "weeks": made_up.weeks(),
    "intervals": made_up.intervals(),
    "bars": made_up.bars(),
    "heat": made_up.heat(),
    "points": made_up.heat(Kind.POINTS, 12),
    "money": made_up.heat(Kind.SIGNED_MONEY, 5),
    "agreement": made_up.agreement(),
}


def draw(chart: Chart, language: str = "en", key: str = "c") -> str:
    drawn = chart_svg(chart, reader_of(language, made_up.words()), key=key)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_every_shape_is_an_image_with_a_name_and_its_numbers_in_words(chart: Chart) -> None:
    drawn = draw(chart)
    root = ElementTree.fromstring(drawn)
    assert root.attrib["role"] == "img"
    told = {one.attrib["id"]: one.text for one in root if one.tag.endswith(("title", "desc"))}
    assert set(root.attrib["aria-labelledby"].split()) == set(told) == {"c-t", "c-d"}
    assert str(told["c-d"]).startswith("Bands: 95 % intervals.")
    assert re.search(r"\d", str(told["c-d"]))
    assert len(re.findall("<path|<rect", drawn)) > 3
    assert "undefined" not in drawn
    assert "NaN" not in drawn


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_every_colour_has_its_twin_on_a_dark_page(chart: Chart) -> None:
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', draw(chart)))
    assert used
    assert used <= set(DARK)
    assert all(f'[fill="{one}"]' in dark_rules() for one in used)


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_letters_are_large_enough_on_a_phone(chart: Chart) -> None:
    drawn = draw(chart)
    found = re.search(r'viewBox="0 0 ([\d.]+)', drawn)
    assert found
    sizes = [float(one) for one in re.findall(r'font-size="([\d.]+)', drawn)]
    shown = 336 / float(found[1])  # a phone 360 points wide, less what is left free at both sides
    assert min(sizes) * shown >= 10.5
    assert float(found[1]) <= 352


def test_identifiers_of_two_drawings_never_meet() -> None:
    ids = [set(re.findall(r'id="([^"]+)"', draw(made_up.lines(), key=key))) for key in ("one", "two")]
    assert not ids[0] & ids[1]


def test_axes_write_numbers_and_dates_as_the_reader_does() -> None:
    assert "5,00\u00a0€" in draw(made_up.lines(), "sv")
    assert "€5.00" in draw(made_up.lines(), "en")
    assert "20\u00a0%" in draw(made_up.bars(), "da")
    assert "feb." in draw(made_up.weeks(), "da")
    assert "Digital brevlåda" in draw(made_up.heat(), "sv").replace("\n", " ")


@pytest.mark.parametrize("language", ["en", "sv"])
def test_a_few_long_names_across_are_all_written(language: str) -> None:
    names = ["SMS", "E-mail", "Digital mailbox", "Letter", "Phone", "Portal"]
    points = tuple(Point(Name(one), Quantity(Kind.COUNT, 10 * n)) for n, one in enumerate(names, start=1))
    drawn = draw(replace(made_up.heat(), series=(Series("a", Name("Contacts in 90 days"), points),)), language)
    assert set(names) <= set(re.findall(r'opacity="1">([^<]*)</text>', drawn))


def test_an_arm_has_the_same_colour_shape_and_dash_wherever_it_stands() -> None:
    assert marks(["champion"]) == marks(["control", "champion"])[1:] == [MARKS[0]]
    assert (
        len({mark.shape for mark in MARKS}) == len({mark.dash for mark in MARKS}) == len({m.colour for m in MARKS}) == 7
    )


def test_series_that_are_no_arms_are_told_apart_all_the_same() -> None:
    found = marks(["2026-01", "2026-02", "control"])
    assert len({mark.colour for mark in found}) == 3


def test_where_nothing_may_be_shown_nothing_is_drawn() -> None:
    assert chart_svg(made_up.nothing(), reader_of("en", made_up.words()), key="c") is None


def test_a_withheld_number_stands_nowhere_in_the_drawing() -> None:
    points = (
        Point(Text("t.gain"), Quantity(Kind.COUNT, 7, withheld=True)),
        Point(Text("t.cut"), Quantity(Kind.COUNT, 42)),
    )
    series = (Series("champion", Name("n"), points),)
    chart = Chart("x", Shape.BARS, Text("t.gain"), Text("t.caption"), Text("t.other"), Text("t.share"), series)
    assert "not shown" in draw(chart)
    assert len(re.findall(r"<path[^>]*fill=\"#0067a5\"", draw(chart))) == 1


def test_a_single_point_shows_its_interval() -> None:
    points = (Point(3, Quantity(Kind.MONEY, 1.0, 0.5, 1.5)),)
    series = (Series("champion", Name("n"), points),)
    chart = Chart("x", Shape.LINES, Text("t.gain"), Text("t.caption"), Text("t.days"), Text("t.share"), series)
    assert "<line" in draw(chart)


def test_names_are_escaped() -> None:
    drawn = draw(made_up.intervals())
    assert "<b>" not in drawn
    ElementTree.fromstring(drawn)


@pytest.mark.parametrize(
    ("values", "signed"), [([5.0], False), ([0.0, 0.0], False), ([0.0], True), ([1e-9, 3e7], False)]
)
def test_ranges_hold_every_value_and_rise(values: list[float], signed: bool) -> None:
    bounds = ranges_of(values, signed=signed)
    assert bounds == sorted(set(bounds))
    assert 2 <= len(bounds) <= 8
    assert bounds[0] <= min(values) <= max(values) <= bounds[-1]
