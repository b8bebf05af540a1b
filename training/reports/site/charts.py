"""Charts drawn: one way for each shape, in the reader's language, as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import altair as alt

from training.reports.blocks import Chart, Shape
from training.reports.drawing import FAINT, INK, Drawing, data_of, svg
from training.reports.site.axes import date_format, locales, number_format
from training.reports.site.heat import heat
from training.reports.site.marks import Mark, marks
from training.reports.site.points import Drawn, drawn, has_points, in_words, is_over_dates
from training.reports.site.reader import Reader

LINES_SPLIT = "split(datum.label, '\\n')"
DOTTED = 45
"""Points of a series up to which each is also drawn as a dot of its shape."""

BREAK: Literal["break-paths-show-path-domains"] = "break-paths-show-path-domains"
"""Where a number is not known, the line stops."""

BAND, STEP, LANE = 0.16, 34, 15
LINE_HEIGHT, SQUARE_HEIGHT = 200, 230


@dataclass(frozen=True)
class Canvas:
    """What a shape is drawn from."""

    chart: Chart
    found: Drawn
    marks: list[Mark]
    reader: Reader

    @property
    def several(self) -> bool:
        """Whether series are to be told apart."""
        return len(self.found.names) > 1

    @property
    def base(self) -> alt.Chart:
        """A chart of the rows."""
        return alt.Chart(data_of(self.found.rows))

    @property
    def known(self) -> alt.Chart:
        """A chart of the rows that have a number."""
        return alt.Chart(data_of([row for row in self.found.rows if row["value"] is not None]))

    @property
    def ranged(self) -> alt.Chart:
        """A chart of the rows that have an interval."""
        return alt.Chart(
            data_of([row for row in self.found.rows if row["low"] is not None and row["high"] is not None])
        )

    def axis(self, **more: Any) -> alt.Axis:  # noqa: ANN401 # altair's own settings
        """The axis of the numbers."""
        return alt.Axis(format=number_format(self.found.kind, self.found.span), tickCount=5, **more)

    def colour(self) -> alt.Color:
        """Colour by series."""
        return alt.Color("series:N", scale=self._scale([mark.colour for mark in self.marks]), legend=self._legend())

    def shape(self) -> alt.Shape:
        """Shape by series."""
        return alt.Shape("series:N", scale=self._scale([mark.shape for mark in self.marks]), legend=self._legend())

    def dash(self) -> alt.StrokeDash:
        """Dash by series."""
        scale = self._scale([list(mark.dash) for mark in self.marks])
        return alt.StrokeDash("series:N", scale=scale, legend=self._legend())

    def _scale(self, values: list[Any]) -> alt.Scale:
        return alt.Scale(domain=self.found.names, range=values)

    def _legend(self) -> alt.Legend | None:
        """Beside each other above the chart, lines as long as a dash needs; none for a single series."""
        if not self.several:
            return None
        longest = max(len(line) for name in self.found.names for line in name.split("\n"))
        return alt.Legend(
            title=None,
            orient="top",
            columns=2 if longest > 12 else 3,
            labelLimit=0,
            symbolSize=110,
            symbolStrokeWidth=2,
            labelExpr=LINES_SPLIT,
        )


def chart_svg(chart: Chart, reader: Reader, *, key: str) -> str | None:
    """A chart as inline SVG; None where nothing of it may or can be drawn.

    Parameters
    ----------
    key
        Identifier that no other drawing of the page has.
    """
    if not has_points(chart):
        return None
    canvas = Canvas(chart, drawn(chart, reader), marks([series.key for series in chart.series]), reader)
    picture, height = SHAPES[chart.shape](canvas)
    return svg(
        picture,
        title=reader.text(chart.title),
        description=in_words(chart, reader),
        height=height,
        key=key,
        locales=locales(reader),
    )


Picture = tuple[Drawing, int | None]


def _lines(canvas: Canvas) -> Picture:
    x, y = _across(canvas), alt.Y("value:Q", title=None, axis=canvas.axis())
    colour = canvas.colour()
    if max(len(series.points) for series in canvas.chart.series) > DOTTED:
        line = canvas.base.mark_line(strokeWidth=2.2, invalid=BREAK)
        told = [line.encode(x=x, y=y, color=colour, strokeDash=canvas.dash())]
    else:
        dot = canvas.known.mark_point(filled=True, size=34, opacity=1)
        told = [*_strokes(canvas, x, y), dot.encode(x=x, y=y, color=colour, shape=canvas.shape())]
    return _named(alt.layer(*_bands(canvas, x), *told), canvas), LINE_HEIGHT


def _strokes(canvas: Canvas, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Lines without an entry in the legend, which shows the dots that stand on them."""
    return [
        alt.Chart(data_of(rows))
        .mark_line(strokeWidth=2.2, invalid=BREAK, color=mark.colour, strokeDash=list(mark.dash))
        .encode(x=x, y=y)
        for mark, rows in _by_series(canvas)
    ]


def _bands(canvas: Canvas, x: alt.X) -> list[alt.Chart]:
    """Intervals, a layer for each series and without an entry in the legend, which shows lines and dots."""
    low = alt.Y("low:Q", title=None)
    own = [(mark, [row for row in rows if row["low"] is not None]) for mark, rows in _by_series(canvas)]
    return [_band(rows, mark).encode(x=x, y=low, y2="high:Q") for mark, rows in own if rows]


def _by_series(canvas: Canvas) -> list[tuple[Mark, list[dict[str, Any]]]]:
    return [
        (mark, [row for row in canvas.found.rows if row["series"] == name])
        for mark, name in zip(canvas.marks, canvas.found.names, strict=True)
    ]


