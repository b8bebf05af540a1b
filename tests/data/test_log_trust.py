import re
import sqlite3
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from data.decision_log import DecisionLog, UnknownLayout
from data.decision_log_rows import ROWS_AT_ONCE
from data.decision_log_tables import CHAINED, chain, metadata
from data.erasure import erase, erased_among
from data.event_log import Event, all_events, debtor_named, events_of_debtor, events_of_parts, record
from data.log_proof import last_links, verify
from data.migrations import layout_1, layout_2
from data.online_decisions import add_step, contacts_of, decided_under, last_decided
from data.schemas import DECISION_SCHEMA
from data.stored_answers import StoredAnswer, begin, finish
from data.times import to_us
from data.versions import versions_of
from tests.data.tampering import other, plain, unguarded
from tests.data.test_decision_log import AS_OF, many, online, write
from tests.decisions_kept import reserve
from tests.small_service import decision_row, decision_table

ANSWER = StoredAnswer(200, b'{"debtor_id":"d1"}', "application/json")
PAID = {"payment_id": "p1", "claim_id": "c1", "debtor_id": "d1", "paid_at": AS_OF, "amount": 5, "currency": "EUR"}
INBOUND = {"event_id": "e2", "claim_id": "c1", "at": AS_OF, "kind": "inbound"}
SENT = {"event_id": "e3", "contact_id": decision_row(1)["decision_id"], "at": AS_OF, "kind": "sent"}
CLAIM = {
    "claim_id": "c1",
    "debtor_id": "d1",
    "creditor_id": "k",
    "sector": "energy",
    "principal": 10,
    "currency": "EUR",
}


def fill(log):
    """Something in every table."""
    write(log, decision_row(2, reasons=["days=3 (+0.2)"]), decision_row(1))
    later = decision_row(1, decision_id="b" * 32, decided_at=AS_OF + timedelta(hours=1))
    with log.writing() as connection:
        reserve(connection, online(later), replaces=None)
        begin(connection, "/x", "key-of-d1", digest="d", at=AS_OF)
        finish(connection, "/x", "key-of-d1", answer=ANSWER, debtors=["d1"])
        begin(connection, "/x", "key-of-d2", digest="d", at=AS_OF)
        finish(connection, "/x", "key-of-d2", answer=ANSWER, debtors=["d2"])
        for name, table, row, debtor_id in (
            ("e1", "payments", PAID, None),
            ("e2", "claim_events", INBOUND, None),
            ("e3", "contact_events", SENT, None),
            ("e4", "claims", CLAIM, None),
            ("e5", "payments", PAID | {"payment_id": "p5", "debtor_id": "d2"}, None),
        ):
            record(connection, Event(name, table, row), at=AS_OF, debtor_id=debtor_id)
    with log.writing() as connection:
        add_step(connection, "b" * 32, step="refused", at=AS_OF, reason="paid")
        erase(connection, "d9", claims=(), contacts=(), at=AS_OF)


EVERY_COLUMN = [(table.name, column.name) for table in (*CHAINED.values(), chain) for column in table.c]


@pytest.mark.parametrize("verb", ["UPDATE {} SET {}", "DELETE FROM {}"])
def test_nobody_changes_or_deletes_a_row_of_the_log(log, place, verb):
    fill(log)
    for table in (*CHAINED.values(), chain):
        column = table.primary_key.columns[0].name
        statement = verb.format(table.name, f"{column} = {column} + 1000")
        with pytest.raises(sa.exc.DatabaseError, match="only grows"), place.behind() as connection:
            connection.exec_driver_sql(statement)


def test_a_log_as_it_was_written_is_found_to_be_so(log):
    with log.walking() as connection:
        assert verify(connection) is None
    fill(log)
    with log.walking() as connection:
        assert verify(connection) is None
        anchors = last_links(connection)
    assert {anchor.number for anchor in anchors.values()} <= set(range(1, 10))
    assert all(re.fullmatch("[0-9a-f]{64}", anchor.digest) for anchor in anchors.values())


