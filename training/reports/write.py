"""The report: every page about the decisions of a workspace's log, as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data.config import read_config
from data.decision_log import BATCH, Batch
from data.log_place import LogPlace
from data.portfolio import read_portfolio
from data.progress import Progress
from data.times import NEVER, to_us
from data.whole import whole_file
from training.reports.all_pages import all_pages
from training.reports.blocks import Page
from training.reports.evidence import latest_fact_us
from training.reports.facts import Facts, NothingDecided, facts_of
from training.reports.site.catalogue import the_catalogue
from training.reports.site.files import Order, Written, write_pages
from training.reports.site.reader import reader_of


@dataclass(frozen=True)
class Report:
    """What was written, and the pages."""

    written: Written
    pages: tuple[Page, ...]
    language: str

    def lines(self) -> list[str]:
        """The verdict of each page about all creditors, how many there are about single ones, where they lie."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        reader = reader_of(self.language, the_catalogue())
        for page in self.pages:
            if page.creditor is None and page.verdict is not None:
                yield f"{reader.text(page.title)}: {reader.text(page.verdict.headline)}"
        single = {page.creditor for page in self.pages} - {None}
        yield f"{len(self.pages)} pages, {len(self.written.files)} files; {len(single)} creditors have pages of their own"
        yield str(self.written.index)
        if self.written.note:
            yield self.written.note


def report(
    workspace: Path,
    out: Path,
    *,
    order: Order,
    portfolio: Path | None = None,
    log_place: LogPlace | None = None,
    progress: Progress = lambda _what, _share: None,
) -> Report:
    """The report on a workspace's decision log, written to the folder `out`.

    Parameters
    ----------
    portfolio
        Folder with the portfolio as it is now known; None for that of the last batch in the log.
    log_place
        Where the decision log is; None: in the workspace.

    Raises
    ------
    training.reports.facts.NothingDecided
        The log is missing or empty, or no batch names its portfolio and none was given.
    data.problems.BadPortfolio
        The portfolio breaks the contract.
    """
    for language in order.languages:
        reader_of(language, the_catalogue())
    facts = workspace_facts(
        workspace, portfolio=portfolio, log_place=log_place, now_us=order.written_us, progress=progress
    )
    pages = all_pages(facts, progress=progress)
    return Report(write_pages(pages, out, order=order, progress=progress), tuple(pages), order.languages[0])


def workspace_facts(
    workspace: Path,
    *,
    portfolio: Path | None = None,
    log_place: LogPlace | None = None,
    now_us: int | None = None,
    progress: Progress = lambda _what, _share: None,
) -> Facts:
    """What a workspace's log and the portfolio decided on have to tell; parameters and errors as in `report`.

    Facts dated later than `now_us` are left out, and so are decisions; None: no fact is, and decisions after the last fact.
    """
    progress("reading", 0.0)
    decisions, folder = _logged(log_place or LogPlace(workspace), portfolio)
    config = read_config(folder, workspace)
    progress("reading", 0.3)
    tables = read_portfolio(folder, channels=config.grid.channels)
    progress("reading", 0.7)
    known_until_us = latest_fact_us(tables, now_us=NEVER if now_us is None else now_us)
    found = facts_of(
        decisions, tables, config=config, workspace=workspace, known_until_us=known_until_us, now_us=now_us
    )
    progress("reading", 1.0)
    return found


def _logged(place: LogPlace, portfolio: Path | None) -> tuple[pa.Table, Path]:
    """Decisions of the log that belong to one portfolio, and its folder."""
    if not place.exists:
        raise NothingDecided(f"expected a decision log in {place.workspace}, found none: run `rettid decide` first")
    log = place.open()
    try:
        decisions, batches = log.decisions(), log.batches()
    finally:
        log.close()
    named = [Path(batch.portfolio) for batch in batches if batch.portfolio]
    folder = portfolio or (named[-1] if named else None)
    if folder is None:
        raise NothingDecided("no batch in the log names its portfolio: say which one with its folder")
    return _of_portfolio(decisions, batches, folder), folder


def _of_portfolio(decisions: pa.Table, batches: tuple[Batch, ...], folder: Path) -> pa.Table:
    """The decisions without the batches decided on other folders: their debtors may bear the same identifiers."""
    here = {batch.as_of for batch in batches if batch.portfolio and Path(batch.portfolio).resolve() == folder.resolve()}
    others = {batch.as_of for batch in batches if batch.portfolio} - here
    instants = pa.array([to_us(one) for one in others], pa.int64())
    foreign = pc.is_in(decisions["decided_at"].cast(pa.int64()), value_set=instants)
    from_batch = pc.equal(decisions["source"], BATCH)
    return decisions.filter(pc.invert(pc.and_(foreign, from_batch)))


def write_whole(path: Path, content: bytes) -> None:
    """Writes the whole file or nothing: a page may be read while it is renewed."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)
