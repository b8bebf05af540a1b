from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from data.decision_log import LOG_SCHEMA, ConflictingDecision, DecisionLog
from data.decision_log_rows import ROWS_AT_ONCE, blocks, fingerprint
from data.event_log import Event, record
from data.log_engine import BadSchema, WeakDurability, open_engine
from data.log_proof import verify
from data.online_decisions import (
    AnswerRow,
    Decided,
    add_step,
    decided_under,
    last_decided,
    reserve_all,
)
from data.schemas import DECISION_SCHEMA
from data.stored_answers import KEPT, LEASE, KeyReused, StillRunning, StoredAnswer, begin, finish, release
from data.times import NaiveTime
from data.versions import versions_of
from tests.data.log_places import place_of
from tests.decisions_kept import reserve, rows_of
from tests.samples import moment
from tests.small_service import decision_row, decision_table

AS_OF = moment(3, 10, hour=1)


def write(log, *rows, as_of=AS_OF, config="c1", portfolio=None):
    return log.write_batch(decision_table(*rows), portfolio=portfolio, as_of=as_of, config_fingerprint=config)


def test_every_write_about_a_debtor_raises_its_version_by_one(log):
    paid = {"payment_id": "p1", "claim_id": "c1", "debtor_id": "d1", "paid_at": AS_OF, "amount": 5, "currency": "EUR"}
    inbound = {"event_id": "e2", "claim_id": "c1", "at": AS_OF, "kind": "inbound"}

    def versions():
        with log.reading() as connection:
            return tuple(versions_of(connection, ["d1", "d2"]).values())

    seen = [versions()]
    for write_one in (
        lambda one: record(one, Event("e1", "payments", paid), at=AS_OF),
        lambda one: record(one, Event("e1", "payments", paid), at=AS_OF),
        lambda one: record(one, Event("e2", "claim_events", inbound), at=AS_OF, debtor_id="d1"),
        lambda one: reserve(one, online(decision_row(1)), replaces=None),
        lambda one: add_step(one, decision_row(1)["decision_id"], step="confirmed", at=AS_OF),
    ):
        with log.writing() as connection:
            write_one(connection)
        seen.append(versions())
    assert seen == [(0, 0), (1, 0), (1, 0), (2, 0), (3, 0), (4, 0)]


def test_a_group_of_decisions_is_written_as_one_by_one_would_be(log):
    rows = [decision_row(1), decision_row(1, claim_id="c9", lead=False), decision_row(2)]
    given = [
        AnswerRow(
            row["decision_id"], row["debtor_id"], AS_OF, {"explain": False}, {"marks": ["h1"]}, [{"channel": "sms"}]
        )
        for row in (rows[0], rows[2])
    ]
    write(log, decision_row(2, decision_id="b" * 32, decided_at=AS_OF - timedelta(hours=1)))
    with log.writing() as connection:
        reserve_all(connection, rows_of(decision_table(*rows)), given, [("b" * 32, "d2")], AS_OF)
        assert versions_of(connection, ["d1", "d2"]) == {"d1": 1, "d2": 1}
    with log.reading() as connection:
        first, second = (last_decided(connection, name, at=AS_OF) for name in ("d1", "d2"))
        assert decided_under(connection, "b" * 32).status == "replaced"
    assert first == Decided(
        rows_of(decision_table(*rows[:2])), "online", {"explain": False}, {"marks": ["h1"]}, [{"channel": "sms"}]
    )
    assert second.rows == rows_of(decision_table(rows[2]))


def online(*rows, **given):
    return Decided(rows_of(decision_table(*rows)), asked={}, seen={"coverable": []}, alternatives=[], **given)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_every_connection_writes_ahead_and_waits_for_the_disk(log):
    with log.reading() as one, log.writing() as other:
        for connection in (one, other):
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_data_base_that_cannot_write_ahead_is_refused():
    engine = open_engine("sqlite://")
    with pytest.raises(WeakDurability, match="expected journal_mode wal and synchronous 2"):
        engine.connect()
    engine.dispose()


