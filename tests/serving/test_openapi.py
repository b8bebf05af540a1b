"""The description of the service: valid, complete, and true to what the service answers."""

import json

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from data.schemas import SCHEMAS
from serving.access.matrix import MATRIX
from serving.calls import CALLS
from serving.described import described
from serving.event_examples import EVENTS, ROWS
from serving.examples import problem_example
from serving.problem_details import MEDIA_TYPE
from serving.problems import KINDS, Refused, problem_response
from tests.small_service import small_service


@pytest.fixture(scope="module")
def document(shared_service):
    answer = shared_service.client.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document):
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield (verb.upper(), path), operation


def bodies(document):
    """Every body of JSON or form there is, with where it stands."""
    for call, operation in operations(document):
        found = {"asked": operation.get("requestBody", {}), **operation["responses"]}
        for where, body in found.items():
            for kind, media in body.get("content", {}).items():
                if not kind.startswith("text/"):
                    yield (*call, where, kind), media


def test_the_document_is_valid_openapi(document):
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_it_speaks_of_every_call_and_of_no_other(document):
    assert {call for call, _ in operations(document)} == set(CALLS) == set(MATRIX)


def test_every_operation_has_a_summary_a_description_and_says_who_may(document):
    for call, operation in operations(document):
        assert len(operation["summary"]) > 5, call
        assert len(operation["description"]) > 20, call
        assert bool(operation["security"]) is not MATRIX[call].open, call
        assert all(role in operation["description"] for role in MATRIX[call].roles), call


