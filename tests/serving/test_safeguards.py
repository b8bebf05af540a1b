"""What could have led to a contact that must not be made, or to an answer that is not true any more."""

import sqlite3
import stat
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from data.decision_log import DecisionLog
from data.log_proof import verify
from data.stored_answers import Once
from serving.counter import Counter
from serving.group import Ask, Tell, answer_group
from serving.shapes import EventRequest, NextBestActionRequest
from tests.small_service import FakeClock, decision_row, decision_table, signed_client, small_tables, write_world

DISPUTE = {"claim_id": "k1", "kind": "dispute_opened"}


def tenant(service):
    return service.client.app.state.tenants["main"]


def confirm(service, decision_id, **headers):
    return service.client.post(f"/v1/decisions/{decision_id}/confirm", headers=headers)


def night(service, as_of, send_at):
    row = decision_row(1, debtor_id="s1", claim_id="k1", decided_at=as_of, send_at=send_at)
    row["valid_until"] = send_at + timedelta(hours=1)
    log = DecisionLog.open(service.workspace)
    log.write_batch(decision_table(row), portfolio=None, as_of=as_of, config_fingerprint="night")
    log.close()
    return row["decision_id"]


def test_no_leave_is_given_for_a_night_that_has_not_begun(service):
    begins = service.clock() + timedelta(hours=1)
    decision_id = night(service, begins, service.clock() + timedelta(hours=5, minutes=30))
    answer = confirm(service, decision_id)
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_yet")
    service.clock.now = begins + timedelta(seconds=1)
    assert confirm(service, decision_id).status_code == 200


def test_contacts_that_a_fast_clock_dates_ahead_count_against_the_caps(service):
    told = service.ask("s1")
    ahead = (service.clock() + timedelta(minutes=2)).isoformat()
    for number in range(6):
        service.tell(
            "contacts", contact_id=f"x{number}", debtor_id="s1", claim_id="k1", decided_at=ahead,
            channel="sms", send_at=ahead, policy="agent",
        )  # fmt: skip
    assert confirm(service, told["decision_id"]).status_code == 409


def test_a_clock_that_goes_back_makes_no_stop_unknown(service):
    told = service.ask("s1")
    service.clock.advance(minutes=5)
    service.tell("claim_events", at=service.clock().isoformat(), **DISPUTE)
    service.clock.advance(minutes=-10)
    assert confirm(service, told["decision_id"]).status_code == 409
    again = service.ask("s1")
    assert {claim["claim_id"]: claim["covered"] for claim in again["claims"]}["k1"] is False


@pytest.mark.parametrize("column", ["objected_at", "cease_at", "blocked_at"])
def test_a_stop_dated_a_little_ahead_holds_at_once(service, column):
    decided = service.ask("s1")
    ahead = (service.clock() + timedelta(minutes=2)).isoformat()
    row = {"debtor_id": "s1", "country": "SE", "registered_at": "2026-01-05T12:00:00Z", column: ahead}
    service.tell("debtors", **row)
    assert confirm(service, decided["decision_id"]).status_code == 409