def test_a_batch_comes_back_as_it_was_written(log):
    rows = [decision_row(1), decision_row(2, channel="none", send_at=None, tone=None, reasons=["a=1 (+0.2)"])]
    batch = write(log, *rows, portfolio=Path("night"))
    found = log.decisions()
    assert found.schema == LOG_SCHEMA
    assert found.select(DECISION_SCHEMA.names).to_pylist() == rows
    assert set(found["source"].to_pylist()) == {"batch"}
    assert set(found["status"].to_pylist()) == {"decided"}
    assert log.batches() == (batch,)
    assert (batch.as_of, batch.portfolio, batch.rows) == (AS_OF, "night", 2)


def test_the_same_batch_written_again_changes_nothing(log):
    assert write(log, decision_row(1)) == write(log, decision_row(1))
    assert log.decisions().num_rows == 1
    assert len(log.batches()) == 1


def many(count):
    """Rows of every kind, nulls among them, in more than one block."""
    changed = [
        {},
        {"send_at": None, "tone": None, "action_probability": None},
        {"blocked": [], "reasons": ["a=1", "b=2"]},
    ]
    few = [decision_row(number, **changed[number % 3]) for number in range(30)]
    table = decision_table(*few).take(pa.array(np.arange(count) % 30))
    ids = pa.array([f"c{number}" for number in range(count)], pa.string())
    return table.set_column(table.column_names.index("claim_id"), DECISION_SCHEMA.field("claim_id"), ids)


@pytest.mark.parametrize("rows", [0, 1, 70, 2 * ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 3])
def test_a_batch_is_the_same_from_memory_and_from_a_file_however_it_is_cut(tmp_path, rows):
    table = many(rows)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7_001)
    cut = pa.concat_tables([table.slice(0, 33), table.slice(33)])
    assert len({fingerprint(one, heading="h") for one in (table, cut, tmp_path / "a.parquet")}) == 1
    assert fingerprint(table, heading="h") != fingerprint(table, heading="i")
    assert fingerprint(table, heading="h") != fingerprint(table.slice(1), heading="h") or not rows
    assert pa.concat_tables([table.slice(0, 0), *blocks(tmp_path / "a.parquet")]).equals(table)
    assert {one.num_rows for one in list(blocks(tmp_path / "a.parquet"))[:-1]} <= {ROWS_AT_ONCE}


def test_a_file_of_decisions_is_logged_as_its_rows_are(log, tmp_path):
    table = many(ROWS_AT_ONCE + 1)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1_000)
    batch = log.write_batch(tmp_path / "a.parquet", portfolio=None, as_of=AS_OF, config_fingerprint="c1")
    assert batch.rows == table.num_rows
    assert log.decisions().select(DECISION_SCHEMA.names).equals(table)
    assert log.write_batch(table, portfolio=None, as_of=AS_OF, config_fingerprint="c1") == batch


@pytest.mark.parametrize("became", ["answered", "sent"])
def test_a_decision_of_the_service_or_one_that_was_sent_is_not_rewritten(log, became):
    if became == "answered":
        with log.writing() as connection:
            reserve(connection, online(decision_row(1)), replaces=None)
    else:
        write(log, decision_row(1))
        with log.writing() as connection:
            row = {"event_id": "e1", "contact_id": decision_row(1)["decision_id"], "at": AS_OF, "kind": "sent"}
            record(connection, Event("e1", "contact_events", row), at=AS_OF)
    with pytest.raises(ConflictingDecision, match=f"1 decision of the batch .* first of them {'a' + '0' * 30 + '1'}"):
        write(log, decision_row(2), decision_row(1, channel="email"), config="c2")
    assert write(log, decision_row(2), decision_row(1), config="c3").rows == 2
    assert write(log, decision_row(1, channel="email", decided_at=AS_OF + timedelta(days=1)), config="c4").rows == 1


def test_a_batch_decided_again_counts_in_place_of_the_earlier_one(log):
    write(log, decision_row(1))
    write(log, decision_row(1, channel="email"), config="c2")
    assert log.decisions()["channel"].to_pylist() == ["email"]
    assert len(log.batches()) == 2
    with log.reading() as connection:
        assert decided_under(connection, decision_row(1)["decision_id"]).leading.channel == "email"


