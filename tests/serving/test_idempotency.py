"""A request sent twice under one key has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor

from data.decision_log import DecisionLog
from data.stored_answers import begin

BODY = {"debtor_id": "s1", "replace": True}


def post(service, key, path="/v1/next-best-action", body=BODY):
    return service.client.post(path, json=body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_get_the_same_stored_answer(service):
    first, again = post(service, "k1"), post(service, "k1")
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert post(service, "k2").json()["decision_id"] != first.json()["decision_id"]


def test_the_same_key_with_another_body_is_refused(service):
    post(service, "k1")
    answer = post(service, "k1", body={"debtor_id": "d2"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:rettid:problem:key-reused"


def test_a_key_counts_for_one_address(service):
    decision = post(service, "k1").json()["decision_id"]
    assert post(service, "k1", path=f"/v1/decisions/{decision}/confirm", body=None).status_code == 200
    event = {"event_id": "e", "table": "claim_events", "row": {"claim_id": "k1", "at": "2026-03-01T00:00:00Z"}}
    event["row"]["kind"] = "inbound"
    assert post(service, "k1", path="/v1/events", body=event).json()["duplicate"] is False
    assert post(service, "k1", path="/v1/events", body=event).json()["duplicate"] is False


def test_refusals_are_kept_as_well(service):
    decision = service.ask("d3")["decision_id"]
    path = f"/v1/decisions/{decision}/confirm"
    first, again = post(service, "k", path=path, body=None), post(service, "k", path=path, body=None)
    assert (first.status_code, again.status_code) == (409, 409)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


def test_a_request_that_could_not_be_read_does_not_use_up_its_key(service):
    assert post(service, "k1", body={"debtor": "s1"}).status_code == 422
    assert post(service, "k1").status_code == 200


def test_a_request_that_is_still_being_answered_is_in_conflict(service):
    log = DecisionLog.open(service.workspace)
    digest = "0" * 64
    with log.writing() as connection:
        begin(connection, "/v1/next-best-action", "k1", digest=digest, at=service.clock())
    log.close()
    answer = post(service, "k1")
    assert answer.status_code == 422  # another body began under the key


def test_one_key_at_the_same_time_has_one_effect(service):
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(service, "k1"), range(24)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["decision_id"] for answer in answers if answer.status_code == 200}) == 1
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 409)
    assert post(service, "k1").status_code == 200


def test_a_key_that_is_no_key_is_refused(service):
    for key in ("", "x" * 256, "a\tb"):
        answer = post(service, key)
        assert answer.status_code == 422, key
