"""What an old log can and cannot say, as sections of its page: rows worked out, overlap, actions against each other, no contact."""

from __future__ import annotations

import numpy as np

from training.logged.effect import LARGEST_ODDS_RATIO
from training.logged.segments import EVERYONE
from training.logged.support_map import WHOLE_DAY, Cell
from training.replay.between import Compared
from training.replay.over_none import ODDS_RATIOS, STATED, OverNone
from training.replay.report import Replay
from training.reports.blocks import (
    Block,
    Chart,
    Column,
    Kind,
    Name,
    Note,
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
)
from training.reports.pages.replay_words import channel_word, part_word, ratio, segment_word, within
from training.reports.withholding import quantity

RATIOS = (*ODDS_RATIOS, float("inf"))
"""Odds ratios of the table; the last one: nothing assumed."""


def rows_section(found: Replay) -> Section | None:
    """Rows worked out beside the contacts; nothing where the log holds decisions for none of its own."""
    if found.done.nones:
        return None
    low, middle, high = found.waited_days
    tiles = Tiles(
        (
            Tile(Text("replay.rows.tile"), Quantity(Kind.COUNT, found.rows), Text("replay.not-randomised")),
            Tile(Text("replay.rows.contacts"), Quantity(Kind.COUNT, found.contacts)),
            Tile(Text("replay.rows.waited"), _waited(middle), Text("replay.rows.quarters", {"low": _waited(low), "high": _waited(high)})),
        )
    )  # fmt: skip
    rhythm = Name(", ".join(str(one) for one in found.rhythm_days))
    how = Text("replay.rows.rhythm", {"days": rhythm}) if found.rhythm_days else Text("replay.rows.every-day")
    blocks: tuple[Block, ...] = (
        Note(Text("replay.rows.caution"), caution=True),
        tiles,
        Note(how),
        Note(_looked_at(found)),
    )
    return Section("rows", Text("replay.rows.title"), blocks, ("replay-row", "replay-not-randomised"))


def _waited(days: float) -> Said:
    if np.isnan(days):
        return Quantity(Kind.DAYS, None)
    return Quantity(Kind.DAYS, days) if np.isfinite(days) else Text("replay.rows.never")


def _looked_at(found: Replay) -> Text:
    values = {
        "debtors": Quantity(Kind.COUNT, found.looked_at),
        "all": Quantity(Kind.COUNT, found.done.debtors),
        "contacts": Quantity(Kind.COUNT, found.decisions),
    }
    return Text("replay.rows.looked-at", values)


def map_section(found: Replay) -> Section:
    """Effective contacts behind each channel in each segment; fields without a number cannot be answered."""
    whole = [one for one in found.cells if one.part == WHOLE_DAY]
    segments = list(dict.fromkeys((one.family, one.segment) for one in whole))
    series = tuple(
        Series(
            f"{family}-{segment}".replace(" ", "-"),
            _segment(family, segment),
            tuple(
                Point(channel_word(found.channels, one.channel), _effective(one))
                for one in whole
                if (one.family, one.segment) == (family, segment)
            ),
        )
        for family, segment in segments
    )
    chart = Chart(
        "map", Shape.HEAT, Text("replay.map.chart"), Text("replay.map.caption"), Text("replay.channel"),
        Text("replay.map.effective"), series,
    )  # fmt: skip
    dark = sum(bool(one.refusal) for one in whole)
    values = {"dark": Quantity(Kind.COUNT, dark), "all": Quantity(Kind.COUNT, len(whole))}
    blocks = (chart, Note(Text("replay.map.dark", values)))
    return Section("map", Text("replay.map.title"), blocks, ("replay-effective",))


def _segment(family: str, segment: str) -> Text | Name:
    if family == EVERYONE:
        return segment_word(EVERYONE)
    keys = {"country": "country", "days past due": "due", "EUR outstanding": "owed", "contacts in 90 days": "before"}
    return Text(f"replay.family.{keys[family]}", {"name": segment_word(segment)})


