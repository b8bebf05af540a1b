"""Migrations of keys, managers and sessions, in SQLite and in PostgreSQL alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from data import access_tables
from data.access_store import AccessStore
from data.access_tables import ACCESS_LAYOUTS, open_access
from data.log_guards import guards
from data.migrating import Layouts, UnknownLayout
from data.migrations.access import layout_1
from tests.data.log_places import careless
from tests.data.test_access_store import ANNA, KEY, SESSION, SIGNED_IN

FIRST = (ACCESS_LAYOUTS.folder / "versions" / "v1_first_layout.py").read_text(encoding="utf-8")
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade():
    schema = None if op.get_bind().dialect.name == "sqlite" else "access"
    op.create_table("steps", sa.Column("number", sa.Integer), schema=schema)
    op.execute(sa.insert(sa.table("steps", sa.column("number"), schema=schema)).values(number=2))
"""
BREAKS_OFF = NEXT + "    raise ZeroDivisionError\n"


@pytest.fixture
def place(access_place: str) -> str:
    return access_place


@contextmanager
def behind(place: str) -> Iterator[sa.Connection]:
    """A connection that knows nothing of the store's care; tables are found without their schema."""
    in_server = place.startswith("postgresql")
    url = sa.make_url(place if in_server else f"sqlite:///{place}/{access_tables.FILE_NAME}")
    url = url.set(drivername="postgresql+psycopg") if in_server else url
    with careless(url, schema=access_tables.SCHEMA if in_server else None) as connection:
        yield connection


def plain(tables: sa.MetaData) -> sa.MetaData:
    """The tables without the name of their schema."""
    found = sa.MetaData()
    for table in tables.tables.values():
        names = {one.columns.keys()[0]: one.name for one in table.indexes}
        for index in table.to_metadata(found, schema=None).indexes:
            index.name = names[index.columns.keys()[0]]
    return found


def old_store(place: str) -> None:
    """A store as the program made it before there were migrations, with something in every table."""
    if place.startswith("postgresql"):
        with behind(place) as connection:
            connection.execute(sa.schema.CreateSchema(layout_1.SCHEMA))
    with behind(place) as connection:
        plain(layout_1.metadata).create_all(connection)
        for guard in guards(connection.dialect.name, layout_1.GUARDED, refusal=layout_1.REFUSAL):
            connection.execute(guard)
        tables = plain(access_tables.metadata).tables
        connection.execute(sa.insert(tables["about"]).values(name="layout", value="1"))
        connection.execute(sa.insert(tables["keys"]).values(asdict(KEY) | {"creditors": ["k-energy", "k-water"]}))
        connection.execute(sa.insert(tables["managers"]).values(asdict(ANNA)))
        connection.execute(sa.insert(tables["sessions"]).values(asdict(SESSION)))
        connection.execute(sa.insert(tables["access_events"]).values(asdict(SIGNED_IN)))


def kept(place: str) -> tuple[object, ...]:
    store = AccessStore.open(place)
    try:
        return store.all_keys(), store.managers(), store.session(SESSION.digest), store.events()
    finally:
        store.close()


ALL_OF_IT = ((KEY,), (ANNA,), (SESSION, ANNA), (SIGNED_IN,))


def layouts_with(folder: Path, text: str) -> Layouts:
    """The layouts of today and one more."""
    versions = folder / "layouts" / "versions"
    versions.mkdir(parents=True)
    (versions / "v1_first_layout.py").write_text(FIRST, encoding="utf-8")
    (versions / "v2_next.py").write_text(text, encoding="utf-8")
    return replace(ACCESS_LAYOUTS, folder=folder / "layouts")


def stamped(place: str) -> list[str]:
    with behind(place) as connection:
        return [*connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()]


def test_migrations_make_the_tables_that_the_program_knows(place):
    AccessStore.open(place).close()
    with behind(place) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, plain(access_tables.metadata)) == []
        assert compare_metadata(context, plain(layout_1.metadata)) == []
    assert stamped(place) == ["1"]


def test_a_program_from_before_migrations_knows_the_layout_of_a_new_store(place):
    AccessStore.open(place).close()
    with behind(place) as connection:
        found = connection.exec_driver_sql("SELECT value FROM about WHERE name = 'layout'").scalar()
    assert [found] == stamped(place)


def test_a_store_from_before_migrations_is_taken_over_with_all_its_rows(place):
    old_store(place)
    assert kept(place) == ALL_OF_IT
    assert stamped(place) == ["1"]
    for statement in ("UPDATE access_events SET event = 'x'", "DELETE FROM access_events"):
        with pytest.raises(DBAPIError, match="never changed or deleted"), behind(place) as connection:
            connection.exec_driver_sql(statement)
    assert kept(place) == ALL_OF_IT


@pytest.mark.parametrize("old", [True, False])
def test_workers_that_start_at_the_same_time_migrate_once(place, tmp_path, old):
    if old:
        old_store(place)
    layouts = layouts_with(tmp_path, NEXT)
    with ThreadPoolExecutor(8) as pool:
        for engine in pool.map(lambda _: open_access(place, layouts=layouts), range(8)):
            engine.dispose()
    assert stamped(place) == ["2"]
    with behind(place) as connection:
        assert [*connection.exec_driver_sql("SELECT number FROM steps").scalars()] == [2]
        assert len([*connection.exec_driver_sql("SELECT key_id FROM keys")]) == old


def test_a_migration_that_breaks_off_leaves_the_store_as_it_was(place, tmp_path):
    old_store(place)
    layouts = layouts_with(tmp_path, BREAKS_OFF)
    with pytest.raises(ZeroDivisionError):
        open_access(place, layouts=layouts)
    with behind(place) as connection:
        assert {*sa.inspect(connection).get_table_names()} == {*plain(layout_1.metadata).tables}
    assert kept(place) == ALL_OF_IT


def test_a_store_of_a_newer_layout_is_refused_and_left_alone(place, tmp_path):
    old_store(place)
    open_access(place, layouts=layouts_with(tmp_path, NEXT)).dispose()
    with pytest.raises(UnknownLayout, match="keys and managers is of layout 2, this program writes layout 1"):
        AccessStore.open(place)
    assert stamped(place) == ["2"]


def test_an_old_store_of_an_unknown_layout_is_refused(place):
    old_store(place)
    with behind(place) as connection:
        connection.exec_driver_sql("UPDATE about SET value = '9'")
    with pytest.raises(UnknownLayout, match="keys and managers is of layout 9, this program writes layout 1"):
        AccessStore.open(place)