def test_leave_given_under_a_key_is_looked_at_again(service):
    told = service.ask("s1")
    first = confirm(service, told["decision_id"], **{"Idempotency-Key": "c1"})
    assert first.status_code == 200
    assert confirm(service, told["decision_id"], **{"Idempotency-Key": "c1"}).content == first.content
    service.tell("claim_events", at=service.clock().isoformat(), **DISPUTE)
    answer = confirm(service, told["decision_id"], **{"Idempotency-Key": "c1"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "disputed")


def test_an_answer_with_caution_does_not_stand_under_a_key(service):
    running = tenant(service).service
    ask = Ask(NextBestActionRequest(debtor_id="s1"), Once("/v1/next-best-action", "k", "0" * 64))
    ask.patience.over = True
    (first,) = answer_group(running, [ask])
    assert first.said.degraded
    (second,) = answer_group(running, [replace(ask, patience=type(ask.patience)())])
    assert (second.again, second.said.degraded, second.said.channel) == (False, False, "sms")


def test_a_debtor_told_of_since_is_decided_under_the_same_key(service):
    key = {"Idempotency-Key": "n"}
    assert service.client.post("/v1/next-best-action", json={"debtor_id": "new"}, headers=key).status_code == 404
    service.tell("debtors", debtor_id="new", country="SE", registered_at="2026-03-01T00:00:00Z")
    assert service.client.post("/v1/next-best-action", json={"debtor_id": "new"}, headers=key).status_code == 200


def test_every_worker_knows_at_once_which_tables_were_handed_over(tmp_path):
    settings = write_world(tmp_path)
    clock = FakeClock()
    with signed_client(replace(settings, portfolio=None), clock=clock) as first:
        second = signed_client(replace(settings, portfolio=None), clock=clock)
        with second:
            states = [one.app.state.tenants["main"].service for one in (first, second)]
            for one in states:
                answer_group(one, [Ask(NextBestActionRequest(debtor_id="s1"))])
            row = {"debtor_id": "n2", "valid_from": "2026-03-01T00:00:00Z", "channel": "sms", "verified": True}
            row |= {"consent": "given"}
            answer_group(states[0], [Tell(EventRequest(event_id="1", table="contact_points", row=row))])
            for one in states:
                answer_group(one, [Ask(NextBestActionRequest(debtor_id="n2"))])
            assert states[0].state.given == states[1].state.given == frozenset({"contact_points"})


def test_a_contact_belongs_to_one_debtor(service):
    row = {"contact_id": "x1", "channel": "sms", "policy": "agent", "decided_at": "2026-03-01T08:00:00Z"}
    row |= {"send_at": "2026-03-01T09:00:00Z"}
    service.tell("contacts", debtor_id="s1", claim_id="k1", **row)
    other = next(one for one in small_tables()["claims"].to_pylist() if one["debtor_id"] == "d2")
    event = {"event_id": "again", "table": "contacts", "row": {**row, "debtor_id": "d2", "claim_id": other["claim_id"]}}
    answer = service.client.post("/v1/events", json=event)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.row.contact_id")


def test_a_night_written_by_another_process_is_seen_by_both_desks(service):
    running = tenant(service).service
    service.ask("s1")
    decision_id = night(service, service.clock() + timedelta(seconds=1), service.clock() + timedelta(hours=5.5))
    service.clock.advance(seconds=2)
    with running.log.reading() as connection:
        running.state.of(connection, ["d2"], at=service.clock())
        live = running.state.of(connection, ["s1"], at=service.clock())["s1"]
    assert live.last.leading.decision_id == decision_id


def test_a_desk_that_was_told_to_end_goes_on(service):
    counter = Counter(tenant(service).service, patience_s=5)
    good = counter._desk._answer

    def ending(tasks):
        counter._desk._answer = good
        raise SystemExit

    counter._desk._answer = ending
    service.client.app.state.tenants["main"] = replace(tenant(service), counter=counter)
    body = {"debtor_id": "s1"}
    assert service.client.post("/v1/next-best-action", json=body).status_code == 500
    assert service.client.post("/v1/next-best-action", json=body).json()["channel"] == "sms"


def test_no_leave_is_given_for_an_erased_debtor(service):
    told = service.ask("s1")
    assert service.client.delete("/v1/debtors/s1").status_code == 200
    answer = confirm(service, told["decision_id"])
    assert (answer.status_code, answer.json()["reason"]) == (409, "erased")


def test_a_reversal_told_before_its_payment_counts(service):
    paid = {"payment_id": "p1", "claim_id": "k1", "debtor_id": "s1", "amount": "2400.00", "currency": "SEK"}
    at = "2026-03-09T08:00:00Z"
    service.tell("payments", **paid, paid_at=at, reversed_at="2026-03-10T07:00:00Z")
    service.tell("payments", **paid, paid_at=at)
    claims = {claim["claim_id"]: claim["covered"] for claim in service.ask("s1")["claims"]}
    assert claims == {"k1": True, "k2": True}


def test_while_the_desk_is_stuck_nobody_waits_for_it(service):
    counter = Counter(tenant(service).service, patience_s=5)
    service.client.app.state.tenants["main"] = replace(tenant(service), counter=counter)
    service.ask("d2")
    counter._desk._begun_s = 0.0
    begun = time.perf_counter()
    assert service.ask("s1")["degraded"]
    assert time.perf_counter() - begun < 5
    counter._desk._begun_s = None
    assert service.ask("s1")["channel"] == "sms"


def erase(service, debtor_id):
    assert service.client.delete(f"/v1/debtors/{debtor_id}").status_code == 200


def readable(service):
    """Whether the log's files hold the debtor's or its claims' identifiers."""
    files = [file.read_bytes() for file in service.workspace.glob("decisions.db*")]
    return [name for name in ("s-new", "k-new") for content in files if name.encode() in content]


def test_an_erased_debtor_does_not_come_back(service):
    service.tell("debtors", debtor_id="s-new", country="SE", registered_at="2026-01-05T12:00:00Z")
    claim = {"claim_id": "k-new", "debtor_id": "s-new", "creditor_id": "k", "sector": "energy", "currency": "SEK"}
    service.tell("claims", **claim, principal="100.00", due_on="2026-01-31", registered_at="2026-01-10T00:00:00Z")
    decided = service.ask("s-new")["decision_id"]
    erase(service, "s-new")
    key = {"Idempotency-Key": "later"}
    assert service.client.post("/v1/next-best-action", json={"debtor_id": "s-new"}, headers=key).status_code == 404
    rows = {
        "debtors": {"debtor_id": "s-new", "country": "SE", "registered_at": "2026-01-05T12:00:00Z"},
        "claim_events": {"claim_id": "k-new", "at": "2026-03-01T00:00:00Z", "kind": "inbound"},
        "contact_events": {"contact_id": decided, "at": "2026-03-10T07:00:00Z", "kind": "sent"},
    }
    for number, (table, row) in enumerate(rows.items()):
        event = {"event_id": f"late-{number}", "table": table, "row": row}
        answer = service.client.post("/v1/events", json=event, headers={"Idempotency-Key": f"e{number}"})
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:rettid:problem:erased"), table
    log = tenant(service).service.log
    night = decision_table(decision_row(5, debtor_id="s-new", claim_id="k-new"), decision_row(6, debtor_id="d2"))
    log.write_batch(night, portfolio=None, as_of=service.clock(), config_fingerprint="x")
    log.scrub()
    assert readable(service) == []
    assert "d2" in log.decisions()["debtor_id"].to_pylist()


def test_a_key_that_is_gone_without_an_erasure_is_noticed(service):
    service.ask("s1")
    erase(service, "d2") if service.ask("d2") else None
    log = tenant(service).service.log
    with log.walking() as connection:
        assert verify(connection) is None
    with sqlite3.connect(service.workspace / "decisions.db") as connection:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute("UPDATE subjects SET id = 'somebody else'")
        connection.execute("DELETE FROM subjects WHERE id = 's1'")
    with log.walking() as connection:
        assert verify(connection).table == "subjects"


def test_only_the_owner_may_read_the_log(service):
    assert stat.S_IMODE((service.workspace / "decisions.db").stat().st_mode) == 0o600


def test_who_is_known_by_claims_and_payments_alone_is_erased_too(service):
    claim = {"claim_id": "kw", "debtor_id": "w1", "creditor_id": "k", "sector": "energy", "currency": "SEK"}
    claim |= {"registered_at": "2026-01-10T12:00:00Z", "principal": "2400.00", "due_on": "2026-01-31"}
    service.tell("claims", **claim)
    assert service.client.delete("/v1/debtors/w1").status_code == 200
    assert service.client.delete("/v1/debtors/w1").status_code == 404
    assert service.client.delete("/v1/debtors/w2").status_code == 404
    answer = service.client.post("/v1/events", json={"event_id": "w", "table": "claims", "row": claim})
    assert answer.json()["type"] == "urn:rettid:problem:erased"
