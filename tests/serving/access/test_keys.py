"""Keys of programs: what is kept, what is refused, how one ends, and what an answer gives away."""

import sqlite3
from datetime import timedelta
from statistics import median
from time import perf_counter, sleep

import pytest
from sqlalchemy.exc import OperationalError

from data.access_store import AccessStore, BadName, NameTaken, UnknownName
from serving.access.access import MOST_KEPT, Access
from serving.access.admit import admit_cached
from serving.access.keys import FORM, BadKeyOrder, KeyOrder, issue_key, rotate_key
from serving.access.refusals import NotAdmitted
from serving.access.settings import AccessSettings, BadAccessSettings
from tests.serving.access.doors import NOW, asked, doors

DECIDE = ("POST", "/v1/next-best-action")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_has_256_random_bits_behind_its_identifier(guarded):
    keys = {guarded.key() for _ in range(50)}
    assert len(keys) == 50
    assert all(FORM.fullmatch(key.encode()) for key in keys)


def test_a_good_key_opens_its_own_tenant(guarded):
    answer = guarded.client.post("/v1/events", headers=bearer(guarded.key(tenant="south")))
    assert (answer.status_code, answer.json()["tenant"]) == (200, "south")


def test_a_dump_of_the_store_holds_no_key_that_can_be_used(guarded, tmp_path):
    key = guarded.key()
    assert guarded.status(key) == 200
    dump = "\n".join(sqlite3.connect(tmp_path / "access.db").iterdump())
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    secret = key.split("_", 2)[2]
    assert "INSERT INTO" in dump
    assert secret not in dump
    assert secret.encode() not in files


