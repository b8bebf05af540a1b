"""Requests made to hurt: each gets a problem of the caller's, quickly, and never an echo."""

import gzip
import json

import pytest

DECIDE = "/v1/next-best-action"
EVENT = "/v1/events"
SECRET = "c4n4ry"


def event(**row):
    base = {"payment_id": "z", "claim_id": "k1", "debtor_id": "s1", "paid_at": "2026-03-01T00:00:00Z"}
    row = {**base, "amount": "1.00", "currency": "SEK", **row}
    return json.dumps({"event_id": "e", "table": "payments", "row": row})


def asked(**fields):
    return json.dumps({"debtor_id": "s1", **fields})


BODIES = {
    "empty": (DECIDE, ""),
    "no JSON": (DECIDE, "{debtor_id: s1}"),
    "cut short": (DECIDE, '{"debtor_id": "s'),
    "not UTF-8": (DECIDE, b'{"debtor_id": "\xff\xfe"}'),
    "NaN": (EVENT, event(amount=float("nan"))),
    "Infinity": (EVENT, event(amount=float("inf"))),
    "1e400": (EVENT, event().replace('"1.00"', "1e400")),
    "exponent of nine digits": (EVENT, event().replace('"1.00"', "1e999999999")),
    "5,000 digits": (EVENT, event().replace('"1.00"', "9" * 5000)),
    "10^30": (EVENT, event(amount=10**30)),
    "bool for a number": (EVENT, event(amount=True)),
    "minus one": (EVENT, event(amount=-1)),
    "amount as list": (EVENT, event(amount=[1])),
    "row as list": (EVENT, json.dumps({"event_id": "e", "table": "payments", "row": []})),
    "table as number": (EVENT, json.dumps({"event_id": "e", "table": 1, "row": {}})),
    "table as path": (EVENT, json.dumps({"event_id": "e", "table": "../debtors", "row": {}})),
    "null": (DECIDE, "null"),
    "a list": (DECIDE, "[]"),
    "null debtor": (DECIDE, asked(debtor_id=None)),
    "debtor as number": (DECIDE, asked(debtor_id=7)),
    "debtor as object": (DECIDE, asked(debtor_id={"a": 1})),
    "debtor empty": (DECIDE, asked(debtor_id="")),
    "debtor of a million": (DECIDE, asked(debtor_id="x" * 900_000)),
    "NUL": (DECIDE, asked(debtor_id="a\x00b")),
    "lone surrogate": (DECIDE, '{"debtor_id": "\\ud800"}'),
    "lone surrogate as name": (DECIDE, '{"debtor_id": "s1", "\\ud800": 1}'),
    "right to left": (DECIDE, asked(debtor_id="\u202e1s", channels=["\u202esms"])),
    "unknown field": (DECIDE, asked(**{SECRET: 1})),
    "a name twice": (DECIDE, '{"debtor_id": "s1", "debtor_id": "s1"}'),
    "depth": (DECIDE, '{"debtor_id": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "unknown channel": (DECIDE, asked(channels=["fax"])),
    "channels as text": (DECIDE, asked(channels="sms")),
    "naive time": (DECIDE, asked(as_of="2026-03-10T08:00:00")),
    "time as number": (DECIDE, asked(as_of=1_772_000_000)),
    "time as float": (DECIDE, asked(as_of=1e300)),
    "year 0": (DECIDE, asked(as_of="0000-01-01T00:00:00Z")),
    "year 1 east": (DECIDE, asked(as_of="0001-01-01T00:00:00+23:59")),
    "year 9999 west": (DECIDE, asked(as_of="9999-12-31T23:59:59-23:59")),
    "offset of 99 hours": (DECIDE, asked(as_of="2026-03-10T08:00:00+99:00")),
    "31 February": (DECIDE, asked(as_of="2026-02-31T08:00:00Z")),
    "far ahead": (DECIDE, asked(as_of="2199-01-01T00:00:00Z")),
    "window turned round": (DECIDE, asked(not_before="2026-03-12T00:00:00Z", not_after="2026-03-11T00:00:00Z")),
    "replace as text": (DECIDE, asked(replace="yes")),
    "quotes": (DECIDE, asked(debtor_id="'; DROP TABLE events; --", channels=["' OR 1=1"])),
    "no claim": (DECIDE, asked(claim_ids=[])),
    "a million claims": (DECIDE, asked(claim_ids=["c"] * 100_000)),
    "batch of text": ("/v1/next-best-actions", json.dumps({"requests": "s1"})),
    "batch missing": ("/v1/next-best-actions", "{}"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_poisonous_body_is_a_problem_of_the_callers(shared_service, name):
    path, body = BODIES[name]
    content = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    answer = shared_service.client.post(path, content=content, headers={"Content-Type": "application/json"})
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
    "path", ["/v1/nothing", "/v1/decisions/", "/reports/a/b", "/%2e%2e/%2e%2e/etc/passwd", "/docs", "/v1/events/%00"]
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
        content = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        shared_service.client.post(path, content=content, headers={"Content-Type": "application/json"})
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


@pytest.mark.parametrize("name", ["%C3%A5sa", "a%20b", "7", "%3F%23", "%F0%9F%98%80", "a" * 128])
def test_any_other_identifier_in_a_path_is_one_that_may_be_unknown(shared_service, name):
    assert shared_service.client.get(f"/v1/decisions/{name}").status_code == 404
    assert shared_service.client.delete(f"/v1/debtors/{name}").status_code == 404
