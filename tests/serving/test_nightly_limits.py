"""A night under limits: the same in shards as in the whole, resumed as it was, and never beyond what stands already."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.capacity_settings import CapacitySettings
from data.online_decisions import rows_of
from serving.capacity_standing import taken_by
from tests.deciding import rate_model
from tests.nights import ALL_ARMS, AS_OF, SHARDS, TABLES, World, by_claim, champion, make
from tests.portfolios import CONFIG
from tests.small_service import promote

LETTERS = replace(ALL_ARMS, capacity=CapacitySettings(per_day={"letter": 1, "sms": 1}, per_hour={"phone": 1}))


@pytest.fixture
def laid_out(tmp_path: Path) -> World:
    return make(tmp_path / "by_debtor", TABLES, shards=SHARDS)


@pytest.fixture
def whole(tmp_path: Path) -> World:
    return make(tmp_path / "in_one", TABLES, shards=None)


def per_day(file: Path, channel: str) -> Counter[object]:
    rows = pq.read_table(file).to_pylist()
    return Counter(row["send_at"].date() for row in rows if row["lead"] and row["channel"] == channel)


def test_a_night_under_limits_is_the_same_in_shards_as_in_the_whole(
    laid_out: World, whole: World, tmp_path: Path
) -> None:
    one = laid_out.night(tmp_path / "a.parquet", config=LETTERS)
    other = whole.night(tmp_path / "b.parquet", config=LETTERS)
    assert by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "b.parquet"))
    assert one.limits == other.limits
    whole.night(tmp_path / "free.parquet")
    assert max(per_day(tmp_path / "free.parquet", "letter").values()) > 1
    assert max(per_day(tmp_path / "a.parquet", "letter").values()) == 1
    assert max(per_day(tmp_path / "a.parquet", "sms").values(), default=1) == 1


def test_the_price_list_of_the_night_is_told_and_kept(whole: World, tmp_path: Path) -> None:
    promote(whole.workspace, replace(champion(), model_version="rates-1", model=rate_model()))
    summary = whole.night(tmp_path / "a.parquet", config=LETTERS)
    kept = json.loads((whole.workspace / "capacity" / "prices.json").read_text(encoding="utf-8"))
    assert kept["as_of"] == AS_OF.isoformat()
    binding = [one["name"] for one in kept["limits"] if one["binding"]]
    assert binding
    assert sum("worth" in line for line in summary.lines()) == min(len(binding), 8)
    assert not whole.night(tmp_path / "b.parquet").limits


def test_a_night_under_limits_that_was_cut_short_goes_on_as_it_was(
    laid_out: World, whole: World, tmp_path: Path
) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.5, config=LETTERS)
    assert laid_out.night(tmp_path / "a.parquet", config=LETTERS).found > 0
    whole.night(tmp_path / "b.parquet", config=LETTERS)
    assert by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "b.parquet"))
    free = laid_out.night(tmp_path / "c.parquet")
    assert free.found == 0


def test_contacts_that_were_confirmed_use_the_day_they_are_sent_on(whole: World, tmp_path: Path) -> None:
    whole.night(tmp_path / "a.parquet")
    rows = rows_of(pq.read_table(tmp_path / "a.parquet"))
    letters = [row for row in rows if row.channel == "letter" and row.send_at]
    answered = [0.0] * len(CONFIG.grid.channels)
    used = taken_by(letters, LETTERS, at=AS_OF, answer_rate=answered)
    assert used == {f"letter@{day}": count for day, count in per_day(tmp_path / "a.parquet", "letter").items()}
    assert taken_by(letters, LETTERS, at=AS_OF + timedelta(days=30), answer_rate=answered) == {}


def test_what_a_confirmed_call_costs_counts_on_the_budget_of_its_day(whole: World, tmp_path: Path) -> None:
    whole.night(tmp_path / "a.parquet")
    row = next(one for one in rows_of(pq.read_table(tmp_path / "a.parquet")) if one.lead and one.send_at)
    call = replace(row, channel="phone")
    limits = replace(CONFIG, capacity=CapacitySettings(budget_eur_per_day=50))
    used = taken_by([call], limits, at=AS_OF, answer_rate=[0.2] * len(CONFIG.grid.channels))
    assert list(used.values()) == [pytest.approx(0.5 + 5.0 * 0.2)]