def test_the_file_is_nobody_elses_to_read(guarded, tmp_path):
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("access.db*")} == {0}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer rettid_00000000_" + "A" * 42,
        "Bearer rettid_00000000_" + "A" * 44,
        "Bearer rettid_0000000G_" + "A" * 43,
        "Bearer rettid_00000000_" + "A" * 43,
        "Bearer rettid_00000000_" + "\u00e9" * 43,
        "Bearer rettid_\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2_" + "A" * 43,
        "Bearer " + "A" * 10_000,
        "Bearer rettid_00000000_" + "A" * 42 + "'",
        "rettid_00000000_" + "A" * 43,
    ],
)
def test_a_malformed_or_unknown_key_is_refused_with_the_one_answer(guarded, header):
    without = guarded.client.post(DECIDE[1])
    answer = guarded.client.post(DECIDE[1], headers=[(b"Authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="rettid"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == without.json()


def test_a_wrong_key_and_an_unknown_one_get_the_same_answer(guarded):
    key = guarded.key()
    wrong, unknown = key[:16] + "A" * 43, f"rettid_{'0' * 8}_{'A' * 43}"
    answers = [guarded.client.post(DECIDE[1], headers=bearer(one)) for one in (wrong, unknown)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert answers[0].headers == answers[1].headers


def test_two_keys_in_one_call_are_refused(guarded):
    header = (b"Authorization", f"Bearer {guarded.key()}".encode())
    assert guarded.client.post(DECIDE[1], headers=[header, header]).status_code == 401


def test_the_scheme_may_be_written_in_any_case(guarded):
    assert guarded.client.post(DECIDE[1], headers={"Authorization": f"bEARER {guarded.key()}"}).status_code == 200


def test_a_key_runs_out_to_the_microsecond_even_while_it_is_cached(guarded):
    key = guarded.key(days=1)
    guarded.clock.advance(days=1, microseconds=-1)
    assert guarded.status(key) == 200
    guarded.clock.advance(microseconds=1)
    assert guarded.status(key) == 401


def test_a_revoked_key_is_refused_within_a_second_by_every_worker(guarded, tmp_path):
    key = guarded.key()
    other = Access(AccessStore.open(tmp_path), clock=guarded.clock)
    asked(bearer(key), access=other, at=guarded.clock(), call=DECIDE)
    assert guarded.status(key) == 200
    guarded.store.revoke_key(key[7:15], at=guarded.clock())
    guarded.clock.advance(seconds=1)
    assert guarded.status(key) == 401
    with pytest.raises(NotAdmitted, match="no key or session"):
        asked(bearer(key), access=other, at=guarded.clock(), call=DECIDE)
    other.close()


@pytest.mark.parametrize("cached_s", [0.0, 1.0, 5.0])
def test_settings_that_would_let_a_revoked_key_in_for_longer_are_refused(cached_s):
    with pytest.raises(BadAccessSettings, match="a revoked key must be refused within a second"):
        AccessSettings(cached_s=cached_s)


def test_a_key_issued_after_it_was_refused_is_good_within_a_second(guarded):
    drawn = iter([bytes(4), bytes(32)])
    secret = f"rettid_{'0' * 8}_{'A' * 43}"
    assert guarded.status(secret) == 401
    assert issue_key(guarded.store, KeyOrder("north", "manager", "m"), now=NOW, draw=lambda _: next(drawn))[0] == secret
    guarded.clock.advance(seconds=1)
    assert guarded.status(secret, "GET", "/reports") == 200


def test_a_clock_that_goes_back_makes_the_store_be_asked(guarded):
    key = guarded.key()
    assert guarded.status(key) == 200
    guarded.store.revoke_key(key[7:15], at=guarded.clock())
    guarded.clock.advance(seconds=-600)
    assert guarded.status(key) == 401


def test_a_rotated_key_goes_on_for_the_overlap_and_the_new_one_from_the_start(guarded):
    old = guarded.key(days=30)
    new, kept = rotate_key(guarded.store, old[7:15], overlap=timedelta(hours=2), now=guarded.clock())
    assert (guarded.status(old), guarded.status(new)) == (200, 200)
    guarded.clock.advance(hours=2)
    assert (guarded.status(old), guarded.status(new)) == (401, 200)
    assert (kept.expires_at, kept.role) == (NOW + timedelta(days=30), "collection_system")


def test_rotating_never_lengthens_the_old_keys_life(guarded):
    old = guarded.key(days=1)
    rotate_key(guarded.store, old[7:15], overlap=timedelta(days=7), now=guarded.clock())
    assert guarded.store.key(old[7:15]).expires_at == NOW + timedelta(days=1)


def test_a_revoked_key_is_not_rotated(guarded):
    key_id = guarded.key()[7:15]
    guarded.store.revoke_key(key_id, at=NOW)
    with pytest.raises(UnknownName, match="expected the identifier of a good key"):
        rotate_key(guarded.store, key_id, overlap=timedelta(hours=1), now=NOW)


def test_an_identifier_drawn_twice_is_drawn_again(guarded):
    drawn = iter([b"aaaa", b"1" * 32, b"aaaa", b"2" * 32, b"bbbb", b"3" * 32])
    made = [
        issue_key(guarded.store, KeyOrder("north", "operations", "x"), now=NOW, draw=lambda _: next(drawn))[0]
        for _ in range(2)
    ]
    assert [key[7:15] for key in made] == [b"aaaa".hex(), b"bbbb".hex()]
    assert [guarded.status(key, "GET", "/metrics") for key in made] == [200, 200]


def test_identifiers_that_are_all_taken_are_told(guarded):
    def same(count: int) -> bytes:
        return b"c" * count

    order = KeyOrder("north", "operations", "x")
    issue_key(guarded.store, order, now=NOW, draw=same)
    with pytest.raises(NameTaken, match="try again"):
        issue_key(guarded.store, order, now=NOW, draw=same)


@pytest.mark.parametrize("name", ["", "A", "a b", "a" * 65, "a/b", "æ", "a\n", "../x"])
def test_names_have_the_form_of_names(guarded, name):
    with pytest.raises(BadName, match="1 to 64 of a-z, 0-9 and -"):
        issue_key(guarded.store, KeyOrder("north", "manager", name), now=NOW)
    with pytest.raises(BadName, match="expected as tenant"):
        issue_key(guarded.store, KeyOrder(name, "manager", "x"), now=NOW)


def test_a_key_that_would_not_do_what_is_expected_is_not_issued():
    with pytest.raises(BadKeyOrder, match="expected a role of collection_system"):
        KeyOrder("north", "root", "x")
    with pytest.raises(BadKeyOrder, match="creditors for a manager only"):
        KeyOrder("north", "collection_system", "x", creditors=frozenset({"k-energy"}))
    with pytest.raises(BadKeyOrder, match="at least 1 day"):
        KeyOrder("north", "manager", "x", days=0)


def test_an_unknown_key_takes_as_long_as_a_wrong_one(guarded):
    right = guarded.key()

    def took_us(prefix: str, number: int) -> float:
        key = f"rettid_{prefix}_{number:043d}"
        start = perf_counter()
        with pytest.raises(NotAdmitted, match="no key"):
            asked(bearer(key), access=guarded.access, at=NOW, call=DECIDE)
        return (perf_counter() - start) * 1e6

    pairs = [(took_us(right[7:15], n), took_us(f"{n:08x}", n)) for n in range(400)]
    wrong, unknown = (median(one) for one in zip(*pairs, strict=True))
    assert abs(wrong - unknown) < 500, f"{wrong:.0f} and {unknown:.0f} microseconds"


def test_a_cached_key_is_admitted_without_the_store_and_in_microseconds(guarded):
    key = guarded.key()
    headers = bearer(key)
    asked(headers, access=guarded.access, at=NOW, call=DECIDE)
    guarded.access.store = None  # whatever asks it now, fails
    times = []
    for _ in range(1_000):
        start = perf_counter()
        asked(headers, access=guarded.access, at=NOW, call=DECIDE)
        times.append((perf_counter() - start) * 1e6)
    assert median(times) < 100  # about 10 measured, of which half is the request itself; the machine may be busy


def test_without_an_answer_in_the_cache_the_loop_is_not_held_up(guarded):
    key = guarded.key()
    raw = [(b"authorization", f"Bearer {key}".encode())]
    request = type("R", (), {"scope": {"headers": raw}})()
    assert admit_cached(request, method="POST", path=DECIDE[1], access=guarded.access, now=NOW) is None
    asked(bearer(key), access=guarded.access, at=NOW, call=DECIDE)
    assert admit_cached(request, method="POST", path=DECIDE[1], access=guarded.access, now=NOW).tenant == "north"


def cached(guarded, key, *, after_ms):
    """Whom the cache lets in so long after NOW, None where the store is to be asked first."""
    request = type("R", (), {"scope": {"headers": [(b"authorization", f"Bearer {key}".encode())]}})()
    at = NOW + timedelta(milliseconds=after_ms)
    return admit_cached(request, method="POST", path=DECIDE[1], access=guarded.access, now=at)


def in_a_while(found):
    """What is found at last, asked again for five seconds."""
    end = perf_counter() + 5
    while not (one := found()) and perf_counter() < end:
        sleep(0.01)
    return one


def test_a_key_in_steady_use_is_asked_for_again_before_its_moment_is_over(guarded):
    key = guarded.key()
    asked(bearer(key), access=guarded.access, at=NOW, call=DECIDE)
    assert cached(guarded, key, after_ms=200).tenant == "north"
    assert cached(guarded, key, after_ms=600) is None
    assert cached(guarded, key, after_ms=300).tenant == "north"  # and the store is asked behind its back
    assert in_a_while(lambda: cached(guarded, key, after_ms=600)).tenant == "north"


def test_a_revoked_key_in_steady_use_is_refused_as_soon_as_it_is_asked_for_again(guarded):
    key = guarded.key()
    asked(bearer(key), access=guarded.access, at=NOW, call=DECIDE)
    guarded.store.revoke_key(key[7:15], at=NOW)
    assert cached(guarded, key, after_ms=300).tenant == "north"

    def refused():
        try:
            cached(guarded, key, after_ms=310)
        except NotAdmitted:
            return True
        return False

    assert in_a_while(refused)


def test_a_flood_of_bad_keys_drives_out_no_good_one(guarded):
    key = guarded.key()
    assert guarded.status(key) == 200
    guarded.store.revoke_key(key[7:15], at=NOW)  # seen only if the store is asked again
    for number in range(MOST_KEPT + 50):
        with pytest.raises(NotAdmitted, match="no key"):
            asked(bearer(f"rettid_{number:08x}_{'A' * 43}"), access=guarded.access, at=NOW, call=DECIDE)
    assert guarded.status(key) == 200


class Unreachable:
    """A store whose data base is down; counts who asks."""

    def __init__(self):
        self.asked = 0

    def key(self, _key_id):
        self.asked += 1
        raise OperationalError("select", {}, OSError("down"))


@pytest.mark.parametrize(("grace_s", "after_s", "let_in"), [(0.0, 1, False), (60.0, 59, True), (60.0, 61, False)])
def test_without_the_store_a_good_key_goes_on_for_the_grace_alone(tmp_path, grace_s, after_s, let_in):
    with doors(tmp_path, outage_grace_s=grace_s) as found:
        key = found.key()
        assert found.status(key) == 200
        found.access.store, store = Unreachable(), found.access.store
        later = NOW + timedelta(seconds=after_s)
        if let_in:
            assert asked(bearer(key), access=found.access, at=later, call=DECIDE).tenant == "north"
        else:
            with pytest.raises(OperationalError):
                asked(bearer(key), access=found.access, at=later, call=DECIDE)
        with pytest.raises(OperationalError):
            asked(bearer(f"rettid_{'0' * 8}_{'A' * 43}"), access=found.access, at=later, call=DECIDE)
        found.access.store = store


def test_a_store_that_is_down_is_asked_once_in_a_while(tmp_path):
    with doors(tmp_path, outage_grace_s=60.0) as found:
        key = found.key()
        assert found.status(key) == 200
        found.access.store, store = (down := Unreachable()), found.access.store
        for tenth in range(10, 30):
            asked(bearer(key), access=found.access, at=NOW + timedelta(seconds=tenth / 10), call=DECIDE)
        assert down.asked == 4
        found.access.store = store
        store.revoke_key(key[7:15], at=NOW)
        with pytest.raises(NotAdmitted, match="no key"):
            asked(bearer(key), access=found.access, at=NOW + timedelta(seconds=4), call=DECIDE)


def test_what_is_done_about_keys_is_kept_and_cannot_be_changed(guarded, tmp_path):
    key_id = guarded.key()[7:15]
    rotate_key(guarded.store, key_id, overlap=timedelta(hours=1), now=NOW)
    guarded.store.revoke_key(key_id, at=NOW)
    assert [event.event for event in guarded.store.events()] == [
        "key-issued",
        "key-issued",
        "key-ending",
        "key-revoked",
    ]
    direct = sqlite3.connect(tmp_path / "access.db")
    for statement in ("UPDATE access_events SET event = ''", "DELETE FROM access_events"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed or deleted"):
            direct.execute(statement)
    direct.close()
