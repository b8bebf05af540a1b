"""Opening a SQLite data base that another process opens at the same moment."""

import sqlite3
from threading import Timer

import pytest
import sqlalchemy as sa

from data.log_engine import make_durable


@pytest.fixture
def file(tmp_path):
    return tmp_path / "some.db"


@pytest.fixture
def other(file):
    """Another connection that writes, in a transaction, a data base without write-ahead logging."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE known (name TEXT)")
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def durable(file, *, busy_ms):
    engine = sa.create_engine(f"sqlite:///{file}")
    make_durable(engine, busy_ms=busy_ms)
    return engine


def test_write_ahead_logging_waits_for_who_is_in_its_way(file, other):
    engine = durable(file, busy_ms=60_000)
    leaves = Timer(0.2, other.execute, ["COMMIT"])
    leaves.start()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    leaves.join()
    engine.dispose()


def test_who_stays_in_its_way_is_not_waited_for_without_end(file, other):
    engine = durable(file, busy_ms=50)
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        engine.connect()
    engine.dispose()


def test_a_file_that_is_no_data_base_is_told_at_once(file):
    file.write_bytes(b"no data base at all, but long enough to be looked at" * 20)
    engine = durable(file, busy_ms=60_000)
    with pytest.raises(sa.exc.DatabaseError, match="not a database"):
        engine.connect()
    engine.dispose()
