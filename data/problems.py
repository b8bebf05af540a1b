"""What is wrong with a portfolio, and what is merely worth knowing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

import pyarrow as pa

SHOWN = 20
"""Problems that an exception's message lists before it counts the rest."""


@dataclass(frozen=True)
class Problem:
    """One breach of the contract, in one line.

    Parameters
    ----------
    table
        Name of the table; empty when the folder itself is at fault.
    column
        Name of the column, several joined by `, `; None when the table as a whole is at fault.
    value
        One example of the offending value as text; None when there is none to show.
    count
        Number of rows concerned; 0 when the fault is not in rows.
    what
        What is wrong, beginning after "table.column: ".
    remedy
        What would be right.
    by_value
        The value itself is the fault, not an example of it: another value is another problem.
    unusable
        Rows of the table that cannot be used because of it, one boolean per row, null for false; None where the fault is
        not in rows. All rows that contradict each other, all but one of rows that are the same. It says how to go on, not
        what was found, and so takes no part in comparisons.

    >>> str(Problem("contacts", column="channel", value="fax", count=2, what="unknown value", remedy="use sms"))
    "contacts.channel: unknown value, 'fax' in 2 rows; use sms"
    """

    table: str
    column: str | None
    _: KW_ONLY
    value: str | None
    count: int
    what: str
    remedy: str
    by_value: bool = False
    unusable: pa.ChunkedArray | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        place = ".".join(part for part in (self.table, self.column) if part)
        return f"{place + ': ' if place else ''}{self.what}{self._found()}; {self.remedy}"

    def _found(self) -> str:
        rows = f" in {counted(self.count, 'row')}" if self.count else ""
        return f", {self.value!r}{rows}" if self.value is not None else rows


@dataclass(frozen=True)
class Notice:
    """Something a reader should know that does not make the portfolio invalid.

    >>> str(Notice("contacts", what="no row of channel none"))
    'contacts: no row of channel none'
    """

    table: str
    what: str

    def __str__(self) -> str:
        return f"{self.table}: {self.what}" if self.table else self.what


class BadPortfolio(ValueError):
    """Tables that break the contract; `problems` holds every breach."""

    def __init__(self, problems: Sequence[Problem], *, where: str) -> None:
        self.problems = tuple(problems)
        self.where = where
        shown = [f"  {problem}" for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            shown.append(f"  and {len(self.problems) - SHOWN} more: `rettid check` shows all")
        heading = f"{where} breaks the contract in {counted(len(self.problems), 'way')}:"
        super().__init__("\n".join([heading, *shown]))


def counted(count: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def merged(problems: Iterable[Problem]) -> list[Problem]:
    """The same problems, those alike but for value and count (one per file or shard) made one, rows summed.

    What is merged comes from different rows, so that it has no mask of unusable ones.

    >>> naive = Problem("claims", column="registered_at", value=None, count=3, what="naive", remedy="add UTC")
    >>> [problem.count for problem in merged([naive, naive])]
    [6]
    """
    kept: dict[tuple[str, str | None, str, str | None], Problem] = {}
    for problem in problems:
        name = (problem.table, problem.column, problem.what, problem.value if problem.by_value else None)
        before = kept.get(name)
        count = problem.count + (0 if before is None else before.count)
        kept[name] = replace(before or problem, count=count, unusable=None)
    return list(kept.values())
