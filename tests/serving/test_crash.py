"""Nothing acknowledged is lost when the process is killed in the middle of writing; `make test-faults` kills 200 times."""

from collections import Counter

import pytest

from tests.faults.kills import Order, kills
from tests.faults.ledger import Ledger, Stored, compared


def test_every_acknowledged_write_is_there_once_and_whole_after_being_killed():
    line = kills(Order("sqlite", kills=4, least=150), seed=7)
    assert line.wrong == ()


WHOLE = {
    "events": [("e1", "f0"), ("e2", "f0")],
    "paid": {},
    "rows": {"a1": 7},
    "debtor_of": {"a1": "f0"},
    "answers": ["a1"],
    "confirmed": {"a1": 1},
    "faults": (),
}


def stored(**changes):
    found = {**WHOLE, **changes}
    return Stored(**{**found, "rows": Counter(found["rows"]), "confirmed": Counter(found["confirmed"])})


def told():
    return Ledger(events={"e1": "f0", "e2": "f0"}, decisions={"a1": ("f0", 7)}, confirmed={"a1"})


def test_a_log_that_holds_what_was_acknowledged_has_nothing_wrong():
    assert compared(told(), stored()) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"events": [("e1", "f0")]}, "event e2 is lost"),
        ({"events": [("e1", "f0"), ("e2", "f0"), ("e2", "f0")]}, "event e2 is there 2 times"),
        ({"rows": {"a1": 6}}, "decision a1 has 6 rows, 7 were told"),
        ({"answers": []}, "has rows or an answer, not both"),
        ({"confirmed": {}}, "leave for a1 is lost"),
        (
            {"rows": {"a1": 7, "a2": 7}, "answers": ["a1", "a2"], "debtor_of": {"a1": "f0", "a2": "f0"}},
            "nobody was told",
        ),
        ({"faults": ("the chain is broken",)}, "the chain is broken"),
    ],
)
def test_what_is_lost_double_or_half_there_would_be_found(changes, words):
    (found,) = compared(told(), stored(**changes))
    assert words in found
