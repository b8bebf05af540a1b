"""The picture of docs/grid.md: a tree, and the cells of a grid that its leaves count for, for two rows.

    .venv/bin/python -m tests.documents.grid_picture > docs/images/grid.svg

Plain SVG on a background of its own, so that it reads the same on a light and a dark page. Each leaf has a letter besides its
colour (Okabe and Ito's, which the colour-blind tell apart).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

CHANNELS = ("sms", "email", "phone")
HOURS = (8, 12, 18)
WIDTH, HEIGHT = 760, 400
INK, FAINT, PAPER = "#222222", "#5a5a5a", "#ffffff"
CELL_WIDE, CELL_HIGH = 62, 34


@dataclass(frozen=True)
class Leaf:
    """A leaf: what it adds, and which actions pass the tests above it."""

    letter: str
    adds: str
    colour: str
    x: int
    counts: Callable[[str, int], bool]


LEAVES = (
    Leaf("A", "+0.4", "#56B4E9", 95, lambda channel, hour: hour <= 12),
    Leaf("B", "−0.1", "#E69F00", 185, lambda channel, hour: hour > 12),
    Leaf("C", "+0.7", "#35B58B", 295, lambda channel, hour: channel == "phone"),
    Leaf("D", "+0.2", "#F0E442", 385, lambda channel, hour: channel != "phone"),
)
ROWS = (("row 1: 10 days late", "AB", 50), ("row 2: 60 days late", "CD", 235))
"""What a row is called, the leaves that its own split leaves possible, where its grid begins."""


def text(words: str, at: tuple[int, int], *, size: int = 13, anchor: str = "middle", style: str = "") -> str:
    """Words with their middle, beginning or end at a point."""
    return f'<text x="{at[0]}" y="{at[1]}" font-size="{size}" text-anchor="{anchor}" fill="{INK}"{style}>{words}</text>'


def box(left: int, top: int, wide: int, high: int, *, fill: str = PAPER, style: str = "") -> str:
    """A rectangle."""
    return f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="{fill}" stroke="{INK}"{style}/>'


def line(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A branch."""
    return f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="{FAINT}" stroke-width="1.5"/>'


def split(asks: str, whose: str, x: int, top: int) -> str:
    """A split: a full line where the row is asked, a dashed one where the action is."""
    dashes = "" if whose == "row" else ' stroke-dasharray="5 3"'
    return (
        box(x - 76, top, 152, 42, style=f' rx="6" stroke-width="1.5"{dashes}')
        + text(asks, (x, top + 18))
        + text(f"asks the {whose}", (x, top + 35), size=12, style=' font-style="italic"')
    )


def tree() -> str:
    """Three splits and four leaves."""
    branches = [((240, 92), (140, 150)), ((240, 92), (340, 150))]
    branches += [((140 if one.x < 240 else 340, 192), (one.x, 250)) for one in LEAVES]
    signs = [
        ("yes", 172, 120),
        ("no", 306, 120),
        ("yes", 102, 224),
        ("no", 176, 224),
        ("yes", 302, 224),
        ("no", 376, 224),
    ]
    return "".join([
        text("one tree", (240, 30), size=15, style=' font-weight="bold"'),
        *(line(start, end) for start, end in branches),
        *(text(word, (x, y), size=12) for word, x, y in signs),
        split("days late ≤ 30", "row", 240, 50), split("hour ≤ 12", "action", 140, 150),
        split("channel is phone", "action", 340, 150), *(leaf(one) for one in LEAVES),
    ])  # fmt: skip


def leaf(one: Leaf) -> str:
    """A leaf and what it adds."""
    return (
        box(one.x - 36, 250, 72, 44, fill=one.colour)
        + text(one.letter, (one.x, 269), size=15, style=' font-weight="bold"')
        + text(one.adds, (one.x, 287))
    )


def words() -> str:
    """The bits that each row keeps, under the leaves."""
    parts = [text("bits kept by", (12, 322), size=12, anchor="start")]
    for place, (name, possible, _) in enumerate(ROWS):
        y = 346 + 24 * place
        parts += [text(str(int(one.letter in possible)), (one.x, y), size=15) for one in LEAVES]
        parts.append(text(name.split(":")[0], (12, y), size=12, anchor="start"))
    return "".join(parts)


def grid(name: str, possible: str, top: int) -> str:
    """The cells of the grid, each in the colour of the leaf that counts for it."""
    left = 548
    parts = [text(name, (left, top - 20), size=15, anchor="start", style=' font-weight="bold"')]
    for column, hour in enumerate(HOURS):
        parts.append(text(f"{hour} h", (left + column * CELL_WIDE + CELL_WIDE // 2, top + 3 * CELL_HIGH + 16), size=12))
    for row, channel in enumerate(CHANNELS):
        y = top + row * CELL_HIGH
        parts.append(text(channel, (left - 10, y + 22), anchor="end"))
        for column, hour in enumerate(HOURS):
            one = next(leaf for leaf in LEAVES if leaf.letter in possible and leaf.counts(channel, hour))
            x = left + column * CELL_WIDE
            parts.append(box(x, y, CELL_WIDE, CELL_HIGH, fill=one.colour))
            parts.append(text(f"{one.letter} {one.adds}", (x + CELL_WIDE // 2, y + 22)))
    return "".join(parts)


def picture() -> str:
    """The whole picture."""
    title = "A tree and the grid cells of its leaves"
    told = (
        "A split on days late asks the row; splits on hour and channel ask the action. Row 1 reaches leaves A and B, which fill "
        "the grid by hour; row 2 reaches C and D, which fill it by channel."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-labelledby="grid-t grid-d" font-family="Helvetica, Arial, sans-serif">'
        f'<title id="grid-t">{title}</title><desc id="grid-d">{told}</desc>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{PAPER}"/>'
        f"{tree()}{words()}{''.join(grid(*row) for row in ROWS)}</svg>\n"
    )


if __name__ == "__main__":
    sys.stdout.write(picture())
