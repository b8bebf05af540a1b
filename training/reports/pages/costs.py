"""The page on costs: what contacts cost debtors and us, whether more than the present rules do, and whether within limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from data.portfolio import Portfolio
from data.times import IntArray, from_day, from_us
from data.vocabulary import ARMS
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
    Mood,
    Name,
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
from training.reports.cost_figures import (
    Burden,
    burden,
    by_channel,
    contacts_avoided,
    more_burden,
    more_objections,
    noise_by_channel,
    weeks_entered,
)
from training.reports.experiment import CHAMPION, CONTROL, Totals, totals
from training.reports.facts import SHOWN_CREDITORS, Facts, creditors, of_creditor
from training.reports.limits_told import Use, uses
from training.reports.pages.gain_blocks import channel_title
from training.reports.pages.limit_names import limit_title
from training.reports.pages.limit_use import use_of_limits
from training.reports.pages.verdict_texts import verdict_of
from training.reports.periods import experiments, judged
from training.reports.withholding import few, quantity, withheld, withheld_among

NAME = "costs"

MIN_DEBTORS = 100
"""Debtors of each arm whose horizon is over, below which arms are not judged."""

MOST_MORE = 5.0
"""Debtors in 1,000 by which opt-outs, or complaints, of the champion arm may at most exceed those of the control arm."""


MEASURES = (
    ("contacts", Kind.NUMBER, Kind.SIGNED),
    ("cost_eur", Kind.MONEY, Kind.SIGNED_MONEY),
    ("harm_eur", Kind.MONEY, Kind.SIGNED_MONEY),
    ("cost_per_100", Kind.MONEY, Kind.SIGNED_MONEY),
    ("opted_out", Kind.NUMBER, Kind.SIGNED),
    ("complained", Kind.NUMBER, Kind.SIGNED),
)
"""Figures of a burden, how each is shown, and how a difference of it is."""


@dataclass(frozen=True)
class _Looked:
    """What the page is computed from: debtors whose horizon is over, and the days of it."""

    facts: Facts
    found: Totals
    days: int
    begun: date | None
    """First day of the experiment compared, None where the arms' shares never changed."""

    @property
    def compares(self) -> bool:
        """Whether arms were drawn."""
        return self.facts.entrants.randomised and {CONTROL, CHAMPION} <= set(np.unique(self.found.arm).tolist())


def costs(facts: Facts) -> Page:
    """Costs of contacts, to debtors and to us; of one creditor, the creditor's share of them."""
    looked = _looked(facts)
    over = tuple(one for one in uses(facts) if one.over) if facts.creditor is None else ()
    sections = (_arms(looked), _channels(looked), _weeks(looked), *_creditors(looked), *use_of_limits(facts))
    return Page(
        name=NAME,
        title=Text("costs.title"),
        known_until_us=facts.known_until_us,
        sections=tuple(one for one in sections if one is not None),
        creditor=facts.creditor,
        verdict=_verdict(looked, over),
        span_us=facts.span_us,
    )


def _looked(facts: Facts) -> _Looked:
    """The facts about the experiment that is judged; about all debtors where no arms were drawn."""
    days = facts.config.horizon.days
    experiment = judged(facts.entrants)
    if experiment is None:
        return _Looked(facts, totals(facts.entrants, facts.evidence, days=days), days, None)
    narrowed = replace(facts, entrants=experiment.entrants)
    begun = from_us(experiment.from_us).date() if len(experiments(facts.entrants)) > 1 else None
    return _Looked(narrowed, totals(narrowed.entrants, facts.evidence, days=days), days, begun)


def _large(found: Totals) -> bool:
    return min(int((found.arm == arm).sum()) for arm in (CONTROL, CHAMPION)) >= MIN_DEBTORS


def _verdict(looked: _Looked, over: tuple[Use, ...]) -> Verdict:
    """Whether contacts cost more than they may. Limits first: they hold whatever an experiment says."""
    if over:
        worst = max(over, key=lambda one: one.share if np.isfinite(one.share) else np.inf)
        values: dict[str, Said] = {"count": quantity(Kind.COUNT, len(over)), "limit": limit_title(worst.name)}
        return verdict_of(NAME, "over_limit", Mood.BAD, values)
    if not looked.compares:
        return verdict_of(NAME, "no_experiment", Mood.NONE)
    if not _large(looked.found):
        return verdict_of(NAME, "not_enough_data", Mood.WAIT, {"needed": quantity(Kind.COUNT, MIN_DEBTORS)})
    more = more_objections(looked.found)
    values = {
        "complained": quantity(Kind.SIGNED, more.complained),
        "opted_out": quantity(Kind.SIGNED, more.opted_out),
        "cost": quantity(Kind.SIGNED_MONEY, more_burden(looked.found).cost_eur.value),
        "most": quantity(Kind.COUNT, MOST_MORE),
    }
    if more.complained.low > 0 or more.opted_out.low > 0:
        return verdict_of(NAME, "harm_shown", Mood.BAD, values)
    if max(more.complained.high, more.opted_out.high) <= MOST_MORE:
        return verdict_of(NAME, "within_limits", Mood.GOOD, values)
    return verdict_of(NAME, "not_yet_known", Mood.WAIT, values)


