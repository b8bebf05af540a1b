"""Managers sign in at the real service and read the reports that are theirs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import rettid
from data.access_store import AccessStore, Manager
from serving.access.passwords import PasswordCost, hash_password
from tests.pages.browsing import Written, opened

PASSWORD = "four words are enough"
STARTING_S = 120


def add_managers(workspace: Path, creditor: str) -> None:
    store, cheap = AccessStore.open(workspace), PasswordCost(n=16, r=1, p=1)
    try:
        for user, creditors in (("all", None), ("one", frozenset({creditor})), ("none", frozenset({"nobody"}))):
            store.add_manager(Manager(user, "main", hash_password(PASSWORD, cheap), creditors, datetime.now(UTC)))
    finally:
        store.close()


@pytest.fixture(scope="module")
def creditor(written: Written) -> str:
    manifest = json.loads((written.folder / "manifest.json").read_text(encoding="utf-8"))
    (only,) = {tuple(entry["creditors"]) for entry in manifest.values() if entry["creditors"]}
    return str(only[0])


@pytest.fixture(scope="module")
def address(written: Written, creditor: str) -> Iterator[str]:
    """The address of a service of its own."""
    add_managers(written.workspace, creditor)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        str(rettid.__file__),
        "--workspace",
        str(written.workspace),
        "serve",
        "--port",
        str(port),
    ]
    place = ["--portfolio", str(written.portfolio)]
    environment = {**os.environ, "RETTID_PLAIN_HTTP": "1"}
    service = subprocess.Popen(
        [*command, *place], env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        found = f"http://127.0.0.1:{port}"
        wait_for(f"{found}/healthz")
        yield found
    finally:
        service.terminate()
        service.wait(timeout=30)


def wait_for(url: str) -> None:
    for _ in range(STARTING_S * 2):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"{url} did not answer within {STARTING_S} s")


def sign_in(page: Page, address: str, user: str) -> None:
    page.goto(f"{address}/reports")
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/reports")


def links(page: Page) -> set[str]:
    found: list[str] = page.eval_on_selector_all("main a", "all => all.map(one => one.getAttribute('href'))")
    return set(found)


def test_a_manager_signs_in_chooses_a_language_and_reads_page_after_page(
    browser: Browser, written: Written, address: str
) -> None:
    with opened(browser) as seen:
        sign_in(seen.page, address, "all")
        seen.page.get_by_role("link", name="Svenska").click()
        assert seen.page.evaluate("document.documentElement.lang") == "sv"
        pages = {link for link in links(seen.page) if link.endswith("-sv")}
        assert pages == {f"/reports/{name}-sv" for name in written.names}
        for link in sorted(pages):
            seen.page.goto(address + link)
            assert seen.page.locator("h1").is_visible()
            assert seen.page.evaluate("document.documentElement.lang") == "sv"
        seen.page.goto(f"{address}/reports/overview-sv")
        seen.page.locator(".languages a[lang=da]").click()
        assert seen.page.url == f"{address}/reports/overview-da.html"
        seen.page.locator(".pages a").nth(1).click()
        assert seen.page.evaluate("document.documentElement.lang") == "da"
        seen.page.locator("a.home").click()
        assert seen.page.url == f"{address}/reports/index-da.html"
        assert links(seen.page) >= {f"/reports/{name}-da" for name in written.names}
        assert seen.faults == []


def test_the_numbers_are_taken_home(browser: Browser, address: str) -> None:
    with opened(browser) as seen:
        sign_in(seen.page, address, "all")
        seen.page.goto(f"{address}/reports/overview")
        for kind in ("JSON", "CSV"):
            with seen.page.expect_download() as download:
                seen.page.get_by_role("link", name=kind).click()
            assert download.value.suggested_filename == f"overview.{kind.lower()}"


def test_a_manager_of_one_creditor_reads_that_ones_pages_alone(
    browser: Browser, written: Written, address: str, creditor: str
) -> None:
    with opened(browser) as seen:
        sign_in(seen.page, address, "one")
        theirs = {f"/reports/{name}" for name in written.names if "-of-" in name}
        assert links(seen.page) == theirs
        assert creditor in seen.page.content()
        for link in sorted(theirs):
            seen.page.goto(address + link)
            near = seen.page.eval_on_selector_all("nav.pages a", "all => all.map(one => one.getAttribute('href'))")
            assert {f"/reports/{one.removesuffix('.html')}" for one in near} == theirs
        status = {name: answer_of(seen.page, f"{address}/reports/{name}") for name in written.names}
        assert {name for name, code in status.items() if code == 200} == {name for name in status if "-of-" in name}
        assert answer_of(seen.page, f"{address}/reports/index.json") == 404


def answer_of(page: Page, url: str) -> int:
    return page.request.get(url).status


def test_a_manager_of_a_creditor_without_pages_is_told_so(browser: Browser, address: str) -> None:
    with opened(browser) as seen:
        sign_in(seen.page, address, "none")
        assert links(seen.page) == set()
        assert "No report has been written yet" in seen.page.content()
