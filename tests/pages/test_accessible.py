"""No page has a serious finding of axe, in light or dark, folded or unfolded."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.pages.browsing import DESK, PHONE, Written, opened
from tests.pages.test_open import open_all


def serious(response: dict[str, Any]) -> list[tuple[str, str]]:
    """Rules broken and where, of findings that keep somebody from reading."""
    return [
        (one["id"], one["nodes"][0]["html"][:120])
        for one in response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)])
def test_nothing_keeps_anybody_from_reading(browser: Browser, written: Written, scheme: str, width: int) -> None:
    found = {}
    with opened(browser, scheme=scheme, width=width) as seen:
        for path in written.pages("en", "nb") if width == DESK else written.pages("da"):
            seen.page.goto(path.as_uri())
            open_all(seen.page)
            found[path.name] = serious(Axe().run(seen.page).response)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_a_page_with_a_serious_fault_is_found(browser: Browser, written: Written) -> None:
    with opened(browser) as seen:
        seen.page.set_content(
            '<html><body><p style="color:#bbb;background:#fff">pale</p><img src="data:,"></body></html>'
        )
        assert {rule for rule, _ in serious(Axe().run(seen.page).response)} >= {"color-contrast", "image-alt"}
    assert written.folder.is_dir()
