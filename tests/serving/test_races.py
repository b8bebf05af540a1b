"""Many at once: one decision for one debtor, whoever asks, in however many processes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from data.decision_log import DecisionLog
from serving.app import create_app
from serving.group import Ask, answer_group
from serving.shapes import NextBestActionRequest
from tests.small_service import FakeClock, decision_row, decision_table, write_world


def test_fifty_at_once_get_one_decision(service):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: service.ask(), range(50)))
    assert len({answer["decision_id"] for answer in answers}) == 1
    assert sum(not answer["reused"] for answer in answers) == 1


def test_two_processes_over_one_workspace_agree(tmp_path):
    settings = write_world(tmp_path)
    clock = FakeClock()
    apps = [create_app(settings, clock=clock) for _ in range(2)]
    asked = NextBestActionRequest(debtor_id="s1")
    barrier = threading.Barrier(8)

    def ask(number):
        barrier.wait()
        return answer_group(apps[number % 2].state.tenants["main"].service, [Ask(asked)])[0].said

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    for app in apps:
        app.state.tenants["main"].service.log.close()
    assert len({answer.decision_id for answer in answers}) == 1
    log = DecisionLog.open(settings.workspace)
    assert log.decisions().num_rows == 2
    log.close()


class Restless:
    """An engine during whose first decisions a fact comes in each time."""

    def __init__(self, engine, facts, tell):
        self.engine, self.facts, self.tell, self.decisions = engine, list(facts), tell, 0

    def versions(self):
        return self.engine.versions()

    def decide(self, lives, wishes, *, models, given=None):
        self.decisions += 1
        verdicts = self.engine.decide(lives, wishes, models=models, given=given)
        if self.facts:
            self.tell("claim_events", claim_id="k1", **self.facts.pop(0))
        return verdicts

    def standing(self, earlier, *, models):
        return self.engine.standing(earlier, models=models)


def restless(service, *facts):
    running = service.client.app.state.tenants["main"].service
    engine = Restless(running.engine, facts, service.tell)
    return replace(running, engine=engine), engine


def test_a_fact_that_comes_while_a_decision_is_made_is_in_it(service):
    running, engine = restless(service, {"at": "2026-03-10T07:00:00Z", "kind": "dispute_opened"})
    (reply,) = answer_group(running, [Ask(NextBestActionRequest(debtor_id="s1"))])
    answer = reply.said
    assert {claim.claim_id: claim.covered for claim in answer.model.claims} == {"k1": False, "k2": True}
    assert engine.decisions == 2
    assert running.log.decisions().num_rows == 2


def test_facts_that_never_rest_are_decided_under_the_lock(service):
    calls = [{"at": f"2026-03-10T07:0{number}:00Z", "kind": "inbound"} for number in range(3)]
    running, engine = restless(service, *calls)
    (reply,) = answer_group(running, [Ask(NextBestActionRequest(debtor_id="s1"))])
    answer = reply.said
    assert (answer.channel, engine.decisions) == ("sms", 4)
    assert running.log.decisions().num_rows == 2


def test_no_leave_is_given_after_an_acknowledged_stop(service):
    for number in range(10):
        told = service.ask(replace=True)
        point = {"debtor_id": "s1", "channel": told["channel"], "valid_from": "2026-01-05T12:00:00Z", "verified": True}

        def leave(decision=told["decision_id"]):
            return service.client.post(f"/v1/decisions/{decision}/confirm").status_code

        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(leave) for _ in range(3)]
            service.tell("contact_points", **point, consent="withdrawn", kind="private")
            after = pool.submit(leave).result()
            assert {one.result() for one in asked} <= {200, 409}
        assert after == 409, number
        service.tell("contact_points", **point, consent="given", kind="private")
        service.clock.advance(days=7)  # a contact that leave was given for counts against the caps of its week


def test_a_night_that_is_written_while_a_decision_is_made_is_the_one_that_stands(service, tmp_path):
    running, _ = restless(service)
    nights = [decision_table(decision_row(7, debtor_id="s1", claim_id="k1", channel="none", send_at=None))]
    engine = running.engine

    class Overtaken(Restless):
        def decide(self, lives, wishes, *, models, given=None):
            verdicts = super().decide(lives, wishes, models=models, given=given)
            if nights:
                night = nights.pop()
                running.log.write_batch(night, portfolio=None, as_of=service.clock(), config_fingerprint="night")
            return verdicts

    overtaken = Overtaken(engine.engine, [], service.tell)
    (reply,) = answer_group(replace(running, engine=overtaken), [Ask(NextBestActionRequest(debtor_id="s1"))])
    assert (overtaken.decisions, reply.said.reused) == (1, True)
    assert reply.said.decision_id == decision_row(7)["decision_id"]
    assert running.log.decisions().num_rows == 1
