"""What could be gained, and the test that settles it, as sections of the page on an old log."""

from __future__ import annotations

import numpy as np

from training.replay.over_none import ODDS_RATIOS, STATED
from training.replay.report import Replay
from training.replay.safe_test import SafeTest
from training.replay.sparing import spared
from training.replay.targeting import AS_BEFORE, Gain
from training.reports.blocks import (
    Block,
    Column,
    Kind,
    Note,
    Quantity,
    Row,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
)
from training.reports.pages.replay_words import cell_word, channel_word, ratio, within
from training.reports.withholding import few, quantity, withheld
from training.trials.planning import Look

PER = 1_000
"""Debtors, one contact each, that gains are told for."""


def gain_section(found: Replay) -> Section:
    """What a better choice of channel, and fewer contacts, would have brought: at least and at best."""
    blocks: list[Block] = [
        Note(Text("replay.gain.what", {"per": Quantity(Kind.COUNT, PER)})),
        _tiles(found),
        _gains(found),
    ]
    blocks.append(_choices(found))
    if found.spares:
        blocks += [Note(Text("replay.not-randomised-spare"), caution=True), _spared(found), _spares(found)]
    definitions = ("replay-targeting", "replay-ratio", "replay-spare", "replay-capped")
    return Section("gain", Text("replay.gain.title"), tuple(blocks), definitions)


def _tiles(found: Replay) -> Tiles:
    net = next(one for one in found.targeting.net if one.what == f"eur {found.horizon_days[0]}").at(STATED)
    more = Text("replay.gain.more", {"ratio": ratio(STATED), "days": Quantity(Kind.DAYS, found.horizon_days[0])})
    return Tiles(
        (
            Tile(Text("replay.gain.least"), quantity(Kind.SIGNED_MONEY, PER * net.low), more),
            Tile(Text("replay.gain.most"), quantity(Kind.SIGNED_MONEY, PER * net.high), more),
            Tile(Text("replay.gain.moved"), quantity(Kind.SHARE, found.targeting.moved)),
        )
    )


def _gains(found: Replay) -> Table:
    """Gains by outcome, at each odds ratio."""
    columns = tuple(Column(f"ratio-{one:g}", Text("replay.column.ratio", {"ratio": ratio(one)})) for one in ODDS_RATIOS)
    rows = [
        *(_gain_row(one, "net") for one in found.targeting.net),
        *(_gain_row(one, one.what.split()[0]) for one in found.targeting.gains),
    ]
    return Table("gains", Text("replay.gains.caption"), Text("replay.gains.first"), columns, tuple(rows))


def _gain_row(gain: Gain, what: str) -> Row:
    days = Quantity(Kind.DAYS, int(gain.what.split()[1]))
    kind, times = (Kind.POINTS, 1.0) if what == "paid" else (Kind.SIGNED_MONEY, float(PER))
    cells = tuple(within(gain.at(one), kind, times=times) for one in ODDS_RATIOS)
    return Row(
        f"{what}-{gain.what.split()[1]}", Text(f"replay.gains.{what}", {"days": days}), cells, strong=what == "net"
    )


def _choices(found: Replay) -> Table:
    choices = found.targeting.choices
    gone = withheld(np.array([one.debtors for one in choices]))
    rows = tuple(
        Row(
            "-".join(one.cell).replace(" ", "-"),
            cell_word(one.cell),
            (
                quantity(Kind.COUNT, one.contacts, withheld=bool(hidden)),
                Text("replay.as-before") if one.channel == AS_BEFORE else channel_word(found.channels, one.channel),
            ),
        )
        for one, hidden in zip(choices, gone, strict=True)
    )
    columns = (Column("contacts", Text("replay.column.contacts")), Column("channel", Text("replay.column.channel")))
    return Table("choices", Text("replay.choices.caption"), Text("replay.cells"), columns, rows, folded=True)


def _spared(found: Replay) -> Table:
    """Share of contacts that could have been spared at no loss."""
    columns = (Column("least", Text("replay.column.least")), Column("most", Text("replay.column.most")))
    rows = tuple(
        Row(
            f"ratio-{one:g}",
            Text("replay.column.ratio", {"ratio": ratio(one)}),
            tuple(quantity(Kind.SHARE, share) for share in spared(found.spares, one)),
        )
        for one in ODDS_RATIOS
    )
    return Table("spared", Text("replay.spared.caption"), Text("replay.spared.first"), columns, rows)


def _spares(found: Replay) -> Table:
    columns = (
        Column("contacts", Text("replay.column.contacts")),
        Column("cost", Text("replay.column.cost-each")),
        *(Column(f"ratio-{one:g}", Text("replay.column.ratio", {"ratio": ratio(one)})) for one in ODDS_RATIOS),
    )
    gone = withheld(np.array([one.debtors for one in found.spares]))
    rows = tuple(
        Row(
            "-".join(one.cell).replace(" ", "-"),
            cell_word(one.cell),
            (
                quantity(Kind.COUNT, one.contacts, withheld=bool(hidden)),
                quantity(Kind.MONEY, one.cost_eur),
                *(within(None if few(one.debtors) else one.at(each), Kind.SIGNED_MONEY) for each in ODDS_RATIOS),
            ),
        )
        for one, hidden in zip(found.spares, gone, strict=True)
    )
    return Table("spares", Text("replay.spares.caption"), Text("replay.cells"), columns, rows, folded=True)


def settling_section(found: Replay, test: SafeTest | None) -> Section:
    """The smallest safe test, and what others would take."""
    if test is None:
        return Section("test", Text("replay.test.title"), (Note(Text("replay.test.none"), caution=True),))
    tiles = Tiles(
        (
            Tile(Text("replay.test.share"), Quantity(Kind.SHARE, test.share)),
            Tile(Text("replay.test.weeks"), Quantity(Kind.WEEKS, test.weeks)),
            Tile(Text("replay.test.debtors"), Quantity(Kind.COUNT, test.debtors), _drawn(test)),
            Tile(Text("replay.test.difference"), Quantity(Kind.POINTS, test.difference), Text("replay.test.power")),
        )
    )
    tables = tuple(_tests(found, look) for look in Look)
    blocks: tuple[Block, ...] = (tiles, Note(Text("replay.test.what")), Note(Text("replay.test.safe")), *tables)
    return Section("test", Text("replay.test.title"), blocks, ("replay-power", "replay-daily"))


def _drawn(test: SafeTest) -> Text:
    return Text("replay.test.drawn", {"drawn": Quantity(Kind.COUNT, test.drawn)})


def _tests(found: Replay, look: Look) -> Table:
    differences = sorted({one.difference for one in found.tests})
    columns = tuple(
        Column(f"{name}-{100 * one:g}", Text(f"replay.test.column.{name}", {"difference": Quantity(Kind.POINTS, one)}))
        for one in differences
        for name in ("debtors", "weeks")
    )
    shares = sorted({one.share for one in found.tests})
    by = {(one.share, one.difference): one for one in found.tests if one.look is look}
    rows = tuple(
        Row(
            f"share-{100 * share:g}",
            Text("replay.test.row", {"share": Quantity(Kind.SHARE, share)}),
            tuple(
                cell
                for difference in differences
                for cell in (
                    Quantity(Kind.COUNT, by[share, difference].debtors),
                    Quantity(Kind.WEEKS, by[share, difference].weeks),
                )
            ),
        )
        for share in shares
    )
    key = f"tests-{look.value}"
    return Table(
        key, Text(f"replay.{key}.caption"), Text("replay.test.first"), columns, rows, folded=look is Look.DAILY
    )
