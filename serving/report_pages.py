"""Report pages: static files that training wrote into the workspace, in several languages, with their numbers beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from serving.access.report_access import FILE_NAME, page_of
from serving.problems import Refused

NAME = re.compile(r"[a-z0-9-]{1,64}")
INDEX = re.compile(r"index(-([a-z]{2}))?")
"""What pages call their list, in a language: it is made anew for whoever asks, since not everybody sees every page."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src data:; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""A page may show what stands in it, and fetch and run nothing."""

KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class ReportFile:
    """A file to be answered with; what is no page is taken home under its name."""

    path: Path
    kind: str

    @property
    def headers(self) -> dict[str, str]:
        """Beside its type."""
        if self.kind == "html":
            return HEADERS
        return {**HEADERS, "Content-Disposition": f'attachment; filename="{self.path.name}"'}


def report_names(folder: Path) -> list[str]:
    """Names of the pages there are, newest first; their list is none of them."""
    pages = [page for page in folder.glob("*.html") if _is_page(page.stem) and page.is_file()]
    return [page.stem for page in sorted(pages, key=lambda page: (-page.stat().st_mtime, page.stem))]


def language_of_index(name: str) -> tuple[bool, str | None]:
    """Whether a name is that of the list, and in which language.

    >>> language_of_index("index-sv.html"), language_of_index("index"), language_of_index("overview")
    ((True, 'sv'), (True, 'en'), (False, None))
    """
    found = INDEX.fullmatch(name.removesuffix(".html"))
    return (True, found[2] or "en") if found else (False, None)


def no_such_report() -> Refused:
    """There is no report of that name, or none for the caller."""
    return Refused("not-found", "no such report", remedy="see /reports for those there are")


def report_file(folder: Path, name: str) -> ReportFile:
    """A page by its name with or without `.html`, or its PDF, JSON or CSV.

    Raises
    ------
    serving.problems.Refused
        The name is not one that reports have, or there is no such file in the folder itself.
    """
    stem = page_of(name)
    kind = name[len(stem) + 1 :] or "html"
    path = folder / f"{stem}.{kind}"
    if kind not in KINDS or not _is_page(stem) or not path.is_file() or path.resolve().parent != folder.resolve():
        raise no_such_report()
    return ReportFile(path, kind)


def _is_page(stem: str) -> bool:
    told = stem in (Path(FILE_NAME).stem, "index")
    return not told and NAME.fullmatch(stem) is not None and INDEX.fullmatch(stem) is None