def _effective(cell: Cell) -> Quantity:
    if cell.refusal or cell.found is None:
        return Quantity(Kind.COUNT, None)
    return quantity(Kind.COUNT, round(cell.found.effective))


def between_section(found: Replay) -> Section:
    """Actions against each other: what an old log can speak of first."""
    short = found.horizon_days[0]
    channels = [one for one in found.compared if one.kind == "channel" and one.days == short]
    later = {(one.of, one.over): one for one in found.compared if one.kind == "channel" and one.days != short}
    parts = [one for one in found.compared if one.kind == "part"]
    blocks: list[Block] = [Note(Text("replay.between.what"))]
    if any(one.effect is not None for one in channels):
        blocks.append(_chart(found, channels))
    if channels:
        blocks.append(_compared(found, channels, later))
    if parts:
        blocks.append(_parts(found, parts))
    if any(one.sign in ("turns", "vanishes") for one in channels):
        blocks.insert(1, Note(Text("replay.between.misleads"), caution=True))
    definitions = ("replay-adjusted", "replay-plain", "replay-gamma", "replay-refused")
    return Section("between", Text("replay.between.title"), tuple(blocks), definitions)


def _chart(found: Replay, compared: list[Compared]) -> Chart:
    series = tuple(
        Series(
            way,
            Text(f"replay.way.{way}"),
            tuple(Point(_pair(found, one), _way(one, way)) for one in compared if one.effect is not None),
        )
        for way in ("adjusted", "plain")
    )
    values = {"days": Quantity(Kind.DAYS, found.horizon_days[0])}
    return Chart(
        "between", Shape.INTERVALS, Text("replay.between.chart", values), Text("replay.between.caption"),
        Text("replay.channel"), Text("replay.between.points"), series,
    )  # fmt: skip


def _way(one: Compared | None, way: str) -> Quantity:
    """The adjusted or the plain difference with its interval, in points; not known where it was refused."""
    if one is None or one.effect is None:
        return Quantity(Kind.POINTS, None)
    found = one.effect.value if way == "adjusted" else one.effect.naive
    return Quantity(Kind.POINTS, found.value, found.low, found.high)


def _pair(found: Replay, one: Compared) -> Text:
    of, over = channel_word(found.channels, one.of), channel_word(found.channels, one.over)
    return Text("replay.over", {"of": of, "over": over})


def _compared(found: Replay, rows: list[Compared], later: dict[tuple[int, int], Compared]) -> Table:
    """Channels over the one used most."""
    short, long = (Quantity(Kind.DAYS, days) for days in found.horizon_days)
    columns = (
        Column("plain", Text("replay.column.plain", {"days": short}), bars=True),
        Column("adjusted", Text("replay.column.adjusted", {"days": short}), bars=True),
        Column("adjusted_later", Text("replay.column.adjusted", {"days": long}), bars=True),
        Column("gamma", Text("replay.column.gamma")),
        Column("says", Text("replay.column.says")),
    )
    listed = tuple(
        Row(
            f"{found.channels[one.of]}-over-{found.channels[one.over]}",
            _pair(found, one),
            (
                _way(one, "plain"),
                _way(one, "adjusted"),
                _way(later.get((one.of, one.over)), "adjusted"),
                _gamma(one),
                _says(one),
            ),
        )
        for one in rows
    )
    return Table("compared", Text("replay.compared.caption"), Text("replay.compared.first"), columns, listed)