def _arms(looked: _Looked) -> Section:
    """Burdens of the arms, and what the champion's is more than the control's."""
    rows = list(_arm_rows(looked))
    if looked.compares:
        more = more_burden(looked.found)
        sizes = [int((looked.found.arm == arm).sum()) for arm in (CHAMPION, CONTROL)]
        cells = _cells(more, hidden=any(map(few, sizes)), signed=True)
        rows.append(Row("difference", Text("costs.difference"), (None, *cells), strong=True))
    table = Table(
        "arms",
        Text("costs.arms.caption", {"days": quantity(Kind.DAYS, looked.days)}),
        Text("costs.arm"),
        (Column("debtors", Text("costs.debtors")), *_columns(bars=True)),
        tuple(rows),
    )
    blocks: list[Block] = [*_tiles(looked), table]
    if looked.begun is not None:
        blocks.insert(0, Note(Text("costs.newest_experiment", {"day": looked.begun})))
    if not looked.facts.evidence.recorded:
        blocks.append(Note(Text("costs.as_decided"), caution=True))
    if looked.compares and _large(looked.found):
        blocks.append(Note(Text("costs.one_look")))
    return Section("arms", Text("costs.arms.title"), tuple(blocks), DEFINITIONS)


DEFINITIONS = ("arm", "cost", "harm", "cost_per_100", "contacts_avoided", "per_thousand")


def _columns(*, bars: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, Text(f"costs.{name}"), bars=bars) for name, _, _ in MEASURES)


def _cells(found: Burden, *, hidden: bool, signed: bool = False) -> tuple[Quantity, ...]:
    return tuple(
        quantity(difference if signed else plain, getattr(found, name), withheld=hidden)
        for name, plain, difference in MEASURES
    )


def _arm_rows(looked: _Looked) -> Iterator[Row]:
    found = looked.found
    sizes = np.bincount(found.arm, minlength=len(ARMS))
    for code, (name, hidden) in enumerate(zip(ARMS, withheld(sizes).tolist(), strict=True)):
        if sizes[code]:
            debtors = quantity(Kind.COUNT, float(sizes[code]), withheld=hidden)
            yield Row(name, Text(f"arm.{name}"), (debtors, *_cells(burden(found.of(code)), hidden=hidden)))


def _tiles(looked: _Looked) -> Iterator[Tiles]:
    """The champion in short, where there are enough of its debtors."""
    found = looked.found if not looked.compares else looked.found.of(CHAMPION)
    if not len(found.arm):
        return
    hidden, whole = few(len(found.arm)), burden(found)
    whose = Text("costs.all_debtors") if not looked.compares else Text("arm.champion")
    tiles = [
        Tile(Text("costs.cost_per_100"), quantity(Kind.MONEY, whole.cost_per_100, withheld=hidden), whose),
        Tile(Text("costs.contacts"), quantity(Kind.NUMBER, whole.contacts, withheld=hidden), whose),
        Tile(Text("costs.opted_out"), quantity(Kind.NUMBER, whole.opted_out, withheld=hidden), whose),
        Tile(Text("costs.complained"), quantity(Kind.NUMBER, whole.complained, withheld=hidden), whose),
    ]
    if looked.compares:
        avoided = quantity(Kind.COUNT, contacts_avoided(looked.found), withheld=hidden)
        tiles.insert(0, Tile(Text("costs.avoided"), avoided, Text("costs.avoided.more")))
    yield Tiles(tuple(tiles))


def _channels(looked: _Looked) -> Section | None:
    """What goes through which channel in each arm, and who objects to it."""
    each = dict(by_channel(looked.facts, days=looked.days))
    if not each:
        return None
    met = [code for code in range(len(ARMS)) if (looked.found.arm == code).any()]
    hidden = withheld(np.bincount(looked.found.arm, minlength=len(ARMS)))
    series = tuple(
        Series(
            ARMS[code],
            Text(f"arm.{ARMS[code]}"),
            tuple(
                Point(
                    channel_title(name),
                    quantity(Kind.NUMBER, burden(found.of(code)).contacts, withheld=bool(hidden[code])),
                )
                for name, found in each.items()
            ),
        )
        for code in met
    )
    chart = Chart(
        "contacts_by_channel",
        Shape.BARS,
        Text("costs.by_channel.title"),
        Text("costs.by_channel.caption", {"days": quantity(Kind.DAYS, looked.days)}),
        Text("costs.channel"),
        Text("costs.contacts"),
        series,
    )
    blocks = (chart, _channel_table(looked, each), Note(Text("costs.response_only")))
    return Section("channels", Text("costs.channels.title"), blocks, ("cost", "harm", "response"))


