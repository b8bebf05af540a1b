"""What was done, as sections of the page on an old log: contacts, their cost and rhythm, what followed, and the money."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from data.times import from_us
from data.vocabulary import STAGES
from training.replay.done import Band, Done, Group
from training.replay.ledger import LONG_AFTER, WITHOUT
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
    Section,
    Series,
    Shape,
    Table,
    Text,
    Tile,
    Tiles,
)
from training.reports.pages.replay_words import channel_word
from training.reports.withholding import quantity, withheld, withheld_in_table
from training.trials.intervals import Interval


def done_section(found: Replay) -> Section:
    """What was done and what came: a description."""
    done = found.done
    blocks: tuple[Block, ...] = (
        _tiles(found),
        Note(_nones(done)),
        *([Note(Text("replay.more-by-draw"))] if done.nones or found.probabilities else []),
        _months(found),
        _channels(found),
        _stages(found),
        _eras(done),
        _bands("per-debtor", done.debtor_bands, total=done.all_debtors),
        _bands("gaps", done.gap_bands, total=None),
        _bands("per-claim", done.claim_bands, total=None),
        _money(found),
    )
    definitions = ("replay-response", "replay-credited", "replay-cost", "replay-silent", "replay-era")
    return Section("done", Text("replay.done.title"), blocks, definitions)


def _count(number: float, *, gone: bool = False) -> Quantity:
    return quantity(Kind.COUNT, number, withheld=gone)


def _tiles(found: Replay) -> Tiles:
    done = found.done
    share = Quantity(Kind.SHARE, None) if done.silent is None else quantity(Kind.SHARE, done.silent)
    more = {"debtors": _count(done.debtors), "all": _count(done.all_debtors)}
    return Tiles(
        (
            Tile(Text("replay.tile.contacts"), _count(done.contacts), Text("replay.tile.contacts.more", more)),
            Tile(Text("replay.tile.each"), quantity(Kind.NUMBER, done.per_debtor)),
            Tile(Text("replay.tile.cost"), quantity(Kind.MONEY, done.cost_eur)),
            Tile(Text("replay.tile.money"), quantity(Kind.MONEY, done.paid_eur), Text("replay.tile.money.more")),
            Tile(Text("replay.tile.silent"), share, Text("replay.tile.silent.more", {"days": _days(found)})),
        )
    )


def _days(found: Replay) -> Quantity:
    return Quantity(Kind.DAYS, found.horizon_days[0])


def _nones(done: Done) -> Text:
    values = {"count": _count(done.nones)}
    return Text("replay.nones.some", values) if done.nones else Text("replay.nones.missing")


def _months(found: Replay) -> Chart:
    """Contacts by month and channel; what few debtors stand behind is left out, and what would tell of it."""
    months = found.done.months.astype("datetime64[M]").astype("datetime64[D]").tolist()
    used = [one.name for one in found.done.channels]
    counts, gone = found.done.month_contacts[:, used], withheld_in_table(found.done.month_debtors[:, used])
    series = tuple(
        Series(
            found.channels[code],
            channel_word(found.channels, code),
            tuple(
                Point(month, _count(count, gone=hidden))
                for month, count, hidden in zip(months, counts[:, place].tolist(), gone[:, place].tolist(), strict=True)
            ),
        )
        for place, code in enumerate(used)
    )
    return Chart(
        "months", Shape.LINES, Text("replay.months.title"), Text("replay.months.caption"), Text("replay.month"),
        Text("replay.column.contacts"), series,
    )  # fmt: skip


def _channels(found: Replay) -> Table:
    names = ("contacts", "debtors", "cost", "answered", "followed", "credited")
    columns = tuple(
        Column(name, Text(f"replay.column.{name}"), bars=name in ("answered", "followed")) for name in names
    )
    groups = found.done.channels
    gone = withheld(np.array([one.debtors for one in groups]))
    rows = tuple(
        Row(found.channels[one.name], channel_word(found.channels, one.name), _cells(one, gone=bool(hidden)))
        for one, hidden in zip(groups, gone, strict=True)
    )
    caption = Text("replay.channels.caption", {"days": _days(found)})
    return Table("channels", caption, Text("replay.channel"), columns, rows)


def _cells(one: Group, *, gone: bool) -> tuple[Quantity, ...]:
    def share(found: Interval | None) -> Quantity:
        return Quantity(Kind.SHARE, None) if found is None else quantity(Kind.SHARE, found, withheld=gone)

    return (
        _count(one.contacts, gone=gone), _count(one.debtors, gone=gone),
        quantity(Kind.MONEY, one.cost_eur, withheld=gone), share(one.answered), share(one.followed),
        quantity(Kind.MONEY, one.credited_eur, withheld=gone),
    )  # fmt: skip


def _stages(found: Replay) -> Table:
    """Contacts by stage and channel."""
    done, used = found.done, [one.name for one in found.done.channels]
    counts, gone = done.stage_contacts[:, used], withheld_in_table(done.stage_debtors[:, used])
    names = [*STAGES[: len(counts) - 1], "unknown"]
    columns = tuple(Column(found.channels[code], _title(found, code)) for code in used)
    rows = tuple(
        Row(
            name, Text(f"replay.stage.{name}"), tuple(_count(n, gone=bool(g)) for n, g in zip(row, hidden, strict=True))
        )
        for name, row, hidden in zip(names, counts.tolist(), gone.tolist(), strict=True)
        if any(row)
    )
    return Table("stages", Text("replay.stages.caption"), Text("replay.stage"), columns, rows, folded=True)


def _title(found: Replay, code: int) -> Text:
    word = channel_word(found.channels, code)
    return word if isinstance(word, Text) else Text("replay.as-is", {"name": word})


def _eras(done: Done) -> Table:
    """Old policies, cut where what a label does changes."""
    gone = withheld(done.era_debtors)
    columns = tuple(Column(name, Text(f"replay.column.{name}")) for name in ("first", "last", "contacts", "logged"))
    rows = tuple(
        Row(
            f"era-{number}",
            Name(one.policy) if one.policy else Text("replay.era.unnamed"),
            (
                from_us(one.begin_us).date(),
                from_us(one.end_us).date(),
                _count(one.decisions, gone=bool(hidden)),
                quantity(Kind.SHARE, one.known, withheld=bool(hidden)),
            ),
        )
        for number, (one, hidden) in enumerate(zip(done.eras, gone, strict=True), start=1)
    )
    return Table("eras", Text("replay.eras.caption"), Text("replay.era"), columns, rows)


def _bands(key: str, bands: Sequence[Band], *, total: int | None) -> Table:
    """How many lie in each band, and their share."""
    whole = total or max(sum(one.count for one in bands), 1)
    gone = withheld(np.array([one.debtors for one in bands]))
    ends = [*(following.begin for _, following in pairwise(bands)), None]
    rows = tuple(
        Row(
            f"from-{one.begin}",
            _band(one.begin, end),
            (_count(one.count, gone=bool(hidden)), quantity(Kind.SHARE, one.count / whole, withheld=bool(hidden))),
        )
        for one, end, hidden in zip(bands, ends, gone, strict=True)
    )
    columns = (Column("count", Text(f"replay.{key}.counted")), Column("share", Text("replay.column.share")))
    return Table(key, Text(f"replay.{key}.caption"), Text(f"replay.{key}.first"), columns, rows, folded=True)


def _band(begin: int, end: int | None) -> Text:
    if end is None:
        return Text("replay.band.more", {"low": _count(begin)})
    if end == begin + 1:
        return Text("replay.band.one", {"low": _count(begin)})
    return Text("replay.band.between", {"low": _count(begin), "high": _count(end - 1)})


def _money(found: Replay) -> Table:
    """Every payment once."""
    money = found.done.money
    gone = withheld(np.array([one.debtors for one in money]))
    rows = [
        Row(
            _under_key(found, one.under),
            _under(found, one.under),
            (_count(one.payments, gone=bool(hidden)), quantity(Kind.MONEY, one.eur, withheld=bool(hidden))),
        )
        for one, hidden in zip(money, gone, strict=True)
    ]
    payments = sum(one.payments for one in money)
    whole = (_count(payments), quantity(Kind.MONEY, found.done.paid_eur))
    rows.append(Row("all", Text("replay.money.all"), whole, strong=True))
    columns = (Column("payments", Text("replay.column.payments")), Column("eur", Text("replay.column.eur")))
    values = {"days": Quantity(Kind.DAYS, found.horizon_days[1]), "back": _count(found.done.taken_back)}
    return Table("money", Text("replay.money.caption", values), Text("replay.money.first"), columns, tuple(rows))


def _under(found: Replay, under: int) -> Text | Name:
    special = {LONG_AFTER: "replay.money.long-after", WITHOUT: "replay.money.without"}
    return Text(special[under]) if under in special else channel_word(found.channels, under)


def _under_key(found: Replay, under: int) -> str:
    return {LONG_AFTER: "long-after", WITHOUT: "without"}.get(under, found.channels[max(under, 0)])
