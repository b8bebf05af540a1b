"""The nightly batch: one file, one batch on record, the same decisions as the service takes."""

from dataclasses import replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from data.config import ArmSettings, Config, read_config
from data.decision_log import DecisionLog
from data.portfolio import Portfolio
from data.problems import BadPortfolio
from data.schemas import DECISION_SCHEMA
from data.vocabulary import CHANNELS
from features.catalogue import catalogue, names
from models.bundle import NoChampion
from models.propensity import RateModel
from models.sample_ratio import sample_ratio
from serving.nightly import run_nightly
from serving.nightly_summary import KNEW_LATER, NO_CONTROL
from tests.small_service import NOW, RATES, promote, small_bundle, small_service, small_tables, write_world


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


def test_a_night_without_a_control_arm_says_that_its_worth_cannot_be_measured(settings, tmp_path):
    alone = Config(arms=ArmSettings(control=0.0, explore=0.1, champion=0.9))
    assert NO_CONTROL in run(settings, tmp_path / "a.parquet", config=alone)[0].lines()
    assert NO_CONTROL not in run(settings, tmp_path / "b.parquet", config=Config())[0].lines()
    assert run(settings, tmp_path / "c.parquet", greedy=True)[0].sizes is None


def test_arms_of_other_sizes_than_they_were_drawn_with_are_told_of(settings, tmp_path):
    summary, _ = run(settings, tmp_path / "a.parquet")
    odd = replace(summary, sizes=sample_ratio({"control": 40, "explore": 5, "champion": 85}, ArmSettings()))
    assert "control 40 (planned 13)" in odd.lines()[-1]
    assert not any("planned" in line for line in summary.lines())


@pytest.mark.parametrize(("trained_days_later", "warned"), [(1, True), (-1, False)])
def test_a_model_that_knew_the_future_is_said_to_have(settings, tmp_path, trained_days_later, warned):
    trained = NOW + timedelta(days=trained_days_later)
    bundle = small_bundle(Portfolio.from_tables(small_tables()), version="dated-1")
    promote(settings.workspace, replace(bundle, card={"as_of": trained.isoformat()}))
    summary, _ = run(settings, tmp_path / "a.parquet")
    assert (KNEW_LATER in summary.lines()) == warned


def by_claim(file):
    return {row["claim_id"]: row for row in pq.read_table(file).to_pylist()}


def night_of(service, file):
    """Decisions of a batch at the service's moment over its folder and workspace, by claim."""
    running = service.client.app.state.tenants["main"].service
    run_nightly(
        service.portfolio,
        as_of=service.clock(),
        out=file,
        workspace=service.workspace,
        config=running.config,
        greedy=False,
        progress=lambda what, share: None,
    )
    return by_claim(file)


def rules(row):
    return {pair["rule"] for pair in row["blocked"]}


def test_the_service_takes_the_decision_of_the_night_for_the_live_one(tmp_path):
    with small_service(tmp_path) as service:
        night = night_of(service, tmp_path / "a.parquet")["k1"]
        service.clock.advance(minutes=1)
        answer = service.ask()
    assert answer["reused"]
    assert (answer["decision_id"], answer["channel"]) == (night["decision_id"], night["channel"])


def test_the_night_makes_no_contact_after_an_opt_out_told_to_the_service(service, tmp_path):
    assert night_of(service, tmp_path / "before.parquet")["k1"]["channel"] == "sms"
    told = by_claim(tmp_path / "before.parquet")["k1"]["decision_id"]
    service.tell("contact_events", contact_id=told, at=service.clock().isoformat(), kind="opted_out")
    service.clock.advance(minutes=1)
    night = night_of(service, tmp_path / "after.parquet")
    assert night["k1"]["channel"] != "sms"
    assert {"channel": "sms", "rule": "opted_out"} in night["k1"]["blocked"]


