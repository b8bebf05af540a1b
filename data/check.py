"""The check of a portfolio against the contract: `rettid check`, and the gate before every reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from data.checks.amounts import currencies, positive, probabilities
from data.checks.contacts import ContactCounts, contact_counts, one_decision, said_of_contacts, send_times
from data.checks.elsewhere import keys_elsewhere
from data.checks.keys import claims_of_debtor, references, unique_keys
from data.checks.order import contacts_after_claims, within_rows
from data.checks.scope import Check, Scope
from data.checks.stages import stages_named
from data.checks.values import codes, identifiers, known_words, no_nulls, zones
from data.parquet_folder import Loaded, load
from data.problems import Notice, Problem, counted, merged
from data.schemas import SCHEMAS
from data.vocabulary import CHANNELS

CHECKS: tuple[Check, ...] = (
    no_nulls,
    known_words,
    identifiers,
    codes,
    zones,
    unique_keys,
    keys_elsewhere,
    references,
    claims_of_debtor,
    contacts_after_claims,
    within_rows,
    send_times,
    one_decision,
    stages_named,
    positive,
    probabilities,
    currencies,
)


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Parameters
    ----------
    rows
        Rows of each contract table, in contract order; 0 where it is missing or unreadable.
    given
        Names of the tables that were there.
    problems
        Breaches of the contract; any of them makes the portfolio unusable.
    notices
        Worth knowing, and no reason to refuse.
    contacts
        Counts behind the notices on contacts; None where the table cannot be relied on.
    """

    rows: Mapping[str, int]
    given: frozenset[str]
    problems: tuple[Problem, ...]
    notices: tuple[Notice, ...]
    contacts: ContactCounts | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """True where nothing breaks the contract."""
        return not self.problems

    def problems_of(self, table: str) -> tuple[Problem, ...]:
        """Problems of one table; of the folder itself under the empty name."""
        return tuple(problem for problem in self.problems if problem.table == table)

    def lines(self) -> list[str]:
        """The result to read: one line per table, under it a line for each problem and notice."""
        lines: list[str] = []
        for table in ("", *self.rows):
            found = self.problems_of(table)
            if table:
                lines.append(f"{table}: {self._standing(table)}, {counted(len(found), 'problem')}")
            lines.extend(f"  problem  {problem}" for problem in found)
            lines.extend(f"  notice   {notice}" for notice in self.notices if notice.table == table)
        return lines

    def _standing(self, table: str) -> str:
        return counted(self.rows[table], "row") if table in self.given else "not there"


def check(directory: Path | str, *, channels: Sequence[str] = CHANNELS) -> CheckResult:
    """The portfolio in a folder held against the contract; never raises for what it finds there.

    Parameters
    ----------
    channels
        Channels of the configuration; those of the contract are always known.

    >>> print(check("no/such/folder").problems[0])
    no such folder, 'no/such/folder'; name the folder that holds the portfolio
    """
    return check_loaded(load(directory), channels=channels)


def check_loaded(
    loaded: Loaded,
    *,
    channels: Sequence[str] = CHANNELS,
    elsewhere: Mapping[tuple[str, str], pa.Array] | None = None,
) -> CheckResult:
    """The same for tables already read.

    Parameters
    ----------
    elsewhere
        Keys that stand in another shard too, by (table, column), where the tables are one shard of a portfolio.
    """
    folder_at_fault = any(not problem.table for problem in loaded.problems)
    scope = Scope(loaded.tables, _known(channels), broken=_broken(loaded.problems), elsewhere=elsewhere or {})
    counts = None if folder_at_fault else contact_counts(scope)
    found = () if folder_at_fault else tuple(problem for rule in CHECKS for problem in rule(scope))
    return CheckResult(
        rows={name: loaded.tables[name].num_rows for name in SCHEMAS},
        given=loaded.given,
        problems=(*loaded.problems, *found),
        notices=(*loaded.notices, *(() if folder_at_fault else _notices(loaded.given, counts))),
        contacts=counts,
    )


def merged_results(results: Sequence[CheckResult]) -> CheckResult:
    """One result for the shards of a portfolio, at least one: rows added up, each kind of problem once."""
    first = results[0]
    counts = first.contacts
    for result in results[1:]:
        counts = None if counts is None or result.contacts is None else counts + result.contacts
    of_folder = tuple(notice for notice in first.notices if not notice.table)
    return CheckResult(
        rows={name: sum(result.rows[name] for result in results) for name in SCHEMAS},
        given=first.given,
        problems=tuple(merged(problem for result in results for problem in result.problems)),
        notices=(*of_folder, *_notices(first.given, counts)),
        contacts=counts,
    )


def _known(channels: Sequence[str]) -> tuple[str, ...]:
    return (*CHANNELS, *(channel for channel in channels if channel not in CHANNELS))


def _broken(problems: Sequence[Problem]) -> frozenset[tuple[str, str | None]]:
    return frozenset((problem.table, problem.column) for problem in problems)


def _notices(given: frozenset[str], counts: ContactCounts | None) -> list[Notice]:
    missing = [
        Notice(name, what="optional table is missing: what needs it is null, rules take the cautious branch")
        for name, schema in SCHEMAS.items()
        if not schema.required and name not in given
    ]
    return [*missing, *(() if counts is None else said_of_contacts(counts))]
