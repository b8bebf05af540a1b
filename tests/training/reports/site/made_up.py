"""A page made up for tests: every kind of block, every shape of chart, every kind of number."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from training.reports.blocks import (
    Chart,
    Column,
    Kind,
    Moment,
    Mood,
    Name,
    Note,
    Page,
    Point,
    Quantity,
    Row,
    Section,
    Series,
    Shape,
    Table,
    Text,
    Tile,
    Tiles,
    Verdict,
)
from training.reports.site.catalogue import LANGUAGES, Catalogue, the_catalogue

DAY_US = 86_400_000_000
KNOWN_US = 1_774_000_000_000_000
HOSTILE = "<b>k</b> & =1+1"

WORDS = {
    "t.title": "Overview of {creditor}",
    "t.plain": "Overview",
    "t.headline": "A gain is shown",
    "t.sentence": "Debtors paid {gain} more each ({gain_interval}) within {days}; p is {p}.",
    "t.advice": "Let the new decisions take over more debtors.",
    "t.section": "Did it pay, and how much",
    "t.other": "Where and through which channel",
    "t.gain": "Gain per debtor",
    "t.debtors": "Debtors",
    "t.share": "Debtors who paid",
    "t.week": "Week",
    "t.days": "Days since the first decision",
    "t.money": "Recovered per debtor, EUR",
    "t.caption": "Bands: 95 % intervals.",
    "t.note": "Known from {first} to {last}, of {name}.",
    "t.more": "of {debtors} debtors",
    "t.cut": "Recovered, the largest cut to size",
    "t.hour": "Hour of sending",
    "t.north": "North",
    "definition.gain.term": "Gain",
    "definition.gain.meaning": "Mean of one arm less mean of the other.",
}


def words() -> Catalogue:
    """The catalogue with the made-up page's words, the same in every language."""
    own = {key: dict.fromkeys(LANGUAGES, text) for key, text in WORDS.items()}
    return Catalogue({**the_catalogue().words, **own})


def money(value: float, half: float = 1.0) -> Quantity:
    return Quantity(Kind.SIGNED_MONEY, value, value - half, value + half)


def share(value: float, half: float = 0.02) -> Quantity:
    return Quantity(Kind.SHARE, value, value - half, value + half)


def lines() -> Chart:
    rng = np.random.default_rng(3)
    ends = {"champion": 4.0, "control": 3.1}
    series = tuple(
        Series(
            arm,
            Text(f"arm.{arm}"),
            tuple(
                Point(day, Quantity(Kind.MONEY, at, at - 0.2 - day / 40, at + 0.2 + day / 40))
                for day, at in enumerate(np.cumsum(rng.uniform(0.5, 1.5, 31)) / 31 * end)
            ),
        )
        for arm, end in ends.items()
    )
    return Chart("days", Shape.LINES, Text("t.money"), Text("t.caption"), Text("t.days"), Text("t.money"), series)


def weeks() -> Chart:
    points = tuple(Point(date(2026, 1, 5) + timedelta(7 * n), money(n / 2 - 1, 3 / (n + 1))) for n in range(12))
    series = (Series("gain", Text("t.gain"), points),)
    return Chart("weeks", Shape.LINES, Text("t.gain"), Text("t.caption"), Text("t.week"), Text("t.money"), series)


def intervals() -> Chart:
    points = (Point(Text("t.gain"), money(1.2)), Point(Text("t.cut"), money(0.7)), Point(Name(HOSTILE), money(-0.3)))
    series = (Series("champion", Text("arm.champion"), points),)
    return Chart("gains", Shape.INTERVALS, Text("t.gain"), Text("t.caption"), Text("t.other"), Text("t.money"), series)


def bars() -> Chart:
    series = tuple(
        Series(arm, Text(f"arm.{arm}"), tuple(Point(Text(f"channel.{name}"), share(at)) for name, at in shares.items()))
        for arm, shares in {
            "control": {"sms": 0.4, "letter": 0.35, "none": 0.25},
            "champion": {"sms": 0.5, "letter": 0.1, "none": 0.4},
        }.items()
    )
    return Chart("decided", Shape.BARS, Text("t.share"), Text("t.caption"), Text("t.other"), Text("t.share"), series)


