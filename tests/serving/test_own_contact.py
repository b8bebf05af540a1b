"""A decision that became a contact counts against the next one, and never against itself. The Swedish pack: one contact a day."""

from datetime import timedelta

import pyarrow.parquet as pq

from tests.serving.test_nightly import night_of


def confirm(service, decision_id):
    return service.client.post(f"/v1/decisions/{decision_id}/confirm")


def tell_sent(service, decision_id):
    row = {"contact_id": decision_id, "kind": "sent", "at": service.clock().isoformat()}
    service.tell("contact_events", **row)
    service.clock.advance(seconds=1)


def tell_contact(service, contact_id, **changes):
    """A contact that the collection system tells of: by default a call to s1 an hour from now."""
    now = service.clock()
    row = {"contact_id": contact_id, "debtor_id": "s1", "claim_id": "k1", "channel": "phone", "policy": "desk"}
    times = {"decided_at": now.isoformat(), "send_at": (now + timedelta(hours=1)).isoformat()}
    service.tell("contacts", **{**row, **times, **changes})
    service.clock.advance(seconds=1)


def test_asked_again_after_leave_to_send_the_same_decision_is_told(service):
    first = service.ask()
    assert confirm(service, first["decision_id"]).status_code == 200
    service.clock.advance(seconds=1)
    again = service.ask()
    assert (again["reused"], again["decision_id"]) == (True, first["decision_id"])


def test_leave_to_send_is_given_again_once_the_contact_is_reported_as_sent(service):
    first = service.ask()
    service.clock.advance(hours=1, minutes=31)
    tell_sent(service, first["decision_id"])
    assert confirm(service, first["decision_id"]).status_code == 200


def test_leave_to_send_is_given_though_the_collection_system_has_entered_the_contact(service):
    first = service.ask()
    times = {"send_at": first["send_at"], "decided_at": first["decided_at"]}
    tell_contact(service, first["decision_id"], channel=first["channel"], **times)
    assert confirm(service, first["decision_id"]).status_code == 200


def test_a_contact_that_somebody_else_has_planned_for_the_day_takes_the_place(service):
    first = service.ask()
    tell_contact(service, "desk-1")
    answer = confirm(service, first["decision_id"])
    assert (answer.status_code, answer.json()["reason"]) == (409, "cap_per_debtor")
    service.clock.advance(seconds=1)
    again = service.ask()
    assert not again["reused"]
    assert again["send_at"] is None or again["send_at"][:10] > first["send_at"][:10]


def test_replaced_before_leave_to_send_a_decision_takes_no_place(service):
    first = service.ask()
    service.clock.advance(seconds=1)
    second = service.ask(replace=True)
    assert second["decision_id"] != first["decision_id"]
    assert second["send_at"] == first["send_at"]
    assert confirm(service, second["decision_id"]).status_code == 200


def test_replaced_after_leave_to_send_it_counts_as_a_contact_of_that_day(service):
    first = service.ask()
    assert confirm(service, first["decision_id"]).status_code == 200
    service.clock.advance(seconds=1)
    second = service.ask(replace=True)
    assert second["send_at"][:10] > first["send_at"][:10]


def test_a_night_decided_again_after_its_contacts_were_confirmed_is_the_same(service, tmp_path):
    night = service.clock()
    night_of(service, tmp_path / "a.parquet")
    service.clock.advance(seconds=1)
    mine = next(row for row in pq.read_table(tmp_path / "a.parquet").to_pylist() if row["claim_id"] == "k1")
    assert mine["channel"] != "none"
    assert confirm(service, mine["decision_id"]).status_code == 200
    service.clock.now = night
    night_of(service, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_the_next_night_counts_what_was_confirmed(service, tmp_path):
    first = service.ask()
    assert confirm(service, first["decision_id"]).status_code == 200
    service.clock.advance(seconds=1)
    night_of(service, tmp_path / "a.parquet")
    mine = next(row for row in pq.read_table(tmp_path / "a.parquet").to_pylist() if row["claim_id"] == "k1")
    assert mine["channel"] == "none" or mine["send_at"].date().isoformat() > first["send_at"][:10]
