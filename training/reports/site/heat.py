"""Fields coloured by their number: series down, places across."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt

from training.reports.blocks import Chart, Kind, Quantity
from training.reports.drawing import ABOVE, BELOW, GRID, MIDDLE, ON_DARK, ON_LIGHT, RAMP, Drawing, data_of
from training.reports.site.points import Drawn
from training.reports.site.reader import SIGNED_KINDS, Reader

FIELD = 30
MOST_WRITTEN = 7
"""Places across up to which each field has room for its number."""
LEVEL_LETTERS = 5
"""Letters of a place's name up to which all names stand level beside each other."""
SLANT, HALF_LINE = -40, 8
SPLIT = "split(datum.label, '\\n')"

INKS = (ON_LIGHT, ON_DARK)
DARK_FIELDS = frozenset({RAMP[3], RAMP[4], RAMP[5], BELOW[0], BELOW[1]})
MULTIPLES = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Ranges:
    """Ranges of numbers with a name and a colour for each; `times`: what is drawn over what is meant."""

    kind: Kind
    bounds: list[float]
    names: list[str]
    colours: list[str]
    times: float

    def place(self, value: float) -> int:
        """In which range a number lies."""
        return max(0, min(len(self.names) - 1, sum(value >= bound for bound in self.bounds) - 1))


def heat(chart: Chart, found: Drawn, reader: Reader) -> tuple[Drawing, int | None]:
    """The fields, with a colour for each of some ranges of numbers, told in the legend."""
    ranges = _ranges(found, reader)
    rows = [_field(row, ranges, reader) for row in found.rows]
    x, y = _axes(chart, found, reader)
    legend = alt.Legend(
        title=reader.text(chart.up), titleLimit=330, orient="top", columns=2, symbolType="square", symbolSize=160,
        titleFontSize=12, titleFontWeight=400, labelLimit=0,
    )  # fmt: skip
    scale = alt.Scale(domain=ranges.names, range=ranges.colours)
    colour = alt.Color("range:N", scale=scale, legend=legend, sort=ranges.names)
    empty = alt.Chart(data_of(rows)).mark_rect(filled=False, stroke=GRID).encode(x=x, y=y)
    known = [row for row in rows if row["range"]]
    full = alt.Chart(data_of(known)).mark_rect(stroke=GRID).encode(x=x, y=y, color=colour)
    layers = [empty, full]
    if len(_places(found)) <= MOST_WRITTEN:
        layers += [_written([row for row in rows if row["ink"] == ink], ink).encode(x=x, y=y) for ink in INKS]
    return alt.layer(*layers), FIELD * len(found.names)


def _ranges(found: Drawn, reader: Reader) -> Ranges:
    times, signed = (100.0 if found.kind is Kind.POINTS else 1.0), found.kind in SIGNED_KINDS
    bounds = ranges_of([row["value"] / times for row in found.rows if row["value"] is not None], signed=signed)
    names = [reader.interval(Quantity(found.kind, low, low, high)) for low, high in pairwise(bounds)]
    return Ranges(found.kind, bounds, names, _colours(len(names), signed=signed), times)


def ranges_of(values: list[float], *, signed: bool) -> list[float]:
    """Bounds of at most six equally wide ranges, at round numbers, that hold all values; about zero where signed.

    >>> ranges_of([0.03, 0.21], signed=False)
    [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]
    >>> ranges_of([-2.0, 1.0], signed=True)
    [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]
    """
    if signed:
        step = _round_up(2 * max(abs(value) for value in values) / 6.999) or 1.0
        return [round((one - 0.5) * step, 10) for one in range(-3, 5)]
    low, high = min(values), max(values)
    step = _round_up((high - low) / 5) or _round_up(abs(high)) or 1.0
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(one * step, 10) for one in range(first, last + 1)]


def _round_up(width: float) -> float:
    if width <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(width))
    return next(many * power for many in MULTIPLES if many * power >= width * (1 - 1e-9))


def _colours(count: int, *, signed: bool) -> list[str]:
    if signed:
        return [*BELOW, MIDDLE, *ABOVE]
    return [RAMP[round(one * 5 / max(1, count - 1))] for one in range(count)]


def _field(row: dict[str, Any], ranges: Ranges, reader: Reader) -> dict[str, Any]:
    if row["value"] is None:
        return {**row, "range": None, "ink": None, "text": ""}
    value = row["value"] / ranges.times
    place = ranges.place(value)
    ink = ON_DARK if ranges.colours[place] in DARK_FIELDS else ON_LIGHT
    return {**row, "range": ranges.names[place], "ink": ink, "text": reader.short(Quantity(ranges.kind, value))}


def _axes(chart: Chart, found: Drawn, reader: Reader) -> tuple[alt.X, alt.Y]:
    places = _places(found)
    # A label that was wrapped begins half a line higher, so that it stands in the middle of its fields.
    higher = alt.condition("indexof(datum.label, '\\n') >= 0", alt.value(-HALF_LINE), alt.value(0))
    down = alt.Axis(ticks=False, domain=False, labelExpr=SPLIT, labelLimit=0, labelOffset=higher)
    x = alt.X("at:O", title=reader.text(chart.across), sort=places, axis=_across(places))
    return x, alt.Y("series:N", title=None, sort=found.names, axis=down)


def _across(places: list[Any]) -> alt.Axis:
    """Few names are all written, slanted where one is long; of many, those that have room."""
    longest = max((len(str(one)) for one in places), default=0)
    if len(places) > MOST_WRITTEN or longest <= LEVEL_LETTERS:
        return alt.Axis(labelAngle=0, ticks=False, domain=False, labelExpr=SPLIT, labelOverlap=True)
    return alt.Axis(
        labelAngle=SLANT, labelAlign="right", labelBaseline="middle", ticks=False, domain=False, labelOverlap=False,
        labelLimit=0, labelExpr="replace(datum.label, '\\n', ' ')",
    )  # fmt: skip


def _places(found: Drawn) -> list[Any]:
    return found.places or sorted({row["at"] for row in found.rows})


def _written(rows: list[dict[str, Any]], ink: str) -> alt.Chart:
    """The numbers of fields on which letters have one colour."""
    texts: alt.Chart = alt.Chart(data_of(rows)).mark_text(fontSize=11, fill=ink).encode(text="text:N")
    return texts