def heat(kind: Kind = Kind.SHARE, hours: int = 7) -> Chart:
    rng = np.random.default_rng(4)
    scale = -0.04 if kind is Kind.POINTS else 0.0
    series = tuple(
        Series(
            name,
            Text(f"channel.{name}"),
            tuple(
                Point(8 + 2 * hour, Quantity(kind, rng.uniform(0.02, 0.31) + scale, withheld=bool(rng.random() < 0.2)))
                for hour in range(hours)
            ),
        )
        for name in ("sms", "email", "digital_mailbox", "phone")
    )
    return Chart(
        f"heat-{kind}", Shape.HEAT, Text("t.other"), Text("t.caption"), Text("t.hour"), Text("t.share"), series
    )


def agreement() -> Chart:
    points = tuple(Point(0.05 * n, share(0.05 * n + 0.01)) for n in range(1, 11))
    series = (Series("calibration", Text("t.share"), points),)
    return Chart("agree", Shape.AGREEMENT, Text("t.share"), Text("t.caption"), Text("t.gain"), Text("t.share"), series)


def nothing() -> Chart:
    points = (Point(Text("t.gain"), Quantity(Kind.MONEY, None, withheld=True)),)
    series = (Series("champion", Text("arm.champion"), points),)
    return Chart("none", Shape.BARS, Text("t.plain"), Text("t.caption"), Text("t.other"), Text("t.money"), series)


def table(*, folded: bool = False) -> Table:
    rows = (
        Row("all", Text("t.gain"), (Quantity(Kind.COUNT, 12345), money(1.2), Text("t.north")), strong=True),
        Row("k", Name(HOSTILE), (Quantity(Kind.COUNT, None, withheld=True), money(-0.4, 2.0), Name("=cmd()"))),
        Row("day", date(2026, 3, 1), (None, Quantity(Kind.SIGNED_MONEY, None), Moment(KNOWN_US))),
    )
    columns = (
        Column("debtors", Text("t.debtors")),
        Column("gain", Text("t.gain"), bars=True),
        Column("where", Text("t.other")),
    )
    return Table("folded" if folded else "open", Text("t.share"), Text("t.other"), columns, rows, folded=folded)


def page(name: str = "overview", *, creditor: str | None = None) -> Page:
    """One page with everything on it."""
    values = {
        "gain": money(1.2),
        "days": Quantity(Kind.DAYS, 14),
        "p": Quantity(Kind.P_VALUE, 0.0001),
    }
    verdict = Verdict("gain_shown", Mood.GOOD, Text("t.headline"), Text("t.sentence", values), Text("t.advice"))
    tiles = Tiles(
        (
            Tile(Text("t.gain"), money(1.2), Text("t.more", {"debtors": Quantity(Kind.COUNT, 5000)})),
            Tile(Text("t.debtors"), Quantity(Kind.COUNT, 123456)),
            Tile(Text("t.share"), share(0.21)),
            Tile(Text("t.week"), date(2026, 3, 1)),
        )
    )
    between = {"first": Moment(KNOWN_US - DAY_US), "last": Moment(KNOWN_US), "name": Name(HOSTILE)}
    note = Note(Text("t.note", between))
    sections = (
        Section("first", Text("t.section"), (tiles, lines(), weeks(), table(), note), ("gain",)),
        Section(
            "second", Text("t.other"), (intervals(), Note(Text("t.note", between), caution=True)), ("definition.gain",)
        ),
        Section("third", Text("t.share"), (bars(), heat(), heat(Kind.POINTS, 12), agreement(), nothing())),
        Section("fourth", Text("t.week"), (table(folded=True),)),
    )
    title = Text("t.plain")
    return Page(name, title, KNOWN_US, sections, creditor, verdict, (KNOWN_US - 40 * DAY_US, KNOWN_US - 35 * DAY_US))
