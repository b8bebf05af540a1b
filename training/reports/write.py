"""The report's files: page, PDF where Pango is there, and the numbers as JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config, read_config
from data.decision_log import BATCH, Batch
from data.log_place import LogPlace
from data.portfolio import Portfolio, read_portfolio
from data.progress import Say
from data.times import to_us
from data.whole import whole_file
from training.reports.evidence import latest_fact_us
from training.reports.figures import Figures, figures
from training.reports.page import page

NAME = "overview"
Leaf = tuple[tuple[str, ...], tuple[str, ...], object]


class NothingDecided(LookupError):
    """There are no decisions to report on, or the portfolio they belong to is not known."""


@dataclass(frozen=True)
class ReportFiles:
    """What was written. `pdf` is None where it could not be made, and `note` says why in a sentence."""

    html: Path
    json: Path
    csv: Path
    pdf: Path | None
    note: str | None
    verdict: str


def report(
    workspace: Path,
    out: Path,
    *,
    portfolio: Path | None = None,
    log_place: LogPlace | None = None,
    progress: Say = lambda _: None,
) -> ReportFiles:
    """The report on a workspace's decision log, written to the folder `out`.

    Parameters
    ----------
    portfolio
        Folder with the portfolio as it is now known; None for that of the last batch in the log.
    log_place
        Where the decision log is; None: in the workspace.
    progress
        Called with a short sentence before each step.

    Raises
    ------
    NothingDecided
        The log is missing or empty, or no batch names its portfolio and none was given.
    data.problems.BadPortfolio
        The portfolio breaks the contract.
    """
    progress("reading the decision log")
    decisions, folder = _logged(log_place or LogPlace(workspace), portfolio)
    config = read_config(folder, workspace)
    progress(f"reading the portfolio in {folder}")
    tables = read_portfolio(folder, channels=config.grid.channels)
    known_until_us = latest_fact_us(tables)
    progress("computing and drawing")
    return write_reports(decisions, portfolio=tables, config=config, known_until_us=known_until_us, out=out)


def write_reports(
    decisions: pa.Table, *, portfolio: Portfolio, config: Config, known_until_us: int, out: Path
) -> ReportFiles:
    """The report on decision rows, written to the folder `out` as `overview.html`, `.json`, `.csv` and `.pdf`.

    Decisions on claims that the portfolio does not have are left out, as are those after `known_until_us`.

    Raises
    ------
    NothingDecided
        No row is left.
    """
    known = pc.is_in(decisions["claim_id"], value_set=portfolio["claims"]["claim_id"].combine_chunks())
    instants = decisions["decided_at"].cast(pa.int64())
    ours = decisions.filter(pc.and_(known, pc.less_equal(instants, known_until_us)))
    if not ours.num_rows:
        raise NothingDecided(
            f"expected decisions on claims of the portfolio, found none among {decisions.num_rows} rows of the log: "
            "run `rettid decide` first, or name the portfolio that was decided on"
        )
    found = figures(ours, portfolio, config=config, known_until_us=known_until_us)
    html = page(found)
    out.mkdir(parents=True, exist_ok=True)
    paths = {kind: out / f"{NAME}.{kind}" for kind in ("html", "json", "csv", "pdf")}
    write_whole(paths["html"], html.encode())
    write_whole(paths["json"], (json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    write_whole(paths["csv"], as_csv(found).encode())
    note = _pdf(html, paths["pdf"])
    pdf = paths["pdf"] if note is None else None
    return ReportFiles(paths["html"], paths["json"], paths["csv"], pdf, note, found["verdict"]["headline"])


def as_csv(found: Figures) -> str:
    """One line per number or word of the figures: section, row within it, measure, value.

    >>> print(as_csv({"looks": [{"days": 14, "arms": [{"arm": "control", "debtors": 7}]}]}))
    section,row,measure,value
    looks,14,days,14
    looks,14 control,arms arm,control
    looks,14 control,arms debtors,7
    <BLANKLINE>
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("section", "row", "measure", "value"))
    for section, content in found.items():
        lines.writerows((section, " ".join(row), " ".join(measure), value) for row, measure, value in _leaves(content))
    return text.getvalue()


ROW_NAMES = ("days", "arm", "channel", "hour", "day", "bin")
"""Keys that tell the rows of a list apart."""


def _leaves(content: object, row: tuple[str, ...] = (), measure: tuple[str, ...] = ()) -> Iterator[Leaf]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, row, (*measure, key))
    elif isinstance(content, list):
        for one in content:
            names = [str(one[key]) for key in ROW_NAMES if key in one] if isinstance(one, dict) else []
            yield from _leaves(one, (*row, *names), measure)
    else:
        yield row, measure, "" if content is None else content


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


def _pdf(html: str, path: Path) -> str | None:
    """Prints the page as PDF; gives the reason in words where that cannot be done here."""
    try:
        import weasyprint  # noqa: PLC0415 - costly, and fails where the system library Pango is missing
    except OSError as error:
        path.unlink(missing_ok=True)  # an older PDF would no longer agree with the page
        return f"no PDF was made: the system library Pango is missing ({str(error).splitlines()[0]})"
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)  # it warns of each rule of CSS that is meant for screens only
    write_whole(path, weasyprint.HTML(string=html).write_pdf())
    return None
