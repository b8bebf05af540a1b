"""One thing found out about a portfolio's quality, as a sentence with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["problem", "look", "fine"]

LEVELS: tuple[Level, ...] = ("problem", "look", "fine")
"""`problem`: figures made from these rows would be wrong. `look`: explain it before relying on them. `fine`: looked at,
nothing found."""

SLIP = 0.001
"""Share of rows up to which a soft fault is a slip of single rows, as every system makes them, and not worth a look."""

ENOUGH = 50
"""Rows from which on a share is told: below, a tenth more or less is chance (standard error of a half at 50: 7 %)."""

EXPECTED = 20.0
"""Rows that should have been there before their absence is told: as a Poisson count, none has a chance of 2 in 10^9."""


@dataclass(frozen=True)
class Finding:
    """A sentence for a data scientist, and the numbers in it.

    Parameters
    ----------
    heading
        Under which it is told, one of `data.quality.quality.HEADINGS`.
    table
        The table concerned; empty where it is several.
    sentence
        What was found, without full stop.
    count, share
        Rows (or whatever the sentence counts) concerned, and their share 0-1 of all that could be; None where there is
        no such share.
    remedy
        What to do about it.
    """

    level: Level
    heading: str
    table: str
    sentence: str
    count: int = 0
    share: float | None = None
    remedy: str = ""


def share_of(count: int, among: int) -> float | None:
    """A share 0-1, None of nothing."""
    return count / among if among else None


def percent(share: float) -> str:
    """A share as text, never rounded to nothing or to all.

    >>> percent(0.1234), percent(0.00001), percent(1.0)
    ('12.3 %', 'under 0.1 %', '100 %')
    """
    if 0 < share < 0.001:
        return "under 0.1 %"
    return "100 %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"
