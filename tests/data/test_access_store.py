"""Keys, managers and sessions in SQLite and in PostgreSQL alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from data.access_store import AccessEvent, AccessStore, BadName, Key, Manager, NameTaken, Session, UnknownName
from data.access_tables import access_events, open_access
from data.times import NaiveTime

NOW = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)
KEY = Key("0a1b2c3d", b"d" * 32, "north", "manager", "a-key", frozenset({"k-energy", "k-water"}), NOW)
ANNA = Manager("anna", "north", "scrypt$...", None, NOW)
SESSION = Session(b"s" * 32, "anna", "north", b"c" * 32, NOW, NOW + timedelta(hours=8))
SIGNED_IN = AccessEvent(NOW, "signed-in", "anna", "north")


@pytest.fixture
def place(access_place: str) -> str:
    return access_place


@pytest.fixture
def store(place) -> Iterator[AccessStore]:
    found = AccessStore.open(place)
    yield found
    found.close()


def test_a_key_is_kept_as_it_was_given(store):
    store.add_key(KEY)
    assert store.key("0a1b2c3d") == KEY
    assert store.key("ffffffff") is None


def test_what_was_kept_is_there_when_the_store_is_opened_again(place):
    first = AccessStore.open(place)
    first.add_key(KEY)
    first.add_manager(ANNA)
    first.close()
    again = AccessStore.open(place)
    assert (again.all_keys(), again.managers()) == ((KEY,), (ANNA,))
    again.close()


def test_keys_are_listed_oldest_first_and_by_tenant(store):
    later = Key("00000001", b"e" * 32, "south", "operations", "b-key", None, NOW + timedelta(days=1))
    store.add_key(later)
    store.add_key(KEY)
    assert store.all_keys() == (KEY, later)
    assert store.all_keys("south") == (later,)


def test_an_identifier_and_a_user_are_given_once(store):
    store.add_key(KEY)
    with pytest.raises(NameTaken, match="key 0a1b2c3d is there already"):
        store.add_key(Key("0a1b2c3d", b"e" * 32, "south", "operations", "b-key", None, NOW))
    store.add_manager(ANNA)
    with pytest.raises(NameTaken, match="manager anna is there already"):
        store.add_manager(Manager("anna", "south", "", None, NOW))
    assert [event.event for event in store.events()] == ["key-issued", "manager-added"]


@pytest.mark.parametrize("name", ["Anna", "anna@example.com", "anna b", "", "a" * 65])
def test_a_user_has_the_form_of_a_name(store, name):
    with pytest.raises(BadName, match="expected as user 1 to 64"):
        store.add_manager(Manager(name, "north", "", None, NOW))


def test_a_key_is_revoked_once_and_for_all(store):
    store.add_key(KEY)
    store.revoke_key("0a1b2c3d", at=NOW + timedelta(hours=1))
    store.revoke_key("0a1b2c3d", at=NOW + timedelta(hours=2))
    assert store.key("0a1b2c3d").revoked_at == NOW + timedelta(hours=1)
    with pytest.raises(UnknownName, match="found no 'ffffffff'"):
        store.revoke_key("ffffffff", at=NOW)


def test_a_key_ends_earlier_and_never_later(store):
    store.add_key(KEY)
    for hours in (5, 3, 4):
        store.end_key("0a1b2c3d", expires_at=NOW + timedelta(hours=hours), at=NOW)
    assert store.key("0a1b2c3d").expires_at == NOW + timedelta(hours=3)


def test_a_session_is_found_with_its_manager_until_it_is_ended(store):
    store.add_manager(ANNA)
    store.add_session(SESSION, event=SIGNED_IN)
    assert store.session(SESSION.digest) == (SESSION, ANNA)
    store.end_session(SESSION.digest, event=AccessEvent(NOW, "signed-out", "anna"))
    store.end_session(SESSION.digest, event=AccessEvent(NOW, "signed-out", "anna"))
    assert store.session(SESSION.digest) is None
    assert [event.event for event in store.events()] == ["manager-added", "signed-in", "signed-out"]


def test_a_disabled_manager_has_no_session_left(store):
    store.add_manager(ANNA)
    store.add_session(SESSION, event=SIGNED_IN)
    store.disable_manager("anna", at=NOW)
    assert store.session(SESSION.digest) is None
    assert store.manager("anna").disabled_at == NOW
    with pytest.raises(UnknownName, match="found no 'bert'"):
        store.disable_manager("bert", at=NOW)


def test_a_changed_password_ends_the_sessions(store):
    store.add_manager(ANNA)
    store.add_session(SESSION, event=SIGNED_IN)
    store.change_password("anna", "scrypt$other", at=NOW)
    assert store.session(SESSION.digest) is None
    assert (store.manager("anna").password, store.manager("anna").disabled_at) == ("scrypt$other", None)
    assert store.events()[-1].event == "password-changed"


def test_the_data_base_refuses_to_change_or_delete_what_was_done(place, store):
    store.note(SIGNED_IN)
    engine = open_access(place)
    for statement in (sa.update(access_events).values(event="x"), sa.delete(access_events)):
        with pytest.raises(DBAPIError, match="never changed or deleted"), engine.begin() as connection:
            connection.execute(statement)
    engine.dispose()
    assert store.events() == (SIGNED_IN,)


def test_workers_that_start_at_the_same_time_make_the_tables_once(place):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: AccessStore.open(place), range(8)))
    stores[0].add_key(KEY)
    assert {one.key("0a1b2c3d") for one in stores} == {KEY}
    for one in stores:
        one.close()


def test_a_time_without_its_zone_is_refused(store):
    with pytest.raises(sa.exc.StatementError, match="expected a time with its zone") as caught:
        store.note(AccessEvent(NOW.replace(tzinfo=None), "x", "y"))
    assert isinstance(caught.value.orig, NaiveTime)


def test_a_hostile_name_is_only_not_found(store):
    store.add_manager(ANNA)
    for user in ("' OR '1'='1", "anna'; DROP TABLE managers; --", "anna%", "an_a", "anna\x00", "\ud800"):
        assert store.manager(user) is None
    assert store.managers() == (ANNA,)


def test_a_file_may_be_named_itself(tmp_path):
    AccessStore.open(tmp_path / "deep" / "other.db").close()
    assert (tmp_path / "deep" / "other.db").is_file()
