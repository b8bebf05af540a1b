"""Breaches of the contract, told as findings beside those of quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from data.checks import elsewhere
from data.problems import Problem
from data.quality import decisions, duplicates, hours, money, probabilities
from data.quality.finding import Finding, share_of

HEADING = "Contract"

HEADING_OF_WHAT: Mapping[str, str] = {
    "duplicate key": duplicates.HEADING,
    "the same row stands more than once": duplicates.HEADING,
    elsewhere.WHAT: duplicates.HEADING,
    "no such row in contacts": decisions.HEADING,
}

HEADING_OF_COLUMN: Mapping[tuple[str, str | None], str] = {
    ("payments", "claim_id"): money.HEADING,
    ("payments", "debtor_id, claim_id"): money.HEADING,
    ("payments", "currency"): money.HEADING,
    ("contacts", "action_probability"): probabilities.HEADING,
    ("debtors", "time_zone"): hours.HEADING,
}


def breaches(problems: Sequence[Problem], *, rows: Mapping[str, int]) -> Iterator[Finding]:
    """One finding for each problem, under the heading where one would look for it.

    Parameters
    ----------
    rows
        Rows of each table, for the share.
    """
    for problem in problems:
        share = share_of(problem.count, rows.get(problem.table, 0))
        column = f"{problem.column}: " if problem.column else ""
        value = f", for instance {problem.value!r}" if problem.value is not None else ""
        sentence = f"{column}{problem.what}{value}"
        yield Finding("problem", _heading(problem), problem.table, sentence, problem.count, share, problem.remedy)


def _heading(problem: Problem) -> str:
    if problem.what.startswith("rows of one contact_id"):
        return duplicates.HEADING
    found = HEADING_OF_WHAT.get(problem.what)
    return found or HEADING_OF_COLUMN.get((problem.table, problem.column), HEADING)
