"""A chart's points as rows that are drawn, and in words for those who do not see it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import date
from typing import Any

from training.reports.blocks import Chart, Kind, Point, Quantity, Series, Text
from training.reports.site.reader import Reader

LABEL_LETTERS = 20
TOLD = 8
"""Points of a series that are told one by one; of longer ones the first and the last."""


@dataclass(frozen=True)
class Drawn:
    """A chart's rows: `series`, `at`, `place`, `value`, `low`, `high`; points to be drawn only."""

    rows: list[dict[str, Any]]
    names: list[str]
    """Of the series, in their order."""
    kind: Kind
    places: list[str]
    """What stands across in words, in order; empty over numbers and dates."""

    @property
    def span(self) -> float:
        """Distance of the smallest and the largest number to be shown, zero among them."""
        known = [row[name] for row in self.rows for name in ("value", "low", "high") if row[name] is not None]
        return float(max(known, default=0.0) - min(known, default=0.0)) or abs(float(max(known, default=1.0)))


def drawn(chart: Chart, reader: Reader) -> Drawn:
    """A chart's rows in a reader's words; points that are withheld or unknown stay empty."""
    rows = [_row(series, point, reader) for series in chart.series for point in series.points]
    kinds = [point.quantity.kind for series in chart.series for point in series.points]
    worded = [
        point.at for series in chart.series for point in series.points if not isinstance(point.at, int | float | date)
    ]
    return Drawn(
        rows,
        [wrapped(reader.say(series.title)) for series in chart.series],
        kinds[0] if kinds else Kind.NUMBER,
        list(dict.fromkeys(wrapped(reader.say(at)) for at in worded)),
    )


def is_over_dates(chart: Chart) -> bool:
    """Whether its points stand at dates."""
    return any(isinstance(point.at, date) for series in chart.series for point in series.points)


def has_points(chart: Chart) -> bool:
    """Whether there is anything to draw."""
    return any(_known(point.quantity) for series in chart.series for point in series.points)


def in_words(chart: Chart, reader: Reader) -> str:
    """What a chart shows, in sentences: its caption, and the numbers of each series."""
    told = [f"{reader.say(series.title)}: {_told(series, reader)}." for series in chart.series if series.points]
    return " ".join([reader.text(chart.caption), *told])


def wrapped(words: str) -> str:
    """Words on lines of some twenty letters, as labels of an axis have room for."""
    return "\n".join(textwrap.wrap(words, LABEL_LETTERS, break_long_words=False)) or words


def place_of(at: float | date | Text | Any, reader: Reader) -> str:  # noqa: ANN401 # a point's place is any of these
    """A point's place in the reader's words."""
    if isinstance(at, int | float):
        return reader.value(Quantity(Kind.NUMBER if at != round(at) else Kind.COUNT, at))
    return reader.say(at)


def _row(series: Series, point: Point, reader: Reader) -> dict[str, Any]:
    at, found = point.at, point.quantity
    across: Any = at
    if isinstance(at, date):
        across = f"{at.isoformat()}T00:00:00Z"
    elif not isinstance(at, int | float):
        across = wrapped(reader.say(at))
    times = 100.0 if found.kind is Kind.POINTS else 1.0
    ends = (found.value, found.low, found.high) if _known(found) else (None, None, None)
    value, low, high = (None if one is None else times * one for one in ends)
    return {"series": wrapped(reader.say(series.title)), "at": across, "value": value, "low": low, "high": high}


def _known(found: Quantity) -> bool:
    return not found.withheld and found.value is not None


def _told(series: Series, reader: Reader) -> str:
    points = series.points if len(series.points) <= TOLD else (series.points[0], series.points[-1])
    between = "; " if len(series.points) <= TOLD else " … "
    return between.join(f"{place_of(point.at, reader)} {reader.full(point.quantity)}" for point in points)
