"""Leave to send, just before sending, and what a stored decision tells."""

import pytest


def confirm(service, decision_id):
    return service.client.post(f"/v1/decisions/{decision_id}/confirm")


def tell_now(service, table, **row):
    service.tell(table, **row, at=service.clock().isoformat())
    service.clock.advance(seconds=1)


def refused(service, decision_id):
    answer = confirm(service, decision_id)
    assert answer.status_code == 409, answer.text
    return answer.json()["reason"]


def test_a_decision_that_still_holds_may_be_sent_and_asked_about_twice(service):
    told = service.ask()
    for _ in range(2):
        answer = confirm(service, told["decision_id"])
        assert answer.status_code == 200
        assert (answer.json()["channel"], answer.json()["send_at"]) == ("sms", told["send_at"])
    assert service.ask()["status"] == "confirmed"


def test_a_paid_claim_is_not_written_to(service):
    told = service.ask()
    row = {"payment_id": "z1", "claim_id": "k1", "debtor_id": "s1", "amount": "2400.00", "currency": "SEK"}
    service.tell("payments", **row, paid_at=service.clock().isoformat())
    service.clock.advance(seconds=1)
    assert refused(service, told["decision_id"]) == "paid"


def test_a_disputed_claim_is_not_written_to_even_after_a_first_leave(service):
    told = service.ask()
    assert confirm(service, told["decision_id"]).status_code == 200
    tell_now(service, "claim_events", claim_id="k2", kind="dispute_opened")
    assert refused(service, told["decision_id"]) == "disputed"
    assert service.client.get(f"/v1/decisions/{told['decision_id']}").json()["decision"]["status"] == "refused"


def test_who_opted_out_is_not_written_to(service):
    told = service.ask()
    tell_now(service, "contact_events", contact_id=told["decision_id"], kind="opted_out")
    assert refused(service, told["decision_id"]) == "opted_out"


def test_a_closed_claim_is_not_written_to(service):
    told = service.ask()
    row = {"claim_id": "k1", "debtor_id": "s1", "creditor_id": "k", "sector": "energy", "currency": "SEK"}
    row |= {"registered_at": "2026-01-10T12:00:00Z", "principal": "2400.00", "due_on": "2026-01-31"}
    service.tell("claims", **row, closed_at=service.clock().isoformat(), close_reason="withdrawn")
    service.clock.advance(seconds=1)
    assert refused(service, told["decision_id"]) == "closed"


def test_a_slot_is_confirmed_while_it_lasts_and_not_after(service):
    told = service.ask()
    service.clock.advance(hours=1, minutes=45)
    assert confirm(service, told["decision_id"]).status_code == 200
    service.clock.advance(hours=1)
    assert refused(service, told["decision_id"]) == "past_valid_until"


def test_a_stop_that_came_within_the_slot_counts(service):
    told = service.ask()
    service.clock.advance(hours=1, minutes=40)
    tell_now(service, "claim_events", claim_id="k1", kind="hold_placed")
    assert refused(service, told["decision_id"]) == "claim_on_hold"


def test_the_decision_not_to_make_contact_cannot_be_sent(service):
    told = service.ask("d3")
    assert refused(service, told["decision_id"]) == "no_contact"


def test_a_claim_that_is_held_cannot_be_sent_by_its_own_decision(service):
    tell_now(service, "claim_events", claim_id="k1", kind="dispute_opened")
    held = next(claim for claim in service.ask()["claims"] if claim["claim_id"] == "k1")
    assert refused(service, held["decision_id"]) == "no_contact"


def test_a_replaced_decision_is_not_sent(service):
    first = service.ask()
    service.ask(replace=True)
    assert refused(service, first["decision_id"]) == "replaced"


@pytest.mark.parametrize("decision_id", ["nothing", "..%2F..%2Fetc", "x" * 128])
def test_an_unknown_decision_is_not_found(service, decision_id):
    assert confirm(service, decision_id).status_code == 404
    assert service.client.get(f"/v1/decisions/{decision_id}").status_code == 404


def test_a_stored_decision_tells_what_was_asked_known_and_chosen(service):
    told = service.ask(explain=True)
    found = service.client.get(f"/v1/decisions/{told['decision_id']}").json()
    assert found["decision"] == told
    assert (found["source"], found["asked"]["explain"]) == ("online", True)
    assert found["seen"]["log"] == {"event": 0, "row": 0, "step": 0}
    assert found["seen"]["coverable"] == ["k1", "k2"]
    assert found["outcome"] == {"horizon_days": 14, "mature": False, "contact_events": [], "payments": []}


def test_a_stored_decision_tells_what_came_of_it(service):
    told = service.ask()
    confirm(service, told["decision_id"])
    service.clock.advance(hours=2)
    tell_now(service, "contact_events", contact_id=told["decision_id"], kind="sent")
    row = {"claim_id": "k1", "debtor_id": "s1", "amount": "100", "currency": "SEK"}
    service.tell(
        "payments", **row, payment_id="z1", paid_at=service.clock().isoformat(), contact_id=told["decision_id"]
    )
    service.tell("payments", **row, payment_id="z2", paid_at="2026-03-01T12:00:00Z")
    service.clock.advance(days=15)
    found = service.client.get(f"/v1/decisions/{told['decision_id']}").json()
    assert [step["step"] for step in found["steps"]] == ["confirmed", "sent"]
    assert found["decision"]["status"] == "sent"
    assert [event["kind"] for event in found["outcome"]["contact_events"]] == ["sent"]
    assert [(one["payment_id"], one["amount"]) for one in found["outcome"]["payments"]] == [("z1", "100.00")]
    assert found["outcome"]["mature"]


def test_a_leave_that_ran_out_was_given_all_the_same(service):
    told = service.ask()
    assert confirm(service, told["decision_id"]).status_code == 200
    service.clock.advance(days=8)
    assert refused(service, told["decision_id"]) == "past_valid_until"
    found = service.client.get(f"/v1/decisions/{told['decision_id']}").json()
    assert ([step["step"] for step in found["steps"]], found["decision"]["status"]) == (["confirmed"], "confirmed")


def test_leave_given_again_under_its_key_is_on_record(service):
    told, headers = service.ask(), {"Idempotency-Key": "c1"}
    path = f"/v1/decisions/{told['decision_id']}/confirm"
    assert service.client.post(path, headers=headers).status_code == 200
    tell_now(service, "claim_events", claim_id="k2", kind="dispute_opened")
    assert service.client.post(path, headers=headers).status_code == 409
    tell_now(service, "claim_events", claim_id="k2", kind="dispute_closed")
    again = service.client.post(path, headers=headers)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert service.client.get(f"/v1/decisions/{told['decision_id']}").json()["decision"]["status"] == "confirmed"


@pytest.mark.parametrize("back", [{"seconds": 0}, {"minutes": -10}])
def test_a_clock_that_stands_still_or_goes_back_refuses_no_leave(service, back):
    service.ask()
    service.clock.advance(**back)
    told = service.ask(replace=True)
    assert confirm(service, told["decision_id"]).status_code == 200
