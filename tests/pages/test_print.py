"""Pages on paper: A4 from the browser and as PDF, with all that is folded on the screen, nothing cut off."""

from __future__ import annotations

import re

import weasyprint
from playwright.sync_api import Browser

from tests.pages.browsing import Written, opened
from tests.training.reports.page_reader import Reader

A4_WIDTH = 680
"""Points between the margins of A4."""

A4 = {(595, 842), (596, 842), (595, 841)}
"""Points of a sheet, as they are rounded."""

MOST_SHEETS = 30
CUT = """() => [...document.querySelectorAll('main, .scroll, figure, .tiles li, td, th')]
    .filter(one => one.scrollWidth > one.clientWidth + 2 || one.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 5).map(one => one.tagName + '.' + one.className + ': ' + one.textContent.slice(0, 40))"""
HIDDEN = """() => [...document.querySelectorAll('details table')].filter(one => one.getBoundingClientRect().height < 5).length"""
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def test_nothing_is_cut_off_on_paper_and_what_is_folded_is_there(browser: Browser, written: Written) -> None:
    cut, hidden = {}, {}
    with opened(browser, width=A4_WIDTH) as seen:
        seen.page.emulate_media(media="print")
        for path in written.pages("en", "sv"):
            seen.page.goto(path.as_uri())
            cut[path.name], hidden[path.name] = seen.page.evaluate(CUT), seen.page.evaluate(HIDDEN)
    assert {name: found for name, found in cut.items() if found} == {}
    assert {name: found for name, found in hidden.items() if found} == {}


def test_the_browser_prints_every_page_on_a4(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        for path in written.pages("en"):
            seen.page.goto(path.as_uri())
            printed = seen.page.pdf(prefer_css_page_size=True)
            boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
            assert boxes, path.name
            assert {(round(float(wide)), round(float(high))) for wide, high in boxes} <= A4, path.name
            assert 1 <= len(re.findall(rb"/Type /Page\b(?!s)", printed)) <= MOST_SHEETS, path.name


def test_the_pdf_shows_the_same_figures_as_the_page(written: Written) -> None:
    """Text as it was laid out on the PDF's pages: no library that we lock reads it back from the file."""
    for path in sorted(written.printed.glob("*.html")):
        if path.stem == "index":
            continue
        html = path.read_text(encoding="utf-8")
        document = weasyprint.HTML(string=html).render()
        said = " ".join(
            box.text for page in document.pages for box in page._page_box.descendants() if hasattr(box, "text")
        )
        shown = set(NUMBER.findall(Reader(html).said()))
        assert len(shown) > 20
        assert shown - set(NUMBER.findall(said)) == set(), path.name
        assert path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert 1 <= len(document.pages) <= MOST_SHEETS
