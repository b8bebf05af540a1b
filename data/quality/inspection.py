"""A portfolio held against the contract, measured, and counted: shard by shard where it is laid out by debtor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from data.check import CheckResult, check_loaded, merged_results
from data.checks.elsewhere import Keys, keys_in_several, keys_of, told
from data.parquet_folder import Loaded
from data.problems import Problem, counted, merged
from data.progress import Say
from data.quality.contract import breaches
from data.quality.coverage import stored_columns
from data.quality.finding import LEVELS, Finding, percent
from data.quality.quality import FINE, HEADINGS, Quality, measure
from data.quality.separate import separate
from data.quality.tally import Tally
from data.schemas import SCHEMAS
from data.shards import LAYOUT, BadLayout, load_shards, shard_count
from data.vocabulary import CHANNELS


@dataclass(frozen=True)
class Verdict:
    """Whether a portfolio can be used: `code` is `usable`, `aside` or `unusable`."""

    code: str
    headline: str
    sentence: str


@dataclass(frozen=True)
class Inspection:
    """What was found out about a portfolio.

    Attributes
    ----------
    result
        The contract's check.
    quality
        The measures; None where the folder itself could not be read.
    aside
        Rows by table that cannot be used, with those that name them; empty where the fault is not in rows.
    structural
        Problems that are not in rows: nothing can be set aside for them.
    shards
        Number of shards of a folder laid out by debtor, 0 for another.
    """

    result: CheckResult
    quality: Quality | None
    aside: Mapping[str, int]
    structural: tuple[Problem, ...]
    shards: int

    @property
    def ok(self) -> bool:
        """True where nothing breaks the contract."""
        return self.result.ok

    def findings(self) -> list[Finding]:
        """Breaches of the contract and findings of quality, worst first, then by heading; what is fine last."""
        found = [
            *breaches(self.result.problems, rows=self.result.rows),
            *(self.quality.findings() if self.quality else ()),
        ]
        heard = {finding.heading for finding in found}
        fine = [Finding("fine", name, "", FINE[name]) for name in HEADINGS if name not in heard and self.quality]
        return sorted([*found, *fine], key=lambda one: (LEVELS.index(one.level), HEADINGS.index(one.heading)))

    def verdict(self) -> Verdict:
        """Whether the portfolio can be used, and why not."""
        if self.structural:
            first, more = self.structural[0], len(self.structural) - 1
            also = f", and {counted(more, 'more fault')} of this kind" if more else ""
            return Verdict("unusable", "Not usable", f"Because {first}{also}.")
        count = sum(self.aside.values())
        gone = [name for name in ("debtors", "claims") if 0 < self.aside.get(name, 0) == self.result.rows[name]]
        if gone:
            what = f"Because no row of {' and '.join(gone)} keeps the contract."
            return Verdict("unusable", "Not usable", what)
        if count:
            return Verdict("aside", f"Usable with {counted(count, 'row')} set aside", _aside_told(self.aside))
        return Verdict("usable", "Usable", self._settle())

    def _settle(self) -> str:
        problems = sum(finding.level == "problem" for finding in self.findings())
        looks = sum(finding.level == "look" for finding in self.findings())
        if problems:
            return f"It keeps the contract; settle {counted(problems, 'problem')} before figures are relied on."
        return f"It keeps the contract; {counted(looks, 'thing')} to explain." if looks else "It keeps the contract."

    def lines(self) -> list[str]:
        """The check's lines, then the findings under short headings, then the verdict."""
        lines = self.result.lines()
        found = self.findings()
        for heading in HEADINGS:
            under = [finding for finding in found if finding.heading == heading]
            if under and heading != "Contract":  # its lines stand above, table by table
                lines.extend(("", heading, *(f"  {one.level:<8} {_line(one)}" for one in under)))
        verdict = self.verdict()
        return [*lines, "", f"{verdict.headline}. {verdict.sentence}"]

    def as_dict(self) -> dict[str, Any]:
        """Everything for JSON; a page needs no more."""
        return {
            "verdict": asdict(self.verdict()),
            "shards": self.shards,
            "tables": [
                {"table": name, "given": name in self.result.given, "rows": rows, "aside": self.aside.get(name, 0)}
                for name, rows in self.result.rows.items()
            ],
            "findings": [asdict(finding) for finding in self.findings()],
            "notices": [str(notice) for notice in self.result.notices],
            "quality": None if self.quality is None else self.quality.as_dict(),
        }


