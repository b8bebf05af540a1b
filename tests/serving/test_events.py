"""Events: held against the contract, stored before the answer, counted once."""

from datetime import timedelta

import pytest

PAYMENT = {
    "payment_id": "z1",
    "claim_id": "k1",
    "debtor_id": "s1",
    "paid_at": "2026-03-10T07:00:00Z",
    "amount": "2400.00",
    "currency": "SEK",
}
CLAIM = {
    "claim_id": "k1",
    "debtor_id": "s1",
    "creditor_id": "k",
    "sector": "energy",
    "currency": "SEK",
    "registered_at": "2026-01-10T12:00:00Z",
    "principal": "2400.00",
    "due_on": "2026-01-31",
}


def send(service, event_id="e1", table="payments", **row):
    body = {"event_id": event_id, "table": table, "row": {**(PAYMENT if table == "payments" else {}), **row}}
    return service.client.post("/v1/events", json=body)


def fault(answer):
    assert answer.status_code == 422, answer.text
    (found,) = answer.json()["errors"]
    return found


def test_an_event_is_acknowledged_and_known_when_sent_again(service):
    assert send(service).json() == {"event_id": "e1", "duplicate": False, "waits_for": None}
    assert send(service).json() == {"event_id": "e1", "duplicate": True, "waits_for": None}
    service.clock.advance(seconds=1)
    told = service.ask()
    stored = service.client.get(f"/v1/decisions/{told['decision_id']}").json()
    assert told["claims"][0]["covered"] is False
    assert stored["seen"]["coverable"] == ["k2"]


def test_the_same_fact_written_differently_is_the_same_event(service):
    send(service)
    assert send(service, amount=2400, paid_at="2026-03-10T08:00:00+01:00").json()["duplicate"]


def test_another_event_under_the_same_identifier_is_a_conflict(service):
    send(service)
    answer = send(service, amount="1.00")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:rettid:problem:event-conflict"


def test_an_unknown_table_is_answered_with_the_known_ones(service):
    found = fault(send(service, table="invoices"))
    assert found["where"] == "body.table"
    assert "debtors, debtor_profiles, contact_points, claims" in found["remedy"]


def test_an_unknown_column_is_answered_with_the_known_ones(service):
    found = fault(send(service, sum="1"))
    assert (found["where"], found["what"]) == ("body.row", "a column that payments does not have")
    assert "payment_id, claim_id" in found["remedy"]


def test_an_unknown_word_is_answered_with_the_known_ones(service):
    found = fault(send(service, table="claim_events", claim_id="k1", at="2026-03-10T07:00:00Z", kind="quarrel"))
    assert found["where"] == "body.row.kind"
    assert "dispute_opened" in found["remedy"]
    assert "quarrel" not in str(found)


def test_a_naive_time_names_its_column(service):
    found = fault(send(service, paid_at="2026-03-10T07:00:00"))
    assert (found["where"], found["what"]) == ("body.row.paid_at", "a time without its zone")


def test_a_currency_without_a_rate_is_refused_before_it_can_stop_decisions(service):
    assert "[rates] in rettid.toml" in fault(send(service, currency="XAU"))["remedy"]


def test_a_claim_stays_with_its_debtor(service):
    assert fault(send(service, debtor_id="d2"))["where"] == "body.row.debtor_id"
    service.tell("payments", **{**PAYMENT, "payment_id": "z9", "claim_id": "later"})
    claim = {"claim_id": "later", "debtor_id": "d2", "creditor_id": "k", "sector": "energy", "principal": "10"}
    service.tell("claims", **claim, currency="EUR", due_on="2026-01-01", registered_at="2026-01-01T00:00:00Z")
    assert service.ask("d2")["claims"][-1]["payment_probability"] > 0
    assert service.ask("s1")["claims"][0]["covered"]


def test_a_later_row_takes_the_place_of_an_earlier_one(service):
    point = {"debtor_id": "s1", "channel": "sms", "valid_from": "2026-01-05T12:00:00Z", "verified": True}
    service.tell("contact_points", **point, consent="withdrawn", kind="private")
    assert service.ask()["channel"] == "phone"
    service.tell("contact_points", **point, consent="given", kind="private")
    assert service.ask(replace=True)["channel"] == "sms"


