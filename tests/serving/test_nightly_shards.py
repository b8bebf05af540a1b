"""The nightly batch over a portfolio laid out by debtor: the same decisions, shard by shard, also after being cut short."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data.decision_log import DecisionLog
from data.schemas import DECISION_SCHEMA, write_table
from data.stopwatch import Stopwatch
from data.vocabulary import CHANNELS
from features.store import StoredHistories
from serving.nightly_parts import remove_abandoned
from serving.nightly_told import Told
from tests.deciding import arms
from tests.nights import AS_OF, BEFORE, SHARDS, TABLES, World, by_claim, champion, make
from tests.samples import Row
from tests.small_service import promote
from tests.strategies import START


@pytest.fixture
def laid_out(tmp_path: Path) -> World:
    return make(tmp_path / "by_debtor", TABLES, shards=SHARDS)


@pytest.fixture
def whole(tmp_path: Path) -> World:
    return make(tmp_path / "in_one", TABLES, shards=None)


def test_the_night_of_a_portfolio_laid_out_by_debtor_is_that_of_the_whole(
    laid_out: World, whole: World, tmp_path: Path
) -> None:
    one, other = laid_out.night(tmp_path / "a.parquet"), whole.night(tmp_path / "b.parquet")
    written = pq.read_table(tmp_path / "a.parquet")
    assert written.schema.equals(DECISION_SCHEMA)
    assert by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "b.parquet"))
    assert one.lines()[:3] == other.lines()[:3]
    assert len(one.by_arm) == 3
    decisions, batches = laid_out.logged()
    assert (decisions.select(DECISION_SCHEMA.names).equals(written), batches) == (True, 1)
    assert not list((laid_out.workspace / "nights").iterdir())


def test_each_debtor_is_decided_in_one_shard_and_every_shard_has_some(laid_out: World, tmp_path: Path) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", what="writing", at=0.0)
    found = [set(pq.read_table(part)["debtor_id"].to_pylist()) for part in laid_out.parts()]
    assert len(found) == SHARDS
    assert all(found)
    assert sum(map(len, found)) == len(set().union(*found))


def test_histories_are_kept_for_the_next_night(laid_out: World, tmp_path: Path) -> None:
    laid_out.night(tmp_path / "a.parquet")
    kept = {file: file.stat().st_mtime_ns for file in (laid_out.workspace / "features").iterdir()}
    laid_out.night(tmp_path / "b.parquet")
    assert {file: file.stat().st_mtime_ns for file in (laid_out.workspace / "features").iterdir()} == kept
    assert len(kept) == SHARDS
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def open_claim(debtor_id: str) -> str:
    """A claim of a debtor that is open at the moment decided for."""
    mine = [row for row in TABLES["claims"].to_pylist() if row["debtor_id"] == debtor_id]
    owed = [
        row for row in mine if row["registered_at"] < BEFORE and not (row["closed_at"] and row["closed_at"] <= AS_OF)
    ]
    return str(owed[0]["claim_id"])


def decided_debtors(file: Path) -> list[str]:
    found: list[str] = pq.read_table(file)["debtor_id"].unique().sort().to_pylist()
    return found


def contacted_before(file: Path) -> tuple[str, str, str]:
    """A debtor who is to be contacted through a channel of an earlier contact, that contact, and a claim it is to be about."""
    planned = {row["debtor_id"]: row for row in pq.read_table(file).to_pylist() if row["channel"] != "none"}
    past = [row for row in TABLES["contacts"].to_pylist() if row["decided_at"] < BEFORE - timedelta(days=9)]
    both = [(row, planned[row["debtor_id"]]) for row in past if row["debtor_id"] in planned]
    row, now = next((row, now) for row, now in both if now["channel"] == row["channel"])
    return row["debtor_id"], row["contact_id"], now["claim_id"]


def claim_row(claim_id: str, debtor_id: str) -> Row:
    row: Row = {"claim_id": claim_id, "debtor_id": debtor_id, "creditor_id": "k1", "sector": "rent", "currency": "SEK"}
    return row | {
        "principal": Decimal("900.00"),
        "due_on": date(2025, 3, 1),
        "registered_at": START + timedelta(days=90),
    }


def told_of(first: str, other: str, *, earlier: str, claim_id: str) -> dict[str, list[tuple[str, Row]]]:
    """Events about a debtor, some of which name what is another's, by what they are; `earlier` is a contact, the claim its own."""
    newcomer: Row = {"debtor_id": "newcomer", "country": "SE", "registered_at": START}
    known = next(row for row in TABLES["debtors"].to_pylist() if row["debtor_id"] == first)
    happened: Row = {"event_id": "x1", "at": BEFORE}
    paid: Row = {"payment_id": "x1", "claim_id": claim_id, "debtor_id": first, "currency": "SEK"}
    sent: Row = {"contact_id": "x1", "debtor_id": first, "claim_id": claim_id, "channel": "sms"}
    sent |= {"decided_at": BEFORE, "send_at": BEFORE, "policy": "incumbent"}
    return {
        "dispute": [("claim_events", {**happened, "claim_id": claim_id, "kind": "dispute_opened"})],
        "opt-out": [("contact_events", {**happened, "contact_id": earlier, "kind": "opted_out"})],
        "payment": [("payments", {**paid, "amount": Decimal("99999.00"), "paid_at": BEFORE})],
        "contact": [("contacts", sent), ("contact_events", {**happened, "contact_id": "x1", "kind": "delivered"})],
        "stop": [("debtors", {**known, "blocked_at": BEFORE})],
        "new claim": [("claims", claim_row("x1", first)), ("claims", claim_row("x2", other))],
        "new debtor": [("debtors", newcomer), ("claims", claim_row("x1", "newcomer"))],
        "claim of another": [("claims", claim_row(open_claim(other), first))],
        "claim of another, and of nobody": [("claims", claim_row(open_claim(other), "nobody"))],
    }