def _line(finding: Finding) -> str:
    table = f"{finding.table}: " if finding.table else ""
    share = f", {percent(finding.share)}" if finding.share is not None else ""
    number = f" ({finding.count:,}{share})" if finding.count else ""
    return f"{table}{finding.sentence}{number}{'; ' + finding.remedy if finding.remedy else ''}"


def _aside_told(aside: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count:,} of {name}" for name, count in aside.items() if count)
    lost = " Claims whose payments are set aside look unpaid: mend these rather than leave them out."
    return f"These are {listed}.{lost if aside.get('payments') else ''}"


def inspect_portfolio(
    directory: Path | str,
    *,
    channels: Sequence[str] = CHANNELS,
    horizon_days: float = 14,
    progress: Say = lambda _: None,
) -> Inspection:
    """What there is to know about a portfolio's folder before it is used; never raises for what it finds there.

    Parameters
    ----------
    channels
        Channels of the configuration; those of the contract are always known.
    horizon_days
        Days from a decision in which a payment counts.
    progress
        Called with a short sentence before each shard.
    """
    try:
        shards = shard_count(directory)
    except BadLayout as fault:
        return _of_bad_layout(Path(directory), fault)
    stored = stored_columns(directory)
    parts = (
        _part(loaded, stored=stored, channels=channels, horizon_days=horizon_days)
        for loaded in load_shards(directory, progress=progress)
    )
    whole = reduce(_both, parts)
    elsewhere = keys_in_several(whole.keys) if shards else {}
    result, aside = replace(whole.result, problems=(*whole.result.problems, *told(elsewhere))), whole.aside
    if elsewhere and not whole.structural:
        again = (separate(one, channels=channels, elsewhere=elsewhere) for one in load_shards(directory))
        aside = reduce(_sum, (one.counts for one in again))
    return Inspection(result, whole.quality, {} if whole.structural else aside, whole.structural, shards)


@dataclass(frozen=True)
class _Part:
    """What one shard, or several together, gave."""

    result: CheckResult
    structural: tuple[Problem, ...]
    keys: tuple[Keys, ...]
    quality: Quality
    aside: Mapping[str, int]


def _part(loaded: Loaded, *, stored: Tally, channels: Sequence[str], horizon_days: float) -> _Part:
    result = check_loaded(loaded, channels=channels)
    spoilt = result.problems and not loaded.problems
    aside = separate(loaded, channels=channels).counts if spoilt else {}
    bare = tuple(replace(problem, unusable=None) for problem in result.problems)
    quality = measure(loaded.tables, given=loaded.given, stored=stored, horizon_days=horizon_days)
    return _Part(replace(result, problems=bare), loaded.problems, (keys_of(loaded.tables),), quality, aside)


def _both(left: _Part, right: _Part) -> _Part:
    return _Part(
        merged_results([left.result, right.result]),
        tuple(merged([*left.structural, *right.structural])),
        (*left.keys, *right.keys),
        left.quality.plus(right.quality),
        _sum(left.aside, right.aside),
    )


def _sum(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in SCHEMAS if name in left or name in right}


def _of_bad_layout(directory: Path, fault: BadLayout) -> Inspection:
    """The inspection of a folder whose `layout.json` cannot be believed: nothing else of it is read."""
    what, remedy = "the layout cannot be read", str(fault)
    problem = Problem("", None, value=str(directory / LAYOUT), count=0, what=what, remedy=remedy)
    result = CheckResult(dict.fromkeys(SCHEMAS, 0), frozenset(), (problem,), ())
    return Inspection(result, None, {}, (problem,), 0)
