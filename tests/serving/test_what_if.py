"""A plan beside today: the same debtors decided twice, nothing kept, and figures that add up."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data.config import BadConfiguration, Config
from data.decision_log import DecisionLog
from serving.what_if import plan_on_top, what_if
from tests.deciding import rate_model
from tests.nights import ALL_ARMS, AS_OF, SHARDS, TABLES, World, champion, make
from tests.small_service import promote
from training.reports.what_if_page import headline, sentences, what_if_page, write_what_if

PLAN = """
[capacity.per_day]
sms = 1
email = 1
letter = 1
phone = 1
portal = 1
digital_mailbox = 1

[costs]
letter = 3.0
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make(tmp_path_factory.mktemp("world"), TABLES, shards=SHARDS)
    promote(made.workspace, replace(champion(), model_version="rates-1", model=rate_model()))
    return made


def asked(world: World, plan: Path, text: str = PLAN, config: Config = ALL_ARMS) -> dict[str, Any]:
    plan.write_text(text, encoding="utf-8")
    quiet: Any = lambda what, share: None  # noqa: E731 # a progress bar that shows nothing
    return what_if(world.folder, plan, as_of=AS_OF, workspace=world.workspace, config=config, progress=quiet)


@pytest.fixture(scope="module")
def figures(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asked(world, tmp_path_factory.mktemp("plan") / "plan.toml")


def test_today_is_what_the_night_would_decide(world: World, figures: dict[str, Any], tmp_path: Path) -> None:
    today = figures["sides"][0]
    with closing(DecisionLog.open(world.workspace)) as log:
        assert (len(log.decisions()), log.batches()) == (0, ())  # nothing was logged by looking
    world.night(tmp_path / "a.parquet")
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    contacts = [row for row in rows if row["lead"] and row["channel"] != "none"]
    assert today["contacts"] == len(contacts)
    assert today["by_channel"]["sms"] == sum(row["channel"] == "sms" for row in contacts)
    assert (today["debtors"], today["claims"]) == (len({row["debtor_id"] for row in rows}), len(rows))


def test_the_plan_holds_its_limits_and_today_has_none(figures: dict[str, Any]) -> None:
    today, then = figures["sides"]
    assert today["limits"] is None
    assert then["limits"]["limits"]
    assert then["contacts"] < today["contacts"]
    assert max(then["by_channel"][name] for name in figures["channels"][1:]) <= 7
    moved = figures["difference"]["moved"]
    assert sum(map(sum, moved)) == today["debtors"]
    gone = sum(row[0] for row in moved[1:]) - sum(moved[0][1:])
    assert gone == today["contacts"] - then["contacts"]


def test_the_difference_is_that_of_the_two_sides(figures: dict[str, Any]) -> None:
    today, then = figures["sides"]
    paid = figures["difference"]["paid"]
    assert paid["value"] == pytest.approx(then["paid"]["value"] - today["paid"]["value"])
    assert paid["low"] < paid["value"] < paid["high"]
    assert today["value_eur"] == pytest.approx(today["added_eur"] - today["cost_eur"] - today["harm_eur"])


def test_what_the_plan_changes_is_listed_setting_by_setting(figures: dict[str, Any]) -> None:
    names = [one["setting"] for one in figures["changes"]]
    assert names == sorted(names)
    assert "capacity.per_day.sms" in names
    assert "costs.letter" in names
    assert not any(name.startswith("arms") for name in names)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[costs", "is no TOML|is not TOML"),
        ("[horizon]\ndays = 30\n", "horizon"),
        ("[grid]\ndays = 3\n", "grid"),
        ("", "says nothing"),
        ("[capacity]\nper_dya = 3\n", "per_dya"),
    ],
)
def test_a_plan_that_cannot_be_compared_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadConfiguration, match=words):
        plan_on_top(tmp_path / "plan.toml", Config())


def test_the_page_says_what_the_figures_say(figures: dict[str, Any], tmp_path: Path) -> None:
    html = what_if_page(figures)
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert f"{figures['sides'][1]['contacts']:,}" in html
    for one in figures["changes"]:
        assert one["setting"] in html
    files = write_what_if(figures, tmp_path)
    assert [files.html.name, files.json.name] == ["what-if.html", "what-if.json"]
    assert files.lines()[0] == headline(figures)
    assert len(sentences(figures)) >= 4


def test_a_plan_without_limits_says_that_nothing_has_a_price(world: World, tmp_path: Path) -> None:
    found = asked(world, tmp_path / "plan.toml", text="[costs]\nletter = 9.0\n")
    assert "nothing has a price" in what_if_page(found)
    assert found["sides"][1]["by_channel"]["letter"] <= found["sides"][0]["by_channel"]["letter"]
