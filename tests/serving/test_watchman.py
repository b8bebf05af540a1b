"""Figures that are looked at from time to time: models in use, promises against payments."""

import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from data.decision_log import FILE_NAME
from data.decision_log_tables import decision_steps
from data.vocabulary import CHANNELS
from models.rules.pack import FOLDER
from models.rules.packs_kept import packs_of
from serving.log_watch import LogWatch
from serving.ready import probes_of
from serving.settings import ServiceSettings
from serving.telemetry.draining import Draining
from serving.telemetry.readiness import Check
from serving.tenants import fell_back
from serving.watchman import forget_old_answers, tell_calibration, tell_checks, tell_fallbacks, tell_models
from tests.samples import moment
from tests.serving.telemetry.figures import read
from tests.serving.telemetry.watched import telemetry
from tests.small_service import FakeClock, decision_row, decision_table, signed_client


def figures(service):
    text = service.client.get("/metrics").text
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if not line.startswith("#")}


def test_the_model_in_use_is_told(service):
    app = service.client.app
    tell_models(app.state.tenants["main"], app.state.telemetry)
    assert any('version="rates-1"' in name and value == 1 for name, value in figures(service).items())


def calibrated(service):
    """How many promises were held against payments."""
    app = service.client.app
    tell_calibration([app.state.tenants["main"].service], app.state.telemetry)
    found = [value for name, value in figures(service).items() if name.startswith("rettid_calibration_decisions")]
    return found[0] if found else 0.0


def test_a_contact_that_was_never_confirmed_nor_sent_is_no_promise(service):
    told = service.ask("s1")
    assert told["channel"] != "none"
    service.clock.advance(days=22)
    assert calibrated(service) == 0
    contact = {"contact_id": told["decision_id"], "at": told["send_at"], "kind": "sent"}
    service.tell("contact_events", **contact)
    assert calibrated(service) == 2


def test_a_decision_for_no_contact_is_a_promise_though_nothing_confirms_it(service):
    assert service.ask("d3")["channel"] == "none"
    service.clock.advance(days=22)
    assert calibrated(service) > 0


def test_promises_are_held_against_payments_once_the_horizon_is_over(service):
    told = service.ask("s1")
    assert service.client.post(f"/v1/decisions/{told['decision_id']}/confirm").status_code == 200
    paid = {"payment_id": "p-1", "claim_id": "k1", "debtor_id": "s1", "amount": "10.00", "currency": "SEK"}
    service.clock.advance(days=2)
    service.tell("payments", **paid, paid_at=service.clock().isoformat())
    app = service.client.app
    tell_calibration([app.state.tenants["main"].service], app.state.telemetry)
    before = figures(service)
    assert [value for name, value in before.items() if name.startswith("rettid_calibration_decisions")] in ([], [0.0])
    service.clock.advance(days=20)
    tell_calibration([app.state.tenants["main"].service], app.state.telemetry)
    after = figures(service)
    assert [value for name, value in after.items() if name.startswith("rettid_calibration_decisions")] == [2.0]
    ratio = [value for name, value in after.items() if name.startswith("rettid_calibration_ratio")]
    assert ratio == [0.5 / 0.4]


def tenant_of(service):
    return service.client.app.state.tenants["main"]


def test_the_mix_of_the_last_batch_is_told_once_it_is_there_and_falls_to_nothing_for_what_is_chosen_no_more(service):
    tenant, told = tenant_of(service), telemetry()
    watch = LogWatch([tenant], told)
    watch.tell_mix()
    assert not [name for name in read(told) if name.startswith("rettid_batch")]
    rows = [decision_row(n, channel=channel) for n, channel in enumerate(["sms", "sms", "none", "email"], 1)]
    # an uncovered claim of a debtor who is contacted
    rows.append(decision_row(9, debtor_id="d1", decided_at=rows[0]["decided_at"], channel="none", send_at=None))
    batch = {"portfolio": None, "config_fingerprint": "c"}
    tenant.service.log.write_batch(decision_table(*rows), as_of=moment(3, 9), **batch)
    watch.tell_mix()
    shares = {name: value for name, value in read(told).items() if name.startswith("rettid_batch_policy_share")}
    assert shares["rettid_batch_policy_share{channel=sms}"] == 0.5
    assert shares["rettid_batch_policy_share{channel=none}"] == 0.25
    later = [decision_row(n, channel="none", decided_at=moment(3, 11)) for n in (5, 6)]
    tenant.service.log.write_batch(decision_table(*later), as_of=moment(3, 11), **batch)
    watch.tell_mix()
    assert read(told)["rettid_batch_policy_share{channel=sms}"] == 0
    assert read(told)["rettid_batch_policy_share{channel=none}"] == 1