def test_a_change_in_any_column_of_any_table_is_found_where_it_was_made(log, place):
    fill(log)
    with place.behind() as connection:
        unguarded(connection)
    missed = []
    for name, column in EVERY_COLUMN:
        table = plain({**CHAINED, "chain": chain}[name])
        with place.behind() as connection:
            key = next(iter(table.c))
            row = connection.execute(sa.select(table).order_by(key).limit(1)).mappings().one()
            mine = table.c[key.name] == row[key.name]
            number = row["link"] if "link" in row else row["number"]
            changed = other(row[column], table.c[column].type)
            if column == key.name:
                changed = row[column] + 1_000
            connection.execute(sa.update(table).where(mine).values({column: changed}))
        with log.walking() as connection:
            broken = verify(connection)
        if broken is None or (broken.link, broken.table) != (number, name):
            missed.append((name, column, broken))
        with place.behind() as connection:
            now = changed if column == key.name else row[key.name]
            connection.execute(sa.update(table).where(table.c[key.name] == now).values({column: row[column]}))
    assert len(EVERY_COLUMN) > 70
    assert missed == []
    with log.walking() as connection:
        assert verify(connection) is None


@pytest.mark.parametrize("name", CHAINED)
def test_a_row_removed_or_added_is_found(log, place, name):
    fill(log)
    table = plain(CHAINED[name])
    with place.behind() as connection:
        unguarded(connection)
        row = dict(connection.execute(sa.select(table).order_by(table.c.sequence).limit(1)).mappings().one())
        connection.execute(sa.delete(table).where(table.c.sequence == row["sequence"]))
    with log.walking() as connection:
        broken = verify(connection)
        assert (broken.link, broken.table) == (row["link"], name)
    with place.behind() as connection:
        connection.execute(sa.insert(table).values(row))
        more = {"batch_id": "x", "decision_id": "x", "answer_id": "x", "event_key": "x"}
        added = row | {"sequence": 1_000} | {key: value for key, value in more.items() if key in row}
        connection.execute(sa.insert(table).values(added))
    with log.walking() as connection:
        assert verify(connection).table == name


def test_a_log_cut_off_at_its_end_is_found_by_a_digest_kept_elsewhere(log, place):
    fill(log)
    with log.walking() as connection:
        kept = {one.number: one.digest for one in last_links(connection).values()}
    with place.behind() as connection:
        unguarded(connection)
        last = max(kept)
        for table in (*CHAINED.values(), chain):
            connection.execute(sa.delete(table).where(table.c["number" if table is chain else "link"] == last))
    with log.walking() as connection:
        assert verify(connection) is None
        assert verify(connection, kept=kept).link == last


def test_what_is_rolled_back_leaves_no_link_and_no_subject(log):
    def breaks_off():
        with log.writing() as connection:
            record(connection, Event("e1", "payments", PAID), at=AS_OF)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks_off()
    fill(log)
    with log.walking() as connection:
        assert verify(connection) is None
        assert [one.event_id for one in events_of_debtor(connection, "d1")] == ["e1", "e4"]


def test_no_table_but_the_one_of_subjects_holds_an_identifier(log, place):
    rows = [decision_row(1, debtor_id="debtor-one", claim_id="claim-one", reasons=["debtor-one owes"])]
    write(log, *rows)
    with log.writing() as connection:
        row = PAID | {"payment_id": "pay-one", "claim_id": "claim-one", "debtor_id": "debtor-one"}
        record(connection, Event("event-one", "payments", row), at=AS_OF)
        inbound = INBOUND | {"event_id": "event-two", "claim_id": "claim-two"}
        record(connection, Event("event-two", "claim_events", inbound), at=AS_OF, debtor_id="debtor-one")
        add_step(connection, rows[0]["decision_id"], step="confirmed", at=AS_OF)
        begin(connection, "/x", "debtor-one", digest="d", at=AS_OF)
        finish(connection, "/x", "debtor-one", answer=StoredAnswer(200, b"debtor-one", "x"), debtors=["debtor-one"])
    with place.behind() as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if name != "subjects"]
        assert len(names) == len(metadata.tables)  # the version of the layout among them
        for name in names:
            held = str(connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall())
            assert "-one" not in held
            assert "-two" not in held


