"""`rettid frontier`: the files, what the page says, and that it says what the numbers say."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.config import Config
from data.policy_settings import PolicySettings
from data.portfolio import Portfolio
from data.simulator.settings import UNTIL
from data.times import to_us
from models.bundle import NoChampion, OtherConfiguration, point_to, write_bundle
from tests.deciding import bundle_of, rate_model
from tests.portfolios import CONFIG
from training.frontier import NO_DIAL, Frontier, Setting
from training.material import Material
from training.ope.intervals import Interval
from training.reports.frontier import FrontierOrder, as_csv, figures_of, told, write_frontier
from training.reports.frontier_page import frontier_page

ABOUT = {"portfolio": "p", "model": "m", "model_version": "v" * 32, "as_of": "2026-03-02", "horizon_days": 14}
ORDER = FrontierOrder(to_us(UNTIL), dials=(0.5, 5.0), margin=0.2)


def a_setting(name: str, least: float | None, *, contacts: float, lost: Interval | None) -> Setting:
    value = Interval(10.0, 9.0, 11.0)
    return Setting(name, least, contacts, 0.1, 0.05, 2.0, value, value, lost, lost, "")


def a_frontier(*, chosen: int) -> Frontier:
    settings = (
        a_setting(NO_DIAL, 0.0, contacts=0.8, lost=None),
        a_setting("1 EUR", 1.0, contacts=0.6, lost=Interval(-0.02, -0.05, 0.01)),
        a_setting("2 EUR", 2.0, contacts=0.4, lost=Interval(-1.0, -2.0, 0.5)),
    )
    rules = a_setting("present rules", None, contacts=0.9, lost=Interval(0.5, -2.0, 3.0))
    return Frontier(settings, rules, chosen, 0.01, 1_000, 400)


def test_a_setting_found_is_told_with_what_it_saves_and_how_to_use_it() -> None:
    found = a_frontier(chosen=1)
    assert told(found)[0] == (
        "with least_value_eur = 1: 25.0% fewer contacts, recovery -0.02 EUR a decision (95 %: -0.05 to +0.01), within 1.0% of that without a dial"
    )
    html = frontier_page(figures_of(found, ABOUT))
    assert '<h2 id="verdict">25.0 % fewer contacts at equal recovery</h2>' in html
    assert "least_value_eur = 1</code>" in html


def test_where_nothing_is_shown_to_keep_the_recovery_the_page_says_so_and_what_would_tell() -> None:
    found = a_frontier(chosen=0)
    assert told(found)[0] == (
        "no setting with fewer contacts is shown to keep the recovery within 1.0%; the mildest may lose 0.05 EUR a decision"
    )
    html = frontier_page(figures_of(found, ABOUT))
    assert "No setting with fewer contacts is shown to keep the recovery" in html
    assert "To use it" not in html


@pytest.mark.parametrize(
    ("low", "high", "needed"),
    [(-0.19, 0.21, "4,000"), (-0.49, 0.51, "25,000"), (-0.31, -0.21, "")],
    ids=["twice as wide as it may be", "five times", "narrow enough"],
)
def test_how_many_random_decisions_would_tell_is_said_where_the_interval_is_too_wide(
    low: float, high: float, needed: str
) -> None:
    base = a_frontier(chosen=0)
    first = replace(base.settings[1], lost=Interval((low + high) / 2, low, high))
    sentence = told(replace(base, settings=(base.settings[0], first)))[0]
    assert ("randomised decisions would show it" in sentence) == bool(needed)
    assert f"may lose {-low:.2f} EUR" in sentence
    assert not needed or f"about {needed} randomised decisions would show it" in sentence


def test_a_log_that_cannot_tell_gets_the_reason_and_no_chart() -> None:
    blank = {"recovered": None, "net": None, "lost": None, "net_change": None, "refusal": "0 of 9 rows count"}
    base = a_frontier(chosen=0)
    found = replace(base, settings=tuple(replace(one, **blank) for one in base.settings))
    assert told(found)[0] == "no number: 0 of 9 rows count"
    html = frontier_page(figures_of(found, ABOUT))
    assert "The log cannot tell" in html
    assert "<svg" not in html
    assert "0 of 9 rows count" in html


def test_the_page_is_static_and_its_charts_have_names_and_words() -> None:
    html = frontier_page(figures_of(a_frontier(chosen=1), ABOUT))
    assert not re.search(r"<script|<link|<img|https?://(?!www\.w3\.org)", html)
    assert html.count("<svg") == html.count('role="img"') == html.count("<desc") == 2
    assert "1 EUR, contacts in 60.0%: 10.00 EUR (9.00 to 11.00)" in html
    assert len(set(re.findall(r'id="([^"]+)"', html))) == len(re.findall(r'id="([^"]+)"', html))


def test_the_csv_has_a_line_for_every_setting_and_blanks_where_there_is_no_number() -> None:
    found = a_frontier(chosen=1)
    rows = list(csv.DictReader(io.StringIO(as_csv((*found.settings, found.rules)))))
    assert [row["name"] for row in rows] == [NO_DIAL, "1 EUR", "2 EUR", "present rules"]
    assert (rows[0]["lost_value_eur"], rows[1]["lost_low_eur"], rows[3]["least_value_eur"]) == ("", "-0.05", "")


@pytest.fixture(scope="module")
def portfolio_folder(simulated: Portfolio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frontier")
    for name, table in simulated.tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def test_the_chain_writes_page_json_and_csv_that_agree(
    tmp_path: Path, portfolio_folder: Path, material: Material
) -> None:
    bundle = bundle_of(material.histories, rate_model(), recipe="incumbent", card={"seed": 1, "horizon_days": 14})
    write_bundle(bundle, tmp_path / "models" / "m1")
    point_to(tmp_path, "champion", model_version="m1")
    files = write_frontier(
        portfolio_folder, tmp_path / "out", order=ORDER, workspace=tmp_path, config=CONFIG, progress=lambda _: None
    )
    figures = json.loads(files.json.read_text())
    assert figures["decisions"] == len(material.judged.debtor)
    assert [one["least_value_eur"] for one in figures["settings"]] == [0.0, 0.5, 5.0]
    rows = list(csv.DictReader(io.StringIO(files.csv.read_text())))
    for row, one in zip(rows, [*figures["settings"], figures["rules"]], strict=True):
        assert float(row["contacts"]) == one["contacts"]
        assert row["recovered_low_eur"] == (str(one["recovered"]["low"]) if one["recovered"] else "")
        assert bool(one["refusal"]) == (one["recovered"] is None)
    assert f"{100 * figures['settings'][0]['contacts']:.1f} %" in files.html.read_text()
    assert files.lines()[-1] == str(files.html)


def test_without_a_champion_or_for_another_configuration_the_way_out_is_said(
    tmp_path: Path, portfolio_folder: Path, material: Material
) -> None:
    with pytest.raises(NoChampion, match="rettid promote RUN"):
        write_frontier(
            portfolio_folder, tmp_path / "out", order=ORDER, workspace=tmp_path, config=CONFIG, progress=lambda _: None
        )
    bundle = bundle_of(material.histories, rate_model(), recipe="incumbent", card={"seed": 1, "horizon_days": 21})
    write_bundle(bundle, tmp_path / "models" / "m1")
    point_to(tmp_path, "champion", model_version="m1")
    other = Config(policy=PolicySettings(least_value_eur=1.0))
    with pytest.raises(OtherConfiguration, match="train and promote again"):
        write_frontier(
            portfolio_folder, tmp_path / "out", order=ORDER, workspace=tmp_path, config=other, progress=lambda _: None
        )