@pytest.mark.parametrize("word", [{"consent": "withdrawn"}, {"kind": "may_be_childs"}])
def test_a_row_of_its_own_against_the_address_counts_until_a_later_one_takes_it_back(service, word):
    point = {"debtor_id": "s1", "channel": "sms", "verified": True, "consent": "given", "kind": "private"}
    assert service.ask()["channel"] == "sms"
    service.tell("contact_points", **point | word, valid_from="2026-03-01T12:00:00Z", valid_to="2026-03-02T12:00:00Z")
    answer = service.ask(replace=True)
    assert answer["channel"] == "phone"
    assert "sms" in {pair["channel"] for pair in answer["blocked"]}
    service.tell("contact_points", **point, valid_from="2026-03-05T12:00:00Z")
    assert service.ask(replace=True)["channel"] == "sms"


def test_a_decision_is_not_confirmed_once_a_row_of_its_own_has_withdrawn_the_consent(service):
    told = service.ask()
    point = {"debtor_id": "s1", "channel": told["channel"], "verified": True, "consent": "withdrawn", "kind": "private"}
    service.tell("contact_points", **point, valid_from="2026-03-10T07:31:00Z")
    confirm = f"/v1/decisions/{told['decision_id']}/confirm"
    service.clock.advance(minutes=2)
    assert service.client.post(confirm).status_code == 409


def test_a_reversed_payment_opens_the_debt_again(service):
    send(service)
    service.clock.advance(seconds=1)
    assert not service.ask()["claims"][0]["covered"]
    send(service, event_id="e2", reversed_at="2026-03-10T07:20:00Z")
    service.clock.advance(seconds=1)
    assert service.ask()["claims"][0]["covered"]


def test_a_contact_event_is_known_by_the_identifier_of_its_event(service):
    told = service.ask()
    row = {"contact_id": told["decision_id"], "at": "2026-03-10T07:31:00Z", "kind": "sent"}
    assert send(service, event_id="x77", table="contact_events", **row).json()["waits_for"] is None
    stored = service.client.get(f"/v1/decisions/{told['decision_id']}").json()
    assert [event["kind"] for event in stored["outcome"]["contact_events"]] == ["sent"]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_facts_may_come_in_any_order(service, order):
    debtor = {"debtor_id": "n", "country": "SE", "birth_date": "1990-01-01", "registered_at": "2026-01-10T12:00:00Z"}
    claim = {"claim_id": "n1", "debtor_id": "n", "creditor_id": "k", "sector": "energy", "currency": "SEK"}
    claim |= {"registered_at": "2026-01-10T12:00:00Z", "principal": "900.00", "due_on": "2026-01-31"}
    point = {"debtor_id": "n", "channel": "email", "valid_from": "2026-02-01T00:00:00Z", "verified": True}
    point |= {"consent": "given", "kind": "private"}
    opened = {"claim_id": "n1", "at": "2026-03-01T00:00:00Z", "kind": "dispute_opened"}
    facts = [("debtors", debtor), ("claims", claim), ("contact_points", point), ("claim_events", opened)]
    for number in order:
        service.tell(facts[number][0], **facts[number][1])
    answer = service.ask("n")
    assert answer["channel"] == "none"
    assert {pair["rule"] for pair in answer["blocked"]} == {"disputed_claim", "no_contact_point"}


@pytest.mark.parametrize(
    ("table", "row", "reason"),
    [
        ("claim_events", {"claim_id": "k2", "kind": "dispute_opened"}, "disputed"),
        ("contact_events", {"kind": "opted_out"}, "opted_out"),
    ],
)
def test_a_stop_dated_by_a_clock_that_runs_ahead_holds_at_once(service, table, row, reason):
    told = service.ask()
    contact = {"contact_id": told["decision_id"]} if table == "contact_events" else {}
    ahead = (service.clock() + timedelta(minutes=2)).isoformat()
    assert send(service, "e9", table, **row, **contact, at=ahead).status_code == 200
    service.clock.advance(seconds=1)
    answer = service.client.post(f"/v1/decisions/{told['decision_id']}/confirm")
    assert (answer.status_code, answer.json()["reason"]) == (409, reason)
    assert service.ask()["reused"] is False


def test_a_payment_is_in_the_currency_of_its_claim(service):
    assert fault(send(service, currency="EUR"))["what"] == "differs from the claim's currency"


