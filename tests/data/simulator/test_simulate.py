"""A portfolio from nothing: the same each time, plausible, and as the log says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.config import Config, GridSettings, MoneySettings
from data.portfolio import read_portfolio
from data.simulator.settings import BadSettings, SimulationSettings
from data.simulator.simulate import simulate
from data.simulator.state import UnknownChannel
from data.simulator.store import load_chunk, read_world
from data.vocabulary import CONTACT_EVENT_KINDS
from tests.simulator_fakes import Fake

Simulated = Callable[[str], Path]
SMALL = SimulationSettings(debtors=60, months=4, seed=2, truth=20)


def made(directory: Path, settings: SimulationSettings) -> Path:
    simulate(directory, settings=settings, behaviour=Fake(Config()), config=Config(), progress=lambda label, done: None)
    return directory


def test_the_same_settings_give_the_same_tables_and_another_seed_does_not(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", SMALL), made(tmp_path / "two", SMALL)
    other = made(tmp_path / "other", replace(SMALL, seed=3))
    for path in [*one.glob("*.parquet"), one / "truth" / "actions.parquet", one / "truth" / "debtors.parquet"]:
        assert pq.read_table(path).equals(pq.read_table(two / path.relative_to(one))), path.name
    assert not pq.read_table(one / "claims.parquet").equals(pq.read_table(other / "claims.parquet"))


def test_truth_is_written_for_as_many_debtors_as_asked(tmp_path: Path) -> None:
    truth = pq.read_table(made(tmp_path, SMALL) / "truth" / "actions.parquet")
    assert pc.count_distinct(truth["debtor_id"]).as_py() == 20


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"world": "nul"}, "no world 'nul': there are default, overlap"),
        ({"debtors": 0}, "debtors: expected 1 to"),
        ({"months": 61}, "months: expected 1 to 60, came 61"),
        ({"claims": 0.5}, "claims: expected a mean"),
        ({"until": datetime(2026, 3, 2)}, "until: expected a time with its zone"),  # noqa: DTZ001  # that is the mistake
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        replace(SMALL, **changed)


def test_a_channel_that_no_world_knows_is_refused(tmp_path: Path) -> None:
    config = Config()
    extra = {name: MoneySettings({**part.rows, "fax": part.rows["sms"]}) for name, part in (("costs", config.costs),)}
    config = replace(config, grid=GridSettings(channels=(*config.grid.channels, "fax")), costs=extra["costs"])
    with pytest.raises(UnknownChannel, match="take fax out of"):
        simulate(tmp_path, settings=SMALL, behaviour=Fake(config), config=config, progress=lambda label, done: None)


def test_all_rows_of_a_contact_share_its_action_and_one_bears_its_cost(simulated: Simulated) -> None:
    contacts = pq.read_table(simulated("default") / "contacts.parquet")
    actions = contacts.group_by(["contact_id", "channel", "send_at", "decided_at", "policy"]).aggregate([])
    assert actions.num_rows == pc.count_distinct(contacts["contact_id"]).as_py()
    costs = contacts.group_by("contact_id").aggregate([("cost", "count")])
    assert set(costs["cost_count"].to_pylist()) <= {0, 1}
    none = contacts.filter(pc.equal(contacts["channel"], "none"))
    assert none.num_rows
    assert none["send_at"].null_count == none["content"].null_count == none.num_rows


def test_no_contact_covers_a_disputed_claim(simulated: Simulated) -> None:
    tables = read_portfolio(simulated("default"))
    events = tables["claim_events"].filter(
        pc.is_in(tables["claim_events"]["kind"], value_set=pc.cast(["dispute_opened", "dispute_closed"], "string"))
    )
    times: dict[str, list[tuple[int, int]]] = {}
    for row in events.sort_by("at").select(["claim_id", "at", "kind"]).to_pylist():
        times.setdefault(row["claim_id"], []).append((row["at"], row["kind"] == "dispute_opened"))
    assert times
    for row in tables["contacts"].select(["claim_id", "decided_at"]).to_pylist():
        past = [opened for at, opened in times.get(row["claim_id"], ()) if at < row["decided_at"]]
        assert not (past and past[-1]), row


def test_people_are_plausible(simulated: Simulated) -> None:
    tables = read_portfolio(simulated("default"))
    debtors, claims = tables["debtors"], tables["claims"]
    assert 1 <= debtors["birth_date"].null_count <= 0.05 * debtors.num_rows
    assert debtors["time_zone"].null_count > 0.9 * debtors.num_rows
    assert "audit_sex" in debtors.column_names
    assert {"SE", "NO", "DK", "FI", "DE"} <= set(debtors["country"].to_pylist())
    counts = claims.group_by("debtor_id").aggregate([("claim_id", "count")])["claim_id_count"].to_numpy()
    assert 1.2 < counts.mean() < 3.5
    assert counts.max() >= 7
    assert {"paid", "withdrawn"} <= set(pc.drop_null(claims["close_reason"]).to_pylist())


def test_contacts_leave_every_kind_of_trace(simulated: Simulated) -> None:
    kinds = {
        kind
        for world in ("default", "overlap", "drift", "harmful")
        for kind in pq.read_table(simulated(world) / "contact_events.parquet")["kind"].unique().to_pylist()
    }
    assert kinds == set(CONTACT_EVENT_KINDS)


def test_mail_programs_open_messages_that_nobody_read(simulated: Simulated) -> None:
    directory = simulated("default")
    hidden = pq.read_table(directory / "truth" / "debtors.parquet", columns=["debtor_id", "opens_itself"])
    contacts = pq.read_table(directory / "contacts.parquet").filter(pc.field("channel") == "email")
    opened = pq.read_table(directory / "contact_events.parquet").filter(pc.field("kind") == "opened")
    mails = contacts.select(["contact_id", "debtor_id"]).join(hidden, keys="debtor_id")
    seen = pc.is_in(mails["contact_id"], value_set=opened["contact_id"]).to_numpy()
    itself = mails["opens_itself"].to_numpy()
    assert seen[itself].mean() > seen[~itself].mean() + 0.3


def test_the_bank_is_late_for_some_payments(simulated: Simulated) -> None:
    payments = pq.read_table(simulated("default") / "payments.parquet")
    late = pc.subtract(payments["known_at"].cast("int64"), payments["paid_at"].cast("int64"))
    assert 0.05 < pc.count(late).as_py() / payments.num_rows < 0.5
    assert pc.min(late).as_py() > 0


def test_people_pay_at_their_usual_hours(simulated: Simulated) -> None:
    directory = simulated("default")
    payments = pq.read_table(directory / "payments.parquet")
    hidden = pq.read_table(directory / "truth" / "debtors.parquet", columns=["debtor_id", "peak_hour"])
    both = payments.select(["debtor_id", "paid_at"]).join(hidden, keys="debtor_id")
    hour = pc.hour(both["paid_at"]).to_numpy()
    assert np.corrcoef(hour, both["peak_hour"].to_numpy())[0, 1] > 0.3


def test_habits_change_half_way_in_the_drifting_world_only(simulated: Simulated) -> None:
    for world, changed in (("drift", True), ("default", False)):
        chunk, _ = load_chunk(simulated(world), 0, world=read_world(simulated(world)), config=Config())
        assert chunk.habits.drifted.all() == changed
