"""What holds a claim at a moment, and the debtor's latest promise: loops over single claims' courses and debtors' events.

A fact counts when it happened and was known before the moment. Tenants hand over days as midnights, so that what ended and
what began on one day share an instant: then nobody can tell which came last, and the claim stands as it did before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from data.times import IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_EVENT_KINDS
from features.columns import BoolArray
from features.tables import ClaimEvents, ContactEvents

PROMISED = CONTACT_EVENT_KINDS.index("promised")
PAIRS = (("dispute_opened", "dispute_closed"), ("hold_placed", "hold_lifted"), ("plan_agreed", "plan_broken"))
BEGINS = np.array([CLAIM_EVENT_KINDS.index(begins) for begins, _ in PAIRS])
ENDS = np.array([CLAIM_EVENT_KINDS.index(ends) for _, ends in PAIRS])


class Holds(NamedTuple):
    """Whether each open claim is disputed, held or on a plan at its moment, shape (m,)."""

    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray


def holds_of(as_of: IntArray, claim: IntArray, events: ClaimEvents) -> Holds:
    """Those of open claims, each at its own moment, both of shape (m,)."""
    marks = np.zeros((len(PAIRS), len(claim)), dtype=np.bool_)
    _walk_holds(as_of, claim, events, marks)
    return Holds(*marks)


def promised_until(debtor: IntArray, as_of: IntArray, events: ContactEvents) -> IntArray:
    """Midnight (UTC) after the latest date that each debtor promised to pay on, 0 without a promise, shape (d,)."""
    until = np.zeros(len(debtor), dtype=np.int64)
    _walk_promises(debtor, as_of, events, until)
    return until


@njit(cache=True, nogil=True)
def _walk_holds(as_of: IntArray, claim: IntArray, events: ClaimEvents, marks: BoolArray) -> None:
    for row in range(len(claim)):
        for pair in range(len(BEGINS)):
            before, last_us = False, -1
            for j in range(events.start[claim[row]], events.start[claim[row] + 1]):
                if events.at_us[j] >= as_of[row]:
                    break
                begins = events.kind[j] == BEGINS[pair]
                if events.known_us[j] >= as_of[row] or not (begins or events.kind[j] == ENDS[pair]):
                    continue
                if events.at_us[j] != last_us:
                    before, last_us = marks[pair, row], events.at_us[j]
                    marks[pair, row] = begins
                elif begins != marks[pair, row]:
                    marks[pair, row] = before


@njit(cache=True, nogil=True)
def _walk_promises(debtor: IntArray, as_of: IntArray, events: ContactEvents, until: IntArray) -> None:
    for i in range(len(debtor)):
        for j in range(events.start[debtor[i]], events.start[debtor[i] + 1]):
            if events.at_us[j] >= as_of[i]:
                break
            if events.kind[j] == PROMISED and events.known_us[j] < as_of[i]:
                until[i] = max(until[i], events.promised_us[j])
