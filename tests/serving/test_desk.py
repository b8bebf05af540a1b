"""Requests that come together are answered together, each as it would be alone."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from data.event_log import all_events
from serving.counter import Counter
from serving.desk import Desk
from serving.group import Ask, answer_group
from serving.problems import Refused
from serving.shapes import NextBestActionRequest


def ask(name):
    return Ask(NextBestActionRequest(debtor_id=name))


class Clerk:
    """Answers with the debtor's name, and notes who was answered together; the first group waits until it is let go."""

    def __init__(self):
        self.groups, self.go = [], threading.Event()

    def __call__(self, tasks):
        self.go.wait(10)
        names = [task.request.debtor_id for task in tasks]
        self.groups.append(names)
        if "bad" in names:
            raise ZeroDivisionError
        return names


def run(desk, clerk, names):
    async def one(name):
        return await desk.ask(ask(name))

    async def all_of_them():
        waiting = [asyncio.ensure_future(one(name)) for name in names]
        await asyncio.sleep(0.1)
        clerk.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    try:
        return asyncio.run(all_of_them())
    finally:
        desk.close()


def test_requests_that_come_while_a_group_is_answered_make_up_the_next_one():
    clerk = Clerk()
    names = [f"d{number}" for number in range(40)]
    assert run(Desk(clerk, most=16), clerk, names) == names
    assert [name for group in clerk.groups for name in group] == names
    assert max(map(len, clerk.groups)) == 16
    assert len(clerk.groups) <= 5


def test_one_request_that_breaks_takes_no_other_with_it():
    clerk = Clerk()
    answers = run(Desk(clerk), clerk, ["a", "bad", "b"])
    assert answers[::2] == ["a", "b"]
    assert isinstance(answers[1], ZeroDivisionError)


def test_more_than_can_wait_is_refused():
    clerk = Clerk()
    answers = run(Desk(clerk, most=1, longest_queue=3), clerk, [f"d{number}" for number in range(10)])
    refused = [one for one in answers if isinstance(one, Refused)]
    assert refused
    assert {one.problem.type.rpartition(":")[2] for one in refused} == {"overloaded"}
    assert [one for one in answers if isinstance(one, str)] == [f"d{n}" for n in range(10 - len(refused))]


def test_a_desk_closed_answers_whoever_waits_first():
    clerk = Clerk()
    clerk.go.set()
    assert run(Desk(clerk), clerk, ["a"]) == ["a"]


class SlowLog:
    """A log whose writing takes its time."""

    def __init__(self, log, seconds):
        self._log, self._seconds = log, seconds

    def writing(self):
        time.sleep(self._seconds)
        return self._log.writing()

    def __getattr__(self, name):
        return getattr(self._log, name)


@pytest.mark.parametrize("seconds", [1.0])
def test_an_answer_with_caution_is_all_there_is_of_a_decision_that_came_too_late(service, seconds):
    tenants = service.client.app.state.tenants
    running = tenants["main"].service
    service.ask("d2")  # what there is to compile is compiled
    slow = Counter(replace(running, log=SlowLog(running.log, seconds)), patience_s=0.3)
    tenants["main"] = replace(tenants["main"], counter=slow)
    begun = time.perf_counter()
    told = service.ask("s1")
    assert time.perf_counter() - begun < seconds
    assert (told["degraded"], told["channel"], told["decision_id"]) == (True, "none", None)
    time.sleep(seconds + 0.5)
    assert "s1" not in running.log.decisions()["debtor_id"].to_pylist()


def held_up(service, *, seconds):
    """The service over a log whose writing takes so long; an event waits for half a second."""
    tenants = service.client.app.state.tenants
    running = tenants["main"].service
    slow = Counter(replace(running, log=SlowLog(running.log, seconds)), patience_s=0.05)
    tenants["main"] = replace(tenants["main"], counter=slow)


def test_an_event_that_the_log_keeps_waiting_is_to_be_sent_again_and_counts_once(service):
    held_up(service, seconds=2.0)
    row = {"claim_id": "k1", "at": "2026-03-10T07:15:00Z", "kind": "inbound"}
    event = {"event_id": "e-slow", "table": "claim_events", "row": row}
    begun = time.perf_counter()
    first, while_stuck = (service.client.post("/v1/events", json=event) for _ in range(2))
    assert time.perf_counter() - begun < 2.0
    for answer in (first, while_stuck):
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:rettid:problem:log-unavailable")
        assert answer.headers["retry-after"]
    service.client.app.state.tenants["main"].counter.close()
    log = service.client.app.state.tenants["main"].service.log
    with log.reading() as connection:
        assert [one.event_id for one in all_events(connection)] == ["e-slow"]


def test_a_batch_that_comes_while_the_log_is_stuck_is_answered_with_caution_at_once(service):
    service.ask("d2")  # what there is to compile is compiled
    held_up(service, seconds=2.0)
    batch = {"requests": [{"debtor_id": "s1"}, {"debtor_id": "d1"}]}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.client.post, "/v1/next-best-actions", json=batch)
        time.sleep(1.0)
        begun = time.perf_counter()
        answers = service.client.post("/v1/next-best-actions", json=batch).json()["answers"]
        assert time.perf_counter() - begun < 0.9
        assert [one["result"]["degraded"] for one in answers] == [True, True]
        waiting.result()


def test_a_debtor_asked_about_twice_in_a_group_is_decided_once(service):
    running = service.client.app.state.tenants["main"].service
    replies = answer_group(running, [ask("s1"), ask("d2"), ask("s1"), ask("nobody")])
    first, other, again, unknown = (reply.said for reply in replies)
    assert (first.reused, again.reused) == (False, True)
    assert first.decision_id == again.decision_id != other.decision_id
    assert unknown.problem.status == 404


