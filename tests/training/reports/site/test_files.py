"""Files of all pages: whole, in every language, none left over, and each creditor's own."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.training.reports.site import made_up
from training.reports.blocks import Page, Section, Text
from training.reports.site import files as subject
from training.reports.site.addresses import BadName
from training.reports.site.files import Order, Pdf, TooLarge, write_pages
from training.reports.site.numbers import HEAD, as_csv, as_json
from training.reports.site.reader import UnknownLanguage

CREDITOR = "k-energy"


def small(name: str = "overview", *, creditor: str | None = None) -> Page:
    page = made_up.page(name, creditor=creditor)
    section = Section("first", Text("t.section"), (made_up.table(),), ("gain",))
    return replace(page, sections=(section,))


def order(*languages: str, pdf: Pdf = "none", by: str = "report") -> Order:
    return Order(languages or ("en",), made_up.KNOWN_US, pdf, by, made_up.words())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


PAGES = (small(), small("costs"), small("overview-of-0a1b2c3d", creditor=CREDITOR))


def test_every_page_is_written_in_every_language_and_its_numbers_once(tmp_path: Path) -> None:
    written = write_pages(PAGES, tmp_path, order=order("sv", "en"))
    expected = {f"{page.name}{mark}.html" for page in PAGES for mark in ("", "-sv")}
    expected |= {f"{page.name}.{kind}" for page in PAGES for kind in ("json", "csv")}
    expected |= {"index.html", "index-sv.html", "index.json", "manifest.json"}
    assert names(tmp_path) == expected == {path.name for path in written.files}
    assert written.index == tmp_path / "index.html"


def test_the_manifest_names_the_creditor_of_every_file(tmp_path: Path) -> None:
    write_pages(PAGES, tmp_path, order=order("en", "da"))
    one, every = {"creditors": [CREDITOR]}, {"creditors": None}
    assert manifest(tmp_path) == {
        "overview": every, "overview-da": every, "costs": every, "costs-da": every,
        "overview-of-0a1b2c3d": one, "overview-of-0a1b2c3d-da": one,
    }  # fmt: skip


def test_a_page_of_one_creditor_names_and_leads_to_nobody_elses(tmp_path: Path) -> None:
    other = small("overview-of-ffffffff", creditor="k-water")
    write_pages([*PAGES, other], tmp_path, order=order())
    page = (tmp_path / "overview-of-0a1b2c3d.html").read_text(encoding="utf-8")
    assert "ffffffff" not in page
    assert "k-water" not in page
    assert 'href="costs.html"' not in page


def test_what_an_earlier_call_wrote_and_this_one_not_is_gone(tmp_path: Path) -> None:
    write_pages(PAGES, tmp_path, order=order("en", "nb"))
    (tmp_path / "quality.html").write_text("another command's", encoding="utf-8")
    write_pages(PAGES[:1], tmp_path, order=order())
    assert names(tmp_path) == {
        "overview.html", "overview.json", "overview.csv", "index.html", "index.json", "manifest.json", "quality.html",
    }  # fmt: skip
    assert set(manifest(tmp_path)) == {"overview"}


def test_pages_of_another_command_and_entries_of_an_operator_stay(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"hand-made": {"creditors": ["k"]}}), encoding="utf-8")
    write_pages([small("replay")], tmp_path, order=order(by="replay"))
    write_pages(PAGES, tmp_path, order=order())
    write_pages(PAGES, tmp_path, order=order())
    assert {"hand-made", "replay", "overview"} <= set(manifest(tmp_path))
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="replay.html"' in index
    assert 'href="overview.html"' in index


def test_the_list_shows_verdicts_by_creditor_and_other_commands_pages(tmp_path: Path) -> None:
    (tmp_path / "quality.html").write_text("another command's", encoding="utf-8")
    write_pages(PAGES, tmp_path, order=order())
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert index.count("A gain is shown") == 3
    assert index.index("All creditors") < index.index(f"Creditor {CREDITOR}") < index.index("quality.html")


def test_a_mistake_on_the_way_leaves_the_earlier_page_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pages(PAGES[:1], tmp_path, order=order())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(subject, "LARGEST", 100)
    with pytest.raises(TooLarge, match=r"overview\.html: expected at most 100 bytes"):
        write_pages(PAGES, tmp_path, order=order())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("bad", ["Overview", "index", "a" * 62, "a/b", "", "ö"])
def test_a_name_that_cannot_be_a_files_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(BadName, match="strange"):
        write_pages([small(bad)], tmp_path, order=order())


def test_two_pages_whose_files_would_be_the_same_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadName, match=r"twice: \['overview-sv'\]"):
        write_pages([small(), small("overview-sv")], tmp_path, order=order())


def test_an_order_takes_languages_as_they_are_typed() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert Order.of(["all"], now=now).languages == ("en", "sv", "nb", "da")
    assert Order.of(["sv", "sv"], now=now).languages == ("sv",)


def test_a_language_without_texts_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownLanguage, match="got 'fi'"):
        write_pages(PAGES, tmp_path, order=order("fi"))
    assert names(tmp_path) == set()


def test_a_pdf_stands_beside_the_pages_that_are_printed(tmp_path: Path) -> None:
    pages = [*PAGES, small("costs-of-0a1b2c3d", creditor=CREDITOR)]
    written = write_pages(pages, tmp_path, order=order(pdf="first"))
    printed = {path.stem for path in tmp_path.glob("*.pdf")}
    assert printed == (set() if written.note else {"overview", "costs", "overview-of-0a1b2c3d"})
    assert all(path.read_bytes().startswith(b"%PDF") for path in tmp_path.glob("*.pdf"))
    assert ("costs-of-0a1b2c3d.pdf" in (tmp_path / "costs-of-0a1b2c3d.html").read_text(encoding="utf-8")) is False


def test_without_pango_the_pdf_is_left_out_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoPango:
        def find_spec(self, name: str, path: Any, target: Any = None) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    write_pages(PAGES[:1], tmp_path, order=order())
    (tmp_path / "overview.pdf").write_bytes(b"of yesterday")
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    written = write_pages(PAGES[:1], tmp_path, order=order(pdf="first"))
    assert "Pango is missing" in str(written.note)
    assert not (tmp_path / "overview.pdf").exists()
    assert "overview.pdf" not in (tmp_path / "overview.html").read_text(encoding="utf-8")


def rows(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(page))))


def test_json_and_csv_hold_the_same_numbers() -> None:
    page = made_up.page()
    found = as_json(page)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    table = next(block for block in found["sections"][0]["blocks"] if block["block"] == "table")
    gain = table["rows"][0]["cells"]["gain"]
    line = next(row for row in rows(page) if (row["block"], row["row"], row["column"]) == ("open", "all", "gain"))
    assert (line["value"], line["low"], line["high"]) == (str(gain["value"]), str(gain["low"]), str(gain["high"]))
    assert tuple(rows(page)[0]) == HEAD
    days = [row for row in rows(page) if row["block"] == "days"]
    assert len(days) == 62


def test_numbers_are_the_same_in_every_language_and_words_are_keys() -> None:
    found = as_json(made_up.page())
    assert found["title"] == {"text": "t.plain"}
    assert found["verdict"]["code"] == "gain_shown"
    assert found["verdict"]["sentence"]["values"]["days"] == {"kind": "days", "value": 14}


def test_nothing_of_a_withheld_number_is_written() -> None:
    line = next(
        row for row in rows(made_up.page()) if (row["block"], row["row"], row["column"]) == ("open", "k", "debtors")
    )
    assert (line["value"], line["low"], line["high"], line["withheld"]) == ("", "", "", "1")


def test_no_cell_is_computed_by_a_spreadsheet() -> None:
    cells = [cell for row in rows(made_up.page()) for cell in row.values()]
    assert "'=cmd()" in cells
    starts = [cell for cell in cells if cell.startswith(("=", "+", "@")) or (cell.startswith("-") and not number(cell))]
    assert starts == []


def number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