KINDS = ("dispute", "opt-out", "payment", "contact", "stop", "new claim", "new debtor", "claim of another")
NOTHING = ("claim of another", "claim of another, and of nobody")


@pytest.mark.parametrize("kind", [*KINDS, NOTHING[1]])
def test_what_the_service_was_told_counts_in_a_shard_as_it_does_in_the_whole(
    laid_out: World, whole: World, tmp_path: Path, kind: str
) -> None:
    laid_out.night(tmp_path / "before.parquet")
    first, earlier, claim_id = contacted_before(tmp_path / "before.parquet")
    debtors = decided_debtors(tmp_path / "before.parquet")
    other = next(one for one in debtors if laid_out.shard_of(one) != laid_out.shard_of(first))
    for world in (laid_out, whole):
        for number, (table, row) in enumerate(told_of(first, other, earlier=earlier, claim_id=claim_id)[kind]):
            world.tell(number, table, row)
    laid_out.night(tmp_path / "a.parquet")
    whole.night(tmp_path / "b.parquet")
    assert by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "b.parquet"))
    same = by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "before.parquet"))
    assert same == (kind in NOTHING)


def missing(world: World) -> set[tuple[str, ...]]:
    """Tables that are missing to the debtors of each shard, whatever shard."""
    stored = StoredHistories(world.folder, CHANNELS, world.workspace / "features")
    with closing(DecisionLog.open(world.workspace)) as log, log.reading() as connection:
        told = Told.of(connection, stored, as_of=AS_OF)
        return {told.histories(number).missing for number in range(len(told.shards))}


@pytest.mark.parametrize("shards", [SHARDS, None])
def test_a_table_that_only_the_service_was_told_of_is_missing_to_nobody(tmp_path: Path, shards: int | None) -> None:
    tables = {name: table for name, table in TABLES.items() if name not in ("contact_events", "debtor_profiles")}
    world = make(tmp_path, tables, shards=shards)
    delivered = {"event_id": "x1", "at": BEFORE, "kind": "delivered"}
    world.tell(1, "contact_events", {**delivered, "contact_id": "never heard of"})
    assert missing(world) == {("debtor_profiles", "contact_events")}
    world.tell(2, "contact_events", {**delivered, "contact_id": tables["contacts"]["contact_id"][0].as_py()})
    assert missing(world) == {("debtor_profiles",)}


def test_a_night_that_was_cut_short_goes_on_where_it_stood(laid_out: World, whole: World, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    laid_out.cut_short(out, at=0.3)
    assert len(laid_out.parts()) == 1
    assert not out.exists()
    assert laid_out.logged()[1] == 0
    summary = laid_out.night(out)
    assert summary.found == 1
    assert "1 shard had been decided by a run that was cut short" in summary.lines()
    expected = whole.night(tmp_path / "b.parquet")
    assert by_claim(out).equals(by_claim(tmp_path / "b.parquet"))
    assert summary.lines()[:3] == expected.lines()[:3]
    decisions, batches = laid_out.logged()
    assert (decisions.select(DECISION_SCHEMA.names).equals(pq.read_table(out)), batches) == (True, 1)


def test_a_finished_shard_is_not_decided_again(laid_out: World, tmp_path: Path) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.3)
    (part,) = laid_out.parts()
    finished = pq.read_table(part)
    write_table(finished.slice(1), part)  # decided again, the row that was taken away would be there
    laid_out.night(tmp_path / "a.parquet")
    claims = pq.read_table(tmp_path / "a.parquet")["claim_id"].to_pylist()
    assert finished["claim_id"][0].as_py() not in claims
    assert finished["claim_id"][1].as_py() in claims


