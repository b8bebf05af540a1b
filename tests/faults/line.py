"""A line of the table of faults: what was done how often, what came of it, and whether that is what was promised."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """What one part of the run shows; `wrong` holds what broke the promise, at most a few of each sort."""

    fault: str
    count: str
    result: str
    wrong: tuple[str, ...] = ()


def timed(part: Callable[[], Sequence[Line]]) -> tuple[list[Line], float]:
    """The lines of a part and how many seconds it took."""
    begin = time.perf_counter()
    return [*part()], time.perf_counter() - begin


def show(found: Sequence[tuple[Line, float]], *, title: str) -> None:
    """Prints the table, and under it what is wrong."""
    table = Table(title=title)
    for name in ("fault", "how many", "result", "s", ""):
        table.add_column(name, justify="right" if name == "s" else "left", overflow="fold")
    for line, seconds in found:
        table.add_row(line.fault, line.count, line.result, f"{seconds:.0f}", "wrong" if line.wrong else "as promised")
    console = Console(width=160)
    console.print(table)
    for line, _ in found:
        for one in line.wrong:
            console.print(f"{line.fault}: {one}", markup=False)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed; 0 where there is none.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1_000) * len(ordered) // 1_000) - 1)] if ordered else 0.0