def _band(rows: list[dict[str, Any]], mark: Mark) -> alt.Chart:
    """An area along several points; of a single one a stroke, since an area without width is not seen."""
    base = alt.Chart(data_of(rows))
    area: alt.Chart = base.mark_area(opacity=BAND, color=mark.colour)
    stroke: alt.Chart = base.mark_rule(strokeWidth=4, opacity=0.4, color=mark.colour)
    return area if len(rows) > 1 else stroke


def _across(canvas: Canvas) -> alt.X:
    title = canvas.reader.text(canvas.chart.across)
    if is_over_dates(canvas.chart):
        days = [point.at for series in canvas.chart.series for point in series.points if isinstance(point.at, date)]
        span = (max(days) - min(days)).days
        axis = alt.Axis(grid=False, tickCount=4, format=date_format(span), labelFlush=True)
        return alt.X("at:T", title=title, scale=alt.Scale(type="utc"), axis=axis)
    if canvas.found.places:
        axis = alt.Axis(grid=False, labelAngle=0, labelExpr=LINES_SPLIT, labelOverlap=True)
        return alt.X("at:O", title=title, sort=canvas.found.places, axis=axis)
    return alt.X("at:Q", title=title, axis=alt.Axis(tickMinStep=1, grid=False, format=",~f", tickCount=6))


def _intervals(canvas: Canvas) -> Picture:
    zero = alt.Chart(data_of([{"at": 0}])).mark_rule(color=INK, strokeWidth=1.2).encode(x="at:Q")
    y, lanes = _lanes(canvas)
    x = alt.X("low:Q", title=canvas.reader.text(canvas.chart.up), axis=canvas.axis())
    bar = canvas.ranged.mark_rule(strokeWidth=4, opacity=0.5).encode(
        y=y, x=x, x2="high:Q", color=canvas.colour(), **lanes
    )
    dot = canvas.known.mark_point(filled=True, size=80, opacity=1).encode(
        y=y, x=alt.X("value:Q", title=canvas.reader.text(canvas.chart.up), axis=canvas.axis()),
        color=canvas.colour(), shape=canvas.shape(), **lanes,
    )  # fmt: skip
    return alt.layer(zero, bar, dot), _height(canvas)


def _bars(canvas: Canvas) -> Picture:
    y, lanes = _lanes(canvas)
    x = alt.X("value:Q", title=canvas.reader.text(canvas.chart.up), axis=canvas.axis())
    bar = canvas.known.mark_bar(opacity=0.8).encode(y=y, x=x, color=canvas.colour(), **lanes)
    rule = canvas.ranged.mark_rule(strokeWidth=2, color=INK).encode(y=y, x="low:Q", x2="high:Q", **lanes)
    return alt.layer(bar, rule), _height(canvas)


def _lanes(canvas: Canvas) -> tuple[alt.Y, dict[str, Any]]:
    """Places one below the other, and in each the series one below the other."""
    places = canvas.found.places or list(dict.fromkeys(row["at"] for row in canvas.found.rows))
    axis = alt.Axis(ticks=False, labelExpr=LINES_SPLIT, labelLimit=0, domain=False)
    y = alt.Y("at:N", sort=places, title=None, axis=axis, scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15))
    lanes = {"yOffset": alt.YOffset("series:N", sort=canvas.found.names)} if canvas.several else {}
    return y, lanes


def _height(canvas: Canvas) -> int:
    places = canvas.found.places or {row["at"] for row in canvas.found.rows}
    lines = max(str(place).count("\n") + 1 for place in places)
    step = max(LANE * len(canvas.found.names) + 10 if canvas.several else STEP, 15 * lines + 8)
    return step * len(places)


def _agreement(canvas: Canvas) -> Picture:
    top = max(max(row["at"], row["high"] or row["value"]) for row in canvas.found.rows if row["value"] is not None)
    ends = alt.Chart(data_of([{"at": 0.0}, {"at": top}]))
    agree = ends.mark_line(color=FAINT, strokeDash=[5, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
    x = alt.X("at:Q", title=canvas.reader.text(canvas.chart.across), axis=canvas.axis())
    y = alt.Y("low:Q", title=None, axis=canvas.axis())
    rule = canvas.ranged.mark_rule(strokeWidth=2, opacity=0.6).encode(x=x, y=y, y2="high:Q", color=canvas.colour())
    dot = canvas.known.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=alt.Y("value:Q", title=None, axis=canvas.axis()), color=canvas.colour(), shape=canvas.shape()
    )
    return _named(alt.layer(agree, rule, dot), canvas), SQUARE_HEIGHT


def _heat(canvas: Canvas) -> Picture:
    return heat(canvas.chart, canvas.found, canvas.reader)


def _named(picture: Drawing, canvas: Canvas) -> Drawing:
    """What goes up, written above the axis, unless the title says it: turned letters are hard to read."""
    up = canvas.reader.text(canvas.chart.up)
    if up == canvas.reader.text(canvas.chart.title):
        return picture
    text = alt.TitleParams(
        up, anchor="start", frame="bounds", fontSize=12, fontWeight=400, color=FAINT, offset=8
    )  # fmt: skip
    return picture.properties(title=text)


SHAPES: Mapping[Shape, Callable[[Canvas], Picture]] = {
    Shape.LINES: _lines,
    Shape.INTERVALS: _intervals,
    Shape.BARS: _bars,
    Shape.HEAT: _heat,
    Shape.AGREEMENT: _agreement,
}
