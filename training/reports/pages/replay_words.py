"""Words and small parts that the sections on an old log share."""

from __future__ import annotations

from data.vocabulary import CHANNELS, DAYPARTS
from training.logged.effect import Bound
from training.reports.blocks import Kind, Name, Quantity, Text

SEGMENTS = {
    "not yet due": "due.not-yet",
    "0 to 30": "due.0",
    "31 to 90": "due.31",
    "over 90": "due.91",
    "under 100": "owed.0",
    "100 to 500": "owed.100",
    "500 and more": "owed.500",
    "none": "before.0",
    "1 to 2": "before.1",
    "3 to 5": "before.3",
    "6 and more": "before.6",
    "not known": "segment.unknown",
    "other or none": "segment.other",
    "all": "segment.all",
}
"""Keys of the segments' names; what is not here is a country."""


def channel_word(channels: tuple[str, ...], code: int) -> Text | Name:
    """A channel in words; a tenant's own channel by its name."""
    name = channels[code]
    return Text(f"channel.{name}") if name in CHANNELS else Name(name)


def segment_word(name: str) -> Text | Name:
    """A segment in words."""
    return Text(f"replay.{SEGMENTS[name]}") if name in SEGMENTS else Name(name)


def cell_word(cell: tuple[str, ...]) -> Text:
    """A cell in which two segments cross."""
    first, second = (segment_word(one) for one in cell)
    return Text("replay.cell", {"due": first, "owed": second})


def part_word(part: int) -> Text:
    """A part of the day."""
    return Text(f"replay.part.{DAYPARTS[part]}")


def ratio(odds_ratio: float) -> Quantity:
    """An odds ratio."""
    return Quantity(Kind.NUMBER, odds_ratio)


def within(bound: Bound | None, kind: Kind, *, times: float = 1.0) -> Text:
    """Range of what agrees with the log, never a single figure; a word where there is none."""
    if bound is None:
        return Text("replay.refused")
    low, high = Quantity(kind, times * bound.low), Quantity(kind, times * bound.high)
    return Text("replay.within", {"low": low, "high": high})