@pytest.mark.parametrize("claim_id", ["k1", "new"])
def test_the_currency_of_a_claim_is_the_one_told_last(service, claim_id):
    claim = {"claim_id": claim_id, "debtor_id": "s1", "creditor_id": "k", "sector": "energy", "principal": "10"}
    dates = {"due_on": "2026-01-01", "registered_at": "2026-01-01T00:00:00Z"}
    for currency, other in (("EUR", "SEK"), ("SEK", "EUR")):
        service.tell("claims", **claim, **dates, currency=currency)
        refused = send(service, "e-other", claim_id=claim_id, payment_id="z-other", currency=other)
        assert fault(refused)["what"] == "differs from the claim's currency"
        taken = send(service, f"e-{currency}", claim_id=claim_id, payment_id=f"z-{currency}", currency=currency)
        assert taken.json()["waits_for"] is None
        gone = {"payment_id": f"z-{currency}", "currency": currency, "reversed_at": "2026-03-10T07:10:00Z"}
        assert send(service, f"r-{currency}", claim_id=claim_id, **gone).status_code == 200


def test_a_payment_and_its_claim_are_in_one_currency_whichever_comes_first(service):
    claim = {**CLAIM, "claim_id": "k9"}
    assert send(service, claim_id="k9", amount="50.00", currency="EUR").json()["waits_for"] == "claims"
    found = fault(send(service, "e2", "claims", **claim))
    assert (found["where"], found["what"]) == ("body.row.currency", "differs from that of a payment on the claim")
    assert send(service, "e3", claim_id="k9", amount="550.00", currency="SEK").status_code == 200
    assert send(service, "e4", "claims", **claim).status_code == 200
    assert fault(send(service, "e5", claim_id="k9", currency="EUR"))["where"] == "body.row.currency"


def test_a_claim_with_payments_does_not_change_its_currency(service):
    send(service, amount="400.00")
    claim = {**CLAIM, "currency": "EUR", "principal": "240.00"}
    assert fault(send(service, "e2", "claims", **claim))["where"] == "body.row.currency"


def test_a_payment_counts_for_one_debtor(service):
    assert send(service, amount="200.00").status_code == 200
    new = {"debtor_id": "n1", "country": "SE", "registered_at": "2026-03-01T12:00:00Z"}
    claim = {**CLAIM, "claim_id": "kn", "debtor_id": "n1"}
    service.tell("debtors", **new)
    service.tell("claims", **claim)
    moved = fault(send(service, "e2", claim_id="kn", debtor_id="n1", amount="200.00"))
    assert (moved["where"], "reversed_at" in moved["remedy"]) == ("body.row.payment_id", True)
    assert send(service, "e3", claim_id="k2", amount="200.00").status_code == 200
    reversed_at = {"amount": "200.00", "claim_id": "k2", "reversed_at": "2026-03-10T07:10:00Z"}
    assert send(service, "e4", **reversed_at).status_code == 200
    assert send(service, "e5", claim_id="kn", debtor_id="n1", payment_id="z2", amount="200.00").status_code == 200


def test_an_event_of_a_claim_stays_with_its_debtor(service):
    row = {"event_id": "r1", "at": "2026-03-10T07:00:00Z", "kind": "dispute_opened"}

    def told(number, claim_id):
        body = {"event_id": f"e{number}", "table": "claim_events", "row": {**row, "claim_id": claim_id}}
        return service.client.post("/v1/events", json=body)

    assert [told(number, claim_id).status_code for number, claim_id in enumerate(("k1", "k2"))] == [200, 200]
    assert fault(told(3, "c3"))["where"] == "body.row.event_id"


def test_who_pays_through_the_link_of_someone_erased_pays(service):
    told = service.ask()
    service.client.post(f"/v1/decisions/{told['decision_id']}/confirm")
    assert service.client.delete("/v1/debtors/s1").status_code == 200
    known = service.client.app.state.tenants["main"].service.base.tables["claims"].to_pylist()
    claim = next(one for one in known if one["debtor_id"] != "s1")
    row = {name: claim[name] for name in ("claim_id", "debtor_id", "currency")}
    assert send(service, **row, contact_id=told["decision_id"]).status_code == 200


def test_a_payment_of_the_portfolio_stays_with_its_debtor(service):
    known = service.client.app.state.tenants["main"].service.base
    (row,) = [one for one in known.tables["payments"].to_pylist() if one["debtor_id"] != "s1"][:1]
    moved = send(service, "e1", payment_id=row["payment_id"], claim_id="k1")
    assert fault(moved)["where"] == "body.row.payment_id"
