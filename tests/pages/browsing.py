"""A real report and a real browser, Debian's chromium."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, sync_playwright

import rettid
from data.times import to_us
from tests.small_service import NOW
from training.reports.all_pages import all_pages
from training.reports.site.catalogue import LANGUAGES
from training.reports.site.files import Order, write_pages
from training.reports.write import workspace_facts

CHROMIUM = Path("/usr/bin/chromium")
PHONE, DESK = 360, 1280
AS_OF = "2026-02-02T05:00Z"


@dataclass(frozen=True)
class Written:
    """A report on a small simulated portfolio, in every language, and the first pages of it with their PDFs."""

    folder: Path
    printed: Path
    names: tuple[str, ...]
    workspace: Path
    portfolio: Path

    def pages(self, *languages: str) -> list[Path]:
        """Files of all pages in some languages."""
        marks = ["" if one == "en" else f"-{one}" for one in languages or LANGUAGES]
        return [self.folder / f"{name}{mark}.html" for name in (*self.names, "index") for mark in marks]


@dataclass
class Seen:
    """What a browser met while it showed a page."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def failed(self, request: Request) -> None:
        self.faults.append(f"failed: {request.url}")

    def outside(self, route: Route) -> None:
        self.faults.append(f"asked for {route.request.url}")
        route.abort()


@contextmanager
def opened(browser: Browser, *, width: int = DESK, scheme: str = "light") -> Iterator[Seen]:
    """A fresh page of the browser that notes every mistake and every request to somewhere else."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type] # light or dark
    seen = Seen(context.new_page())
    seen.page.on("console", seen.console)
    seen.page.on("pageerror", lambda error: seen.faults.append(f"error: {error}"))
    seen.page.on("requestfailed", seen.failed)
    context.route(lambda url: not url.startswith(("file:", "data:", "http://127.0.0.1")), seen.outside)
    yield seen
    context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.fail(f"expected {CHROMIUM}, found none: apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


def run(*words: object) -> None:
    """The program called with these words."""
    said, code = io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            rettid.main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
    assert code == 0, said.getvalue()


def played(folder: Path) -> tuple[Path, Path]:
    """A workspace whose decisions have been played forward, and its portfolio."""
    workspace, portfolio, decisions = folder / "workspace", folder / "portfolio", folder / "decisions.parquet"
    portfolio.mkdir()
    arms = "[arms]\ncontrol = 0.45\nexplore = 0.10\nchampion = 0.45\n"
    (portfolio / "rettid.toml").write_text(arms, encoding="utf-8")
    at, here = ("--as-of", AS_OF), ("--workspace", workspace)
    run(*here, "simulate", portfolio, "--debtors", 2500, "--months", 10, "--truth", 10, "--until", AS_OF)
    run(*here, "train", portfolio, *at, "--model", "lightgbm")
    run(*here, "promote", "best", "--force", "a test")
    run(*here, "decide", portfolio, *at, "--out", decisions)
    run(*here, "simulate", portfolio, "--continue", 35, "--decisions", decisions)
    run(*here, "check", portfolio)
    return workspace, portfolio


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    workspace, portfolio = played(tmp_path_factory.mktemp("pages"))
    every = all_pages(workspace_facts(workspace))
    largest = next(page.creditor for page in every if page.creditor)
    pages = [page for page in every if page.creditor in (None, largest)]
    folder, printed = workspace / "reports", workspace / "printed"
    write_pages(pages, folder, order=Order(LANGUAGES, to_us(NOW), "none"))
    write_pages(pages[:3], printed, order=Order(("en",), to_us(NOW), "every"))
    return Written(folder, printed, tuple(page.name for page in pages), workspace, portfolio)
