"""An answer is written past the model that describes it, and says the same to the byte."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.online_decisions import last_decided
from data.times import from_us
from serving.answers import told, without_log
from serving.group import Ask, answer_group
from serving.shapes import NextBestActionRequest
from serving.told_action import ToldAction
from tests.small_service import NOW

ASKED = {
    "a contact": {"debtor_id": "s1", "replace": True},
    "with reasons": {"debtor_id": "s1", "replace": True, "explain": True},
    "no contact": {"debtor_id": "s1", "replace": True, "channels": []},
    "one claim": {"debtor_id": "s1", "replace": True, "claim_ids": ["k1"]},
    "again": {"debtor_id": "s1"},
    "a dry run": {"debtor_id": "s1", "as_of": "2026-03-11T09:00:00.000250+01:00"},
    "nothing open": {"debtor_id": "d2", "as_of": "2020-03-11T09:00:00Z"},
}


def by_the_model(said):
    assert isinstance(said, ToldAction), said
    return said.model.model_dump_json().encode()


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_what_its_model_would_write(service, name):
    running = service.client.app.state.tenants["main"].service
    if name == "again":
        service.ask("s1")
    (reply,) = answer_group(running, [Ask(NextBestActionRequest.model_validate(ASKED[name]))])
    assert reply.stored.body == by_the_model(reply.said)
    assert (reply.said.reused, reply.said.dry_run) == (name == "again", name in ("a dry run", "nothing open"))


def test_an_answer_from_the_log_is_what_its_model_would_write(service):
    running = service.client.app.state.tenants["main"].service
    service.ask("s1")
    with running.log.reading() as connection:
        decided = last_decided(connection, "s1", at=NOW)
    said = told(decided, rates=running.config.rates, reused=True)
    assert said.fields["alternatives"]
    assert said.body == by_the_model(said)


numbers = st.floats() | st.sampled_from([0.0, -0.0, 1e-7, 1e15, 1e16, 1e17, 5e-324, 123456789.125])
moments = st.integers(0, 7_000_000_000_000_000).map(from_us)


@given(number=numbers, moment=moments, text=st.text(max_size=30))
def test_any_number_moment_and_text_is_written_as_the_model_writes_it(number, moment, text):
    plain = without_log(NextBestActionRequest(debtor_id="d1"), now=NOW)
    changes = {"expected_value": number, "valid_until": moment, "send_at": moment - timedelta(hours=1), "tone": text}
    said = ToldAction.of({**plain.fields, **changes})
    assert said.body == by_the_model(said)
