"""The page on prices: what each limit costs, what loosening it would be worth, and what each rule bars."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.company_caps import ANY
from training.reports.bars_figures import OWN, Barred, Barring, barred
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
    Moment,
    Mood,
    Note,
    Page,
    Point,
    Quantity,
    Row,
    Said,
    Section,
    Series,
    Shape,
    Table,
    Text,
    Tile,
    Tiles,
    Verdict,
)
from training.reports.facts import Facts
from training.reports.limits_told import BadPriceList, Price, PriceList, limited, price_list
from training.reports.pages.gain_blocks import channel_title
from training.reports.pages.limit_names import limit_title
from training.reports.pages.refusals import rule_title
from training.reports.pages.verdict_texts import verdict_of
from training.reports.withholding import few, quantity, withheld

NAME = "prices"
SHOWN = 15
"""Limits on the page, dearest first."""

LOOSENED = 0.1
"""By how much a limit is loosened in thought."""


def prices(facts: Facts) -> Page | None:
    """Prices of limits and what rules bar; None for one creditor: limits are those of all creditors together.

    Where no night was decided under limits, the page says so in words and tells what rules bar.
    """
    if facts.creditor is not None:
        return None
    try:
        found, broken = price_list(facts.workspace), False
    except BadPriceList:
        found, broken = None, True
    sections = (*_limits(found, broken=broken), *_own(facts), _rules(barred(facts)))
    return Page(
        name=NAME,
        title=Text("prices.title"),
        known_until_us=facts.known_until_us,
        sections=sections,
        verdict=_verdict(found, broken=broken),
        span_us=facts.span_us,
    )


def _verdict(found: PriceList | None, *, broken: bool) -> Verdict:
    """Which limit is dearest, if any costs anything."""
    if broken:
        return verdict_of(NAME, "unreadable", Mood.WAIT)
    if found is None:
        return verdict_of(NAME, "no_limits", Mood.NONE)
    short = [one for one in found.prices if one.short > 0]
    if short:
        values: dict[str, Said] = {"limit": limit_title(short[0].name), "short": quantity(Kind.COUNT, short[0].short)}
        return verdict_of(NAME, "minimum_missed", Mood.BAD, values)
    if not found.binding:
        return verdict_of(NAME, "nothing_binds", Mood.GOOD, {"limits": quantity(Kind.COUNT, len(found.prices))})
    dearest = found.binding[0]
    values = {
        "binding": quantity(Kind.COUNT, len(found.binding)),
        "limits": quantity(Kind.COUNT, len(found.prices)),
        "limit": limit_title(dearest.name),
        "price": quantity(Kind.MONEY, dearest.price_eur),
        "more": quantity(Kind.MONEY, _loosened(dearest)),
    }
    return verdict_of(NAME, "limits_cost", Mood.NONE, values)


def _loosened(one: Price) -> float:
    """What a tenth more of a limit would at most be worth: every further unit is worth no more than the first."""
    return one.price_eur * LOOSENED * one.limit


def _limits(found: PriceList | None, *, broken: bool) -> Iterator[Section]:
    title = Text("prices.limits.title")
    if found is None:
        note = Text("prices.limits.unreadable" if broken else "prices.limits.none")
        yield Section("limits", title, (Note(note, caution=broken),), ("limit",))
        return
    shown = found.binding[:SHOWN]
    blocks: list[Block] = [Note(Text("prices.limits.note", {"at": Moment(found.as_of_us)})), _tiles(found)]
    blocks += [*_chart(found), *_price_table(shown)]
    blocks += _short(found)
    yield Section("limits", title, tuple(blocks), ("limit", "shadow_price"))


def _tiles(found: PriceList) -> Tiles:
    """The night in short: how near to the best it came, and what had to give way."""
    near = found.value_eur / found.bound_eur if found.bound_eur > 0 else np.nan
    return Tiles(
        (
            Tile(Text("prices.in_force"), quantity(Kind.COUNT, len(found.prices))),
            Tile(Text("prices.binding"), quantity(Kind.COUNT, len(found.binding))),
            Tile(Text("prices.value"), quantity(Kind.MONEY, found.value_eur), Text("prices.value.more")),
            Tile(Text("prices.near"), quantity(Kind.SHARE, near), Text("prices.near.more")),
            Tile(Text("prices.gave_way"), quantity(Kind.COUNT, found.gave_way)),
        )
    )


def _chart(found: PriceList) -> Iterator[Chart]:
    """What the limits of each day cost: prices times what was used of them, by what is limited."""
    whats = sorted({limited(one.name).what for one in found.binding if limited(one.name).day is not None})
    series = []
    for what in whats:
        ours = [(limited(one.name).day, one.price_eur * one.used) for one in found.binding]
        ours = [
            (day, cost) for (day, cost), one in zip(ours, found.binding, strict=True) if limited(one.name).what == what
        ]
        days = sorted({day for day, _ in ours if day is not None})
        points = tuple(
            Point(
                Text("prices.on_day", {"day": day}), quantity(Kind.MONEY, sum(cost for one, cost in ours if one == day))
            )
            for day in days
        )
        series.append(Series(what, Text(f"prices.what.{what}"), points))
    if series:
        title, caption = Text("prices.by_day.title"), Text("prices.by_day.caption")
        across, up = Text("prices.day"), Text("prices.by_day.up")
        yield Chart("cost_by_day", Shape.BARS, title, caption, across, up, tuple(series))


def _price_table(shown: tuple[Price, ...]) -> Iterator[Table]:
    rows = tuple(
        Row(
            one.name,
            limit_title(one.name),
            (
                quantity(Kind.NUMBER, one.limit),
                quantity(Kind.NUMBER, one.used),
                quantity(Kind.MONEY, one.price_eur),
                quantity(Kind.MONEY, _loosened(one)),
            ),
        )
        for one in shown
    )
    if rows:
        columns = tuple(Column(name, Text(f"prices.{name}")) for name in ("allowed", "used", "one_more", "tenth_more"))
        caption = Text("prices.table.caption", {"shown": quantity(Kind.COUNT, len(rows))})
        yield Table("prices", caption, Text("prices.limit"), columns, rows)


def _short(found: PriceList) -> Iterator[Note]:
    """Minimums that were out of reach: they have no price."""
    for one in found.prices:
        if one.short > 0:
            values: dict[str, Said] = {
                "limit": limit_title(one.name),
                "least": quantity(Kind.COUNT, one.limit),
                "short": quantity(Kind.COUNT, one.short),
            }
            yield Note(Text("prices.short", values), caution=True)


def _own(facts: Facts) -> Iterator[Section]:
    """The tenant's own caps: they bar under the same name as the law's, and are priced by trying a plan."""
    caps = facts.config.caps
    title = Text("prices.own.title")
    if not caps:
        yield Section("own", title, (Note(Text("prices.own.none")),))
        return
    rows = tuple(
        Row(
            name,
            Text("prices.own.any") if name == ANY else channel_title(name),
            (quantity(Kind.COUNT, cap.most), quantity(Kind.DAYS, cap.days)),
        )
        for name, cap in sorted(caps.items())
    )
    columns = (Column("most", Text("prices.own.most")), Column("days", Text("prices.own.days")))
    table = Table("caps", Text("prices.own.caption"), Text("prices.own.channel"), columns, rows)
    yield Section("own", title, (table, Note(Text("prices.own.note"))))


def _rules(found: Barred) -> Section:
    """What each rule barred, and that rules which protect debtors have no price."""
    hidden = few(found.debtors_none_left)
    tiles = Tiles(
        (
            Tile(Text("prices.rules.decisions"), quantity(Kind.COUNT, found.decisions)),
            Tile(
                Text("prices.rules.none_left"),
                quantity(Kind.COUNT, found.none_left, withheld=hidden),
                Text("prices.rules.none_left.more"),
            ),
        )
    )
    gone = withheld(np.array([one.debtors for one in found.rules], dtype=np.int64)).tolist()
    rows = tuple(
        Row(one.rule, rule_title(one.rule), _rule_cells(one, found, hide))
        for one, hide in zip(found.rules, gone, strict=True)
    )
    names = ("kind", "decisions_in", "share", "channels", "all_shut", "price")
    columns = tuple(Column(name, Text(f"prices.rules.{name}")) for name in names)
    table = Table("rules", Text("prices.rules.caption"), Text("prices.rules.rule"), columns, rows)
    blocks: list[Block] = [Note(Text("prices.rules.note")), tiles]
    blocks.append(table if rows else Note(Text("prices.rules.none")))
    return Section("rules", Text("prices.rules.title"), tuple(blocks), ("contact_rule",))


def _rule_cells(one: Barring, found: Barred, hidden: bool) -> tuple[Quantity | Text, ...]:
    own = one.tier == OWN
    return (
        Text(f"prices.tier.{one.tier or 'other'}"),
        quantity(Kind.COUNT, one.decisions, withheld=hidden),
        quantity(Kind.SHARE, one.decisions / found.decisions, withheld=hidden),
        quantity(Kind.COUNT, one.channels, withheld=hidden),
        quantity(Kind.COUNT, one.all_shut, withheld=hidden or few(one.debtors_all_shut)),
        Text("prices.rules.own_price" if own else "prices.rules.no_price"),
    )
