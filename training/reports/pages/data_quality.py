"""The page on data quality: how old the data are, what is missing, who can be reached, what became of decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from data.quality.finding import Finding
from data.quality.quality import HEADINGS, Quality, measure
from data.times import DAY_US, IntArray, read_moment, to_us
from training.reports.blocks import (
    Block,
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
from training.reports.decision_states import States, decision_states
from training.reports.facts import Facts
from training.reports.pages.gain_blocks import channel_title
from training.reports.pages.refusals import reason_title
from training.reports.pages.verdict_texts import verdict_of
from training.reports.point_figures import Reach, reach
from training.reports.withholding import few, quantity, withheld, withheld_among

NAME = "data-quality"

COMPLETE = 0.995
"""A column filled in at least so many rows is not told of."""

MANY = 15
"""More columns than these are shown on demand."""


def data_quality(facts: Facts) -> Page | None:
    """Quality of the portfolio and of the log; None for one creditor: it is that of all tables together.

    The measures are those of `rettid check`, whose own page has every finding in a sentence.
    """
    if facts.creditor is not None:
        return None
    found = measure(
        facts.portfolio.tables, given=facts.portfolio.given, stored={}, horizon_days=facts.config.horizon.days
    )
    findings, states = found.findings(), decision_states(facts)
    sections = (
        _overall(facts, findings, states),
        _age(found),
        _missing(facts, found),
        *_points(facts),
        _decisions(states),
    )
    return Page(
        name=NAME,
        title=Text("data-quality.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        verdict=_verdict(findings),
        span_us=facts.span_us,
    )


def _verdict(findings: list[Finding]) -> Verdict:
    """Whether figures can be relied on: problems make them wrong, others are to be explained first."""
    problems, looks = (sum(one.level == level for one in findings) for level in ("problem", "look"))
    values = {"problems": quantity(Kind.COUNT, problems), "looks": quantity(Kind.COUNT, looks)}
    if problems:
        return verdict_of(NAME, "problems", Mood.BAD, values)
    return verdict_of(NAME, "to_explain", Mood.WAIT, values) if looks else verdict_of(NAME, "sound", Mood.GOOD, values)


def _overall(facts: Facts, findings: list[Finding], states: States) -> Section:
    """In short, and under which headings something was found."""
    days = (facts.known_until_us - facts.span_us[1]) / DAY_US
    judged = 1 - states.waiting / states.decisions if states.decisions else np.nan
    tiles = Tiles(
        (
            Tile(Text("data-quality.known_until"), Moment(facts.known_until_us)),
            Tile(
                Text("data-quality.last_decision"), quantity(Kind.DAYS, days), Text("data-quality.last_decision.more")
            ),
            Tile(Text("data-quality.decisions"), quantity(Kind.COUNT, states.decisions)),
            Tile(Text("data-quality.judged"), quantity(Kind.SHARE, judged)),
        )
    )
    rows = tuple(
        Row(
            heading,
            Text(f"data-quality.heading.{number}"),
            tuple(
                quantity(Kind.COUNT, sum(one.heading == heading and one.level == level for one in findings))
                for level in ("problem", "look")
            ),
        )
        for number, heading in enumerate(HEADINGS)
        if number  # breaches of the contract: a portfolio that has any is not read at all
    )
    columns = (Column("problems", Text("data-quality.problems")), Column("looks", Text("data-quality.looks")))
    table = Table("findings", Text("data-quality.findings.caption"), Text("data-quality.looked_at"), columns, rows)
    blocks = (tiles, table, Note(Text("data-quality.findings.note")))
    return Section("overall", Text("data-quality.overall.title"), blocks, ("followed", "data_finding"))


def _age(found: Quality) -> Section:
    """Newest row of each table, and how late its rows become known."""
    rows = tuple(
        Row(
            one["table"],
            _table_title(one["table"]),
            (
                None if one["newest"] is None else Moment(to_us(read_moment(one["newest"]))),
                quantity(Kind.SHARE, _number(one["known_at_share"])),
                quantity(Kind.DAYS, _number(one["median_h"]) / 24),
                quantity(Kind.DAYS, _number(one["p95_h"]) / 24),
            ),
        )
        for one in found.freshness.rows()
    )
    columns = tuple(Column(name, Text(f"data-quality.age.{name}")) for name in ("newest", "said", "half", "most"))
    table = Table("age", Text("data-quality.age.caption"), Text("data-quality.table"), columns, rows)
    return Section("age", Text("data-quality.age.title"), (table,), ("late_fact",))


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _table_title(name: str) -> Text:
    return Text(f"data-quality.table.{name}")


def _missing(facts: Facts, found: Quality) -> Section:
    """Tables that are not there, and columns that are not filled throughout."""
    absent = [name for name in facts.portfolio.tables if name not in facts.portfolio.given]
    gaps = [one for one in found.coverage.rows() if one["rows"] and one["optional"] and one["share"] < COMPLETE]
    rows = tuple(
        Row(
            f"{one['table']}.{one['column']}",
            Name(f"{one['table']}.{one['column']}"),
            (quantity(Kind.SHARE, one["share"]), _state(one)),
        )
        for one in sorted(gaps, key=lambda one: one["share"])
    )
    columns = (Column("filled", Text("data-quality.filled")), Column("state", Text("data-quality.state")))
    blocks: list[Block] = [Note(Text("data-quality.missing.note"))]
    blocks += [Note(Text("data-quality.missing.table", {"table": _table_title(name)}), caution=True) for name in absent]
    blocks.append(
        Table(
            "missing",
            Text("data-quality.missing.caption"),
            Text("data-quality.column"),
            columns,
            rows,
            folded=len(rows) > MANY,
        )
        if rows
        else Note(Text("data-quality.missing.none"))
    )
    return Section("missing", Text("data-quality.missing.title"), tuple(blocks))


def _state(one: dict[str, Any]) -> Text:
    if not one["filled"]:
        return Text("data-quality.state.empty")
    return Text("data-quality.state.one" if one["state"] == "one value" else "data-quality.state.part")


def _points(facts: Facts) -> Iterator[Section]:
    """Debtors of the log with a contact point in each channel."""
    title = Text("data-quality.points.title")
    found = reach(facts)
    if not found:
        yield Section("points", title, (Note(Text("data-quality.points.none"), caution=True),))
        return
    hidden = withheld(np.array([one.any for one in found])).tolist()
    rows = tuple(
        Row(one.channel, channel_title(one.channel), _point_cells(one, hide))
        for one, hide in zip(found, hidden, strict=True)
    )
    names = ("any", "verified", "consented", "private")
    columns = tuple(Column(name, Text(f"data-quality.points.{name}")) for name in names)
    table = Table("points", Text("data-quality.points.caption"), Text("data-quality.channel"), columns, rows)
    points = tuple(
        Point(channel_title(one.channel), quantity(Kind.SHARE, one.verified / one.debtors, withheld=hide))
        for one, hide in zip(found, hidden, strict=True)
    )
    chart = Chart(
        "reach",
        Shape.BARS,
        Text("data-quality.points.chart"),
        Text("data-quality.points.chart.caption"),
        Text("data-quality.channel"),
        Text("data-quality.share"),
        (Series("verified", Text("data-quality.points.verified"), points),),
    )
    yield Section("points", title, (chart, table))


def _point_cells(one: Reach, hidden: bool) -> tuple[Quantity, ...]:
    shares = (one.any / one.debtors, one.verified / one.any, one.consented / one.any, one.private / one.any)
    return tuple(quantity(Kind.SHARE, share, withheld=hidden) for share in shares)


def _decisions(states: States) -> Section:
    """What became of decisions to make contact, and why some were refused."""
    lines = [(state, Text(f"data-quality.state.{state}"), count) for state, count in states.contacts.items()]
    rows = _counted(lines, states.contacted)
    columns = (Column("count", Text("data-quality.count")), Column("share", Text("data-quality.share")))
    blocks: list[Block] = [
        Table("states", Text("data-quality.states.caption"), Text("data-quality.became"), columns, rows)
    ]
    if states.refused_for:
        blocks.append(_refusals(states))
    counts = {
        name: quantity(Kind.COUNT, number, withheld=few(len(states.behind[name])))
        for name, number in (("waiting", states.waiting), ("displaced", states.displaced))
    }
    blocks.append(Note(Text("data-quality.decisions.note", counts)))
    return Section("decisions", Text("data-quality.decisions.title"), tuple(blocks), ("followed", "confirmation"))


def _refusals(states: States) -> Table:
    lines = [(why or "unknown", reason_title(why), count) for why, count in states.refused_for.items()]
    rows = _counted(lines, states.refused)
    columns = (Column("count", Text("data-quality.count")), Column("share", Text("data-quality.share")))
    return Table("refusals", Text("data-quality.refusals.caption"), Text("data-quality.reason"), columns, rows)


def _counted(lines: Sequence[tuple[str, Text | Name, int]], who: Mapping[str, IntArray]) -> tuple[Row, ...]:
    """Counts of decisions and their shares; `who` are the debtors of each line, in the order of the lines."""
    total = sum(count for _, _, count in lines)
    gone = withheld_among(tuple(who.values())).tolist()
    return tuple(
        Row(key, title, (quantity(Kind.COUNT, count, withheld=hide), _share(count, total, hidden=hide)))
        for (key, title, count), hide in zip(lines, gone, strict=True)
    )


def _share(count: int, total: int, *, hidden: bool) -> Quantity:
    return quantity(Kind.SHARE, count / total if total else np.nan, withheld=hidden)
