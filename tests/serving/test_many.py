"""Many debtors in one request: answers in the order asked, each with its own result or error."""

from data.decision_log import DecisionLog


def ask(service, *entries):
    return service.client.post("/v1/next-best-actions", json={"requests": list(entries)})


def test_answers_stand_in_the_order_asked_each_with_result_or_error(service):
    entries = [{"debtor_id": "s1"}, {"debtor_id": "nobody"}, {"debtor_id": "d3"}, {"debtor": 1}, {"debtor_id": "d2"}]
    answer = ask(service, *entries)
    assert answer.status_code == 200
    answers = answer.json()["answers"]
    assert [(one["result"] or {}).get("debtor_id") for one in answers] == ["s1", None, "d3", None, "d2"]
    assert [(one["error"] or {}).get("status") for one in answers] == [None, 404, None, 422, None]
    assert answers[3]["error"]["errors"][0]["where"].startswith("body")


def test_one_entry_decides_as_it_would_alone(service):
    together = ask(service, {"debtor_id": "d2"}, {"debtor_id": "s1"}).json()["answers"][1]["result"]
    alone = service.ask("s1")
    assert alone["reused"]
    assert {**together, "reused": True} == alone


def test_a_debtor_named_twice_is_decided_once(service):
    first, second, third = (one["result"] for one in ask(service, *[{"debtor_id": "s1"}] * 3).json()["answers"])
    assert [one["reused"] for one in (first, second, third)] == [False, True, True]
    assert len({one["decision_id"] for one in (first, second, third)}) == 1
    log = DecisionLog.open(service.workspace)
    assert log.decisions().num_rows == 2
    log.close()


def test_entries_with_different_wishes_are_each_followed(service):
    entries = [{"debtor_id": "s1", "channels": ["email"]}, {"debtor_id": "d3"}, {"debtor_id": "s1", "replace": True}]
    answers = [one["result"] for one in ask(service, *entries).json()["answers"]]
    assert [one["channel"] for one in answers] == ["email", "none", "sms"]


def test_a_thousand_is_the_limit(service):
    assert ask(service, *[{"debtor_id": "s1", "as_of": "2026-03-09T10:00:00Z"}] * 3).status_code == 200
    assert ask(service).status_code == 422
    answer = ask(service, *[{"debtor_id": "x"}] * 1001)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "body.requests"