def test_what_is_said_of_an_erased_debtor_can_no_longer_be_read(log):
    fill(log)
    before = log.decisions()
    with log.writing() as connection:
        erased = erase(connection, "d1", claims=["c1"], contacts=[], at=AS_OF)
    assert erased.counts == {"decision_rows": 2, "answers": 1, "events": 4, "stored_answers": 1, "subjects": 2}
    after = log.decisions()
    assert after.drop_columns(["debtor_id", "claim_id"]) == before.drop_columns(["debtor_id", "claim_id"])
    assert [name for name in after["debtor_id"].to_pylist() if not name.startswith("erased-")] == ["d2"]
    assert len(set(after["debtor_id"].to_pylist())) == 2
    with log.walking() as connection:
        assert verify(connection) is None
        assert [one.event_id for one in all_events(connection)] == ["e5"]
        assert events_of_debtor(connection, "d1") == []
        assert events_of_parts(connection, claims={"c1"}, contacts={decision_row(1)["decision_id"]}) == []
        assert debtor_named(connection, "claims", "c1") is None
        assert last_decided(connection, "d1", at=AS_OF) is None
        assert contacts_of(connection, "d1") == ()
        gone = decided_under(connection, "b" * 32)
        assert (gone.asked, gone.seen, gone.alternatives) == ({}, {}, [])
        assert erased_among(connection, ["d1", "d2", "d9"]) == {"d1", "d9"}
        assert max(one.number for one in last_links(connection).values()) == erased.link


def test_the_files_of_the_log_hold_nothing_of_an_erased_debtor(tmp_path):
    log = DecisionLog.open(tmp_path)
    names = {f"{kind}-7731" for kind in ("debtor", "claim", "contact", "payment", "event", "key")}
    row = {name: f"{name.removesuffix('_id')}-7731" for name in ("debtor_id", "claim_id", "payment_id")}
    write(log, decision_row(1, debtor_id="debtor-7731", claim_id="claim-7731", reasons=["claim-7731"]), decision_row(2))
    with log.writing() as connection:
        record(connection, Event("event-7731", "payments", PAID | row), at=AS_OF)
        record(connection, Event("e8", "contact_events", SENT | {"contact_id": "contact-7731"}), at=AS_OF)
        begin(connection, "/x", "key-7731", digest="d", at=AS_OF)
        finish(connection, "/x", "key-7731", answer=StoredAnswer(200, b"debtor-7731", "x"))
    with sqlite3.connect(tmp_path / "decisions.db") as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM subjects WHERE id LIKE '%7731'")]
    connection.close()
    assert len(keys) == 2
    with log.writing() as connection:
        erase(connection, "debtor-7731", claims=["claim-7731"], contacts=["contact-7731"], at=AS_OF)
    log.scrub()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [name for name in names if name.encode() in held]
    assert not [key for key in keys if key in held]
    assert b"d2" in held
    log.close()


def test_tidying_moves_what_was_written_into_the_data_base_beside_a_reader(tmp_path):
    log = DecisionLog.open(tmp_path)
    write(log, decision_row(1))
    alone = tmp_path / "alone.db"
    with log.reading() as connection:
        last_links(connection)
        log.tidy()
        alone.write_bytes((tmp_path / "decisions.db").read_bytes())
    log.close()
    with sqlite3.connect(alone) as connection:
        assert connection.execute("SELECT count(*) FROM decision_rows").fetchone() == (1,)
    connection.close()


