"""Decisions taken again come out as they were taken; what they were made of is on record beside them."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

import rettid
from data.online_decisions import last_answered
from data.portfolio import Portfolio
from models.hashing import keyed_hex
from serving.again import Repeater
from serving.models_in_use import ModelsInUse
from tests.small_service import promote, small_bundle, small_service, small_tables

DRAWN = "[arms]\ncontrol = 0.2\nexplore = 0.5\nchampion = 0.3\nchallenger = 0.0\n"


@pytest.fixture
def busy(tmp_path):
    """A service that has decided often, while events came, decisions were confirmed and another model was promoted."""
    with small_service(tmp_path, configuration=DRAWN) as service:
        for number in range(12):
            told = service.ask("s1", replace=True)
            service.ask("d2", replace=True, channels=["sms", "email"])
            service.ask("s1", replace=True, claim_ids=["k1"])
            if number == 3 and told["channel"] != "none":
                service.client.post(f"/v1/decisions/{told['decision_id']}/confirm")
            if number == 5:
                service.tell("claim_events", claim_id="k1", at="2026-03-10T07:00:00Z", kind="dispute_opened")
            if number == 7:
                promote(service.workspace, small_bundle(Portfolio.from_tables(small_tables()), "rates-2"))
            service.clock.advance(hours=3)
        yield service


def repeated(service, *, models=None, **keywords):
    running = service.client.app.state.tenants["main"].service
    running = running if models is None else replace(running, models=models)
    with running.log.reading() as connection:
        ids = last_answered(connection, most=1_000)
    return [*Repeater(running, service.workspace).again(ids, **keywords)]


def test_every_decision_comes_out_as_it_was_taken(busy):
    found = repeated(busy)
    assert len(found) == 36
    assert [one for one in found if not one.same] == []
    assert len({row.channel for one in found for row in one.rows}) > 1
    assert len({row.arm for one in found for row in one.rows}) > 1
    assert len({row.model_version for one in found for row in one.rows}) == 2


def test_a_decision_whose_draw_hung_on_an_identifier_of_another_making_is_not_taken_again(tmp_path, monkeypatch):
    with small_service(tmp_path, configuration=DRAWN) as service:
        monkeypatch.setattr("models.arms.dated_hex", lambda text, *, key, at_us: keyed_hex(f"{text}|{at_us}", key=key))
        service.ask("s1")
        monkeypatch.undo()
        service.ask("d2")
        new, old = repeated(service)
    assert new.same
    assert "earlier version of the program" in old.impossible


def test_a_decision_by_a_bundle_that_was_changed_since_is_not_taken_again(busy):
    changed = replace(small_bundle(Portfolio.from_tables(small_tables()), "rates-2"), mean_share=0.25)
    folder = busy.workspace / "models" / "rates-2"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    promote(busy.workspace, changed)
    assert all(one.same for one in repeated(busy))  # it is still in memory
    fresh = ModelsInUse(busy.workspace, background=False)
    impossible = {one.impossible for one in repeated(busy, models=fresh) if not one.same}
    assert impossible == {"the bundle rates-2 is not the one that decided"}


def test_a_decision_from_another_base_portfolio_is_told_as_impossible(busy):
    running = busy.client.app.state.tenants["main"].service
    with running.log.reading() as connection:
        ids = last_answered(connection, most=2)
    other = replace(running, base=replace(running.base, digest="0" * 16))
    impossible = {one.impossible for one in Repeater(other, busy.workspace).again(ids)}
    assert impossible == {"not as when it was decided: base portfolio: start with what there was then"}


def test_one_that_repeats_serves_all_who_ask_why(busy, monkeypatch):
    told = busy.ask("d2", replace=True)
    assert busy.client.app.state.tenants["main"].repeater is busy.client.app.state.tenants["main"].repeater
    monkeypatch.setattr("serving.again.Repeater.__init__", None)  # no other one can be made
    answer = busy.client.get(f"/v1/decisions/{told['decision_id']}", params={"explain": "true"})
    assert answer.json()["decision"]["reasons"] is not None


def test_why_is_told_when_a_decision_is_read_though_nobody_asked_for_it_then(busy):
    told = busy.ask("d2", replace=True)
    path = f"/v1/decisions/{told['decision_id']}"
    assert told["reasons"] is None
    assert busy.client.get(path).json()["decision"]["reasons"] is None
    assert busy.client.get(path, params={"explain": "true"}).json()["decision"]["reasons"] is not None


def test_the_command_tells_how_many_came_out_the_same(busy, monkeypatch):
    arguments = ["--workspace", str(busy.workspace), "log", "again", "--portfolio", str(busy.portfolio)]
    result = CliRunner().invoke(rettid.app, arguments)
    assert (result.exit_code, result.stdout) == (0, "36 same\n")


def test_the_command_that_verifies_the_log_finds_it_whole(busy):
    result = CliRunner().invoke(rettid.app, ["--workspace", str(busy.workspace), "log", "verify"])
    assert result.exit_code == 0
    assert "the log is whole" in result.stdout
