"""The page on a portfolio's quality: self-contained, readable by all, and there for broken portfolios too."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

import rettid
from data.config import Config
from data.schemas import SCHEMAS
from tests.data.made_portfolio import Tables, changed, made_tables
from tests.data.test_quality import opened_again
from tests.samples import sample_tables, with_cell, write_tables
from tests.training.reports.page_reader import Reader
from training.reports.quality import Checked, check_quality


def spoilt() -> Tables:
    """Silent payments, a bad amount, machine opens, a policy whose name is markup."""
    tables = made_tables()
    tables = changed(tables, "payments", lambda row: None if row["paid_at"].month in (6, 7) else row)
    tables = changed(tables, "contacts", lambda row: row | {"policy": "<script>alert(1)</script>"})
    tables["payments"] = with_cell(tables["payments"], "amount", Decimal(-1))
    return opened_again(tables)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("quality")
    return check_quality(write_tables(spoilt(), folder / "in"), folder / "out", config=Config())


@pytest.fixture(scope="module")
def html(checked: Checked) -> str:
    assert checked.page is not None
    return checked.page.read_text(encoding="utf-8")


def test_the_page_is_one_file_without_script_or_content_from_elsewhere(html: str) -> None:
    reader = Reader(html)
    assert len(html.encode()) < 2_000_000
    assert "<script" not in html
    assert not {"script", "link", "iframe", "img", "object", "embed", "form"} & {tag for tag, _ in reader.tags}
    assert set(re.findall(r"https?://[^\"' )]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert not [key for _, attrs in reader.tags for key in attrs if key.startswith("on")]


def test_the_page_can_be_read_with_ears_and_keys(html: str) -> None:
    reader = Reader(html)
    identifiers = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))
    assert reader.count("h1") == reader.count("main") == 1
    assert reader.count("table") == reader.count("caption") >= 20
    drawings = [attrs for tag, attrs in reader.tags if tag == "svg"]
    assert len(drawings) == reader.count("desc") == len(SCHEMAS) + 4 + 2
    assert all(set(str(one["aria-labelledby"]).split()) <= set(identifiers) for one in drawings)


def test_every_colour_of_the_drawings_has_its_dark_twin(html: str) -> None:
    used = set(re.findall(r'(?:fill|stroke)="#[0-9a-f]{6}"', html))
    assert used <= set(re.findall(r'svg \[((?:fill|stroke)="#[0-9a-f]{6}")\]', html))


def test_verdict_findings_and_gap_stand_on_the_page(html: str, checked: Checked) -> None:
    text = " ".join(" ".join(Reader(html).text).split())
    assert "Usable with 1 row set aside" in text
    for finding in checked.inspection.findings():
        assert finding.sentence in text
    assert "Silent from 2025-06-01 to 2025-07-31" in text
    levels = re.findall(r'<tr class="(problem|look|fine)">', html)
    assert levels == sorted(levels, key=["problem", "look", "fine"].index)


def test_the_numbers_stand_beside_the_page_and_the_last_line_names_it(checked: Checked) -> None:
    assert checked.page is not None
    figures = json.loads(checked.page.with_name("quality.json").read_text(encoding="utf-8"))
    assert figures["verdict"]["code"] == "aside"
    assert figures["quality"]["timeline"]["gaps"][0]["table"] == "payments"
    assert checked.lines()[-1] == str(checked.page)
    assert not checked.ok


def test_a_page_is_written_for_broken_and_empty_portfolios(tmp_path: Path) -> None:
    empty = {name: schema.empty() for name, schema in SCHEMAS.items()}
    lacking = {"debtors": sample_tables()["debtors"], "claims": pa.table({"claim_id": pa.array([1])})}
    for name, tables in (("empty", empty), ("sample", sample_tables()), ("lacking", lacking)):
        result = check_quality(write_tables(tables, tmp_path / name), tmp_path / f"{name} out", config=Config())
        assert result.page is not None
        assert result.inspection.verdict().headline in result.page.read_text(encoding="utf-8")


def test_without_a_folder_there_is_no_page(tmp_path: Path) -> None:
    result = check_quality(tmp_path / "nowhere", tmp_path / "out", config=Config())
    assert (result.page, result.ok) == (None, False)
    assert not (tmp_path / "out").exists()


def test_rows_are_set_aside_and_the_page_says_how_many(tmp_path: Path) -> None:
    source, usable = write_tables(spoilt(), tmp_path / "in"), tmp_path / "usable"
    result = check_quality(source, tmp_path / "out", config=Config(), usable=usable)
    assert result.aside == {"payments": 1}
    assert f"set aside, in {usable}/set_aside: 1 row of payments" in result.lines()
    assert result.page is not None
    assert "the usable rows to usable" in result.page.read_text(encoding="utf-8")
    assert check_quality(usable, tmp_path / "again", config=Config()).ok


def test_nothing_is_set_aside_for_faults_that_are_not_in_rows(tmp_path: Path) -> None:
    tables = sample_tables()
    del tables["claims"]
    result = check_quality(
        write_tables(tables, tmp_path / "in"), tmp_path / "out", config=Config(), usable=tmp_path / "u"
    )
    assert any("nothing was written" in line for line in result.lines())
    assert not (tmp_path / "u").exists()


def test_the_command_prints_findings_under_headings_and_the_page_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, usable = write_tables(spoilt(), tmp_path / "in"), tmp_path / "usable"
    with pytest.raises(SystemExit) as ended:
        rettid.main(["check", str(source), "--out", str(tmp_path / "pages"), "--set-aside", str(usable)])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert lines[0] == "debtors: 480 rows, 0 problems"
    assert lines.index("Coverage") < lines.index("Rows over time") < lines.index("Time zones")
    assert lines[-1] == str(tmp_path / "pages" / "quality.html")
    assert (tmp_path / "pages" / "quality.json").is_file()
    with pytest.raises(SystemExit) as ended:
        rettid.main(["--workspace", str(tmp_path / "workspace"), "check", str(usable)])
    assert ended.value.code == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "workspace" / "reports" / "quality.html")


def test_the_portfolio_itself_is_no_place_for_its_usable_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_tables(sample_tables(), tmp_path / "in")
    with pytest.raises(SystemExit):
        rettid.main(["--workspace", str(tmp_path / "w"), "check", str(source), "--set-aside", str(source)])
    assert "outside the portfolio" in capsys.readouterr().err