def test_a_decision_that_was_acted_on_is_not_rewritten(log):
    write(log, decision_row(1), decision_row(2))
    with log.writing() as connection:
        add_step(connection, decision_row(1)["decision_id"], step="confirmed", at=AS_OF)
    write(log, decision_row(1), decision_row(2, channel="email"), config="c2")
    changed = decision_table(decision_row(1, channel="email"))
    with pytest.raises(ConflictingDecision, match="1 decision of the batch stand in the log"):
        log.write_batch(changed, portfolio=None, as_of=AS_OF, config_fingerprint="c1")
    assert log.decisions()["channel"].to_pylist() == ["sms", "email"]


def test_nor_by_a_batch_that_calls_it_otherwise(log):
    write(log, decision_row(1), decision_row(2))
    with log.writing() as connection:
        add_step(connection, decision_row(1)["decision_id"], step="confirmed", at=AS_OF)
    with pytest.raises(ConflictingDecision, match="1 decision of the batch stand in the log"):
        write(log, decision_row(1, decision_id="c" * 32), config="c2")
    write(log, decision_row(1, decision_id="d" * 32, decided_at=AS_OF + timedelta(hours=1)), config="c3")


def test_a_batch_that_fails_leaves_nothing(log):
    with pytest.raises(sa.exc.IntegrityError):
        write(log, decision_row(1), decision_row(1))
    assert log.decisions().num_rows == 0
    assert log.batches() == ()


def test_an_empty_batch_is_a_batch(log):
    assert write(log).rows == 0
    assert log.decisions().num_rows == 0


def test_a_naive_time_is_refused(log):
    with pytest.raises((NaiveTime, sa.exc.StatementError), match="expected a time with its zone"):
        write(log, decision_row(1), as_of=AS_OF.replace(tzinfo=None))


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
def test_a_server_that_would_not_wait_for_its_disk_is_refused(tmp_path, setting):
    with place_of("postgresql", tmp_path) as place:
        weak = f"{place.place}?options=-c%20synchronous_commit%3D{setting}"
        engine = open_engine(weak)
        with pytest.raises(WeakDurability, match=f"expected synchronous_commit on and fsync on, came {setting} and on"):
            engine.connect()
        engine.dispose()


def test_a_server_that_is_not_there_is_told_of_soon():
    with pytest.raises(sa.exc.OperationalError):
        DecisionLog.open("postgresql+psycopg://nobody@127.0.0.1:1/none")


def test_a_writer_does_not_wait_for_another_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("data.log_engine.LOCK_MS", 200)
    with place_of("postgresql", tmp_path) as place:
        log = place.open()
        with log.writing(), pytest.raises(sa.exc.OperationalError, match="lock timeout"), log.writing():
            pass
        log.close()


@pytest.mark.parametrize("name", ["a b", "A", "x;drop", "1a", ""])
def test_a_schema_of_another_kind_of_name_is_refused(name):
    with pytest.raises(BadSchema, match="expected a schema of lower-case letters"):
        DecisionLog.open("postgresql+psycopg://nobody@127.0.0.1/none", schema=name)


def test_logs_in_two_schemas_know_nothing_of_each_other(tmp_path):
    with place_of("postgresql", tmp_path) as one, place_of("postgresql", tmp_path) as other:
        logs = [one.open(), other.open()]
        write(logs[0], decision_row(1))
        assert [log.decisions().num_rows for log in logs] == [1, 0]
        for log in logs:
            log.close()


def test_several_processes_may_open_the_log_at_once(place):
    with ThreadPoolExecutor(8) as pool:
        logs = list(pool.map(lambda _: place.open(), range(8)))
    for log in logs:
        log.close()


