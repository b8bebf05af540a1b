"""What a page says, apart from how it looks: sections of tables, charts and texts, from which HTML, PDF, CSV and JSON are made.

A page is built of these from figures, and drawn by `training.reports.site`; whoever builds one knows no HTML and no language,
whoever draws one knows no statistics. Words come from the catalogue by key; numbers are given as quantities and shown in the
reader's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What a number is; it decides how the number is shown."""

    COUNT = "count"
    NUMBER = "number"
    SIGNED = "signed"
    MONEY = "money"
    SIGNED_MONEY = "signed_money"
    SHARE = "share"
    POINTS = "points"
    P_VALUE = "p_value"
    DAYS = "days"
    WEEKS = "weeks"


@dataclass(frozen=True)
class Quantity:
    """A number with its 95 % interval where it has one.

    Parameters
    ----------
    value, low, high
        None where it cannot be known. Shares and points between 0 and 1 (-1 and 1), money in EUR.
    withheld
        Fewer debtors stand behind it than may be shown.
    """

    kind: Kind
    value: float | None
    low: float | None = None
    high: float | None = None
    withheld: bool = False


@dataclass(frozen=True)
class Name:
    """Something shown as it is: a creditor's identifier, a model's version."""

    text: str


@dataclass(frozen=True)
class Moment:
    """An instant, microseconds UTC, shown to the minute."""

    us: int


Value = Quantity | Name | Moment | date


@dataclass(frozen=True)
class Text:
    """Words of the catalogue: a key, and what its places are filled with; a text in a place is a word of the catalogue too."""

    key: str
    values: Mapping[str, Value | Text] = field(default_factory=dict)


Said = Text | Value


@dataclass(frozen=True)
class Column:
    """A column of a table; `key` is its name in CSV and JSON. `bars`: its intervals are drawn as small bars on one scale."""

    key: str
    title: Text
    bars: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is about, and a cell for each column; `key` is its name in CSV and JSON."""

    key: str
    title: Text | Name | date
    cells: tuple[Said | None, ...]
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table; `first` is the title of the column of row titles. `folded`: shown on demand, as under a chart."""

    key: str
    caption: Text
    first: Text
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    folded: bool = False


class Shape(StrEnum):
    """How a chart is drawn."""

    LINES = "lines"
    """A line for each series over numbers or dates, with its band where there are intervals."""

    INTERVALS = "intervals"
    """A dot with its interval for each point, one below the other, and a line at zero."""

    BARS = "bars"
    """Lying bars, those of the series beside each other for each place."""

    HEAT = "heat"
    """Series down, places across, a colour for each value; fields without a number stay empty."""

    AGREEMENT = "agreement"
    """Observed over expected, with intervals and the line on which both agree."""


@dataclass(frozen=True)
class Point:
    """A point of a series: where (a number, a date or a word) and how much."""

    at: float | date | Text | Name
    quantity: Quantity


@dataclass(frozen=True)
class Series:
    """Points that belong together; `key` also chooses the colour (an arm, a channel)."""

    key: str
    title: Text | Name
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """A chart; its numbers stand in a folded table below it, made of the same series."""

    key: str
    shape: Shape
    title: Text
    caption: Text
    across: Text
    up: Text
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Note:
    """A paragraph; `caution` where it must not be overlooked."""

    text: Text
    caution: bool = False


@dataclass(frozen=True)
class Tile:
    """A number in short, with what it is and what stands behind it."""

    name: Text
    said: Said
    more: Text | None = None


@dataclass(frozen=True)
class Tiles:
    """Numbers in short, beside each other."""

    tiles: tuple[Tile, ...]


Block = Table | Chart | Note | Tiles


@dataclass(frozen=True)
class Section:
    """A part of a page; `definitions` are keys of the catalogue's definitions, one click away."""

    key: str
    title: Text
    blocks: tuple[Block, ...]
    definitions: tuple[str, ...] = ()


class Mood(StrEnum):
    """What a verdict means for the reader; always said in words too."""

    GOOD = "good"
    BAD = "bad"
    WAIT = "wait"
    NONE = "none"


@dataclass(frozen=True)
class Verdict:
    """What the page says first: headline, sentence, what to do now; `code` for programs."""

    code: str
    mood: Mood
    headline: Text
    sentence: Text
    advice: Text


@dataclass(frozen=True)
class Page:
    """One page of the reports.

    Parameters
    ----------
    name
        File and address, `^[a-z0-9-]{1,64}$`.
    title
        Of the page, and its entry in the navigation.
    known_until_us
        Age of the data: facts are known up to here.
    creditor
        Whose claims it is about; None: all.
    verdict
        On top, where the page judges.
    """

    name: str
    title: Text
    known_until_us: int
    sections: tuple[Section, ...]
    creditor: str | None = None
    verdict: Verdict | None = None
    span_us: tuple[int, int] | None = None
    """First and last decision it is about."""
