"""Counts of a proof: what was decided, judged, forbidden and blocked; they add up over batches and go to a file between them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.proof.judge import ORDER

ENOUGH = 1_000
"""Blocks of a rule below which a proof says that it has hardly met it."""


@dataclass
class Tally:
    """What was counted; the words of a count stand in front of it."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def add(self, what: str, of: str, count: int = 1) -> None:
        """Count something of a kind."""
        self.counts.setdefault(what, Counter())[of] += count

    def of(self, what: str) -> Counter[str]:
        """All kinds of something."""
        return self.counts.get(what, Counter())

    def found(self, what: str, of: str, example: str) -> None:
        """Count something that ought not to be, and keep the first few."""
        self.add(what, of)
        if len(self.examples) < 20:
            self.examples.append(f"{what} {of}: {example}")

    def join(self, other: Tally) -> None:
        """Take over another's counts."""
        for what, counter in other.counts.items():
            self.counts.setdefault(what, Counter()).update(counter)
        self.examples = [*self.examples, *other.examples][:20]

    @property
    def wrong(self) -> int:
        """Everything that ought not to be."""
        return sum(self.of("forbidden").values()) + sum(self.of("untrue").values())

    def as_line(self, **head: Any) -> str:
        """One line of JSON."""
        return json.dumps({**head, "counts": self.counts, "examples": self.examples})


def kept(path: Path | None, **head: Any) -> dict[int, Tally]:
    """Batches of a file that were made with the same head, by number."""
    found: dict[int, Tally] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []:
        row = json.loads(line)
        if all(row.get(name) == value for name, value in head.items()):
            counts = {what: Counter(of) for what, of in row["counts"].items()}
            found[row["batch"]] = Tally(counts, row["examples"])
    return found


def show(tally: Tally, *, title: str, seconds: float) -> None:
    """Print the tables."""
    console = Console(width=120)
    where = Table(title=title)
    for heading in ("country", "decisions", "contacts judged", "forbidden"):
        where.add_column(heading, justify="left" if heading == "country" else "right")
    for country in sorted(tally.of("decisions")):
        cells = [tally.of(what)[country] for what in ("decisions", "contacts", "forbidden at")]
        where.add_row(country, *(f"{cell:,}" for cell in cells))
    whole = [sum(tally.of(what).values()) for what in ("decisions", "contacts", "forbidden at")]
    where.add_row("all", *(f"{cell:,}" for cell in whole))
    console.print(where)
    for what in (
        "debtors",
        "wishes that the mask barred",
        "wishes",
        "arms",
        "compared",
        "forbidden",
        "untrue",
    ):
        if tally.of(what):
            console.print(
                f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(tally.of(what).items()))
            )
    _show_blocks(console, tally)
    for example in tally.examples:
        console.print(example, markup=False)
    console.print(f"{seconds:.0f} seconds")


def _show_blocks(console: Console, tally: Tally) -> None:
    blocks = Table(title="channels and claims that a rule took, each reason held against the judge")
    for heading in ("rule", "channels", "claims"):
        blocks.add_column(heading, justify="left" if heading == "rule" else "right")
    for rule in ORDER:
        blocks.add_row(rule, f"{tally.of('channels blocked')[rule]:,}", f"{tally.of('claims held')[rule]:,}")
    console.print(blocks)
    rare = [rule for rule in ORDER if tally.of("channels blocked")[rule] < ENOUGH]
    console.print(f"rules that took fewer than {ENOUGH:,} channels: {', '.join(rare) or 'none'}")
