"""Rules and readers that let through a little more than they say: what the proofs must notice, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from data.situation import OpenClaims, Situation
from data.times import NEVER, NO_DAY, IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, STAGES
from features.tables import ClaimEvents, Histories
from models.rules import mask as rules
from models.rules.rule import Barred, Facts, Rule
from tests.proof.nasty import OPPOSITES

# Rules of which the claims are shown too little ------------------------------------------------------------------------


def steps_count_in_their_stage(claims: OpenClaims, _: IntArray) -> OpenClaims:
    """A step of the law's begins no wait of a claim that is told to be before the first notice."""
    early = claims.stage < STAGES.index("notice")
    return replace(claims, statutory_us=np.where(early, 0, claims.statutory_us))


def an_unknown_stage_is_the_first(claims: OpenClaims, _: IntArray) -> OpenClaims:
    """A claim whose stage nobody told may be called about."""
    return replace(claims, stage=np.maximum(claims.stage, 0).astype(np.int16))


def the_date_itself_is_free(claims: OpenClaims, _: IntArray) -> OpenClaims:
    """Calls begin on the date until which the stage leaves time."""
    day = claims.next_due_day
    return replace(claims, next_due_day=np.where(day == NO_DAY, day, day - 1).astype(np.int32))


def promises_end_with_the_day_in_greenwich(claims: OpenClaims, as_of_us: IntArray) -> OpenClaims:
    """West of it, the promised day is not over."""
    return replace(claims, promised_until_us=np.where(claims.promised_until_us > as_of_us, claims.promised_until_us, 0))


Claims = Callable[[OpenClaims, IntArray], OpenClaims]
OF_RULES: dict[Claims, str] = {
    steps_count_in_their_stage: "statutory_period",
    an_unknown_stage_is_the_first: "statutory_period",
    the_date_itself_is_free: "statutory_period",
    promises_end_with_the_day_in_greenwich: "promise_pending",
}


@contextmanager
def shown(change: Claims, to: str) -> Iterator[None]:
    """The rules, one of which sees claims that were changed."""
    whole = rules.RULES
    rules.RULES = tuple(_seeing(one, change) if one.name == to else one for one in whole)
    try:
        yield
    finally:
        rules.RULES = whole


def _seeing(rule: Rule, change: Claims) -> Rule:
    def bars(facts: Facts) -> Barred:
        old: Situation = facts.situation
        claims = change(old.claims, old.as_of_us[old.claims.debtor])
        return rule.bars(replace(facts, situation=replace(old, claims=claims)))

    return replace(rule, bars=bars)


# Histories that were read too generously ---------------------------------------------------------------------------------


def every_step_is_a_notice(histories: Histories) -> Histories:
    """Calls and texts that are marked as steps of the law's count like its letters."""
    return replace(histories, covers=histories.covers._replace(notice=histories.covers.statutory))


def what_bounced_came(histories: Histories) -> Histories:
    """Nothing is known to have bounced."""
    never = np.full(len(histories.contacts.bounced_us), NEVER)
    return replace(histories, contacts=histories.contacts._replace(bounced_us=never))


def of_opposites_the_end_holds(histories: Histories) -> Histories:
    """Where a hold was lifted and placed at one instant, it is lifted."""
    events = histories.claim_events
    known = events.known_us.copy()
    for begins, ends in OPPOSITES:
        known[_at_one_instant(events, begins, ends)] = NEVER
    return replace(histories, claim_events=events._replace(known_us=known))


def _at_one_instant(events: ClaimEvents, begins: str, ends: str) -> IntArray:
    """Rows of what begins at an instant at which it ends too."""
    claim = np.repeat(np.arange(len(events.start) - 1), np.diff(events.start))
    keys: list[Any] = list(zip(claim.tolist(), events.at_us[: len(claim)].tolist(), strict=True))
    kinds = [CLAIM_EVENT_KINDS[code] for code in events.kind[: len(claim)].tolist()]
    ended = {key for key, kind in zip(keys, kinds, strict=True) if kind == ends}
    return np.array([row for row, key in enumerate(keys) if kinds[row] == begins and key in ended], dtype=np.int64)
