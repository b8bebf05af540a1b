"""Are the proofs sharp enough for the rules' edges? Each edge is read a little too generously, and must be missed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from features import _rule_kernels, addresses, situation
from features.columns import numbered
from features.histories import histories_of
from features.tables import Histories
from tests.proof import chain_proof, rules_proof
from tests.proof.lax import (
    OF_RULES,
    Claims,
    every_step_is_a_notice,
    of_opposites_the_end_holds,
    shown,
    what_bounced_came,
)

CHAINS, DEBTORS = (2, 3, 5, 6), 150


@lru_cache(maxsize=12)
def batch(number: int) -> rules_proof.Batch:
    return rules_proof.Batch(24, number, 170)


@lru_cache(maxsize=len(CHAINS))
def chain(number: int) -> chain_proof.Batch:
    return chain_proof.Batch(1, number, DEBTORS)


@pytest.mark.parametrize("change", OF_RULES, ids=lambda change: change.__name__)
def test_a_rule_that_is_shown_too_little_of_the_claims_is_noticed(change: Claims) -> None:
    rule = OF_RULES[change]
    with shown(change, rule):
        assert any(rules_proof.judged(batch(number).again()).of("forbidden")[rule] for number in range(12))


@pytest.mark.parametrize(
    ("read", "rules"),
    [
        (every_step_is_a_notice, {"cap_per_debtor", "cap_per_claim"}),
        (every_step_is_a_notice, {"first_in_writing"}),
        (what_bounced_came, {"first_in_writing"}),
        (of_opposites_the_end_holds, {"disputed_claim", "claim_on_hold", "plan_kept"}),
    ],
    ids=["steps and caps", "steps in writing", "bounced", "opposites"],
)
def test_a_reader_that_is_too_generous_is_noticed(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[Histories], Histories], rules: set[str]
) -> None:
    monkeypatch.setattr(chain_proof, "histories_of", lambda *args, **named: read(histories_of(*args, **named)))
    assert any(rules & set(chain_proof.judged(chain(number)).of("forbidden")) for number in CHAINS)


def test_a_promise_on_the_phone_that_is_not_taken_for_a_talk_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_calls(*told: Any) -> None:
        *facts, _, out = told
        _rule_kernels.mark(*facts, -2, out)  # type: ignore[call-arg] # a kernel

    monkeypatch.setattr(situation, "mark", without_calls)
    assert any(chain_proof.judged(chain(number)).of("forbidden")["after_conversation"] for number in CHAINS)


def says_nothing(*_: Any) -> None:
    """What is said of an address stays in its row."""


def as_if_each_were_another(column: Any) -> Any:
    """Rows without a key are taken for addresses of their own."""
    numbers = numbered(column)
    return np.where(numbers < 0, 1_000_000 + np.arange(len(numbers)), numbers)


@pytest.mark.parametrize(
    ("name", "lax", "rules"),
    [
        ("spread", says_nothing, ("consent_withdrawn", "point_not_private")),
        ("doubt", says_nothing, ("unverified_point",)),
        ("numbered", as_if_each_were_another, ("consent_withdrawn", "point_not_private")),
    ],
    ids=["a word", "a doubt", "no key"],
)
def test_what_is_said_of_an_address_in_another_row_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, name: str, lax: Callable[..., Any], rules: tuple[str, ...]
) -> None:
    monkeypatch.setattr(addresses, name, lax)
    chains = [chain_proof.judged(chain(number)).of("forbidden") for number in CHAINS]
    alone = [rules_proof.judged(rules_proof.Batch(24, number, 170)).of("forbidden") for number in range(8)]
    for rule in rules:
        assert any(one[rule] for one in chains), rule
        assert any(one[rule] for one in alone), rule
