"""Requests made to hurt: each gets a problem of the caller's, quickly, and never an echo."""

import gzip

import pytest

from tests.serving.poison import BODIES, DECIDE, SECRET, as_sent, asked


@pytest.mark.parametrize("name", BODIES)
def test_a_poisonous_body_is_a_problem_of_the_callers(shared_service, name):
    path, body = BODIES[name]
    answer = shared_service.client.post(path, content=as_sent(body), headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert SECRET not in answer.text
    assert "DROP TABLE" not in answer.text
    assert len(answer.content) < 4_000


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/x-python-pickle", 415),
        ("", 415),
        ("application/json; charset=utf-8", 200),
        ("application/vnd.rettid+json", 200),
    ],
)
def test_only_json_is_read(shared_service, kind, status):
    answer = shared_service.client.post(DECIDE, content=asked().encode(), headers={"Content-Type": kind})
    assert answer.status_code == status


def test_a_compressed_body_is_not_unpacked(shared_service):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = shared_service.client.post(DECIDE, content=gzip.compress(asked().encode()), headers=headers)
    assert answer.status_code == 415


def test_a_body_above_a_megabyte_is_cut_off(shared_service):
    answer = shared_service.client.post(DECIDE, content=b" " * 10_000_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_a_length_is_cut_off_as_well(shared_service):
    chunks = (b" " * 100_000 for _ in range(30))
    answer = shared_service.client.post(DECIDE, content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/decisions/",
        "/v1/decisions/a%2Fb/",
        "/v1/decisions/a%2Fb%3F/",
        "/reports/a%2Fb/",
        "/reports/a/b",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/docs",
        "/v1/events/%00",
    ],
)
def test_an_unknown_address_is_not_found(shared_service, path):
    answer = shared_service.client.get(path)
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_method_is_not_allowed(shared_service):
    answer = shared_service.client.delete(DECIDE)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_answers_are_neither_cached_nor_sniffed(shared_service):
    for answer in (
        shared_service.client.get("/healthz"),
        shared_service.client.get("/nowhere"),
        shared_service.client.get("/reports"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_service_answers_as_usual_afterwards(shared_service):
    for path, body in BODIES.values():
        shared_service.client.post(path, content=as_sent(body), headers={"Content-Type": "application/json"})
    assert shared_service.ask()["channel"] == "sms"


@pytest.mark.parametrize("name", ["%00", "a%00b", "%0A", "a%1Fb", "%7F", "%C2%85", "a" * 129])
@pytest.mark.parametrize("explain", ["", "?explain=true"])
def test_a_poisonous_identifier_in_a_path_is_refused_like_one_in_a_body(shared_service, name, explain):
    client = shared_service.client
    for answer in (
        client.get(f"/v1/decisions/{name}{explain}"),
        client.post(f"/v1/decisions/{name}/confirm"),
        client.delete(f"/v1/debtors/{name}"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:rettid:problem:invalid")
        assert answer.json()["errors"][0]["where"].startswith("path.")


@pytest.mark.parametrize(
    "name", ["%C3%A5sa", "a%20b", "7", "%3F%23", "%F0%9F%98%80", "a" * 128, "a%2Fb", "%2f%2F", "a%252Fb"]
)
def test_any_other_identifier_in_a_path_is_one_that_may_be_unknown(shared_service, name):
    assert shared_service.client.get(f"/v1/decisions/{name}").status_code == 404
    assert shared_service.client.delete(f"/v1/debtors/{name}").status_code == 404


def test_an_identifier_with_a_slash_is_one_of_its_own_in_paths_as_in_bodies(service):
    debtor = {"country": "SE", "time_zone": "Europe/Stockholm", "registered_at": "2026-01-05T12:00:00Z"}
    for debtor_id in ("a/b", "a%2Fb"):
        service.tell("debtors", debtor_id=debtor_id, **debtor)
    erased = service.client.delete("/v1/debtors/a%2Fb")
    assert (erased.status_code, erased.json()["unreadable"]["subjects"]) == (200, 1)
    asked_again = [service.client.post(DECIDE, json={"debtor_id": one}).status_code for one in ("a/b", "a%2Fb")]
    assert asked_again == [404, 200]
    assert service.client.delete("/v1/debtors/a/b").status_code == 404
    assert service.client.delete("/v1/debtors/a%252Fb").status_code == 200


@pytest.mark.parametrize(("first", "second"), [("a%2Fb", "a%2Fc"), ("a%3Fb", "a%3Fc"), ("a%23b", "a%23c")])
def test_a_key_stands_for_the_whole_of_a_path(service, first, second):
    row = {"contact_id": "-", "debtor_id": "s1", "claim_id": "k1", "decided_at": "2026-02-20T08:00:00Z"}
    service.tell("contacts", **row, channel="letter", send_at="2026-02-20T13:00:00Z", policy="ladder")
    headers = {"Idempotency-Key": "one and the same"}
    for path in (first, second):
        answer = service.client.post(f"/v1/decisions/{path}/confirm", headers=headers)
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (404, False)


def test_a_call_with_an_odd_identifier_is_counted_under_its_route(service):
    service.client.get("/v1/decisions/a%20b%2Fc")
    text = service.client.get("/metrics").text
    assert 'route="/v1/decisions/{decision_id}",status="4xx"} 1.0' in text
