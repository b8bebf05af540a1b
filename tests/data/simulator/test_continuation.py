"""Decisions played forward: what is appended, what stays as it was, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.config import Config
from data.portfolio import read_portfolio
from data.schemas import DECISION_SCHEMA
from data.simulator.continuation import BadDecisions, continue_simulation
from data.simulator.settings import UNTIL
from data.simulator.store import NotSimulated, read_world

Simulated = Callable[[str], Path]


@pytest.fixture
def portfolio(simulated: Simulated, tmp_path: Path) -> Path:
    """A copy of the default portfolio that a test may continue."""
    return Path(shutil.copytree(simulated("default"), tmp_path / "copy"))


def decisions_for(directory: Path, *, channel: str = "sms") -> pa.Table:
    """The first slot of a channel for every debtor in the truth who has it, `none` for the others."""
    truth = pq.read_table(directory / "truth" / "actions.parquet")
    slots = truth.filter(pc.equal(truth["channel"], channel)).group_by("debtor_id").aggregate([("send_at", "min")])
    rows = truth.filter(pc.equal(truth["channel"], "none")).join(slots, keys="debtor_id", join_type="left outer")
    rows = rows.sort_by("claim_id")
    contacted = pc.is_valid(rows["send_at_min"])
    size = rows.num_rows
    given = {
        "decision_id": pc.binary_join_element_wise("z", rows["debtor_id"], "-"),
        "debtor_id": rows["debtor_id"],
        "claim_id": rows["claim_id"],
        "decided_at": pa.array([UNTIL] * size, DECISION_SCHEMA.field("decided_at").type),
        "channel": pc.if_else(contacted, channel, "none"),
        "send_at": rows["send_at_min"],
        "payment_option": pc.if_else(contacted, "link", None),
        "tone": pc.if_else(contacted, "neutral", None),
        "action_probability": pa.array(np.full(size, 0.25)),
        "arm": pa.array(["champion"] * size),
        "policy_version": pa.array(["rettid"] * size),
    }
    return pa.table(
        {name: given.get(name, pa.nulls(size, DECISION_SCHEMA.field(name).type)) for name in DECISION_SCHEMA.names}
    )


def go_on(directory: Path, decisions: pa.Table, *, days: int = 28) -> None:
    continue_simulation(directory, days=days, decisions=decisions, config=Config(), progress=lambda label, done: None)


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_what_is_played_keeps_the_contract_and_carries_our_ids(portfolio: Path) -> None:
    before, decisions = read_portfolio(portfolio), decisions_for(portfolio)
    go_on(portfolio, decisions)
    after = read_portfolio(portfolio)
    ours = after["contacts"].filter(pc.equal(after["contacts"]["policy"], "rettid/champion"))
    assert set(ours["contact_id"].to_pylist()) == set(decisions["decision_id"].to_pylist())
    assert ours["action_probability"].unique().to_pylist() == [0.25]
    for name in ("contacts", "contact_events", "payments", "claim_events"):
        assert after[name].num_rows > before[name].num_rows, name
    assert pc.max(after["payments"]["paid_at"]).as_py() > UNTIL + timedelta(days=14)
    assert read_world(portfolio).now_us == read_world(portfolio).settings.until_us + 28 * 86_400_000_000


def test_some_of_our_contacts_are_clicked_and_paid_through(portfolio: Path) -> None:
    go_on(portfolio, decisions_for(portfolio))
    after = read_portfolio(portfolio)
    for name in ("contact_events", "payments"):
        assert pc.sum(pc.starts_with(after[name]["contact_id"], "z-")).as_py() > 0, name


def test_what_had_happened_stays_as_it_was(portfolio: Path) -> None:
    before = read_portfolio(portfolio)
    go_on(portfolio, decisions_for(portfolio))
    after = read_portfolio(portfolio)
    for name, key in (("contact_events", "event_id"), ("claim_events", "event_id"), ("payments", "payment_id")):
        kept = after[name].filter(pc.is_in(after[name][key], value_set=before[name][key])).sort_by(key)
        columns = [column for column in kept.column_names if column != "reversed_at"]
        assert kept.select(columns).equals(before[name].sort_by(key).select(columns)), name


def test_no_table_knows_of_what_comes_after_its_end(portfolio: Path) -> None:
    for days in (0, 3):
        if days:
            go_on(portfolio, decisions_for(portfolio), days=days)
        tables, end = read_portfolio(portfolio), UNTIL + timedelta(days=days)
        for name, columns in (
            ("payments", ("paid_at", "known_at", "reversed_at")),
            ("contact_events", ("at", "known_at")),
            ("claim_events", ("at",)),
            ("claims", ("registered_at", "closed_at")),
            ("debtors", ("registered_at", "blocked_at", "cease_at", "objected_at", "vulnerable_from")),
        ):
            for column in columns:
                latest = pc.max(tables[name][column]).as_py()
                assert latest is None or latest <= end, (name, column)


def test_the_same_decisions_give_the_same_tables(simulated: Simulated, tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(simulated("default"), tmp_path / name)) for name in ("one", "two")]
    for folder in folders:
        go_on(folder, decisions_for(folder))
    one, two = (read_portfolio(folder) for folder in folders)
    assert all(one[name].equals(two[name]) for name in one.tables)


def test_two_continuations_follow_each_other(portfolio: Path) -> None:
    go_on(portfolio, decisions_for(portfolio), days=14)
    none = decisions_for(portfolio).slice(0, 0)
    paid = read_portfolio(portfolio)["payments"].num_rows
    go_on(portfolio, none, days=14)
    assert read_portfolio(portfolio)["payments"].num_rows > paid


def test_decisions_that_cannot_be_played_are_refused_and_nothing_is_written(portfolio: Path) -> None:
    good = decisions_for(portfolio)
    size = good.num_rows
    later = pa.array([UNTIL + timedelta(days=1)] * size, good["decided_at"].type)
    taken = pq.read_table(portfolio / "contacts.parquet")["contact_id"][0]
    before = read_portfolio(portfolio)
    cases = {
        "are of another time": with_column(good, "decided_at", later),
        "expected the columns": good.drop_columns(["arm"]),
        "more than one row": pa.concat_tables([good, good.slice(0, 1)]),
        "already holds": with_column(good, "decision_id", pa.array([taken.as_py()] * size)),
        "needs its own id": with_column(good, "decision_id", pa.array(["one"] * size)),
        "does not have": with_column(good, "debtor_id", pa.array(["d9999999"] * size)),
        "is not open": with_column(good, "claim_id", pa.array([f"c9999999-{row}" for row in range(size)])),
        "null for `none`": with_column(good, "channel", pa.array(["none"] * size)),
        "came fax": with_column(good, "channel", pa.array(["fax"] * size)),
    }
    for words, decisions in cases.items():
        with pytest.raises(BadDecisions, match=words):
            go_on(portfolio, decisions)
    with pytest.raises(BadDecisions, match="expected 1 to 120, came 0"):
        go_on(portfolio, good, days=0)
    assert all(before[name].equals(table) for name, table in read_portfolio(portfolio).tables.items())


def test_a_folder_without_a_simulation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotSimulated, match="holds no simulation"):
        continue_simulation(
            tmp_path, days=1, decisions=pa.table({}), config=Config(), progress=lambda label, done: None
        )