def _channel_table(looked: _Looked, each: dict[str, Totals]) -> Table:
    noise = noise_by_channel(looked.facts)
    gone = withheld_among([np.flatnonzero(found.contacts > 0) for found in each.values()])
    rows = []
    for (name, found), hide in zip(each.items(), gone.tolist(), strict=True):
        contacts = found.contacts.sum()
        cells = [
            quantity(Kind.COUNT, float(contacts), withheld=hide),
            quantity(Kind.MONEY, float(found.cost_eur.sum()), withheld=hide),
            quantity(Kind.MONEY, float(found.harm_eur.sum()), withheld=hide),
            quantity(Kind.MONEY, float(found.cost_eur.sum() / contacts) if contacts else np.nan, withheld=hide),
        ]
        cells += [
            quantity(Kind.NUMBER, one, withheld=hide or few(told.debtors))
            for told in ((noise[name],) if name in noise else ())
            for one in (told.opted_out, told.complained)
        ]
        rows.append(Row(name, channel_title(name), (*cells, *[None] * (6 - len(cells)))))
    names = ("contacts_made", "cost_sum", "harm_sum", "cost_each", "opted_out_of", "complained_of")
    columns = tuple(Column(one, Text(f"costs.{one}"), bars=one.endswith("_of")) for one in names)
    caption = Text("costs.channels.caption", {"days": quantity(Kind.DAYS, looked.days)})
    return Table("channels", caption, Text("costs.channel"), columns, tuple(rows))


def _weeks(looked: _Looked) -> Section | None:
    """Burdens of those who came in each week, where they came in more than one."""
    week = weeks_entered(looked.facts, days=looked.days)
    weeks = np.unique(week).tolist()
    if len(weeks) < 2:
        return None
    charts = [_week_chart(looked, week, weeks, name, kind) for name, kind, _ in MEASURES if name != "cost_per_100"]
    caption = Note(Text("costs.weeks.note", {"days": quantity(Kind.DAYS, looked.days)}))
    return Section("weeks", Text("costs.weeks.title"), (caption, *charts), ("cost", "harm", "per_thousand"))


def _week_chart(looked: _Looked, week: np.ndarray, weeks: list[int], name: str, kind: Kind) -> Chart:
    met = [code for code in (CONTROL, CHAMPION) if (looked.found.arm == code).any()]
    met = met if looked.compares else sorted(set(looked.found.arm.tolist()))
    series = []
    for code in met:
        cells = [looked.found.at(np.flatnonzero((looked.found.arm == code) & (week == one))) for one in weeks]
        hidden = withheld(np.array([len(one.arm) for one in cells])).tolist()
        points = [
            Point(from_day(day), quantity(kind, getattr(burden(cell), name), withheld=hide))
            for day, cell, hide in zip(weeks, cells, hidden, strict=True)
            if len(cell.arm)
        ]
        series.append(Series(ARMS[code], Text(f"arm.{ARMS[code]}"), tuple(points)))
    return Chart(
        f"{name}_by_week",
        Shape.LINES,
        Text(f"costs.{name}"),
        Text("costs.weeks.caption"),
        Text("costs.week"),
        Text(f"costs.{name}"),
        tuple(series),
    )


def _creditors(looked: _Looked) -> Iterator[Section]:
    """Burdens by creditor, of those with most debtors; not on a creditor's own page."""
    names = creditors(looked.facts) if looked.facts.creditor is None else ()
    if len(names) < 2:
        return
    each = [(name, _of_creditor(looked, name)) for name in names[:SHOWN_CREDITORS]]
    gone = withheld_among([who for _, (_, who) in each])
    rows = [
        Row(
            name,
            Name(name),
            (quantity(Kind.COUNT, len(found.arm), withheld=hide), *_cells(burden(found), hidden=hide)),
        )
        for (name, (found, _)), hide in zip(each, gone.tolist(), strict=True)
        if len(found.arm)
    ]
    table = Table(
        "creditors",
        Text("costs.creditors.caption", {"shown": quantity(Kind.COUNT, len(rows))}),
        Text("costs.creditor"),
        (Column("debtors", Text("costs.debtors")), *_columns(bars=True)),
        tuple(rows),
    )
    blocks = (table, Note(Text("costs.creditors.note")))
    yield Section("creditors", Text("costs.creditors.title"), blocks, ("cost", "harm", "per_thousand"))


def _of_creditor(looked: _Looked, name: str) -> tuple[Totals, IntArray]:
    """Totals of one creditor's debtors, and these; tables are left behind: evidence alone is counted, filtering takes long."""
    tables = {table: rows.slice(0, 0) for table, rows in looked.facts.portfolio.tables.items()}
    bare = replace(looked.facts, portfolio=Portfolio(tables, looked.facts.portfolio.given))
    theirs = of_creditor(bare, name)
    found = totals(theirs.entrants, theirs.evidence, days=looked.days)
    return found, theirs.entrants.debtor[found.row]
