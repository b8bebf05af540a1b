"""One decision over HTTP: decided, reserved, told again, decided anew when facts change a rule."""

from datetime import timedelta

import pytest

from data.decision_log import DecisionLog
from tests.samples import moment
from tests.small_service import NOW, decision_row, decision_table

K1 = {
    "claim_id": "k1",
    "debtor_id": "s1",
    "creditor_id": "k-energy",
    "sector": "energy",
    "currency": "SEK",
    "registered_at": "2026-01-10T12:00:00Z",
    "principal": "2400.00",
    "due_on": "2026-01-31",
}


def logged(service):
    log = DecisionLog.open(service.workspace)
    try:
        return log.decisions()
    finally:
        log.close()


def dispute(service, claim_id="k1", kind="dispute_opened"):
    service.tell("claim_events", claim_id=claim_id, at=service.clock().isoformat(), kind=kind)
    service.clock.advance(seconds=1)


def test_a_decision_names_channel_slot_claims_and_versions(service):
    answer = service.ask()
    assert (answer["channel"], answer["tone"], answer["payment_option"]) == ("sms", "friendly", "link")
    assert answer["send_at"] == "2026-03-10T09:00:00Z"  # ten o'clock in Stockholm, the first slot to come
    assert answer["valid_until"] > answer["send_at"]
    assert [claim["claim_id"] for claim in answer["claims"]] == ["k1", "k2"]
    assert all(claim["covered"] and claim["decision_id"] == answer["decision_id"] for claim in answer["claims"])
    assert answer["payment_probability"] == pytest.approx(1 - 0.6**2)
    assert (answer["arm"], answer["model_version"], answer["status"]) == ("champion", "rates-1", "decided")
    assert not answer["reused"]
    assert not answer["dry_run"]


def test_every_other_allowed_channel_is_told_at_its_best_slot(service):
    answer = service.ask()
    assert [other["channel"] for other in answer["alternatives"]] == ["phone", "email"]
    assert all(other["expected_value"] < answer["expected_value"] for other in answer["alternatives"])
    assert {pair["channel"]: pair["rule"] for pair in answer["blocked"]}["letter"] == "no_contact_point"


def test_a_decision_is_on_record_before_it_is_told(service):
    answer = service.ask()
    found = logged(service)
    assert found["decision_id"].to_pylist() == [answer["decision_id"]] * 2
    assert set(found["source"].to_pylist()) == {"online"}


def test_asked_again_the_live_decision_is_told(service):
    first = service.ask()
    service.clock.advance(minutes=20)
    again = service.ask(channels=["email"])
    assert again["reused"]
    assert {**again, "reused": False} == first
    assert logged(service).num_rows == 2


def test_after_its_end_a_decision_is_live_no_more(service):
    first = service.ask()
    service.clock.advance(hours=4)
    again = service.ask()
    assert not again["reused"]
    assert again["decision_id"] != first["decision_id"]
    assert set(logged(service)["status"].to_pylist()) == {"decided"}


def test_replace_decides_anew_and_says_what_became_of_the_old(service):
    first = service.ask()
    second = service.ask(replace=True, channels=["email"])
    third = service.ask(replace=True)
    assert [second["channel"], third["channel"]] == ["email", "sms"]
    assert len({answer["decision_id"] for answer in (first, second, third)}) == 3
    assert logged(service)["status"].to_pylist() == ["replaced"] * 4 + ["decided"] * 2


def test_a_dispute_is_seen_by_the_very_next_decision(service):
    first = service.ask()
    dispute(service)
    answer = service.ask()
    assert not answer["reused"]
    assert answer["decision_id"] != first["decision_id"]
    held = {claim["claim_id"]: claim for claim in answer["claims"]}["k1"]
    assert not held["covered"]
    assert held["decision_id"] != answer["decision_id"]
    assert {pair["rule"] for pair in held["blocked"]} == {"disputed_claim"}
    dispute(service, kind="dispute_closed")
    assert not service.ask()["reused"]
    assert service.ask()["reused"]


def test_an_opt_out_closes_the_channel_at_once(service):
    first = service.ask()
    service.tell("contact_events", contact_id=first["decision_id"], at=service.clock().isoformat(), kind="opted_out")
    service.clock.advance(seconds=1)
    assert service.ask()["channel"] == "phone"


def test_an_event_that_changes_no_rule_leaves_the_decision_live(service):
    service.ask()
    service.tell("claim_events", claim_id="k1", at=service.clock().isoformat(), kind="stage", stage="reminder")
    service.clock.advance(seconds=1)
    assert service.ask()["reused"]


def test_a_new_claim_is_covered_by_the_next_decision(service):
    service.ask()
    service.tell("claims", **{**K1, "claim_id": "k3"})
    answer = service.ask()
    assert not answer["reused"]
    assert [claim["claim_id"] for claim in answer["claims"]] == ["k1", "k2", "k3"]


def test_a_closed_claim_is_told_no_more_and_the_last_one_ends_all_contact(service):
    service.tell("claims", **K1, closed_at="2026-03-09T12:00:00Z", close_reason="paid")
    assert [claim["claim_id"] for claim in service.ask()["claims"]] == ["k2"]
    service.tell("claims", **{**K1, "claim_id": "k2"}, closed_at="2026-03-09T12:00:00Z", close_reason="withdrawn")
    answer = service.ask()
    assert (answer["channel"], answer["claims"], answer["decision_id"]) == ("none", [], None)
    assert {pair["rule"] for pair in answer["blocked"]} == {"no_open_claim"}


