"""The page and the files beside it: self-contained, readable by all, and saying nothing that the figures do not hold."""

from __future__ import annotations

import csv
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.config import Config
from data.decision_log import DecisionLog
from data.portfolio import Portfolio
from data.schemas import write_table
from data.times import to_us
from tests.training.reports.worlds import EVENING, at, decision, log_of, payment, portfolio_of, world
from training.reports import page as shows
from training.reports.figures import figures
from training.reports.write import NothingDecided, as_csv, report, write_reports

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
KNOWN_US = to_us(at(28))


@pytest.fixture(scope="module")
def evening() -> tuple[pa.Table, Portfolio]:
    return world(debtors=2500, rng=np.random.default_rng(3), effect=0.05)


@pytest.fixture(scope="module")
def found(evening: tuple[pa.Table, Portfolio]) -> dict[str, Any]:
    return figures(evening[0], evening[1], config=Config(), known_until_us=KNOWN_US)


@pytest.fixture(scope="module")
def html(found: dict[str, Any]) -> str:
    return shows.page(found)


class Reader(HTMLParser):
    """Text and tags of a page; what a style sheet or a drawing holds is no text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("style", "svg")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def leaves(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return [leaf for value in content.values() for leaf in leaves(value)]
    return [leaf for value in content for leaf in leaves(value)] if isinstance(content, list) else [content]


def test_every_number_on_the_page_stands_in_the_figures(html: str, found: dict[str, Any]) -> None:
    ways = (shows.count, shows.decimal, shows.eur0, shows.eur, shows.percent, shows.points, shows.p_value)
    allowed = set()
    for leaf in leaves(found):
        texts = [way(leaf) for way in ways] if isinstance(leaf, int | float) else [leaf or ""]
        allowed |= {number for text in texts for number in NUMBER.findall(text)}
    template = Path(shows.__file__).with_name("templates") / "report.html.j2"
    fixed = re.sub(r"{[{%].*?[%}]}|<[^>]*>", " ", template.read_text(encoding="utf-8"))
    allowed |= set(NUMBER.findall(fixed)) | {f"{row['hour'] + edge:02d}" for row in found["hours"] for edge in (0, 1)}
    allowed |= {f"{row['day']}" for row in found["days"]}
    shown = set(NUMBER.findall(" ".join(Reader(html).text)))
    assert len(shown) > 100
    assert shown - allowed == set()


def test_the_page_is_one_file_without_script_or_content_from_elsewhere(html: str) -> None:
    reader = Reader(html)
    assert len(html.encode()) < 2_000_000
    assert not {"script", "link", "iframe", "img", "object", "embed", "form"} & {tag for tag, _ in reader.tags}
    outside = [
        value for _, attrs in reader.tags for key, value in attrs.items() if key in ("src", "href", "xlink:href")
    ]
    assert all(value and value.startswith("#") for value in outside)
    assert set(re.findall(r"https?://[^\"' )]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert not [key for _, attrs in reader.tags for key in attrs if key.startswith("on")]


def test_the_page_can_be_read_with_ears_and_keys(html: str) -> None:
    reader = Reader(html)
    identifiers = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))
    assert reader.count("h1") == reader.count("main") == 1
    assert reader.count("table") == reader.count("caption") >= 6
    drawings = [attrs for tag, attrs in reader.tags if tag == "svg"]
    assert len(drawings) == reader.count("desc") == 6
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set(str(drawing["aria-labelledby"]).split()) <= set(identifiers)
    scopes = [attrs.get("scope") for tag, attrs in reader.tags if tag == "th"]
    assert set(scopes) == {"col", "row"}
    targets = [str(attrs["href"])[1:] for tag, attrs in reader.tags if tag == "a"]
    assert set(targets) <= set(identifiers)
    assert ("html", {"lang": "en"}) in reader.tags


def test_every_colour_of_the_drawings_has_its_dark_twin(html: str) -> None:
    used = set(re.findall(r'(?:fill|stroke)="#[0-9a-f]{6}"', html))
    turned = set(re.findall(r'svg \[((?:fill|stroke)="#[0-9a-f]{6}")\]', html))
    assert used <= turned


def test_responses_are_labelled_as_no_uplift(html: str) -> None:
    assert html.count("response, not uplift") >= 3


def test_the_same_log_gives_the_same_page(evening: tuple[pa.Table, Portfolio], html: str) -> None:
    again = figures(evening[0], evening[1], config=Config(), known_until_us=KNOWN_US)
    assert shows.page(again) == html


def test_greedy_decisions_are_described_and_no_gain_is_told() -> None:
    rows = [decision(f"d{n}", f"d{n}/0", channel="sms", arm_probability=1.0) for n in range(300)]
    log = log_of(rows)
    portfolio = portfolio_of(log, payments=[payment(f"d{n}/0", 2, 10) for n in range(60)])
    found = figures(log, portfolio, config=Config(), known_until_us=KNOWN_US)
    text = " ".join(Reader(shows.page(found)).text)
    assert found["verdict"]["code"] == "no_experiment"
    assert [look["gains"] for look in found["looks"]] == [None, None]
    assert found["looks"][0]["recovered_eur"] == 600
    assert "No experiment took place" in text
    assert "Champion less control" not in text


def test_a_page_is_written_before_any_horizon_is_over(evening: tuple[pa.Table, Portfolio]) -> None:
    found = figures(evening[0], evening[1], config=Config(), known_until_us=to_us(at(3)))
    text = " ".join(Reader(shows.page(found)).text)
    assert found["verdict"]["code"] == "not_enough_data"
    assert found["looks"][0]["debtors"] == 0
    assert found["looks"][0]["debtors_waiting"] == 2501
    assert "Not enough data" in text
    assert "not counted as unpaid" in text


def test_in_a_world_without_effect_the_page_claims_no_gain() -> None:
    log, portfolio = world(debtors=1500, rng=np.random.default_rng(11))
    found = figures(log, portfolio, config=Config(), known_until_us=KNOWN_US)
    assert found["verdict"]["code"] == "no_gain_shown"


def test_files_stand_beside_each_other_and_say_the_same(evening: tuple[pa.Table, Portfolio], tmp_path: Path) -> None:
    log, portfolio = evening
    files = write_reports(log, portfolio=portfolio, config=Config(), known_until_us=KNOWN_US, out=tmp_path)
    found = json.loads(files.json.read_text(encoding="utf-8"))
    with files.csv.open(encoding="utf-8", newline="") as opened:
        rows = {(row["section"], row["row"], row["measure"]): row["value"] for row in csv.DictReader(opened)}
    champion = next(one for one in found["looks"][0]["arms"] if one["arm"] == "champion")
    assert rows["looks", "14 champion", "arms recovered_eur"] == str(champion["recovered_eur"])
    assert len(rows) == len(as_csv(found).splitlines()) - 1
    assert found["verdict"]["headline"] == files.verdict
    assert {path.name for path in tmp_path.iterdir()} - {"overview.pdf"} == {
        f"overview.{kind}" for kind in ("html", "json", "csv")
    }
    assert (files.pdf is None) == bool(files.note)
    assert files.pdf is None or files.pdf.read_bytes().startswith(b"%PDF")


def test_without_pango_the_pdf_is_left_out_with_a_word(
    evening: tuple[pa.Table, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoPango:
        def find_spec(self, name: str, path: Any, target: Any = None) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    (tmp_path / "overview.pdf").write_bytes(b"of yesterday")
    log, portfolio = evening
    files = write_reports(log, portfolio=portfolio, config=Config(), known_until_us=KNOWN_US, out=tmp_path)
    assert files.pdf is None
    assert "Pango is missing" in str(files.note)
    assert not (tmp_path / "overview.pdf").exists()


def test_a_workspace_is_reported_on_from_its_log_and_the_last_batchs_portfolio(
    evening: tuple[pa.Table, Portfolio], tmp_path: Path
) -> None:
    log, portfolio = evening
    folder, other = tmp_path / "portfolio", tmp_path / "other"
    for name, table in portfolio.tables.items():
        write_table(table, folder / f"{name}.parquet")
    foreign = log_of([decision("d000001", "d000001/0", day=-5, arm="control", arm_probability=0.1, decision_id="x")])
    with_log = DecisionLog.open(tmp_path)
    with_log.write_batch(foreign, portfolio=other, as_of=at(-5), config_fingerprint="c")
    with_log.write_batch(log, portfolio=folder, as_of=EVENING, config_fingerprint="c")
    with_log.close()
    steps: list[str] = []
    files = report(tmp_path, tmp_path / "out", progress=steps.append)
    found = json.loads(files.json.read_text(encoding="utf-8"))
    assert found["about"]["decisions"] == 2501
    assert found["about"]["first_decision"] == "2026-03-01 18:00 UTC"
    assert len(steps) == 3


def test_nothing_to_report_on_is_said_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(NothingDecided, match="run `rettid decide` first"):
        report(tmp_path, tmp_path / "out")
    DecisionLog.open(tmp_path / "decisions.db").close()
    with pytest.raises(NothingDecided, match="names its portfolio"):
        report(tmp_path, tmp_path / "out")
    log = log_of([decision("a", "a/0")])
    with pytest.raises(NothingDecided, match="found none among 1 rows"):
        write_reports(log, portfolio=Portfolio.from_tables({}), config=Config(), known_until_us=KNOWN_US, out=tmp_path)
