"""Every page in every language opens without a mistake, with its charts, at any width, in light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.browsing import DESK, PHONE, Written, opened
from training.reports.site.catalogue import LANGUAGES

CHARTS = """() => [...document.querySelectorAll('.drawing svg')].map(one => {
    const box = one.getBoundingClientRect();
    return [one.querySelector('title').textContent, box.width, box.height, one.querySelectorAll('path').length];
})"""
TOO_WIDE = """() => document.documentElement.scrollWidth > window.innerWidth ? [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 3).map(one => one.tagName + '.' + one.className) : []"""
LETTERS = """() => Math.min(...[...document.querySelectorAll('.drawing svg')].flatMap(one => {
    const scale = one.getBoundingClientRect().width / one.viewBox.baseVal.width;
    return [...one.querySelectorAll('text')].map(text => parseFloat(text.getAttribute('font-size')) * scale);
}))"""
LINKS = """() => [[...document.querySelectorAll('[id]')].map(one => one.id),
    [...document.querySelectorAll('a')].map(one => one.getAttribute('href'))]"""
INKS = """() => [...document.querySelectorAll('.drawing svg text, h1, td, p')].map(one => {
    const style = getComputedStyle(one); return one.tagName === 'text' ? style.fill : style.color;
})"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_opens_without_a_mistake_and_asks_for_nothing_else(
    browser: Browser, written: Written, language: str
) -> None:
    with opened(browser) as seen:
        for path in written.pages(language):
            seen.page.goto(path.as_uri())
            assert seen.page.evaluate("document.documentElement.lang") == language
            assert seen.page.locator("script").count() == 0
            assert seen.faults == [], path.name


def test_every_chart_is_there_with_a_name_and_a_size(browser: Browser, written: Written) -> None:
    found = 0
    with opened(browser) as seen:
        for path in written.pages("en", "da"):
            seen.page.goto(path.as_uri())
            for title, width, height, marks in seen.page.evaluate(CHARTS):
                assert title, path.name
                assert width > 200, (path.name, title)
                assert height > 60, (path.name, title)
                assert marks > 2, (path.name, title)
                found += 1
    assert found > 20


@pytest.mark.parametrize("width", [PHONE, 768, DESK])
def test_no_page_is_wider_than_the_window(browser: Browser, written: Written, width: int) -> None:
    wide = {}
    with opened(browser, width=width) as seen:
        for path in written.pages("en", "sv"):
            seen.page.goto(path.as_uri())
            open_all(seen.page)
            wide[path.name] = seen.page.evaluate(TOO_WIDE)
    assert {name: found for name, found in wide.items() if found} == {}


def open_all(page: Page) -> None:
    """Unfolds what is folded."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


def test_letters_of_charts_can_be_read_on_a_phone(browser: Browser, written: Written) -> None:
    with opened(browser, width=PHONE) as seen:
        for path in written.pages("en"):
            seen.page.goto(path.as_uri())
            if seen.page.locator(".drawing svg").count():
                assert seen.page.evaluate(LETTERS) >= 10.5, path.name


def test_every_link_leads_somewhere(browser: Browser, written: Written) -> None:
    dead = []
    with opened(browser) as seen:
        for path in (*written.pages(), *written.printed.glob("*.html")):
            seen.page.goto(path.as_uri())
            here, links = seen.page.evaluate(LINKS)
            for link in set(links):
                file, _, anchor = link.partition("#")
                there = (path.parent / file).is_file() if file else anchor in here
                dead += [] if there else [(path.name, link)]
    assert dead == []


def test_a_dark_page_has_light_letters_and_a_light_one_dark_ones(browser: Browser, written: Written) -> None:
    for scheme in ("light", "dark"):
        with opened(browser, scheme=scheme) as seen:
            seen.page.goto((written.folder / "overview.html").as_uri())
            inks = [sum(map(float, one[4:-1].split(","))) / 3 for one in set(seen.page.evaluate(INKS))]
            assert all(ink < 140 if scheme == "light" else ink > 100 for ink in inks), (scheme, inks)


def test_tab_reaches_the_skip_link_first_and_then_links_and_tables(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        seen.page.goto((written.folder / "overview-sv.html").as_uri())
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.className") == "skip"
        box = seen.page.locator(".skip").bounding_box()
        assert box is not None
        assert box["y"] >= 0
        seen.page.keyboard.press("Enter")
        assert seen.page.evaluate("document.activeElement.id") == "content"
        reached = set()
        for _ in range(150):
            seen.page.keyboard.press("Tab")
            reached.add(
                seen.page.evaluate("document.activeElement.getAttribute('role') || document.activeElement.tagName")
            )
        assert {"A", "region", "SUMMARY"} <= reached


def test_what_has_the_focus_is_marked(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        seen.page.goto((written.folder / "overview.html").as_uri())
        for _ in range(4):
            seen.page.keyboard.press("Tab")
            outline = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"


def test_a_definition_is_one_click_away_and_leads_back(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        seen.page.goto((written.folder / "overview.html").as_uri())
        seen.page.locator(".what a").first.click()
        assert seen.page.locator("dt:target").is_visible()
        seen.page.locator("dt:target + dd .back a").first.click()
        assert seen.page.locator("section:target h2").is_visible()


def test_the_numbers_of_a_chart_unfold(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        seen.page.goto((written.folder / "overview.html").as_uri())
        fold = seen.page.locator("figure details").first
        assert not fold.locator("table").is_visible()
        fold.locator("summary").click()
        assert fold.locator("table").is_visible()