def test_warming_up_decides_for_nobody_to_hear(service):
    running = service.client.app.state.tenants["main"].service
    asked = []

    class Engine:
        def decide(self, lives, wishes, **keywords):
            asked.append(len(lives))
            return running.engine.decide(lives, wishes, **keywords)

        def __getattr__(self, name):
            return getattr(running.engine, name)

    counter = Counter(replace(running, engine=Engine()), patience_s=60, to_be_warmed=True)
    assert not counter.warm
    counter.warm_up()
    assert (counter.warm, asked) == (True, [1, 4])
    assert running.log.decisions().num_rows == 0


def test_before_it_is_warm_a_service_answers_nobody_with_caution_but_says_that_it_is_starting(service):
    tenants = service.client.app.state.tenants
    tenants["main"] = replace(
        tenants["main"], counter=Counter(tenants["main"].service, patience_s=60, to_be_warmed=True)
    )
    answer = service.client.post("/v1/next-best-action", json={"debtor_id": "s1"})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:rettid:problem:not-ready")
    assert answer.headers["retry-after"]


def test_a_reply_that_came_in_time_is_told_though_the_loop_was_held_up(service):
    running = service.client.app.state.tenants["main"].service
    service.ask("d1")  # what there is to compile is compiled
    counter = Counter(running, patience_s=5.0)

    async def asked_in_a_loop_that_is_held_up():
        waiting = asyncio.create_task(counter.ask(ask("s1")))
        await asyncio.sleep(0)
        time.sleep(6.0)
        return await waiting

    reply = asyncio.run(asked_in_a_loop_that_is_held_up())
    counter.close()
    assert (reply.said.fields["degraded"], reply.said.decision_id is None) == (False, False)


BATCH = {"requests": [{"debtor_id": "s1"}, {"debtor_id": "d1"}]}


class SilentLog:
    """A log whose data base says nothing from a number of writing transactions on, until it is let go."""

    def __init__(self, log, silent_from):
        self._log, self._left, self.speaks, self.held = log, silent_from, threading.Event(), set()

    def writing(self):
        self._left -= 1
        if self._left < 0:
            self.held.add(threading.current_thread().name)
            assert self.speaks.wait(30)
        return self._log.writing()

    def close(self):
        pass

    def __getattr__(self, name):
        return getattr(self._log, name)


@contextmanager
def silent(service, *, silent_from):
    """The service over a log that falls silent; a batch waits for a second at each of its steps."""
    service.ask("d2")
    soon = (service.clock() + timedelta(hours=1)).isoformat()  # not logged: what there is to compile is compiled
    tried = {"requests": [{**one, "as_of": soon} for one in BATCH["requests"]]}
    assert service.client.post("/v1/next-best-actions", json=tried).status_code == 200
    tenants = service.client.app.state.tenants
    before = tenants["main"]
    log = SilentLog(before.service.log, silent_from)
    counter = Counter(replace(before.service, log=log), patience_s=0.1)
    tenants["main"] = replace(before, counter=counter)
    try:
        yield log
    finally:
        log.speaks.set()
        counter.close()
        tenants["main"] = before


def post_batch(service, key):
    begun = time.perf_counter()
    answer = service.client.post("/v1/next-best-actions", json=BATCH, headers={"Idempotency-Key": key})
    assert time.perf_counter() - begun < 10.0  # and the log is silent for 30
    return answer


def test_a_batch_under_a_key_that_a_silent_log_keeps_waiting_is_to_be_sent_again(service):
    with silent(service, silent_from=0) as log:
        refused = [post_batch(service, "key"), post_batch(service, "key")]
        log.speaks.set()
        again = post_batch(service, "key")
    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:rettid:problem:log-unavailable")
        assert answer.headers["retry-after"]
    assert [one["result"]["degraded"] for one in again.json()["answers"]] == [False, False]
    assert "idempotency-replayed" not in again.headers


def test_an_answer_that_stands_under_a_key_stays_though_nobody_waited_for_it(service):
    service.ask("d2")  # what there is to compile is compiled
    first = post_batch(service, "key")
    with silent(service, silent_from=0) as log:
        assert post_batch(service, "key").status_code == 503
        log.speaks.set()
        again = post_batch(service, "key")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"


def test_silent_batches_under_keys_take_no_thread_of_the_pool(service):
    with silent(service, silent_from=0) as log, ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda number: post_batch(service, f"key-{number}"), range(8))]
        assert len(log.held) == 1
    assert {one.status_code for one in answers} == {503}


def test_a_batch_whose_log_falls_silent_is_answered_with_caution_and_nothing_of_it_is_decided(service):
    with silent(service, silent_from=1) as log:
        answers = post_batch(service, "key").json()["answers"]
        assert [one["result"]["degraded"] for one in answers] == [True, True]
        log.speaks.set()
        service.client.app.state.tenants["main"].counter._many.close()
        assert set(log.decisions()["debtor_id"].to_pylist()) == {"d2"}
        again = post_batch(service, "key").json()["answers"]
    assert [one["result"]["degraded"] for one in again] == [False, False]


def test_an_answer_that_cannot_be_kept_in_time_is_not_given_before_it_is_on_disk(service):
    with silent(service, silent_from=2) as log:
        refused = post_batch(service, "key")
        decided = {*log.decisions()["decision_id"].to_pylist()}
        log.speaks.set()
        again = post_batch(service, "key")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:rettid:problem:log-unavailable")
    assert again.headers["idempotency-replayed"] == "true"
    assert {one["result"]["decision_id"] for one in again.json()["answers"]} < decided
