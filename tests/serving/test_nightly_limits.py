"""A night under limits: the same in shards as in the whole, resumed as it was, and never beyond what stands already."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.capacity_settings import CapacitySettings
from data.portfolio import Portfolio
from features.histories import histories_of
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


def handed_back(file: Path) -> dict[str, pa.Table]:
    """The portfolio with the contacts that a night decided, as the collection system enters them."""
    rows = [row for row in pq.read_table(file).to_pylist() if row["channel"] != "none"]
    made = [{name: row[name] for name in ("debtor_id", "claim_id", "decided_at", "channel", "send_at")} for row in rows]
    named = [{**row, "contact_id": old["decision_id"], "policy": "night"} for row, old in zip(made, rows, strict=True)]
    new = pa.Table.from_pylist(named, schema=TABLES["contacts"].schema)
    return {**TABLES, "contacts": pa.concat_tables([TABLES["contacts"], new])}


def test_what_a_night_planned_uses_the_days_of_the_next(whole: World, tmp_path: Path) -> None:
    whole.night(tmp_path / "a.parquet", config=LETTERS)
    later = make(tmp_path / "later", handed_back(tmp_path / "a.parquet"), shards=None)
    later.night(tmp_path / "b.parquet", config=LETTERS, as_of=AS_OF + timedelta(days=1))
    for channel in ("letter", "sms"):
        both = per_day(tmp_path / "a.parquet", channel) + per_day(tmp_path / "b.parquet", channel)
        assert max(both.values(), default=0) <= 1
    assert per_day(tmp_path / "a.parquet", "letter")


def test_contacts_to_come_are_counted_once_with_what_they_cost(whole: World, tmp_path: Path) -> None:
    whole.night(tmp_path / "a.parquet")
    made = handed_back(tmp_path / "a.parquet")
    made["contacts"] = made["contacts"].slice(len(TABLES["contacts"]))  # the night's own, none of before
    found = [histories_of(Portfolio.from_tables(made, checked=False), channels=CONFIG.grid.channels)]
    limits = replace(CONFIG, capacity=CapacitySettings(per_day={"letter": 9}, budget_eur_per_day=50))
    rates = [0.2] * len(CONFIG.grid.channels)
    used = taken_by(found, limits, at=AS_OF + timedelta(hours=1), answer_rate=rates)
    letters = per_day(tmp_path / "a.parquet", "letter")
    assert {name: count for name, count in used.items() if name.startswith("letter@")} == {
        f"letter@{day}": count for day, count in letters.items()
    }
    rows = [
        row for row in pq.read_table(tmp_path / "a.parquet").to_pylist() if row["lead"] and row["channel"] != "none"
    ]
    price = {name: CONFIG.costs.on(name, 20_000).amount for name in CONFIG.grid.channels} | {"phone": 0.5 + 5.0 * 0.2}
    spent = sum(amount for name, amount in used.items() if name.startswith("budget@"))
    assert spent == pytest.approx(sum(price[row["channel"]] for row in rows))
    assert taken_by(found, limits, at=AS_OF - timedelta(hours=1), answer_rate=rates).keys() <= set(used)
    assert taken_by(found, limits, at=AS_OF + timedelta(days=30), answer_rate=rates) == {}
