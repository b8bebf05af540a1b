"""The proof in small: nothing forbidden gets past the rules, and a rule that is taken away is missed at once."""

from __future__ import annotations

from functools import lru_cache

import pytest

from models.rules import mask
from tests.proof.judge import ORDER
from tests.proof.rules_proof import Batch, judged
from tests.proof.running import without
from tests.proof.tally import Tally

BATCHES, SIZE = 12, 170
ALSO_BARRED_BY_OTHERS = ("no_open_claim", "channel_not_in_pack")
"""Without these nothing gets through, since other rules bar the same; but the reasons become untrue."""


@lru_cache(maxsize=BATCHES)
def judged_once(number: int) -> Tally:
    return judged(batch(number))


@lru_cache(maxsize=BATCHES)
def batch(number: int) -> Batch:
    return Batch(24, number, SIZE)


@pytest.mark.parametrize("number", range(BATCHES))
def test_no_chooser_gets_anything_forbidden_and_every_reason_is_true(number: int) -> None:
    found = judged_once(number)
    assert found.examples == []
    assert found.wrong == 0
    assert sum(found.of("contacts").values()) > 100


def test_the_small_proof_meets_every_rule_and_tenants_who_hand_over_little() -> None:
    whole = Tally()
    for number in range(BATCHES):
        whole.join(judged_once(number))
    assert [rule for rule in ORDER if not whole.of("channels blocked")[rule]] == []
    situations = [batch(number).situation for number in range(BATCHES)]
    assert {one.points.known for one in situations} == {True, False}
    assert {bool((one.claims.stage < 0).all()) for one in situations} == {True, False}


def test_the_judge_knows_every_rule() -> None:
    assert [rule.name for rule in mask.RULES] == list(ORDER)


@pytest.mark.parametrize("rule", ORDER)
def test_a_rule_that_is_taken_away_is_missed(rule: str) -> None:
    kind = "untrue" if rule in ALSO_BARRED_BY_OTHERS else "forbidden"
    with without(rule):
        assert any(judged(batch(number).again()).of(kind)[rule] for number in range(BATCHES))


def test_a_rule_that_was_taken_away_is_back_afterwards() -> None:
    with without("blocked"):
        assert [rule.name for rule in mask.RULES] == list(ORDER)
    assert judged(batch(0).again()).wrong == 0