def _parts(found: Replay, rows: list[Compared]) -> Table:
    """Parts of the day over the part used most, channel by channel."""
    short = Quantity(Kind.DAYS, found.horizon_days[0])
    columns = (
        Column("plain", Text("replay.column.plain", {"days": short}), bars=True),
        Column("adjusted", Text("replay.column.adjusted", {"days": short}), bars=True),
        Column("gamma", Text("replay.column.gamma")),
        Column("says", Text("replay.column.says")),
    )
    listed = tuple(
        Row(
            f"{found.channels[one.channel]}-{one.of}-over-{one.over}",
            Text(
                "replay.part-over",
                {
                    "channel": channel_word(found.channels, one.channel),
                    "of": part_word(one.of),
                    "over": part_word(one.over),
                },
            ),
            (_way(one, "plain"), _way(one, "adjusted"), _gamma(one), _says(one)),
        )
        for one in rows
    )
    return Table("parts", Text("replay.parts.caption"), Text("replay.parts.first"), columns, listed, folded=True)


def _gamma(one: Compared) -> Said:
    """How strong something unrecorded has to be to overturn the sign."""
    if one.effect is None or one.drawn:
        return Quantity(Kind.NUMBER, None)
    at = one.effect.overturned_at
    return ratio(at) if np.isfinite(at) else Text("replay.gamma.beyond", {"ratio": ratio(LARGEST_ODDS_RATIO)})


def _says(one: Compared) -> Text:
    """What a comparison says, in words."""
    if one.effect is None:
        return Text("replay.refused")
    if one.sign in ("turns", "vanishes"):
        return Text(f"replay.says.{one.sign}")
    value = one.effect.value
    if value.low <= 0.0 <= value.high:
        return Text("replay.says.open")
    if one.drawn:
        return Text("replay.says.drawn")
    stands = one.effect.overturned_at > STATED
    return Text("replay.says.trust" if stands else "replay.says.fragile", {"ratio": ratio(STATED)})


def none_section(found: Replay) -> Section:
    """What contact brings over none: bounds only, each with the odds ratio that it holds for."""
    if not found.over_none:
        return Section("none", Text("replay.none.title"), (Note(Text("replay.none.nothing"), caution=True),))
    drawn = any(one.drawn for one in found.over_none)
    caution = Note(Text("replay.none.drawn") if drawn else Text("replay.none.caution"), caution=not drawn)
    paid = [one for one in found.over_none if one.what.startswith("paid")]
    money = [one for one in found.over_none if one.what.startswith("eur")]
    blocks = (
        caution,
        _bounds(found, "none-paid", paid, Kind.POINTS, RATIOS),
        _bounds(found, "none-money", money, Kind.SIGNED_MONEY, RATIOS[:-1]),
    )
    return Section("none", Text("replay.none.title"), blocks, ("replay-ratio", "replay-not-randomised", "replay-worst"))


def _bounds(found: Replay, key: str, rows: list[OverNone], kind: Kind, ratios: tuple[float, ...]) -> Table:
    columns = tuple(
        Column(f"ratio-{one:g}", Text("replay.column.ratio", {"ratio": ratio(one)}))
        if np.isfinite(one)
        else Column("nothing-assumed", Text("replay.column.nothing"))
        for one in ratios
    )
    listed = tuple(
        Row(
            f"{found.channels[one.channel]}-{one.what.split()[1]}",
            Text(
                "replay.none.row",
                {
                    "channel": channel_word(found.channels, one.channel),
                    "days": Quantity(Kind.DAYS, int(one.what.split()[1])),
                },
            ),
            tuple(_bound(one, each, kind) for each in ratios),
        )
        for one in rows
    )
    caption = Text("replay.none-drawn.caption" if any(one.drawn for one in rows) else f"replay.{key}.caption")
    return Table(key, caption, Text("replay.none.first"), columns, listed, folded=key == "none-money")


def _bound(one: OverNone, odds_ratio: float, kind: Kind) -> Said:
    """A range; where the log's own decisions were drawn, the answer stands in the first column alone."""
    if one.drawn and one.effect is not None:
        value = one.effect.value
        return Quantity(kind, value.value, value.low, value.high) if odds_ratio == 1.0 else Quantity(kind, None)
    return within(one.at(odds_ratio), kind)
