"""Report pages: static files that training wrote into the workspace, and a plain list of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from serving.problems import Refused

NAME = re.compile(r"[a-z0-9-]{1,64}")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src data:; frame-ancestors 'none'"
    )
}
"""A page may show what stands in it, and fetch and run nothing."""


def report_names(folder: Path) -> list[str]:
    """Names of the pages there are, newest first."""
    pages = [page for page in folder.glob("*.html") if NAME.fullmatch(page.stem) and page.is_file()]
    return [page.stem for page in sorted(pages, key=lambda page: (-page.stat().st_mtime, page.stem))]


def report_list(names: Sequence[str], *, sign_out: str = "") -> str:
    """A page that lists reports; `sign_out` is the form that ends a browser's session."""
    items = "".join(f'<li><a href="/reports/{escape(name)}">{escape(name)}</a></li>' for name in names)
    body = (
        f"<ul>{items}</ul>" if items else "<p>No report has been written yet: <code>rettid report --out DIR</code></p>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title></head>'
        f"<body><h1>Reports</h1>{body}{sign_out}</body></html>"
    )


def no_such_report() -> Refused:
    """There is no report of that name, or none for the caller."""
    return Refused("not-found", "no such report", remedy="see /reports for those there are")


def report_page(folder: Path, name: str) -> str:
    """One page, by its name with or without `.html`.

    Raises
    ------
    serving.problems.Refused
        The name is not one that reports have, or there is no such page in the folder itself.
    """
    stem = name.removesuffix(".html")
    path = folder / f"{stem}.html"
    if not NAME.fullmatch(stem) or not path.is_file() or path.resolve().parent != folder.resolve():
        raise no_such_report()
    return path.read_text(encoding="utf-8")
