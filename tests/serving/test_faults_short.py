"""Short forms of the fault run: each part once over the real service, in seconds; `make test-faults` has the counts that matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import fault_run
from tests.faults.cap_race import Order, cap_race
from tests.faults.disk_full import disk_full
from tests.faults.durability import Synced, read_trace
from tests.faults.erased import erased
from tests.faults.injected import PAYLOADS, injected
from tests.faults.line import Line, percentile
from tests.faults.outside import paths_in
from tests.faults.poison_sent import poison_sent
from tests.faults.shuffled import shuffled
from tests.faults.shuffled_http import shuffled_over_http
from tests.faults.spooled import spooled
from tests.faults.stop_groups import stop_race
from tests.faults.stop_race import stop_race_over_http


def must_hold(line: Line) -> None:
    assert line.wrong == (), line.result


def test_fifty_at_two_processes_get_one_decision() -> None:
    must_hold(cap_race(Order("sqlite", services=2, rounds=3)))


def test_no_leave_is_given_after_an_acknowledged_stop_in_groups() -> None:
    must_hold(stop_race(12, seed=1))


def test_no_leave_is_given_after_an_acknowledged_stop_at_two_processes() -> None:
    must_hold(stop_race_over_http("sqlite", 2, 12, seed=1))


def test_a_full_disk_refuses_writes_and_nothing_else() -> None:
    must_hold(disk_full(5))


def test_poison_over_a_connection_is_a_problem_of_the_callers() -> None:
    must_hold(poison_sent(1, slowest_ms=5_000))


def test_statements_in_strings_have_no_effect() -> None:
    assert len(set(PAYLOADS)) == 300
    must_hold(injected("sqlite", 3))


def test_a_person_erased_is_in_no_file() -> None:
    must_hold(erased("sqlite", 2))


def test_facts_in_any_order_come_to_the_same() -> None:
    must_hold(shuffled(12, seed=1))


def test_facts_in_any_order_over_http_come_to_the_same() -> None:
    must_hold(shuffled_over_http("sqlite", 6, seed=1))


def test_events_that_waited_are_there_once_though_their_sender_was_killed() -> None:
    must_hold(spooled("sqlite", 300, kills=1, seed=1))


def test_the_share_that_is_not_exceeded_counts_from_the_lowest() -> None:
    assert [percentile([5.0, 1.0, 3.0], share) for share in (0.1, 0.5, 0.99, 1.0)] == [1.0, 3.0, 5.0, 5.0]


def test_a_synchronisation_is_read_from_a_trace_also_where_another_thread_was_noted_within(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text(
        "7 10.000000 fdatasync(5</w/decisions.db-wal>) = 0 <0.500000>\n"
        "7 11.000000 fsync(6</w/a>) = -1 EIO (Input/output error) <0.1>\n"
        "7 12.000000 fsync(5</w/b> <unfinished ...>\n"
        "8 12.100000 fsync(9</w/c>) = 0 <0.100000>\n"
        "7 12.300000 <... fsync resumed>) = 0 <0.300000>\n"
    )
    found = read_trace(trace)
    assert found == [
        Synced(10.0, 10.5, "/w/decisions.db-wal"),
        Synced(12.1, pytest.approx(12.2), "/w/c"),
        Synced(12.0, 12.3, "/w/b"),
    ]


def test_files_opened_are_read_from_a_trace_and_those_that_were_not_there_are_none(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text(
        '7 openat(AT_FDCWD, "/w/a.html", O_RDONLY|O_CLOEXEC) = 12\n'
        '7 openat(AT_FDCWD, "/etc/none", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        '8 open("/etc/passwd", O_RDONLY) = 3\n'
    )
    assert paths_in(trace) == ["/w/a.html", "/etc/passwd"]


def test_a_run_goes_on_behind_a_part_and_one_that_breaks_off_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(_of: object, _seed: int) -> list[Line]:
        raise ZeroDivisionError

    assert fault_run._chosen([*fault_run.PARTS], "fuzz") == ["shuffled"]
    assert fault_run._chosen(["kills", "keys"], None) == ["keys", "kills"]
    monkeypatch.setattr(fault_run, "PARTS", {"one": breaks_off})
    (line,) = fault_run._part("one", 1.0, 1)
    assert line.result == "ZeroDivisionError"
    assert line.wrong