def test_many_writers_at_once_lose_nothing(place):
    logs = [place.open() for _ in range(4)]

    def add(number):
        with logs[number % 4].writing() as connection:
            add_step(connection, "d", step="confirmed", at=AS_OF, debtor_id=f"d{number % 3}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(60)))
    with logs[0].reading() as connection:
        assert versions_of(connection, ["d0", "d1", "d2", "d3"]) == {"d0": 20, "d1": 20, "d2": 20, "d3": 0}
        assert verify(connection) is None
    for log in logs:
        log.close()


def test_a_decision_of_the_service_keeps_what_was_asked_and_the_other_candidates(log):
    other = {"channel": "email", "send_at": "2026-03-10T17:00:00+00:00", "payment_probability": 0.2}
    decided = Decided(rows_of(decision_table(decision_row(1))), asked={"explain": True}, seen={}, alternatives=[other])
    with log.writing() as connection:
        reserve(connection, decided, replaces=None)
    with log.reading() as connection:
        found = decided_under(connection, decided.leading.decision_id)
    assert found == decided
    assert log.decisions()["source"].to_pylist() == ["online"]


def test_the_last_decision_is_found_whatever_it_came_from(log):
    write(log, decision_row(1))
    later = decision_row(1, decision_id="b" * 32, decided_at=AS_OF + timedelta(hours=1))
    with log.writing() as connection:
        first = last_decided(connection, "d1", at=AS_OF + timedelta(minutes=1))
        reserve(connection, online(later), replaces=first.leading)
    with log.reading() as connection:
        assert first.source == "batch"
        assert last_decided(connection, "d1", at=AS_OF + timedelta(days=1)).leading.decision_id == "b" * 32
        assert decided_under(connection, first.leading.decision_id).status == "replaced"
    assert log.decisions()["status"].to_pylist() == ["replaced", "decided"]


def test_a_batch_of_the_future_is_not_the_last_decision_yet(log):
    write(log, decision_row(1))
    with log.reading() as connection:
        assert last_decided(connection, "d1", at=AS_OF - timedelta(seconds=1)) is None


def test_the_leading_row_is_that_of_the_contact():
    held = decision_row(1, decision_id="e" * 32, claim_id="c0", channel="none", send_at=None)
    first, second = decision_row(1), decision_row(1, claim_id="c9", lead=False)
    decided = online(held, first, second)
    assert decided.leading.claim_id == "c1"
    assert decided.covered == {"c1", "c9"}


def test_an_answer_is_kept_under_its_key_and_scope(log):
    answer = StoredAnswer(200, b'{"a":1}', "application/json")
    with log.writing() as connection:
        assert begin(connection, "/x", "k", digest="d", at=AS_OF) is None
        with pytest.raises(StillRunning, match="ask again in a second"):
            begin(connection, "/x", "k", digest="d", at=AS_OF)
        finish(connection, "/x", "k", answer=answer)
        assert begin(connection, "/x", "k", digest="d", at=AS_OF) == answer
        assert begin(connection, "/y", "k", digest="other", at=AS_OF) is None
        with pytest.raises(KeyReused, match="used with another request"):
            begin(connection, "/x", "k", digest="other", at=AS_OF)


def test_a_request_whose_process_died_may_be_made_again(log):
    with log.writing() as connection:
        begin(connection, "/x", "k", digest="d", at=AS_OF)
        assert begin(connection, "/x", "k", digest="d", at=AS_OF + LEASE) is None
        release(connection, "/x", "k")
        assert begin(connection, "/x", "k", digest="other", at=AS_OF) is None


def test_a_key_is_forgotten_after_thirty_days(log):
    with log.writing() as connection:
        begin(connection, "/x", "k", digest="d", at=AS_OF)
        finish(connection, "/x", "k", answer=StoredAnswer(200, b"", "text/plain"))
        assert begin(connection, "/x", "k", digest="other", at=AS_OF + KEPT + timedelta(seconds=1)) is None


def test_the_frame_says_why_leave_to_send_was_last_refused(log):
    write(log, decision_row(1), decision_row(2))
    for reason in ("paid", "quiet_hours"):
        with log.writing() as connection:
            add_step(connection, decision_row(2)["decision_id"], step="refused", at=AS_OF, reason=reason)
    found = log.decisions()
    assert found["status"].to_pylist() == ["decided", "refused"]
    assert found["refused_for"].to_pylist() == [None, "quiet_hours"]
