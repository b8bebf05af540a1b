"""The nightly batch: one file, one batch on record, the same decisions as the service takes."""

import pyarrow.parquet as pq
import pytest

from data.config import read_config
from data.decision_log import DecisionLog
from data.problems import BadPortfolio
from data.schemas import DECISION_SCHEMA
from models.bundle import NoChampion
from serving.nightly import run_nightly
from tests.small_service import NOW, small_service, write_world


def run(settings, out, **changes):
    told = []
    given = {
        "as_of": NOW,
        "out": out,
        "workspace": settings.workspace,
        "config": read_config(settings.workspace),
        "greedy": False,
        "progress": lambda what, share: told.append((what, share)),
    }
    return run_nightly(settings.portfolio, **{**given, **changes}), told


@pytest.fixture
def settings(tmp_path):
    return write_world(tmp_path)


def logged(settings):
    log = DecisionLog.open(settings.workspace)
    try:
        return log.decisions(), log.batches()
    finally:
        log.close()


def test_every_open_claim_is_decided_written_and_logged(settings, tmp_path):
    summary, told = run(settings, tmp_path / "out" / "night.parquet")
    written = pq.read_table(tmp_path / "out" / "night.parquet")
    assert written.schema == DECISION_SCHEMA
    assert sorted(written["claim_id"].to_pylist()) == ["c1", "c2", "c3", "c5", "k1", "k2"]
    decisions, (batch,) = logged(settings)
    assert decisions.select(DECISION_SCHEMA.names).to_pylist() == written.to_pylist()
    assert (batch.as_of, batch.portfolio) == (NOW, str(settings.portfolio.resolve()))
    assert (summary.debtors, summary.claims, summary.batch_id) == (4, 6, batch.batch_id)
    assert summary.lines()[0] == "4 debtors with 6 open claims: 2 contacts"
    assert told[-1] == ("writing", 1.0)


def test_decided_twice_it_is_logged_once(settings, tmp_path):
    first, _ = run(settings, tmp_path / "a.parquet")
    second, _ = run(settings, tmp_path / "b.parquet")
    assert first.batch_id == second.batch_id
    assert len(logged(settings)[1]) == 1
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_greedy_gives_everyone_to_the_champion(settings, tmp_path):
    summary, _ = run(settings, tmp_path / "a.parquet", greedy=True)
    assert summary.by_arm == {"champion": 4}


def test_the_service_takes_the_decision_of_the_night_for_the_live_one(tmp_path):
    with small_service(tmp_path) as service:
        settings = service.client.app.state.service
        run_nightly(
            service.portfolio,
            as_of=NOW,
            out=tmp_path / "a.parquet",
            workspace=service.workspace,
            config=settings.config,
            greedy=False,
            progress=lambda what, share: None,
        )
        service.clock.advance(minutes=1)
        answer = service.ask()
    night = {row["claim_id"]: row for row in pq.read_table(tmp_path / "a.parquet").to_pylist()}["k1"]
    assert answer["reused"]
    assert (answer["decision_id"], answer["channel"]) == (night["decision_id"], night["channel"])


def test_the_service_decides_as_the_night_would_have(tmp_path):
    with small_service(tmp_path) as service:
        online = service.ask()
        settings = service.client.app.state.service
    (tmp_path / "other").mkdir()
    run(write_world(tmp_path / "other"), tmp_path / "b.parquet", config=settings.config)
    night = {row["claim_id"]: row for row in pq.read_table(tmp_path / "b.parquet").to_pylist()}["k1"]
    for name in ("decision_id", "channel", "arm", "action_probability", "rules_version", "policy_version"):
        assert online[name] == night[name]
    assert online["claims"][0]["expected_value"] == night["expected_value"]


def test_a_bad_portfolio_leaves_no_file(settings, tmp_path):
    (settings.portfolio / "claims.parquet").unlink()
    with pytest.raises(BadPortfolio, match="required table is missing"):
        run(settings, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_without_a_champion_nothing_is_decided(tmp_path):
    with pytest.raises(NoChampion, match="rettid train"):
        run(write_world(tmp_path, promoted=False), tmp_path / "a.parquet")
