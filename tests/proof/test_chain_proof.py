"""The proof through the whole chain in small: tables in, bad models, the contract's rows out, judged from the tables."""

from __future__ import annotations

from functools import lru_cache

import pytest

from data.vocabulary import ARMS
from tests.proof.chain_proof import Batch, judged
from tests.proof.running import without
from tests.proof.tally import Tally

BATCHES, DEBTORS = 4, 60


@lru_cache(maxsize=BATCHES)
def batch(number: int) -> Batch:
    return Batch(1, number, DEBTORS)


def test_nothing_forbidden_leaves_the_chain_in_any_arm() -> None:
    whole = Tally()
    for number in range(BATCHES):
        whole.join(judged(batch(number)))
    assert whole.examples == []
    assert whole.wrong == 0
    assert set(whole.of("arms")) == set(ARMS)
    assert sum(whole.of("contacts").values()) > 100


@pytest.mark.parametrize("rule", ["quiet_hours", "unverified_point", "disputed_claim", "cap_per_debtor", "blocked"])
def test_a_rule_that_is_taken_away_shows_at_the_end_of_the_chain(rule: str) -> None:
    with without(rule):
        assert any(judged(batch(number)).of("forbidden")[rule] for number in range(BATCHES))
