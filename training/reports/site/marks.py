"""How series are told apart: by colour, by shape and by dash, the same for an arm or a channel on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.reports.drawing import BLUE, FAINT, GREEN, INK, OCHRE, ORANGE, PLUM


@dataclass(frozen=True)
class Mark:
    """What a series is drawn with."""

    colour: str
    shape: str
    dash: tuple[int, ...]


MARKS = (
    Mark(BLUE, "circle", (1, 0)),
    Mark(ORANGE, "square", (6, 3)),
    Mark(GREEN, "triangle-up", (2, 2)),
    Mark(PLUM, "diamond", (8, 3, 2, 3)),
    Mark(OCHRE, "triangle-down", (10, 4)),
    Mark(INK, "cross", (4, 2)),
    Mark(FAINT, "stroke", (1, 3)),
)
PLACES = {
    "champion": 0, "control": 1, "explore": 2, "challenger": 3,
    "sms": 0, "letter": 1, "email": 2, "phone": 3, "digital_mailbox": 4, "portal": 5, "none": 6,
}  # fmt: skip
"""Place of each arm and channel among the marks."""


def marks(keys: Sequence[str]) -> list[Mark]:
    """A mark for each series of a chart: its own where it is an arm or a channel, else by its place.

    >>> [mark.shape for mark in marks(["champion", "control"])], [mark.shape for mark in marks(["a", "b"])]
    (['circle', 'square'], ['circle', 'square'])
    """
    wanted = [PLACES.get(key, -1) for key in keys]
    if -1 in wanted or len(set(wanted)) < len(wanted):
        wanted = list(range(len(keys)))
    return [MARKS[place % len(MARKS)] for place in wanted]