def test_what_a_reader_kept_from_being_scrubbed_is_scrubbed_by_later_tidying_though_all_is_forgotten(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("data.decision_log.SCRUBBING_S", 0.05)
    monkeypatch.setattr("data.decision_log.EMPTIED_EACH", 3)
    log = DecisionLog.open(tmp_path)
    fill(log)
    with sqlite3.connect(tmp_path / "decisions.db") as connection:
        [(key,)] = connection.execute("SELECT key FROM subjects WHERE id = 'd1'")
    connection.close()
    ahead = tmp_path / "decisions.db-wal"
    with log.reading() as reader:
        last_links(reader)
        with log.writing() as connection:
            erase(connection, "d1", claims=["c1"], contacts=[], at=AS_OF)
        assert not log.scrub()
        another = DecisionLog.open(tmp_path)  # as after a crash: it knows nothing of what is left to do
        for _ in range(3):
            another.tidy()
        assert key in ahead.read_bytes()
    for _ in range(3):
        another.tidy()
    assert key not in ahead.read_bytes() + (tmp_path / "decisions.db").read_bytes()
    assert log.scrub()
    another.close()
    log.close()
    log.tidy()
    assert not ahead.exists()


def test_a_debtor_erased_by_another_process_is_not_remembered(place):
    one, another = place.open(), place.open()
    fill(one)
    with another.reading() as connection:
        assert len(events_of_debtor(connection, "d1")) == 2
    with one.writing() as connection:
        erase(connection, "d1", claims=["c1"], contacts=[], at=AS_OF)
    with another.writing() as connection:
        assert events_of_debtor(connection, "d1") == []
        record(connection, Event("e9", "payments", PAID | {"payment_id": "p9"}), at=AS_OF)
    with one.reading() as connection:
        assert [row.event_id for row in events_of_debtor(connection, "d1")] == ["e9"]
    one.close()
    another.close()


def test_a_batch_without_its_end_counts_nowhere_and_is_gone_on_with(log, monkeypatch):
    table = many(2 * ROWS_AT_ONCE + 5)
    given = {"portfolio": None, "as_of": AS_OF, "config_fingerprint": "c1"}
    calls, real = count(), DecisionLog.writing

    def breaks_off(self):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(DecisionLog, "writing", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        log.write_batch(table, **given)
    monkeypatch.undo()
    assert log.decisions().num_rows == 0
    assert log.batches() == ()
    with log.reading() as connection:
        assert last_decided(connection, "d1", at=AS_OF) is None
        assert decided_under(connection, decision_row(1)["decision_id"]) is None
    assert log.write_batch(table, **given).rows == table.num_rows
    assert log.decisions().select(DECISION_SCHEMA.names).equals(table)
    with log.walking() as connection:
        assert verify(connection) is None


def test_what_happens_while_a_batch_is_written_is_not_rewritten(log, monkeypatch):
    write(log, decision_row(1))
    calls, real = count(), DecisionLog.writing

    def between(self):
        if next(calls) == 2:
            with real(self) as connection:
                add_step(connection, decision_row(1)["decision_id"], step="confirmed", at=AS_OF)
        return real(self)

    monkeypatch.setattr(DecisionLog, "writing", between)
    with pytest.raises(ValueError, match="1 decision of the batch stand in the log"):
        write(log, decision_row(1, channel="email"), config="c2")
    assert log.decisions()["channel"].to_pylist() == ["sms"]


def test_migrations_make_the_tables_that_the_program_knows(log, place):
    with place.behind() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert compare_metadata(context, layout_2.metadata) == []
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert found == "2"
    assert set(layout_2.GUARDED) == {*CHAINED, "chain"}


def old_log(folder):
    """A log of layout 1, made by its own statements and filled as the program of then did."""
    engine = sa.create_engine(f"sqlite:///{folder}/decisions.db")
    layout_1.metadata.create_all(engine)
    rows = [decision_row(1, reasons=["a=1"]), decision_row(2, send_at=None, blocked=[])]
    stored = [
        row | {name: row[name] and to_us(row[name]) for name in ("decided_at", "valid_until", "send_at")}
        for row in rows
    ]
    paid = {"amount": "5.00", "claim_id": "c1", "currency": "EUR", "debtor_id": "d1"}
    paid |= {"paid_at": AS_OF.isoformat(timespec="microseconds"), "payment_id": "p1"}
    sent = {"at": AS_OF.isoformat(timespec="microseconds"), "contact_id": rows[0]["decision_id"]}
    sent |= {"event_id": "e2", "kind": "sent"}
    nobody = dict.fromkeys(("of_debtor", "of_claim", "of_contact"))
    with engine.begin() as connection:
        connection.execute(sa.insert(layout_1.about).values(name="layout", value="1"))
        connection.execute(
            sa.insert(layout_1.batches).values(
                batch_id="b", as_of=to_us(AS_OF), portfolio="night", config_fingerprint="c", rows=1
            )
        )
        batch = {"source": "batch", "batch_id": "b", "answer_id": None}
        connection.execute(sa.insert(layout_1.decision_rows).values(**stored[1], **batch))
        answered = {"source": "online", "batch_id": None, "answer_id": rows[0]["decision_id"]}
        connection.execute(sa.insert(layout_1.decision_rows).values(**stored[0], **answered))
        said = {"asked": {"explain": True}, "seen": {"coverable": ["c1"]}, "alternatives": [{"channel": "email"}]}
        when = {"debtor_id": "d1", "decided_at": to_us(AS_OF)}
        connection.execute(sa.insert(layout_1.answers).values(answer_id=rows[0]["decision_id"], **when, **said))
        step = {"decision_id": rows[0]["decision_id"], "step": "confirmed", "at": to_us(AS_OF), "reason": None}
        connection.execute(sa.insert(layout_1.decision_steps).values(step))
        told = {"digest": "x", "received_at": to_us(AS_OF)}
        first = nobody | {"event_id": "e1", "table_name": "payments", "of_debtor": "d1", "row_key": "p1", "row": paid}
        second = nobody | {"event_id": "e2", "table_name": "contact_events", "row_key": "e2", "row": sent}
        connection.execute(sa.insert(layout_1.events).values(**first, **told))
        connection.execute(sa.insert(layout_1.events).values(**second | {"of_contact": sent["contact_id"]}, **told))
        kept = {"scope": "/x", "key": "k", "digest": "d", "begun_at": to_us(AS_OF)}
        answer = {"status": 200, "body": b"{}", "media_type": "application/json"}
        connection.execute(sa.insert(layout_1.stored_answers).values(**kept, **answer))
    engine.dispose()
    return rows


def test_a_log_of_the_first_layout_is_brought_here_with_all_its_rows(tmp_path):
    first, second = old_log(tmp_path)
    log = DecisionLog.open(tmp_path)
    assert log.decisions().select(DECISION_SCHEMA.names) == decision_table(second, first)
    assert log.decisions()["status"].to_pylist() == ["decided", "sent"]
    assert [(one.batch_id, one.as_of, one.portfolio, one.rows) for one in log.batches()] == [("b", AS_OF, "night", 1)]
    with log.writing() as connection:
        found = decided_under(connection, first["decision_id"])
        assert (found.asked, found.seen) == ({"explain": True}, {"coverable": ["c1"]})
        assert [one.step for one in found.steps] == ["confirmed", "sent"]
        assert [one.event_id for one in all_events(connection)] == ["e1", "e2"]
        assert not record(connection, Event("e1", "payments", PAID | {"amount": Decimal("5.00")}), at=AS_OF)
        assert begin(connection, "/x", "k", digest="d", at=AS_OF).body == b"{}"
        assert versions_of(connection, ["d2"]) == {"d2": 0}
    with log.walking() as connection:
        assert verify(connection) is None
    with log.reading() as connection:
        tables = sa.inspect(connection).get_table_names()
    assert not [name for name in tables if name.startswith("layout_1")]
    log.close()


def test_a_migration_that_breaks_off_leaves_the_log_as_it_was(tmp_path, monkeypatch):
    old_log(tmp_path)
    monkeypatch.setattr("data.migrations.from_layout_1._move_events", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        DecisionLog.open(tmp_path)
    monkeypatch.undo()
    log = DecisionLog.open(tmp_path)
    assert log.decisions().num_rows == 2
    log.close()


def test_a_log_of_another_layout_is_refused(place):
    place.open().close()
    with place.behind() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99'")
    with pytest.raises(UnknownLayout, match="layout 99, this program writes layout 2"):
        place.open()


def test_an_old_log_of_an_unknown_layout_is_refused(tmp_path):
    old_log(tmp_path)
    with sqlite3.connect(tmp_path / "decisions.db") as connection:
        connection.execute("UPDATE about SET value = '98' WHERE name = 'layout'")
    connection.close()
    with pytest.raises(UnknownLayout, match="layout 98, this program writes layout 2"):
        DecisionLog.open(tmp_path)