def test_none_is_told_again_until_a_channel_opens(service):
    assert service.ask("d3")["channel"] == "none"
    service.clock.advance(hours=1)
    assert service.ask("d3")["reused"]
    row = {"debtor_id": "d3", "country": "SE", "time_zone": "Europe/Stockholm", "birth_date": "1980-01-01"}
    service.tell("debtors", **row, registered_at="2026-01-20T12:00:00Z")
    point = {"debtor_id": "d3", "channel": "sms", "valid_from": "2026-03-01T00:00:00Z"}
    service.tell("contact_points", **point, verified=True, consent="given", kind="private")
    answer = service.ask("d3")
    assert (answer["reused"], answer["channel"]) == (False, "sms")


def test_another_as_of_is_a_dry_run(service):
    answer = service.ask(as_of="2026-03-12T08:00:00Z")
    assert answer["dry_run"]
    assert answer["decision_id"] is None
    assert answer["decided_at"] == "2026-03-12T08:00:00Z"
    assert all(claim["decision_id"] is None for claim in answer["claims"])
    assert logged(service).num_rows == 0
    assert not service.ask()["reused"]


def test_a_dry_run_in_the_past_does_not_know_what_came_later(service):
    service.clock.advance(days=1)
    dispute(service, "k1")
    dispute(service, "k2")
    assert service.ask()["channel"] == "none"
    assert service.ask(as_of=NOW.isoformat())["channel"] == "sms"


def test_the_grid_can_be_narrowed(service):
    later = service.ask(not_before="2026-03-12T00:00:00Z", not_after="2026-03-12T20:00:00Z", channels=["phone"])
    assert later["channel"] == "phone"
    assert later["send_at"].startswith("2026-03-12T")


def test_only_the_claims_asked_for_are_covered(service):
    answer = service.ask(claim_ids=["k2"])
    assert {claim["claim_id"]: claim["covered"] for claim in answer["claims"]} == {"k1": False, "k2": True}
    assert service.ask(claim_ids=["k2"])["reused"]


def test_a_claim_of_another_debtor_is_refused(service):
    answer = service.client.post("/v1/next-best-action", json={"debtor_id": "s1", "claim_ids": ["c1", "k1"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "body.claim_ids"


def test_an_unknown_debtor_is_not_found(service):
    answer = service.client.post("/v1/next-best-action", json={"debtor_id": "nobody"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:rettid:problem:unknown-debtor"
    assert "nobody" not in answer.text


def test_a_debtor_may_come_as_events_alone_and_in_any_order(service):
    claim = {**K1, "claim_id": "n1", "debtor_id": "new"}
    assert (
        service.tell("claim_events", claim_id="n1", at="2026-03-01T12:00:00Z", kind="inbound")["waits_for"] == "claims"
    )
    assert service.tell("claims", **claim)["waits_for"] == "debtors"
    debtor = {"debtor_id": "new", "country": "SE", "birth_date": "1990-01-01", "registered_at": "2026-01-10T12:00:00Z"}
    assert service.tell("debtors", **debtor)["waits_for"] is None
    point = {"debtor_id": "new", "channel": "email", "valid_from": "2026-02-01T00:00:00Z", "verified": True}
    service.tell("contact_points", **point, consent="given", kind="private")
    answer = service.ask("new")
    assert answer["channel"] == "email"
    assert [claim["claim_id"] for claim in answer["claims"]] == ["n1"]


def test_an_explanation_comes_on_request(service):
    assert service.ask()["reasons"] is None
    reasons = service.ask(replace=True, explain=True)["reasons"]
    assert any("channel" in reason for reason in reasons)


def test_a_nightly_decision_is_the_live_one_until_facts_change(service):
    night = decision_row(1, debtor_id="s1", claim_id="k1", expected_value=300.0, currency="SEK")
    second = {**night, "claim_id": "k2", "lead": False}
    log = DecisionLog.open(service.workspace)
    log.write_batch(decision_table(night, second), portfolio=None, as_of=moment(3, 10, hour=1), config_fingerprint="c")
    log.close()
    answer = service.ask()
    assert (answer["reused"], answer["decision_id"]) == (True, night["decision_id"])
    dispute(service)
    assert not service.ask()["reused"]


def test_a_confirmed_contact_is_not_taken_back_by_replace(service):
    first = service.ask()
    assert service.client.post(f"/v1/decisions/{first['decision_id']}/confirm").status_code == 200
    second = service.ask(replace=True)
    assert second["tone"] == "friendly"
    assert logged(service)["status"].to_pylist() == ["confirmed"] * 2 + ["decided"] * 2


def test_deciding_without_a_champion_says_what_to_do(tmp_path):
    from tests.small_service import small_service

    with small_service(tmp_path, promoted=False) as bare:
        answer = bare.client.post("/v1/next-best-action", json={"debtor_id": "s1"})
        assert answer.status_code == 503
        assert "rettid promote" in answer.json()["remedy"]
        assert bare.client.get("/healthz").status_code == 200
        assert bare.client.get("/readyz").status_code == 503


def test_a_decision_in_a_slot_that_has_begun_is_live_until_its_end(service):
    first = service.ask()
    service.clock.now = NOW + timedelta(hours=1, minutes=45)
    assert first["send_at"] < service.clock().isoformat() < first["valid_until"]
    assert service.ask()["reused"]


@pytest.mark.parametrize(
    "narrowed", [{"channels": ["letter"]}, {"channels": []}, {"claim_ids": ["k2"], "channels": []}]
)
def test_no_contact_for_something_narrower_is_not_the_answer_to_more(service, narrowed):
    nothing = service.ask(**narrowed)
    assert nothing["channel"] == "none"
    service.clock.advance(seconds=1)
    assert service.ask(**narrowed)["decision_id"] == nothing["decision_id"]
    told = service.ask()
    assert (told["channel"], told["reused"]) == ("sms", False)
    assert service.ask(**narrowed)["decision_id"] == told["decision_id"]