def test_every_body_has_examples_that_its_own_schema_allows(document):
    seen = 0
    for where, media in bodies(document):
        assert media["examples"], where
        schema = {**media["schema"], "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for name, example in media["examples"].items():
            assert [error.message for error in validator.iter_errors(example["value"])] == [], (where, name)
            seen += 1
    assert seen > 60


def test_a_wrong_example_would_be_found(document):
    media = document["paths"]["/v1/next-best-action"]["post"]["responses"]["200"]["content"]["application/json"]
    validator = jsonschema_rs.Draft202012Validator({**media["schema"], "components": document["components"]})
    assert not validator.is_valid({**media["examples"]["a contact"]["value"], "send_at": 3})


def test_every_answer_of_success_is_described_with_a_body(document):
    for call, operation in operations(document):
        good = [answer for status, answer in operation["responses"].items() if status in ("200", "303")]
        assert good, call
        assert all(one["description"] for one in operation["responses"].values())


def test_problems_are_problem_details_under_their_own_status(document):
    for where, media in bodies(document):
        if where[2][0] in "45" and where[3] == MEDIA_TYPE:
            assert media["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}
            assert {str(example["value"]["status"]) for example in media["examples"].values()} == {where[2]}
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_call_that_takes_a_key_says_what_it_refuses_for_it(document):
    for call, operation in operations(document):
        if MATRIX[call].kind is not None:
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), call


def test_every_post_of_the_api_takes_an_idempotency_key_and_says_what_may_go_wrong_with_it(document):
    posts = {call: operation for call, operation in operations(document) if call[0] == "POST" and "/v1/" in call[1]}
    assert len(posts) == 4
    for call, operation in posts.items():
        keys = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
        assert [one["in"] for one in keys] == ["header"], call
        kinds = operation["responses"]["409"]["content"][MEDIA_TYPE]["examples"]
        kinds |= operation["responses"]["422"]["content"][MEDIA_TYPE]["examples"]
        assert {"still-running", "key-reused"} <= set(kinds), call


def test_what_a_shape_cannot_say_is_told_with_422(document):
    said = {path: document["paths"][path]["post"]["responses"]["422"]["description"] for path in (NBA, EVENT)}
    assert "`not_before` before `not_after`" in said[NBA]
    assert "its currency has an exchange rate" in said[EVENT]


def test_an_entry_of_a_batch_that_is_not_refused_keeps_to_the_description(document):
    asked = document["paths"]["/v1/next-best-actions"]["post"]["requestBody"]["content"]["application/json"]
    validator = jsonschema_rs.Draft202012Validator({**asked["schema"], "components": document["components"]})
    assert validator.is_valid({"requests": [{"debtor_id": "d1"}, {"debtor": 1}, None]})
    assert not validator.is_valid({"requests": []})


def test_limits_are_stated(document):
    assert "1,000,000 bytes" in document["info"]["description"]
    assert "1,000 entries" in document["info"]["description"]
    batch = document["paths"]["/v1/next-best-actions"]["post"]
    assert "At most 10,000 entries a second" in batch["description"]
    schema = document["components"]["schemas"]["NextBestActionsRequest"]["properties"]["requests"]
    assert schema["maxItems"] == 1_000


def test_every_parameter_has_an_example(document):
    for call, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert jsonschema_rs.is_valid(parameter["schema"], parameter["example"]), (call, parameter["name"])


def test_every_kind_of_problem_is_shown_where_it_can_be_answered():
    shown = {kind for told in CALLS.values() for kind in told.problems}
    assert set(KINDS) - shown == {"method-not-allowed", "failed"}  # of no call, and of any


def test_a_call_without_a_description_is_an_error():
    plain = {"paths": {"/v1/new": {"get": {"responses": {}}}}, "components": {"schemas": {}}}
    with pytest.raises(LookupError, match="GET /v1/new has none"):
        described(plain)


def test_every_table_has_an_event_that_the_service_takes(service):
    assert list(ROWS) == list(SCHEMAS)
    for event in EVENTS.values():
        answer = service.client.post("/v1/events", json=event)
        assert answer.status_code == 200, answer.text
        waits = answer.json()["waits_for"]
        assert waits == ("contacts" if event["table"] == "contact_events" else None)


NBA, EVENT = "/v1/next-best-action", "/v1/events"
CONFLICTS = [EVENTS["payments"], EVENTS["payments"] | {"row": EVENTS["payments"]["row"] | {"amount": "1.00"}}]
PROVOKED = {
    "bad-json": lambda client: client.post(NBA, content=b"{", headers={"Content-Type": "application/json"}),
    "unauthenticated": lambda client: client.post(NBA, json={}, headers={"Authorization": "Bearer no"}),
    "forbidden": lambda client: client.get(
        "/metrics", headers={"Authorization": f"Bearer {client.auth.of['manager']}"}
    ),
    "not-found": lambda client: client.get("/reports/none"),
    "unknown-debtor": lambda client: client.post(NBA, json={"debtor_id": "nobody"}),
    "unknown-decision": lambda client: client.get("/v1/decisions/nothing"),
    "event-conflict": lambda client: [client.post(EVENT, json=one) for one in CONFLICTS][-1],
    "too-large": lambda client: client.post(
        NBA, content=b" " * 1_000_001, headers={"Content-Type": "application/json"}
    ),
    "unsupported-media-type": lambda client: client.post(NBA, content=b"{}"),
    "invalid": lambda client: client.post(NBA, json={"debtor_id": "s1", "as_of": "2026-03-10T07:15:00"}),
    "key-reused": lambda client: [
        client.post(NBA, json={"debtor_id": one}, headers={"Idempotency-Key": "k"}) for one in ("s1", "none")
    ][-1],
}


@pytest.mark.parametrize("kind", PROVOKED)
def test_a_problem_is_shown_as_the_service_answers_it(service, kind):
    answer = PROVOKED[kind](service.client)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json() == problem_example(kind)


def test_what_is_told_of_an_erased_debtor_is_refused_as_shown(service):
    assert service.client.delete("/v1/debtors/s1").status_code == 200
    row = EVENTS["payments"]["row"] | {"debtor_id": "s1", "claim_id": "k1"}
    answer = service.client.post(EVENT, json=EVENTS["payments"] | {"row": row})
    assert answer.json() == problem_example("erased")


def test_a_service_without_a_champion_is_not_ready_as_shown(tmp_path):
    with small_service(tmp_path, promoted=False) as service:
        assert service.client.post(NBA, json={"debtor_id": "s1"}).json() == problem_example("not-ready")


def test_a_decision_that_may_not_be_sent_is_shown_as_the_service_answers_it(service):
    told = service.ask()
    service.tell("claim_events", claim_id="k1", at="2026-03-10T07:15:00Z", kind="dispute_opened")
    answer = service.client.post(f"/v1/decisions/{told['decision_id']}/confirm")
    assert answer.json() == problem_example("not-to-be-sent")


def test_only_what_may_pass_by_itself_says_when_to_ask_again(service):
    told = {kind: "retry-after" in problem_response(Refused(kind, "x").problem).headers for kind in KINDS}
    passing = {kind for kind, told_when in told.items() if told_when}
    assert passing == {"still-running", "too-many-requests", "not-ready", "overloaded", "log-unavailable"}


def test_an_event_that_will_never_be_taken_does_not_say_when_to_ask_again(service):
    assert "retry-after" not in PROVOKED["event-conflict"](service.client).headers