def test_a_log_whose_newest_links_were_changed_is_told_of_until_the_service_is_started_again(service):
    decision_id, tenant, told = service.ask("s1")["decision_id"], tenant_of(service), telemetry()
    service.client.post(f"/v1/decisions/{decision_id}/confirm")
    watch = LogWatch([tenant], told)
    watch.tell_chain()
    assert read(told)["rettid_log_chain_ok{links=newest}"] == 1
    engine = sa.create_engine(f"sqlite:///{service.workspace / FILE_NAME}")
    for step in ("sent", "confirmed"):
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER IF EXISTS decision_steps_no_update")
            connection.execute(sa.update(decision_steps).values(step=step))
        watch.tell_chain()
        assert read(told)["rettid_log_chain_ok{links=newest}"] == 0
    engine.dispose()


@pytest.mark.parametrize("kind", ["last_good_pack", "no_pack"])
def test_a_refused_pack_is_counted_at_the_start_by_what_goes_on_instead(tmp_path, kind):
    own = tmp_path / "rules"
    own.mkdir()
    if kind == "last_good_pack":
        shipped = (FOLDER / "SE.toml").read_text(encoding="utf-8")
        (own / "SE.toml").write_text(shipped, encoding="utf-8")
        assert fell_back(packs_of(tmp_path, channels=CHANNELS[1:], on=moment(3, 10).date())) == ()
    (own / "SE.toml").write_text("country = ", encoding="utf-8")
    found = fell_back(packs_of(tmp_path, channels=CHANNELS[1:], on=moment(3, 10).date()))
    assert found == (kind,)
    told = telemetry()
    tell_fallbacks([SimpleNamespace(fell_back=found)], told)
    assert read(told)[f"rettid_fallbacks_total{{kind={kind}}}"] == 1


def test_a_running_service_has_told_of_its_refused_packs_and_checks_though_nobody_asked_whether_it_is_ready(service):
    rules = service.workspace / "rules"
    rules.mkdir()
    (rules / "SE.toml").write_text("country = ", encoding="utf-8")
    settings = ServiceSettings(service.workspace, portfolio=service.portfolio, warm_up=False)
    with signed_client(settings, clock=FakeClock()) as client:
        ends = time.monotonic() + 30
        while (
            "rettid_check_ok" not in (text := client.app.state.telemetry.text().decode()).split("rettid_disk_free")[0]
        ):
            assert time.monotonic() < ends
            time.sleep(0.05)
    assert 'rettid_fallbacks_total{kind="no_pack"} 1.0' in text


def test_a_check_that_fails_in_one_tenant_is_told_as_failing_whoever_is_looked_at_last(service):
    told, good = telemetry(), [lambda: Check("packs_read", ok=True)]
    tell_checks({"north": [lambda: Check("packs_read", ok=False)], "south": good}, told)
    assert read(told)["rettid_check_ok{check=packs_read}"] == 0
    tell_checks({"north": good}, told)
    assert read(told)["rettid_check_ok{check=packs_read}"] == 1


def test_that_this_service_is_stopping_is_left_to_the_answer_of_readiness(service):
    draining, told = Draining(), telemetry()
    told.checks({"not_draining": False}, tenant="main")
    tell_checks({"main": probes_of(tenant_of(service), told, draining)}, told)
    found = read(told)
    assert found["rettid_check_ok{check=not_draining}"] == 0
    assert found["rettid_check_ok{check=store_writable}"] == 1
    assert found["rettid_disk_free_bytes"] > 0


def test_answers_under_keys_are_forgotten_after_a_month(service):
    key = {"Idempotency-Key": "old"}
    first = service.client.post("/v1/next-best-action", json={"debtor_id": "s1"}, headers=key).json()
    running = service.client.app.state.tenants["main"].service
    assert forget_old_answers(running) == 0
    service.clock.advance(days=31)
    assert forget_old_answers(running) == 1
    again = service.client.post("/v1/next-best-action", json={"debtor_id": "s1"}, headers=key)
    assert "idempotency-replayed" not in again.headers
    assert again.json()["decision_id"] != first["decision_id"]
