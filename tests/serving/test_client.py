"""The Python client: every call against the real service, and one effect whatever happens on the way."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

import httpx2
import pytest

from data.decision_log import DecisionLog
from serving.client import BODY_LIMIT, RettidClient
from serving.client_problems import (
    NoAnswer,
    NotAdmitted,
    NotKnown,
    NotNow,
    NotToBeSent,
    Problem,
    UnreadableAnswer,
)
from serving.client_retries import BadRetries, Means, Retries
from serving.shapes import EventRequest, NextBestActionRequest

ROOT = Path(__file__).resolve().parents[2]
PAID = {"payment_id": "z1", "claim_id": "k1", "debtor_id": "s1", "amount": Decimal("2400.00"), "currency": "SEK"}
PAID |= {"paid_at": datetime(2026, 3, 10, 7, 0, tzinfo=UTC)}


@dataclass
class Quiet:
    """Surroundings in which time passes only by sleeping, and chance draws nothing."""

    now_s: float = 1_000.0
    slept: list[float] = field(default_factory=list)
    numbers: count = field(default_factory=lambda: count(1))

    def sleep(self, wait_s):
        self.slept.append(wait_s)
        self.now_s += wait_s

    def means(self, drawn=0.0):
        return Means(lambda: self.now_s, self.sleep, lambda: drawn, lambda: f"key-{next(self.numbers)}")


@dataclass
class Line(httpx2.BaseTransport):
    """The way to a service, with what befalls each request in turn; requests after those arrive and are answered."""

    service: httpx2.BaseTransport | None = None
    befalls: list[object] = field(default_factory=list)
    seen: list[httpx2.Request] = field(default_factory=list)
    quiet: Quiet = field(default_factory=Quiet)

    def handle_request(self, request):
        self.seen.append(request)
        falls = self.befalls.pop(0) if self.befalls else None
        if isinstance(falls, httpx2.Response):
            return falls
        if falls is not None and falls != "drop the answer":
            raise falls
        answer = self.service.handle_request(request)
        if falls == "drop the answer":
            raise httpx2.ReadTimeout("the answer is lost")
        return answer

    @property
    def keys(self):
        return [request.headers.get("idempotency-key") for request in self.seen]


def problem(status, kind="overloaded", **headers):
    body = {"type": f"urn:rettid:problem:{kind}", "title": "t", "status": status, "detail": "d"}
    return httpx2.Response(status, headers=headers, content=json.dumps(body).encode())


def client_of(line, *, drawn=0.0, **settings):
    return RettidClient("http://testserver", transport=line, means=line.quiet.means(drawn), **settings)


@pytest.fixture
def line():
    """A line with no service at its end: what befalls a request is all there is."""
    return Line()


@pytest.fixture
def client(service, line):
    line.service = service.client._transport
    with client_of(line, key=service.client.auth.of["collection_system"]) as made:
        yield made


def decisions_in(service):
    log = DecisionLog.open(service.workspace)
    try:
        return set(log.decisions()["decision_id"].to_pylist())
    finally:
        log.close()


def test_a_decision_is_asked_for_confirmed_and_read(client):
    told = client.next_best_action("s1", explain=True)
    assert (told.channel, told.degraded, told.reused) == ("sms", False, False)
    assert client.next_best_action("s1").decision_id == told.decision_id
    assert client.confirm(told.decision_id).send_at == told.send_at
    stored = client.decision(told.decision_id)
    assert [step.step for step in stored.steps] == ["confirmed"]
    assert stored.decision.claims == told.claims


def test_every_wish_reaches_the_service(client, line):
    at = datetime(2026, 3, 12, 7, tzinfo=UTC)
    until = datetime(2026, 3, 14, 7, tzinfo=UTC)
    wishes = {"claim_ids": ["k2"], "as_of": at, "channels": ["email"], "not_before": at, "not_after": until}
    told = client.next_best_action("s1", **wishes, replace=True)
    assert (told.dry_run, told.decided_at, told.channel) == (True, at, "email")
    assert [claim.claim_id for claim in told.claims if claim.covered] == ["k2"]
    sent = NextBestActionRequest.model_validate_json(line.seen[0].content)
    assert sent == NextBestActionRequest(
        debtor_id="s1", replace=True, **{**wishes, **{k: v.isoformat() for k, v in wishes.items() if k in TIMES}}
    )


TIMES = ("as_of", "not_before", "not_after")


def test_an_event_is_told_with_times_and_money_as_python_has_them(client):
    assert not client.tell("e1", "payments", PAID).duplicate
    assert client.tell("e1", "payments", PAID).duplicate
    row = {"payment_id": "z2", "claim_id": "k2", "debtor_id": "s1", "amount": "1100", "currency": "SEK"}
    more = [
        EventRequest(event_id=name, table="payments", row={**row, "paid_at": "2026-03-10T07:00:00Z"})
        for name in ("e2", "e2")
    ]
    assert [one.duplicate for one in client.tell_all(more)] == [False, True]


def test_answers_for_many_stand_in_order_each_with_result_or_error(client):
    asked = ["s1", NextBestActionRequest(debtor_id="d2", channels=["phone"]), "nobody"]
    answers = client.next_best_actions(asked)
    assert [one.result.debtor_id if one.result else one.error.status for one in answers] == ["s1", "d2", 404]
    assert client.next_best_actions([]) == []


def test_more_than_a_thousand_are_asked_for_in_parts_each_under_its_own_key(client, line):
    answers = client.next_best_actions(f"nobody-{number}" for number in range(1_001))
    assert len(answers) == 1_001
    assert [len(json.loads(request.content)["requests"]) for request in line.seen] == [1_000, 1]
    assert len(set(line.keys)) == 2


def test_what_does_not_fit_into_one_body_is_asked_for_in_parts(client, line):
    claims = [f"{number:0128}" for number in range(1_000)]
    answers = client.next_best_actions([NextBestActionRequest(debtor_id="nobody", claim_ids=claims)] * 9)
    assert len(answers) == 9
    assert [len(json.loads(request.content)["requests"]) for request in line.seen] == [7, 2]
    assert all(len(request.content) <= BODY_LIMIT for request in line.seen)


def test_a_decision_whose_answer_was_lost_is_told_again_and_was_made_once(service, client, line):
    line.befalls = ["drop the answer", "drop the answer"]
    told = client.next_best_action("s1", replace=True)
    assert line.keys == ["key-1"] * 3
    assert decisions_in(service) == {told.decision_id}
    assert not told.reused


def test_an_event_whose_answer_was_lost_is_no_duplicate_to_the_caller(client, line):
    line.befalls = ["drop the answer"]
    assert not client.tell("e1", "payments", PAID).duplicate


def test_a_leave_whose_answer_was_lost_is_given_once(service, client, line):
    told = client.next_best_action("s1")
    line.befalls = ["drop the answer"]
    assert client.confirm(told.decision_id).decision_id == told.decision_id
    assert [step.step for step in client.decision(told.decision_id).steps] == ["confirmed"]


@pytest.mark.parametrize(
    "falls",
    [
        problem(503),
        problem(503, "log-unavailable"),
        problem(429, "too-many-requests"),
        problem(409, "still-running"),
        httpx2.Response(502, content=b"<html>bad gateway</html>"),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("late"),
        httpx2.RemoteProtocolError("cut"),
    ],
)
def test_what_may_pass_is_tried_again_under_the_same_key(client, line, falls):
    line.befalls = [falls]
    assert client.next_best_action("s1").channel == "sms"
    assert line.keys == ["key-1", "key-1"]
    assert line.quiet.slept == [0.1]


@pytest.mark.parametrize(
    ("falls", "kind"),
    [
        (problem(400, "bad-json"), Problem),
        (problem(401, "unauthenticated"), NotAdmitted),
        (problem(403, "forbidden"), NotAdmitted),
        (problem(404, "unknown-debtor"), NotKnown),
        (problem(409, "event-conflict"), Problem),
        (problem(409, "erased"), Problem),
        (problem(422, "invalid"), Problem),
        (problem(422, "key-reused"), Problem),
        (problem(500, "failed"), Problem),
        (httpx2.Response(302, headers={"Location": "https://elsewhere.example"}), Problem),
        (httpx2.Response(404, content=b"<html>no such page</html>"), NotKnown),
    ],
)
def test_what_does_not_pass_is_told_at_once(line, falls, kind):
    line.befalls = [falls]
    with pytest.raises(Problem) as caught:
        client_of(line).next_best_action("s1")
    assert type(caught.value) is kind
    assert caught.value.status == falls.status_code
    assert (len(line.seen), line.quiet.slept) == (1, [])


def test_a_decision_that_may_not_be_sent_says_why(client):
    told = client.next_best_action("s1")
    client.tell("e1", "claim_events", {"claim_id": "k1", "at": "2026-03-10T07:15:00Z", "kind": "dispute_opened"})
    with pytest.raises(NotToBeSent, match="a claim it covers is disputed") as caught:
        client.confirm(told.decision_id)
    assert (caught.value.reason, caught.value.kind) == ("disputed", "not-to-be-sent")
    assert caught.value.details.remedy == "ask for the next best action"


def test_faults_of_a_row_are_in_the_exception_and_what_was_sent_is_not(client):
    with pytest.raises(Problem, match="a time without its zone") as caught:
        client.tell("e1", "payments", {**PAID, "paid_at": datetime(2026, 3, 10), "payment_id": "secret-id"})  # noqa: DTZ001 (meant)
    assert caught.value.details.errors[0].where == "body.row.paid_at"
    assert "secret-id" not in repr(caught.value)


def test_waits_double_up_to_the_longest_and_are_shortened_at_random(line):
    line.befalls = [problem(503)] * 6
    with pytest.raises(NotNow):
        client_of(line, drawn=1.0, retries=Retries(longest_wait_s=1.0)).next_best_action("s1")
    assert line.quiet.slept == [0.05, 0.1, 0.2, 0.4, 0.5]
    assert len(line.seen) == 6


def test_a_longer_retry_after_is_waited_for(client, line):
    line.befalls = [
        problem(429, **{"Retry-After": "3"}),
        problem(503, **{"Retry-After": "Tue, 10 Mar 2026 08:00:00 GMT"}),
    ]
    client.next_best_action("s1")
    assert line.quiet.slept == [3.0, 0.2]


def test_the_deadline_ends_all_tries_before_a_wait_that_would_pass_it(line):
    line.befalls = [problem(503, **{"Retry-After": "4"})] * 9
    with pytest.raises(NotNow):
        client_of(line, retries=Retries(most=9, deadline_s=10)).next_best_action("s1")
    assert line.quiet.slept == [4.0, 4.0]


def test_a_try_never_has_more_time_than_is_left(line):
    line.befalls = [httpx2.ReadTimeout("late")] * 3
    with pytest.raises(NoAnswer):
        client_of(line, timeout_s=9, retries=Retries(most=2, first_wait_s=6, longest_wait_s=6, deadline_s=20)).ready()
    with pytest.raises(NoAnswer, match="2 tries: ReadTimeout"):
        client_of(line, timeout_s=9, retries=Retries(most=1, first_wait_s=6, longest_wait_s=6, deadline_s=10)).decision(
            "x"
        )
    assert [request.extensions["timeout"]["read"] for request in line.seen] == [9, 9, 4]


def test_a_service_that_is_not_there_is_told_as_no_answer(line):
    line.befalls = [httpx2.ConnectError("refused")] * 6
    with pytest.raises(NoAnswer, match="6 tries: ConnectError; call again later"):
        client_of(line).confirm("x")


def test_a_degraded_decision_is_returned_as_it_is(service, client, line):
    body = client.next_best_action("s1").model_dump(mode="json") | {
        "degraded": True,
        "decision_id": None,
        "channel": "none",
    }
    line.befalls = [httpx2.Response(200, content=json.dumps(body).encode())]
    told = client.next_best_action("s1")
    assert (told.degraded, told.channel, told.decision_id) == (True, "none", None)
    assert line.quiet.slept == []


def test_an_answer_that_is_none_of_ours_is_not_repeated(line):
    line.befalls = [httpx2.Response(200, content=b'{"secret": "name of a person"}')]
    with pytest.raises(UnreadableAnswer, match="expected NextBestAction") as caught:
        client_of(line).next_best_action("s1")
    assert "person" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_fewer_answers_than_were_asked_for_are_not_taken(line):
    line.befalls = [httpx2.Response(200, content=b'{"answers": []}')]
    with pytest.raises(UnreadableAnswer, match="expected 1 answers"):
        client_of(line).next_best_actions(["s1"])


def test_every_post_has_a_key_of_its_own_and_no_other_call_has_one(client, line):
    told = client.next_best_action("s1")
    client.next_best_action("s1")
    client.next_best_actions(["s1"])
    client.confirm(told.decision_id)
    client.tell("e1", "payments", PAID)
    client.decision(told.decision_id)
    assert line.keys == ["key-1", "key-2", "key-3", "key-4", "key-5", None]


def test_a_debtor_is_erased_and_not_known_after(service, client, line):
    with client_of(line, key=service.client.auth.of["data_protection"]) as office:
        assert office.erase("s1").left_to_do
    with pytest.raises(NotKnown):
        client.next_best_action("s1")


def test_who_may_not_erase_is_told_so(client):
    with pytest.raises(NotAdmitted, match="not for the caller's role"):
        client.erase("s1")


def test_operations_learn_which_model_answers(service, line):
    line.service = service.client._transport
    with client_of(line, key=service.client.auth.of["operations"]) as operations:
        assert operations.ready().model_version == "rates-1"


def test_readiness_is_asked_for_once(line):
    line.befalls = [problem(503, "not-ready")]
    with pytest.raises(NotNow) as caught:
        client_of(line).ready()
    assert caught.value.kind == "not-ready"
    assert len(line.seen) == 1


@pytest.mark.parametrize("identifier", ["../../readyz", "a/b", "a?b#c", "å ä"])
def test_an_identifier_stays_one_part_of_the_path(line, identifier):
    line.befalls = [problem(404, "unknown-decision")]
    with pytest.raises(NotKnown):
        client_of(line).decision(identifier)
    assert line.seen[0].url.raw_path.count(b"/") == 3
    assert line.seen[0].url.path == f"/v1/decisions/{identifier}"


def test_the_key_goes_with_every_call_and_stands_in_no_repr(line):
    line.befalls = [problem(401, "unauthenticated")]
    made = client_of(line, key="rettid_0a1b2c3d_secret")
    with pytest.raises(NotAdmitted) as caught:
        made.next_best_action("s1")
    assert line.seen[0].headers["authorization"] == "Bearer rettid_0a1b2c3d_secret"
    assert "secret" not in repr(made) + repr(caught.value)


def test_keys_and_chance_differ_from_call_to_call():
    means, other = Means(), Means()
    assert len({means.new_key() for _ in range(100)}) == 100
    assert means.draw() != other.draw()


def test_retries_that_could_not_be_are_refused():
    with pytest.raises(BadRetries, match="most of at least 0, came -1"):
        Retries(most=-1)


def test_the_client_does_without_the_web_framework():
    script = "import sys, serving.client; print(sorted({'fastapi', 'starlette', 'lightgbm', 'sqlalchemy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
