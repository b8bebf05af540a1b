"""Report pages over HTTP: in the caller's language, each creditor's own, files beside pages, and nothing else of the folder."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from data.access_store import AccessStore
from data.times import to_us
from serving.access.keys import KeyOrder, issue_key
from serving.report_list import language_for, read_listed, report_list
from serving.report_pages import language_of_index
from tests.small_service import NOW, SmallService

HOSTILE = '<i>"k"</i>'
LANGUAGES = ("en", "sv")


def told(file: str, title: str, scope: str) -> dict[str, str]:
    return {"file": file, "title": title, "scope": scope, "said": f"{title} {HOSTILE}", "until": "known until then"}


def entry(name: str, *, creditor: str | None = None, mood: str = "good") -> dict[str, Any]:
    scope = creditor or "all"
    texts = {
        one: told(name if one == "en" else f"{name}-{one}", f"{name} {one}", f"{scope} {one}") for one in LANGUAGES
    }
    return {"by": "report", "creditor": creditor, "mood": mood, "known_until_us": to_us(NOW), "told": texts}


@pytest.fixture
def folder(service: SmallService) -> Path:
    """Pages about all creditors and about one, in two languages, and another command's page."""
    place = service.workspace / "reports"
    place.mkdir()
    pages = {"overview": entry("overview"), "overview-of-1": entry("overview-of-1", creditor="k-energy", mood="wait")}
    words = {
        one: {
            "index.title": f"Title {one}",
            "mood.good": f"Good {one}",
            "mood.wait": f"Wait {one}",
            "index.old": "old!",
        }
        for one in LANGUAGES
    }
    listed = {"languages": LANGUAGES, "words": words, "pages": pages, "written_us": 0}
    (place / "index.json").write_text(json.dumps(listed), encoding="utf-8")
    manifest = {}
    for name, page in pages.items():
        for file in (f"{name}.html", f"{name}-sv.html", f"{name}.json", f"{name}.csv", f"{name}.pdf"):
            (place / file).write_text(f"content of {file}", encoding="utf-8")
            manifest[file.partition(".")[0]] = {"creditors": page["creditor"] and [page["creditor"]]}
    (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("quality", "index", "index-sv"):
        (place / f"{name}.html").write_text(f"content of {name}", encoding="utf-8")
    return place


def manager(service: SmallService, *creditors: str) -> dict[str, str]:
    """The header of a manager of some creditors, or of all."""
    store = AccessStore.open(service.workspace)
    try:
        allowed = frozenset(creditors) or None
        key = issue_key(store, KeyOrder("main", "manager", "a-manager", None, allowed), now=NOW)[0]
    finally:
        store.close()
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.usefixtures("folder")
def test_the_list_shows_verdicts_in_words_and_other_commands_pages(service: SmallService) -> None:
    page = service.client.get("/reports").text
    assert page.index("all en") < page.index("Good en:") < page.index("k-energy en") < page.index("Wait en:")
    assert 'href="/reports/overview"' in page
    assert 'href="/reports/quality"' in page
    assert "overview sv" not in page
    assert "<i>" not in page
    assert "old!" not in page


@pytest.mark.usefixtures("folder")
def test_the_list_is_in_the_language_asked_for_or_else_in_the_readers(service: SmallService) -> None:
    get = service.client.get
    assert '<html lang="sv">' in get("/reports?language=sv").text
    assert '<html lang="sv">' in get("/reports", headers={"Accept-Language": "fi, sv-SE;q=0.8, en;q=0.2"}).text
    assert '<html lang="en">' in get("/reports?language=da").text  # not written in it
    assert '<html lang="sv">' in get("/reports/index-sv.html").text
    assert "content of index" not in get("/reports/index.html").text
    assert get("/reports?language=fi").status_code == 422
    assert "Vary" in get("/reports").headers


@pytest.mark.usefixtures("folder")
def test_a_manager_of_one_creditor_sees_that_creditors_pages_and_files_alone(service: SmallService) -> None:
    headers = manager(service, "k-energy")
    page = service.client.get("/reports", headers=headers).text
    assert 'href="/reports/overview-of-1"' in page
    assert "all en" not in page
    assert "quality" not in page
    status = {
        name: service.client.get(f"/reports/{name}", headers=headers).status_code
        for stem in ("overview", "overview-of-1")
        for name in (stem, f"{stem}.html", f"{stem}-sv", f"{stem}.json", f"{stem}.csv", f"{stem}.pdf")
    }
    assert {name for name, code in status.items() if code == 200} == {one for one in status if "-of-1" in one}
    assert set(status.values()) == {200, 404}
    for name in ("quality", "index.json", "manifest", "manifest.json"):
        assert service.client.get(f"/reports/{name}", headers=headers).status_code == 404


@pytest.mark.usefixtures("folder")
def test_a_manager_of_another_creditor_sees_nothing(service: SmallService) -> None:
    page = service.client.get("/reports", headers=manager(service, "k-water")).text
    assert "/reports/overview" not in page
    assert "No report has been written yet" in page


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("html", "text/html"), ("pdf", "application/pdf"), ("json", "application/json"), ("csv", "text/csv")],
)
def test_each_file_has_its_kind_and_what_is_no_page_is_taken_home(
    service: SmallService, suffix: str, kind: str
) -> None:
    answer = service.client.get(f"/reports/overview.{suffix}", headers=manager(service))
    assert answer.text == f"content of overview.{suffix}"
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    saved = "" if suffix == "html" else f'attachment; filename="overview.{suffix}"'
    assert answer.headers.get("content-disposition", "") == saved


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "name", ["manifest.json", "manifest", "index.json", "index.csv", "overview.txt", "overview.html.html"]
)
def test_what_is_no_page_is_not_there_even_for_who_sees_all(service: SmallService, name: str) -> None:
    assert service.client.get(f"/reports/{name}", headers=manager(service)).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de", "en"),
        (None, "nn", "nb"),
        (None, "no-NO,da;q=0.9", "nb"),
        (None, "da;q=0.2, sv;q=0.9", "sv"),
        (None, "sv;q=0, da;q=x, *", "en"),
        ("sv", "da", "sv"),
        ("fi", "da", "da"),
    ],
)
def test_a_language_is_chosen_by_wish_then_by_weight(wanted: str | None, accepted: str, language: str) -> None:
    assert language_for(wanted, accepted, offered=["en", "sv", "nb", "da"]) == language


@pytest.mark.parametrize(("days", "old"), [(3, False), (3.01, True)])
def test_old_data_are_called_old(folder: Path, days: float, old: bool) -> None:
    page = report_list(read_listed(folder), ["overview"], language="en", now=NOW + timedelta(days=days))
    assert ("old!" in page) == old


@pytest.mark.parametrize(
    ("name", "found"),
    [("index", "en"), ("index.html", "en"), ("index-nb", "nb"), ("indexes", None), ("overview-sv", None)],
)
def test_the_lists_own_names_are_known(name: str, found: str | None) -> None:
    assert language_of_index(name) == (found is not None, found)
