"""What `rettid overlap` does: say what a portfolio's log can answer, and write it as page, numbers and tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.config import Config
from data.portfolio import read_portfolio
from data.progress import Say
from training.logged.report import OverlapReport, OverlapSettings, overlap_report
from training.reports.overlap_page import overlap_page
from training.reports.write import write_whole

NAME = "overlap"


@dataclass(frozen=True)
class WrittenOverlap:
    """What was found, and the page it stands on."""

    report: OverlapReport
    page: Path

    def lines(self) -> list[str]:
        """What was found, and on the last line where the page is."""
        return [*self.report.lines(), str(self.page)]


def report_overlap(
    directory: Path,
    out: Path,
    *,
    as_of_us: int,
    config: Config,
    seed: int,
    settings: OverlapSettings | None = None,
    progress: Say = lambda _: None,
) -> WrittenOverlap:
    """The overlap report of a portfolio's folder, written to `out` as `overlap.html`, `.json` and two `.csv`.

    Raises
    ------
    BadPortfolio
        The portfolio breaks the contract.
    NoTrainingRows
        The log holds no mature decision.
    """
    portfolio = read_portfolio(directory, channels=config.grid.channels)
    found = overlap_report(portfolio, as_of_us=as_of_us, config=config, seed=seed, settings=settings, progress=progress)
    progress("writing")
    return WrittenOverlap(found, write_overlap(found, out, source=directory.name))


def write_overlap(report: OverlapReport, out: Path, *, source: str) -> Path:
    """Page, numbers and tables of a report; gives the page.

    Parameters
    ----------
    source
        Name of the portfolio, for the page.
    """
    figures = {"about": {"portfolio": source}, **report.as_dict()}
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{NAME}.html"
    write_whole(page, overlap_page(figures).encode())
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(out / f"{NAME}.json", f"{text}\n".encode())
    write_whole(out / f"{NAME}_map.csv", _table(_flat_cell(one) for one in figures["cells"]))
    write_whole(out / f"{NAME}_questions.csv", _table(_flat_question(one) for one in figures["questions"]))
    return page


def _flat_cell(cell: dict[str, Any]) -> dict[str, Any]:
    found, paid = cell["found"] or {}, cell["paid"] or {}
    return {
        **_without(cell, ("found", "paid")),
        **{name: found.get(name) for name in ("matched", "effective", "largest_weight", "mean_weight")},
        **{f"paid_{name}": paid.get(name) for name in ("value", "low", "high")},
    }


def _flat_question(question: dict[str, Any]) -> dict[str, Any]:
    effect, need = question["effect"] or {}, question["need"] or {}
    return {
        **_without(question, ("effect", "need")),
        **{f"effect_{end}": effect.get("value", {}).get(end) for end in ("value", "low", "high")},
        "naive": effect.get("naive", {}).get("value"),
        "overturned_at": effect.get("overturned_at"),
        **{f"need_{name}": need.get(name) for name in ("decisions", "weeks", "half_width")},
    }


def _without(row: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}


def _table(rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows as CSV, a header first; empty for no rows."""
    listed = list(rows)
    text = io.StringIO()
    if listed:
        writer = csv.DictWriter(text, list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
    return text.getvalue().encode()
