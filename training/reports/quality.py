"""What `rettid check` does: hold a portfolio against the contract, measure it, write the page, set rows aside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.config import Config
from data.problems import counted
from data.progress import Say
from data.quality.inspection import Inspection, inspect_portfolio
from data.quality.set_aside import ASIDE, must_be_free, set_aside
from training.reports.quality_page import quality_page
from training.reports.write import write_whole

NAME = "quality"


@dataclass(frozen=True)
class Checked:
    """What was found, and where it stands.

    Attributes
    ----------
    page
        The page; None where there was no folder to speak of.
    aside
        Rows set aside by table; None where nothing was to be set aside, or nothing could be.
    """

    inspection: Inspection
    page: Path | None
    aside: dict[str, int] | None = None
    usable: Path | None = field(default=None)

    @property
    def ok(self) -> bool:
        """True where nothing breaks the contract."""
        return self.inspection.ok

    def lines(self) -> list[str]:
        """What was found, what was set aside, and on the last line where the page is."""
        lines = self.inspection.lines()
        if self.usable is not None and self.aside is None:
            lines.append(f"nothing was written to {self.usable}: these faults are not in rows")
        elif self.aside is not None:
            listed = "; ".join(f"{counted(count, 'row')} of {name}" for name, count in self.aside.items())
            lines.append(f"set aside, in {self.usable}/{ASIDE}: {listed or 'no row'}")
            lines.append(f"usable rows: {self.usable}")
        return [*lines, *([str(self.page)] if self.page else [])]


def check_quality(
    directory: Path,
    out: Path,
    *,
    config: Config,
    usable: Path | None = None,
    progress: Say = lambda _: None,
) -> Checked:
    """The inspection of a portfolio's folder, written to `out` as `quality.html` and `quality.json`.

    Parameters
    ----------
    usable
        Folder for the rows that can be used, and the others with their reasons; None to write neither.
    progress
        Called with a short sentence before each step.

    Raises
    ------
    BadPlace
        `usable` is the portfolio, inside it, or not empty.
    """
    if usable is not None:
        must_be_free(directory, usable)
    channels = config.grid.channels
    found = inspect_portfolio(directory, channels=channels, horizon_days=config.horizon.days, progress=progress)
    aside = None
    if usable is not None and not found.structural:
        progress("setting rows aside")
        aside = set_aside(directory, usable, channels=channels)
    if not directory.is_dir():
        return Checked(found, None, usable=usable)
    progress("drawing")
    return Checked(found, _write(found, directory, out, usable=usable if aside is not None else None), aside, usable)


def _write(found: Inspection, directory: Path, out: Path, *, usable: Path | None) -> Path:
    """Page and numbers; gives the page."""
    about = {"portfolio": directory.name, "set_aside": usable.name if usable else None}
    figures: dict[str, Any] = {"about": about, **found.as_dict()}
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{NAME}.html"
    write_whole(page, quality_page(figures).encode())
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(out / f"{NAME}.json", f"{text}\n".encode())
    return page