@pytest.mark.parametrize(("what", "at"), [("writing", 0.0), ("writing", 0.5), ("writing", 1.0)])
def test_a_night_killed_while_writing_decides_nothing_again_and_is_logged_once(
    laid_out: World, tmp_path: Path, what: str, at: float
) -> None:
    out = tmp_path / "a.parquet"
    laid_out.cut_short(out, what=what, at=at)
    assert not list(tmp_path.glob(".*.tmp"))
    if at < 1:
        assert not out.exists()
        assert laid_out.logged()[1] == 0
        assert laid_out.night(out).found == SHARDS
    else:
        laid_out.night(out)
    decisions, batches = laid_out.logged()
    assert (decisions.select(DECISION_SCHEMA.names).equals(pq.read_table(out)), batches) == (True, 1)


def test_a_finished_shard_is_decided_again_after_something_was_told_of_it(
    laid_out: World, whole: World, tmp_path: Path
) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.6)
    first, second = (pq.read_table(part) for part in laid_out.parts())
    debtor_id = second["debtor_id"][0].as_py()
    assert debtor_id not in first["debtor_id"].to_pylist()
    known = next(row for row in TABLES["debtors"].to_pylist() if row["debtor_id"] == debtor_id)
    for world in (laid_out, whole):
        world.tell(1, "debtors", {**known, "blocked_at": BEFORE})
    assert laid_out.night(tmp_path / "a.parquet").found == 1
    whole.night(tmp_path / "b.parquet")
    assert by_claim(tmp_path / "a.parquet").equals(by_claim(tmp_path / "b.parquet"))
    assert not second.equals(pq.read_table(tmp_path / "a.parquet").slice(first.num_rows, second.num_rows))


@pytest.mark.parametrize(
    "change",
    [
        {"greedy": True},
        {"as_of": AS_OF + timedelta(hours=1)},
        {"config": arms(control=0.2, explore=0.3, champion=0.5)},
    ],
    ids=["greedy", "moment", "configuration"],
)
def test_shards_decided_for_something_else_are_not_taken(
    laid_out: World, tmp_path: Path, change: dict[str, Any]
) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.3)
    assert laid_out.night(tmp_path / "a.parquet", **change).found == 0


def test_shards_decided_by_another_model_or_from_other_files_are_not_taken(laid_out: World, tmp_path: Path) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.3)
    promote(laid_out.workspace, replace(champion(), model_version="counts-2"))
    laid_out.cut_short(tmp_path / "a.parquet", at=0.3)
    assert len(laid_out.parts()) == 2
    file = sorted((laid_out.folder / "payments").iterdir())[0]
    write_table(pq.read_table(file).slice(1), file)
    assert laid_out.night(tmp_path / "a.parquet").found == 0


def test_a_part_cut_by_a_crash_of_the_machine_is_decided_again(laid_out: World, tmp_path: Path) -> None:
    laid_out.night(tmp_path / "a.parquet")
    laid_out.cut_short(tmp_path / "b.parquet", at=0.6)
    first, _ = laid_out.parts()
    first.write_bytes(first.read_bytes()[:1000])
    assert laid_out.night(tmp_path / "b.parquet").found == 1
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_what_an_unfinished_night_left_is_deleted_after_a_week(laid_out: World, tmp_path: Path) -> None:
    laid_out.cut_short(tmp_path / "a.parquet", at=0.3)
    (part,) = laid_out.parts()
    touched = part.parent.stat().st_mtime
    remove_abandoned(laid_out.workspace, now_s=touched + 7 * 24 * 3600)
    assert laid_out.parts() == [part]
    remove_abandoned(laid_out.workspace, now_s=touched + 7 * 24 * 3600 + 1)
    assert not list((laid_out.workspace / "nights").iterdir())


def test_the_summary_tells_the_share_of_processor_time_in_each_part(laid_out: World, tmp_path: Path) -> None:
    (line,) = [one for one in laid_out.night(tmp_path / "a.parquet").lines() if one.startswith("processor time: ")]
    parts = dict(part.removesuffix(" %").rsplit(" ", 1) for part in line.removeprefix("processor time: ").split(", "))
    assert {"reading", "rows", "writing", "logging"} < set(parts)
    assert 97 <= sum(map(int, parts.values())) <= 103


def test_a_stopwatch_adds_up_what_came_in_pieces() -> None:
    ticks = iter([10.0, 11.0, 14.0, 14.0, 18.0])
    watch = Stopwatch(lambda: next(ticks))
    for part in ("reading", "rows", "nothing", "reading"):
        watch.lap(part)
    assert watch.seconds == {"reading": 5.0, "rows": 3.0, "nothing": 0.0}
    assert watch.line() == "reading 62 %, rows 38 %"
