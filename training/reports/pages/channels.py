"""Channels and hours of sending: what was decided, what followed (no effect), and what a channel adds where known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import ARMS
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
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
)
from training.reports.facts import Facts
from training.reports.pages.gain_blocks import arm_title, channel_title
from training.reports.periods import judged
from training.reports.responses import Moments, Response, moments, response, send_hours
from training.reports.uplift import ChannelEffect, channel_effects
from training.reports.withholding import few, quantity, withheld_among, withheld_in_table_among

BoolArray = npt.NDArray[np.bool_]

NAME = "channels"
CALL = "phone"


@dataclass(frozen=True)
class _Looked:
    """Decisions with the hour of sending on the debtor's own clock (-1: no contact), and the channels and hours met."""

    facts: Facts
    found: Moments
    hour: IntArray
    channels: tuple[int, ...]
    hours: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.facts.evidence.rows.channels

    @property
    def days(self) -> int:
        return self.facts.config.horizon.days


def channels(facts: Facts) -> Page:
    """The page on channels and hours of sending."""
    found = moments(facts.evidence, days=facts.config.horizon.days)
    hour = send_hours(found, facts.evidence.rows, facts.portfolio)
    met = tuple(np.unique(found.channel).tolist())
    looked = _Looked(facts, found, hour, met, tuple(np.unique(hour[hour >= 0]).tolist()))
    sections = (_decided(looked), *_followed(looked), *_by_hour(looked), _effects(looked))
    return Page(
        name=NAME,
        title=Text("channels.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        creditor=facts.creditor,
        span_us=facts.span_us,
    )


def _decided(looked: _Looked) -> Section:
    """What was decided, by arm and channel, and by channel and hour."""
    blocks: list[Block] = [_arm_chart(looked)]
    if looked.hours:
        blocks.append(_decided_heat(looked))
    return Section("decided", Text("channels.decided.title"), tuple(blocks), ("decision", "channel", "hour", "arm"))


def _arm_chart(looked: _Looked) -> Chart:
    found = looked.found
    arms = np.unique(found.arm).tolist()
    cells = [[(found.arm == arm) & (found.channel == code) for code in looked.channels] for arm in arms]
    hide = withheld_in_table_among([[_debtors(looked, one) for one in line] for line in cells])
    series = []
    for row, arm in enumerate(arms):
        size = int((found.arm == arm).sum())
        points = []
        for place, code in enumerate(looked.channels):
            share = int(cells[row][place].sum()) / size
            shown = quantity(Kind.SHARE, share, withheld=bool(hide[row, place]))
            points.append(Point(channel_title(looked.names[code]), shown))
        series.append(Series(ARMS[arm], arm_title(arm), tuple(points)))
    return Chart(
        "decided",
        Shape.BARS,
        Text("channels.decided.by_arm"),
        Text("channels.decided.caption"),
        Text("channels.channel"),
        Text("channels.decided.share"),
        tuple(series),
    )


def _debtors(looked: _Looked, chosen: BoolArray) -> IntArray:
    """Debtors behind some decisions, without repeats: one may stand in several cells."""
    return np.unique(looked.found.debtor[chosen])


def _cells(looked: _Looked) -> list[list[BoolArray]]:
    """Which decisions lie in each field of contact channel and hour."""
    found = looked.found
    contacts = [code for code in looked.channels if code > 0]
    return [[(found.channel == code) & (looked.hour == hour) for hour in looked.hours] for code in contacts]


def _decided_heat(looked: _Looked) -> Chart:
    cells = _cells(looked)
    hide = withheld_in_table_among([[_debtors(looked, one) for one in line] for line in cells])
    counts = [[quantity(Kind.COUNT, int(one.sum())) for one in line] for line in cells]
    return _heat("decided_hours", "channels.hours.decided", "channels.hours.contacts", looked, counts, hide)


def _heat(key: str, title: str, up: str, looked: _Looked, values: list[list[Quantity]], hide: BoolArray) -> Chart:
    """A field for each contact channel and hour, those withheld empty; without a contact, a field has no number."""
    contacts = [code for code in looked.channels if code > 0]
    series = tuple(
        Series(
            looked.names[code],
            channel_title(looked.names[code]),
            tuple(
                Point(hour_title(hour), quantity(one.kind, 0.0, withheld=True) if gone else one)
                for hour, one, gone in zip(looked.hours, line, mask, strict=True)
                if gone or _met(one)
            ),
        )
        for code, line, mask in zip(contacts, values, hide.tolist(), strict=True)
    )
    caption = Text(f"{title}.caption", {"days": Quantity(Kind.DAYS, looked.days)})
    return Chart(key, Shape.HEAT, Text(title), caption, Text("channels.hour"), Text(up), series)


def _met(found: Quantity) -> bool:
    """Whether there was any contact: a count of none is no field, a share of zero is one."""
    return found.value is not None and (found.kind is not Kind.COUNT or found.value > 0)


def hour_title(hour: int) -> Name:
    """An hour of the day as a place of a chart.

    >>> hour_title(8).text
    '08–09'
    """
    return Name(f"{hour:02d}–{hour + 1:02d}")


def _followed(looked: _Looked) -> Iterator[Section]:
    """What followed decisions, by channel; of calls, also those that nobody answered."""
    found = looked.found
    groups = [
        (looked.names[code], channel_title(looked.names[code]), found.channel == code) for code in looked.channels
    ]
    each = [(key, title, response(found, chosen)) for key, title, chosen in groups]
    hide = withheld_among([one.who for _, _, one in each])
    rows = [_response_row(*one, gone=gone) for one, gone in zip(each, hide.tolist(), strict=True) if one[2].decisions]
    if not rows:
        return
    names = ("debtors", "decisions", "share_paid", "credited", "cost")
    columns = tuple(Column(one, Text(f"channels.{one}"), bars=one == "share_paid") for one in names)
    caption = Text("channels.followed.caption", {"days": Quantity(Kind.DAYS, looked.days)})
    table = Table("followed", caption, Text("channels.channel"), columns, tuple(rows))
    calls = _calls(looked, columns) if not _hidden(rows, CALL) else ()
    blocks: tuple[Block, ...] = (Note(Text("channels.not_effect"), caution=True), table, *calls)
    terms = ("response", "credited", "cost", "unanswered")
    yield Section("followed", Text("channels.followed.title"), blocks, terms)


def _hidden(rows: list[Row], key: str) -> bool:
    """Whether a row is withheld: its parts would add up to it."""
    cells = [cell for row in rows if row.key == key for cell in row.cells]
    return any(isinstance(cell, Quantity) and cell.withheld for cell in cells)


def _response_row(key: str, title: Text | Name, found: Response, *, gone: bool) -> Row:
    cells = (
        quantity(Kind.COUNT, found.debtors, withheld=gone),
        quantity(Kind.COUNT, found.decisions, withheld=gone),
        quantity(Kind.SHARE, found.share_paid, withheld=gone),
        quantity(Kind.MONEY, found.credited_eur, withheld=gone),
        quantity(Kind.MONEY, found.cost_eur, withheld=gone),
    )
    return Row(key, title, cells)


def _calls(looked: _Looked, columns: tuple[Column, ...]) -> Iterator[Table]:
    """Calls by whether anybody answered: a payment after a missed call counts, whatever channel it came through."""
    if CALL not in looked.names or not looked.facts.evidence.tried.any():
        return
    found = looked.found
    calls = found.channel == looked.names.index(CALL)
    parts = {"answered": calls & found.answered, "unanswered": calls & found.unanswered}
    parts["unknown"] = calls & ~parts["answered"] & ~parts["unanswered"]
    each = [(key, response(found, chosen)) for key, chosen in parts.items()]
    hide = withheld_among([one.who for _, one in each])
    rows = tuple(
        _response_row(key, Text(f"channels.calls.{key}"), one, gone=gone)
        for (key, one), gone in zip(each, hide.tolist(), strict=True)
        if one.decisions
    )
    if rows:
        yield Table("calls", Text("channels.calls.caption"), Text("channels.calls.title"), columns, rows)


def _by_hour(looked: _Looked) -> Iterator[Section]:
    """What followed contacts by channel and hour, as fields, and by hour alone."""
    if not (looked.found.mature & (looked.hour >= 0)).any():
        return
    each = [[response(looked.found, one) for one in line] for line in _cells(looked)]
    hide = withheld_in_table_among([[one.who for one in line] for line in each])
    shares = [[quantity(Kind.SHARE, one.share_paid) for one in line] for line in each]
    chart = _heat("followed_hours", "channels.hours.followed", "channels.share_paid", looked, shares, hide)
    blocks = (Note(Text("channels.not_effect"), caution=True), chart, _hour_table(looked))
    yield Section("hours", Text("channels.hours.title"), blocks, ("response", "hour"))


def _hour_table(looked: _Looked) -> Table:
    each = [response(looked.found, looked.hour == hour) for hour in looked.hours]
    hide = withheld_among([one.who for one in each])
    rows = tuple(
        _response_row(f"{hour:02d}", hour_title(hour), one, gone=gone)
        for hour, one, gone in zip(looked.hours, each, hide.tolist(), strict=True)
    )
    names = ("debtors", "decisions", "share_paid", "credited", "cost")
    columns = tuple(Column(one, Text(f"channels.{one}"), bars=one == "share_paid") for one in names)
    return Table("hours", Text("channels.hours.table"), Text("channels.hour"), columns, rows)


def _effects(looked: _Looked) -> Section:
    """What each channel adds over no contact, where the log drew both by lot."""
    facts = looked.facts
    experiment = judged(facts.entrants)
    entrants = facts.entrants if experiment is None else experiment.entrants
    each = channel_effects(entrants, facts, days=looked.days)
    blocks: list[Block] = [Note(Text("channels.effect.note"))]
    if any(not one.refusal for one in each):
        blocks += [_effect_chart(each), _effect_table(each)]
    else:
        blocks.append(Note(Text("channels.effect.none"), caution=True))
    terms = ("uplift", "explore", "weighted", "simultaneous")
    return Section("effect", Text("channels.effect.title"), tuple(blocks), terms)


def _effect_chart(each: tuple[ChannelEffect, ...]) -> Chart:
    points = tuple(
        Point(channel_title(one.channel), quantity(Kind.SIGNED_MONEY, one.recovered_eur, withheld=_few(one)))
        for one in each
        if not one.refusal
    )
    return Chart(
        "effects_chart",
        Shape.INTERVALS,
        Text("channels.effect.chart"),
        Text("channels.effect.caption"),
        Text("channels.channel"),
        Text("gains.per_debtor"),
        (Series("explore", Text("channels.effect.series"), points),),
    )


def _few(one: ChannelEffect) -> bool:
    return few(one.contacted) or few(one.left)


def _effect_table(each: tuple[ChannelEffect, ...]) -> Table:
    rows = []
    for one in each:
        cells = (
            quantity(Kind.COUNT, one.contacted, withheld=few(one.contacted)),
            quantity(Kind.COUNT, one.left, withheld=few(one.left)),
            quantity(Kind.SIGNED_MONEY, one.recovered_eur, withheld=_few(one)),
            quantity(Kind.POINTS, one.debtors_paid, withheld=_few(one)),
            Text(f"channels.effect.{one.refusal}") if one.refusal else None,
        )
        rows.append(Row(one.channel, channel_title(one.channel), cells))
    names = ("contacted", "left", "recovered", "debtors_paid", "why")
    columns = tuple(Column(one, Text(f"channels.effect.{one}"), bars=one == "recovered") for one in names)
    return Table("effects", Text("channels.effect.caption"), Text("channels.channel"), columns, tuple(rows))
