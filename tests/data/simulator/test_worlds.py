"""Each world by name: its tables keep the contract, and its truth says what the world promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.portfolio import read_portfolio
from data.simulator.worlds import WORLDS
from data.times import DAY_US

Simulated = Callable[[str], Path]


def uplifts(directory: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channel, chance without contact and uplift of each row of the truth."""
    truth = pq.read_table(directory / "truth" / "actions.parquet")
    assert not truth["payment_probability"].null_count
    _, claim = np.unique(truth["claim_id"].to_numpy(zero_copy_only=False), return_inverse=True)
    channel = truth["channel"].to_numpy(zero_copy_only=False).astype(str)
    chance = truth["payment_probability"].to_numpy()
    alone = np.full(claim.max() + 1, np.nan)
    alone[claim[channel == "none"]] = chance[channel == "none"]
    return channel, alone[claim], chance - alone[claim]


@pytest.mark.parametrize("world", list(WORLDS))
def test_each_world_keeps_the_contract(simulated: Simulated, world: str) -> None:
    portfolio = read_portfolio(simulated(world))
    assert all(portfolio[name].num_rows for name in portfolio.tables)


@pytest.mark.parametrize("world", list(WORLDS))
def test_each_chance_lies_between_0_and_1_and_each_claim_has_its_none_row(simulated: Simulated, world: str) -> None:
    _, alone, uplift = uplifts(simulated(world))
    assert not np.isnan(alone).any()
    assert np.all((alone + uplift >= 0) & (alone + uplift <= 1))


def test_in_the_null_world_no_contact_changes_anything(simulated: Simulated) -> None:
    _, _, uplift = uplifts(simulated("null"))
    assert not uplift.any()


@pytest.mark.parametrize("world", list(WORLDS))
def test_in_every_world_somebody_pays_through_the_link(simulated: Simulated, world: str) -> None:
    payments = pq.read_table(simulated(world) / "payments.parquet")
    assert pc.count(payments["contact_id"]).as_py() > 5


def test_the_best_action_adds_some_points_and_rarely_more_than_thirty(simulated: Simulated) -> None:
    channel, alone, uplift = uplifts(simulated("default"))
    assert 0.04 < alone[channel == "none"].mean() < 0.25
    assert 0.005 < uplift[channel == "sms"].mean() < 0.10
    assert np.mean(uplift > 0.30) < 0.02


def test_some_actions_do_nothing_for_somebody(simulated: Simulated) -> None:
    channel, _, uplift = uplifts(simulated("default"))
    assert np.mean(np.abs(uplift[channel == "portal"]) < 1e-3) > 0.1


def test_the_harmful_world_hurts_some_and_helps_others(simulated: Simulated) -> None:
    channel, _, uplift = uplifts(simulated("harmful"))
    assert np.mean(uplift[channel == "phone"] < -0.01) > 0.05
    assert np.mean(uplift[channel == "phone"] > 0.01) > 0.1
    assert uplift.min() < -0.05


def test_in_the_pay_day_world_channels_at_one_time_do_the_same(simulated: Simulated) -> None:
    truth = pq.read_table(simulated("payday_only") / "truth" / "actions.parquet").filter(
        pc.field("channel").isin(["sms", "email", "letter"])
    )
    cells = truth.group_by(["claim_id", "send_at"]).aggregate(
        [("payment_probability", "min"), ("payment_probability", "max")]
    )
    # An address that leads nowhere is the one difference that is left.
    ratio = cells["payment_probability_max"].to_numpy() - cells["payment_probability_min"].to_numpy()
    assert np.mean(ratio < 1e-9) > 0.7


def test_in_the_self_cure_world_most_payment_comes_by_itself(simulated: Simulated) -> None:
    channel, alone, uplift = uplifts(simulated("self_cure"))
    assert alone[channel == "none"].mean() > 2 * uplift[channel != "none"].clip(min=0).mean()
    assert alone[channel == "none"].mean() > 1.2 * uplifts(simulated("default"))[1].mean()


def test_the_overlap_world_decides_weekly_and_states_its_standard_error(simulated: Simulated) -> None:
    contacts = pq.read_table(simulated("overlap") / "contacts.parquet")
    decided = np.unique(contacts["decided_at"].cast("int64").to_numpy())
    debtor = contacts["debtor_id"].to_numpy(zero_copy_only=False)
    assert len(decided) > 100
    gaps = [np.diff(np.unique(contacts["decided_at"].cast("int64").to_numpy()[debtor == one])) for one in debtor[:50]]
    assert min(gap.min() for gap in gaps if len(gap)) == 7 * DAY_US
    stated = json.loads((simulated("overlap") / "truth" / "truth.json").read_text(encoding="utf-8"))
    assert 0 < stated["standard_error_of_payment_probability"]["mean"] < 0.01


def test_outside_the_overlap_world_a_debtor_is_decided_on_once_in_fourteen_days(simulated: Simulated) -> None:
    contacts = pq.read_table(simulated("default") / "contacts.parquet", columns=["debtor_id", "decided_at"])
    table = contacts.group_by(["debtor_id", "decided_at"]).aggregate([]).sort_by("decided_at")
    debtor = np.unique(table["debtor_id"].to_numpy(zero_copy_only=False), return_inverse=True)[1]
    order = np.argsort(debtor, kind="stable")
    at_us = table["decided_at"].cast("int64").to_numpy()[order]
    same = np.diff(debtor[order]) == 0
    assert np.diff(at_us)[same].min() >= 14 * DAY_US


def test_the_log_is_confounded(simulated: Simulated) -> None:
    """By the log, a call looks far worse than a text message; in truth most of that is who gets which."""
    directory = simulated("default")
    contacts = pq.read_table(directory / "contacts.parquet").filter(pc.field("policy") == "incumbent")
    payments = pq.read_table(directory / "payments.parquet", columns=["claim_id", "paid_at"])
    both = contacts.join(payments, keys="claim_id", join_type="left outer")
    since = pc.fill_null(
        pc.subtract(both["paid_at"].cast("int64"), both["decided_at"].cast("int64")), -1
    ).to_numpy()  # fmt: skip
    hit = (since >= 0) & (since < 14 * DAY_US)
    via = both["channel"].to_numpy(zero_copy_only=False)
    naive = hit[via == "phone"].mean() - hit[via == "sms"].mean()
    channel, _, uplift = uplifts(directory)
    true = uplift[channel == "phone"].mean() - uplift[channel == "sms"].mean()
    assert naive < true - 0.03