def test_the_night_leaves_out_a_claim_whose_dispute_was_told_to_the_service(service, tmp_path):
    service.tell("claim_events", claim_id="k1", at=service.clock().isoformat(), kind="dispute_opened")
    service.clock.advance(minutes=1)
    night = night_of(service, tmp_path / "night.parquet")
    assert night["k1"]["channel"] == "none"
    assert "disputed_claim" in rules(night["k1"])
    assert night["k2"]["channel"] == "sms"


def test_the_night_asks_for_no_claim_whose_payment_was_told_to_the_service(service, tmp_path):
    paid = {"payment_id": "z1", "claim_id": "k1", "debtor_id": "s1", "amount": "2400.00", "currency": "SEK"}
    service.tell("payments", **paid, paid_at=service.clock().isoformat())
    service.clock.advance(minutes=1)
    night = night_of(service, tmp_path / "night.parquet")
    assert night["k1"]["channel"] == "none"
    assert rules(night["k1"]) == {"nothing_owed"}
    assert night["k2"]["channel"] == "sms"


def promote_counting_contacts(workspace):
    """Makes a model the champion whose chance of payment tells how many contacts of the last 30 days it saw."""
    seen = names(catalogue(CHANNELS)).index("contacts_30")
    bundle = small_bundle(Portfolio.from_tables(small_tables()), "counts-1")
    promote(workspace, replace(bundle, model=RateModel((*RATES, *[0.5] * 200), seen)))


@pytest.mark.parametrize(("became", "contacts"), [("decided", 0), ("confirmed", 1), ("sent", 1)])
def test_what_the_service_confirmed_or_heard_of_is_a_contact_in_the_next_night(service, tmp_path, became, contacts):
    told = service.ask()
    service.clock.advance(minutes=1)
    if became == "confirmed":
        assert service.client.post(f"/v1/decisions/{told['decision_id']}/confirm").status_code == 200
    if became == "sent":
        sent = service.clock().isoformat()
        service.tell("contact_events", contact_id=told["decision_id"], at=sent, kind="sent")
    service.clock.advance(hours=20)
    promote_counting_contacts(service.workspace)
    night = night_of(service, tmp_path / "night.parquet")
    assert night["k1"]["payment_probability"] == RATES[contacts]


def test_a_night_decided_again_after_its_contact_was_confirmed_is_the_same(service, tmp_path):
    night = night_of(service, tmp_path / "a.parquet")["k1"]
    now = service.clock()
    service.clock.advance(minutes=1)
    assert service.client.post(f"/v1/decisions/{night['decision_id']}/confirm").status_code == 200
    service.clock.now = now
    night_of(service, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_decision_that_nobody_confirmed_changes_nothing_in_the_night(service, tmp_path):
    service.ask("d2")
    service.clock.advance(minutes=1)
    night_of(service, tmp_path / "a.parquet")
    (tmp_path / "other").mkdir()
    config = service.client.app.state.tenants["main"].service.config
    run(write_world(tmp_path / "other"), tmp_path / "b.parquet", config=config, as_of=service.clock())
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_service_decides_as_the_night_would_have(tmp_path):
    with small_service(tmp_path) as service:
        online = service.ask()
        settings = service.client.app.state.tenants["main"].service
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


def test_a_bad_pack_of_the_tenant_s_own_is_told_of_and_nobody_there_is_contacted(settings, tmp_path):
    before, _ = run(settings, tmp_path / "a.parquet")
    assert before.notices == ()
    (settings.workspace / "rules").mkdir()
    (settings.workspace / "rules" / "SE.toml").write_text("country = 7", encoding="utf-8")
    after, _ = run(settings, tmp_path / "b.parquet", as_of=NOW + timedelta(minutes=1))
    assert any("SE" in line and "nobody" in line for line in after.lines())
    rows = {row["claim_id"]: row for row in pq.read_table(tmp_path / "b.parquet").to_pylist()}
    assert rows["k1"]["channel"] == "none"
    assert {"channel": "sms", "rule": "unknown_country"} in rows["k1"]["blocked"]
