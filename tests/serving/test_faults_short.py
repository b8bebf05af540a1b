"""Short forms of the fault run: each part once over the real service, in seconds; `make test-faults` has the counts that matter."""

from __future__ import annotations

from tests.faults.cap_race import Order, cap_race
from tests.faults.disk_full import disk_full
from tests.faults.line import Line, percentile
from tests.faults.stop_race import stop_race, stop_race_over_http


def must_hold(line: Line) -> None:
    assert line.wrong == (), line.result


def test_fifty_at_two_processes_get_one_decision() -> None:
    must_hold(cap_race(Order("sqlite", services=2, rounds=3)))


def test_no_leave_is_given_after_an_acknowledged_stop_in_process() -> None:
    must_hold(stop_race(30, seed=1))


def test_no_leave_is_given_after_an_acknowledged_stop_at_two_processes() -> None:
    must_hold(stop_race_over_http("sqlite", 2, 12, seed=1))


def test_a_full_disk_refuses_writes_and_nothing_else() -> None:
    must_hold(disk_full(5))


def test_the_share_that_is_not_exceeded_counts_from_the_lowest() -> None:
    assert [percentile([5.0, 1.0, 3.0], share) for share in (0.1, 0.5, 0.99, 1.0)] == [1.0, 3.0, 5.0, 5.0]
