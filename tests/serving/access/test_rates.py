"""How often a key may call, and that one key's calls are not another's."""

from time import perf_counter

import pytest

from serving.access.admit import charge
from serving.access.caller import Caller
from serving.access.matrix import MATRIX
from serving.access.rates import SECOND_US, BadRates, RateLimits, Window, rates_of
from serving.access.refusals import NotAdmitted
from tests.serving.access.doors import doors

EVENTS = ("POST", "/v1/events")


@pytest.fixture
def slow(tmp_path):
    with doors(tmp_path, rates=RateLimits(decide=3, batch=1_000, events=2)) as found:
        yield found


def test_a_key_above_its_limit_is_told_when_to_come_again(slow):
    key = slow.key()
    assert [slow.status(key) for _ in range(4)] == [200, 200, 200, 429]
    answer = slow.client.post("/v1/next-best-action", headers={"Authorization": f"Bearer {key}"})
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["type"] == "urn:rettid:problem:too-many-requests"
    slow.clock.advance(seconds=1)
    assert slow.status(key) == 200


def test_one_keys_calls_are_not_anothers_nor_one_kind_anothers(slow):
    first, second = slow.key(), slow.key()
    assert [slow.status(first) for _ in range(4)][-1] == 429
    assert slow.status(second) == 200
    assert slow.status(first, *EVENTS) == 200


def test_a_batch_counts_its_entries(slow):
    caller = Caller("north", "collection_system", "0a1b2c3d")
    now = slow.clock()
    charge(caller, "batch", cost=999, access=slow.access, now=now)
    charge(caller, "batch", cost=1, access=slow.access, now=now)
    charge(caller, "batch", cost=0, access=slow.access, now=now)
    with pytest.raises(NotAdmitted, match="more calls than the limit"):
        charge(caller, "batch", cost=1, access=slow.access, now=now)
    charge(caller, "decide", cost=3, access=slow.access, now=now)


def test_what_is_refused_is_not_counted():
    calls = Window(limit=5, length_us=SECOND_US)
    assert calls.take("a", now_us=0, cost=6) == SECOND_US
    assert calls.take("a", now_us=0, cost=5) == 0


def test_a_call_that_is_forbidden_does_not_use_up_the_limit(slow):
    key = slow.key("data_protection")
    assert [slow.status(key, *EVENTS) for _ in range(5)] == [403] * 5


def test_calls_that_are_open_to_anyone_are_not_counted(slow):
    assert {slow.status(None, "GET", "/healthz") for _ in range(50)} == {200}


def test_giving_back_never_makes_a_count_negative():
    calls = Window(limit=1, length_us=SECOND_US)
    calls.give_back("a", now_us=0)
    calls.take("a", now_us=0)
    calls.give_back("a", now_us=SECOND_US)  # of a window that is over
    calls.give_back("a", now_us=0)
    calls.give_back("a", now_us=0)
    assert [calls.take("a", now_us=0) for _ in range(2)] == [0, SECOND_US]


def test_counts_of_a_window_that_is_over_take_no_memory():
    calls = Window(limit=1, length_us=SECOND_US)
    for number in range(1_000):
        calls.take(str(number), now_us=0)
    calls.take("last", now_us=SECOND_US)
    assert list(calls._counts) == ["last"]


def test_each_kind_of_call_has_its_limit():
    counted = {entry.kind for entry in MATRIX.values() if entry.kind}
    assert counted == set(rates_of(RateLimits()).of_kind)


def test_a_limit_under_which_nothing_could_be_done_is_refused():
    with pytest.raises(BadRates, match="expected events of at least 1, came 0"):
        RateLimits(events=0)


def test_a_check_takes_microseconds():
    calls = Window(limit=10**9, length_us=SECOND_US)
    start = perf_counter()
    for _ in range(20_000):
        calls.take("0a1b2c3d", now_us=5)
    assert (perf_counter() - start) / 20_000 < 10e-6
