"""The outbox of the client: what was put in is on disk, is sent in its turn, and leaves once the service has taken it."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock

import pytest

from serving import client_outbox
from serving.client_outbox import NAMES, OtherFact, Outbox, Sent, Unsendable, _Waiting, lanes_of
from serving.client_problems import NoAnswer, NotAdmitted, NotKnown, NotNow, Problem
from serving.shapes import EventRequest
from tests.serving.test_client import Line, client_of, problem

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 3, 10, 7, tzinfo=UTC)
OWED = {"claim_id": "k1", "debtor_id": "s1", "currency": "SEK", "paid_at": AT}


def paid(number, **other):
    """A payment of 1 SEK on k1."""
    row = {**OWED, "payment_id": f"z{number}", "amount": Decimal("1.00"), **other}
    return EventRequest(event_id=f"e{number}", table="payments", row=row)


class Fake:
    """A service that takes what it is told, but for what `answers` say of an event."""

    def __init__(self, answers=()):
        self.told, self.answers, self._noting = [], dict(answers), Lock()

    def tell(self, event_id, _table, _row):
        with self._noting:
            fault = self.answers.get(event_id)
            if fault is not None:
                raise fault
            self.told.append(event_id)


def told_no(kind, status=422):
    made = client_of(Line(befalls=[problem(status, kind)] * 9))
    with pytest.raises(Problem) as caught:
        made.tell("e1", "payments", {})
    return caught.value


@pytest.fixture
def file(tmp_path):
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(file):
    with Outbox(file) as made:
        yield made


@contextmanager
def service_of(service):
    line = Line(service=service.client._transport)
    with client_of(line, key=service.client.auth.of["collection_system"]) as client:
        yield client, line


def test_what_was_put_in_is_there_when_the_file_is_opened_again_and_leaves_once_it_is_taken(service, file):
    with Outbox(file) as first:
        first.put([paid(1), paid(2)])
    with Outbox(file) as again, service_of(service) as (client, _):
        assert again.waiting == 2
        assert again.send(client) == Sent(taken=2)
        assert (again.waiting, again.send(client)) == (0, Sent())
        assert client.tell("e1", "payments", paid(1).row).duplicate


def test_while_the_service_is_away_everything_waits(service, outbox):
    outbox.put(paid(number) for number in range(5))
    with service_of(service) as (client, line):
        line.befalls = [problem(503)] * 99
        with pytest.raises(NotNow):
            outbox.send(client)
        assert outbox.waiting == 5
        line.befalls = []
        assert outbox.send(client) == Sent(taken=5)


def test_an_answer_that_is_lost_is_asked_for_again_and_counts_once(service, outbox):
    outbox.put([paid(1)])
    with service_of(service) as (client, line):
        line.befalls = ["drop the answer"] * 99
        with pytest.raises(NoAnswer):
            outbox.send(client)
        line.befalls = []
        assert outbox.send(client) == Sent(taken=1)
        assert len({request.content for request in line.seen}) == 1
        assert len(line.seen) > 2


def test_what_is_refused_is_kept_with_the_reason_and_holds_up_none(service, outbox):
    outbox.put([paid(1, currency="kronor"), paid(2)])
    with service_of(service) as (client, _):
        assert outbox.send(client) == Sent(taken=1, refused=1)
        (bad,) = outbox.refused()
        assert (bad.event.event_id, outbox.waiting) == ("e1", 0)
        assert "422" in bad.why
        assert "kronor" not in bad.why
        outbox.put([paid(1)])
        assert (outbox.refused(), outbox.waiting) == ([], 1)
        assert outbox.send(client) == Sent(taken=1)


def test_refused_events_can_be_dropped_and_waiting_ones_cannot(outbox):
    outbox.put([paid(1), paid(2)])
    with pytest.raises(NotNow):
        outbox.send(Fake({"e1": told_no("event-conflict", 409), "e2": told_no("overloaded", 503)}))
    outbox.drop(["e1", "e2"])
    assert (outbox.refused(), outbox.waiting) == ([], 1)


def test_what_is_told_of_an_erased_debtor_leaves_no_trace(file):
    with Outbox(file) as outbox:
        outbox.put([paid(1, reference="Astrid Lindqvist")])
        assert b"Astrid" in file.read_bytes()
        assert outbox.send(Fake({"e1": told_no("erased", 409)})) == Sent(erased=1)
        assert outbox.waiting == 0
    assert b"Astrid" not in file.read_bytes()
    assert [one.name for one in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (("unauthenticated", 401), NotAdmitted),
        (("not-found", 404), NotKnown),
        (("unsupported-media-type", 415), Problem),
    ],
)
def test_what_says_nothing_of_an_event_puts_none_aside(outbox, answer, error):
    outbox.put([paid(1)])
    with pytest.raises(error):
        outbox.send(Fake({"e1": told_no(*answer)}))
    assert (outbox.waiting, outbox.refused()) == (1, [])


def test_the_same_event_again_is_one_and_another_under_its_name_is_refused_with_all_beside_it(outbox):
    outbox.put([paid(1)])
    outbox.put([paid(1)])
    with pytest.raises(OtherFact, match="'e1'"):
        outbox.put([paid(2), paid(1, amount=Decimal("2.00"))])
    assert outbox.waiting == 1


def test_rows_about_the_same_claim_go_in_order_however_many_threads_send(outbox):
    events = [paid(number, claim_id=f"k{number % 7}", debtor_id=f"d{number % 7}") for number in range(700)]
    outbox.put(events)
    fake = Fake()
    assert outbox.send(fake) == Sent(taken=700)
    for debtor in range(7):
        assert [one for one in fake.told if int(one[1:]) % 7 == debtor] == [f"e{n}" for n in range(debtor, 700, 7)]


def test_a_value_that_is_no_number_is_refused_and_not_left_out(service, outbox):
    outbox.put([paid(1, amount=float("nan"))])
    with service_of(service) as (client, _):
        assert outbox.send(client) == Sent(refused=1)


def test_an_error_of_ours_holds_up_those_that_name_the_same_and_no_others(outbox):
    outbox.put([paid(1), paid(2), paid(3, claim_id="k3", debtor_id="d3")])
    fake = Fake({"e1": told_no("failed", 500)})
    with pytest.raises(Problem, match="500"):
        outbox.send(fake)
    assert (fake.told, outbox.waiting, outbox.refused()) == (["e3"], 2, [])
    fake.answers.clear()
    assert outbox.send(fake) == Sent(taken=2)
    assert fake.told == ["e3", "e1", "e2"]


def test_an_error_that_nobody_foresaw_loses_no_note_of_what_was_taken(outbox):
    outbox.put([paid(1), paid(2, claim_id="k3", debtor_id="d3")])
    with pytest.raises(ZeroDivisionError):
        outbox.send(Fake({"e1": ZeroDivisionError()}))
    assert outbox.waiting == 1


@pytest.mark.parametrize("row", [{"a": 10**5_000}, {"a": "x" * 1_100_000}])
def test_what_no_body_can_carry_is_refused_at_once_with_all_beside_it(outbox, row):
    with pytest.raises(Unsendable, match="'e9'"):
        outbox.put([paid(1), EventRequest(event_id="e9", table="payments", row=row)])
    assert outbox.waiting == 0


def test_a_put_that_failed_at_its_end_put_nothing_in_and_the_next_one_may(file, monkeypatch):
    monkeypatch.setattr(client_outbox, "WAIT_S", 0.1)
    with Outbox(file) as outbox:
        outbox.put([paid(1)])
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM outbox").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            outbox.put([paid(2)])
        reader.execute("COMMIT")
        reader.close()
        assert outbox.waiting == 1
        outbox.put([paid(3)])
        assert outbox.waiting == 2


def test_a_commit_is_on_disk_with_the_end_of_its_journal(outbox):
    assert outbox._connection.execute("PRAGMA synchronous").fetchone() == (3,)


@pytest.mark.parametrize("column", NAMES)
def test_rows_that_name_the_same_are_in_one_lane(column):
    def waiting(number):
        return _Waiting(number, EventRequest(event_id=f"e{number}", table="t", row={column: "x"}))

    assert [[one.sequence for one in lane] for lane in lanes_of([waiting(1), waiting(2)])] == [[1, 2]]


def test_several_threads_put_and_send(outbox):
    fake = Fake()

    def work(number):
        outbox.put([paid(number, claim_id=f"k{number}", debtor_id=f"d{number}")])
        return outbox.send(fake).taken

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(40))) == 40
    assert sorted(fake.told) == sorted(f"e{number}" for number in range(40))


def test_only_its_owner_may_read_the_file_also_where_it_was_there_before(file):
    file.touch(mode=0o644)
    Outbox(file).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_outbox_does_without_the_web_framework():
    script = "import sys, serving.client_outbox; print(sorted({'fastapi', 'starlette', 'lightgbm', 'sqlalchemy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
