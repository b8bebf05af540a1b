"""The check of a portfolio against the contract: `rettid check`, and the gate before every reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.checks.amounts import currencies, positive, probabilities
from data.checks.contacts import one_decision, said_of_contacts, send_times
from data.checks.keys import claims_of_debtor, references, unique_keys
from data.checks.order import contacts_after_claims, within_rows
from data.checks.scope import Check, Scope
from data.checks.stages import stages_named
from data.checks.values import codes, identifiers, known_words, no_nulls, zones
from data.parquet_folder import Loaded, load
from data.problems import Notice, Problem, counted
from data.schemas import SCHEMAS
from data.vocabulary import CHANNELS

CHECKS: tuple[Check, ...] = (
    no_nulls,
    known_words,
    identifiers,
    codes,
    zones,
    unique_keys,
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
    """

    rows: Mapping[str, int]
    given: frozenset[str]
    problems: tuple[Problem, ...]
    notices: tuple[Notice, ...]

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


def check_loaded(loaded: Loaded, *, channels: Sequence[str] = CHANNELS) -> CheckResult:
    """The same for tables already read."""
    folder_at_fault = any(not problem.table for problem in loaded.problems)
    scope = Scope(loaded.tables, channels=_known(channels), broken=_broken(loaded.problems))
    found = () if folder_at_fault else tuple(problem for rule in CHECKS for problem in rule(scope))
    return CheckResult(
        rows={name: loaded.tables[name].num_rows for name in SCHEMAS},
        given=loaded.given,
        problems=(*loaded.problems, *found),
        notices=loaded.notices if folder_at_fault else (*loaded.notices, *_notices(loaded, scope)),
    )


def _known(channels: Sequence[str]) -> tuple[str, ...]:
    return (*CHANNELS, *(channel for channel in channels if channel not in CHANNELS))


def _broken(problems: Sequence[Problem]) -> frozenset[tuple[str, str | None]]:
    return frozenset((problem.table, problem.column) for problem in problems)


def _notices(loaded: Loaded, scope: Scope) -> list[Notice]:
    missing = [
        Notice(name, what="optional table is missing: what needs it is null, rules take the cautious branch")
        for name, schema in SCHEMAS.items()
        if not schema.required and name not in loaded.given
    ]
    said = said_of_contacts(scope) if scope.sound("contacts", columns=()) else iter(())
    return [*missing, *said]
