"""Tables ready to be drawn: cells in the reader's words, intervals as small bars on one scale for each column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from training.reports.blocks import Chart, Quantity, Said, Series, Table
from training.reports.site.axes import MONEY
from training.reports.site.points import place_of
from training.reports.site.reader import Reader

BAR_WIDTH, BAR_HEIGHT = 100, 10
EDGE = 4
"""Room left and right of the scale, so that a dot at its end is whole."""


@dataclass(frozen=True)
class Cell:
    """A cell: what it says, the interval in small letters, the bar."""

    text: str
    more: str = ""
    bar: Markup | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Line:
    """A row: its title and cells."""

    title: str
    cells: tuple[Cell, ...]
    strong: bool = False
    key: str = ""


@dataclass(frozen=True)
class Head:
    """A column's title; `words` where its cells are no numbers."""

    title: str
    words: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table as it is drawn."""

    caption: str
    first: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    folded: bool = False


@dataclass(frozen=True)
class Scale:
    """Where on a bar a number stands."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Place of a number, from left to right."""
        width = (self.high - self.low) or 1.0
        return round(EDGE + (BAR_WIDTH - 2 * EDGE) * (value - self.low) / width, 1)


def sheet_of(table: Table, reader: Reader) -> Sheet:
    """A table in the reader's words."""
    scales = [
        _scale(row.cells[place] for row in table.rows) if column.bars else None
        for place, column in enumerate(table.columns)
    ]
    largest = [_largest(row.cells[place] for row in table.rows) for place in range(len(table.columns))]
    heads = tuple(
        Head(reader.text(column.title), _is_words(row.cells[place] for row in table.rows))
        for place, column in enumerate(table.columns)
    )
    lines = tuple(
        Line(
            reader.say(row.title),
            tuple(
                _cell(said, scale, reader, among=most)
                for said, scale, most in zip(row.cells, scales, largest, strict=True)
            ),
            row.strong,
            row.key,
        )
        for row in table.rows
    )
    return Sheet(reader.text(table.caption), reader.text(table.first), heads, lines, table.folded)


def sheet_of_chart(chart: Chart, reader: Reader) -> Sheet:
    """The numbers of a chart: places down, series across."""
    found = {
        series.key: {place_of(point.at, reader): point.quantity for point in series.points} for series in chart.series
    }
    places = list(dict.fromkeys(place_of(point.at, reader) for series in chart.series for point in series.points))
    heads = tuple(Head(_series_head(series, chart, reader)) for series in chart.series)
    lines = tuple(
        Line(place, tuple(_cell(found[series.key].get(place), None, reader) for series in chart.series))
        for place in places
    )
    return Sheet(reader.text(chart.title), reader.text(chart.across), heads, lines, folded=True)


def _series_head(series: Series, chart: Chart, reader: Reader) -> str:
    return reader.say(series.title) if len(chart.series) > 1 else reader.text(chart.up)


def _cell(said: Said | None, scale: Scale | None, reader: Reader, *, among: float = 0.0) -> Cell:
    if not isinstance(said, Quantity):
        return Cell(reader.say(said), quiet=said is None)
    bar = _bar(said, scale) if scale is not None else None
    return Cell(
        reader.value(said, among=among),
        reader.interval(said, among=among),
        bar,
        quiet=said.withheld or said.value is None,
    )


def _largest(cells: Iterable[Said | None]) -> float:
    """The largest amount of a column, by which all of its amounts have cents or none."""
    shown = [cell for cell in cells if isinstance(cell, Quantity) and cell.kind in MONEY and not cell.withheld]
    return max((abs(cell.value) for cell in shown if cell.value is not None), default=0.0)


def _is_words(cells: Iterable[Said | None]) -> bool:
    known = [cell for cell in cells if cell is not None]
    return bool(known) and not any(isinstance(cell, Quantity) for cell in known)


def _scale(cells: Iterable[Said | None]) -> Scale | None:
    """One scale for the numbers of a column, zero among them."""
    shown = [cell for cell in cells if isinstance(cell, Quantity) and not cell.withheld]
    known = [one for cell in shown for one in (cell.value, cell.low, cell.high) if one is not None]
    return Scale(min(0.0, *known), max(0.0, *known)) if known else None


def _bar(found: Quantity, scale: Scale) -> Markup | None:
    """A dot on the scale, its interval around it where it has one, and a stroke at zero."""
    if found.withheld or found.value is None:
        return None
    middle = BAR_HEIGHT / 2
    zero = f'<path d="M{scale.at(0.0)} 0V{BAR_HEIGHT}"/>'
    dot = f'<circle cx="{scale.at(found.value)}" cy="{middle}" r="3"/>'
    reach = ""
    if found.low is not None and found.high is not None:
        left, right = scale.at(found.low), scale.at(found.high)
        reach = f'<rect x="{left}" y="{middle - 1.5}" width="{round(right - left, 1)}" height="3"/>'
    opening = f'<svg class="mini" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" aria-hidden="true" focusable="false">'
    return Markup(f"{opening}{zero}{reach}{dot}</svg>")  # noqa: S704 - numbers of ours alone
