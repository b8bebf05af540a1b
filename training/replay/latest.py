"""The latest fact of an owner before a moment, such as a claim's last contact or its stage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import CLAIM_EVENT_KINDS
from features.tables import ClaimEvents

STAGE = CLAIM_EVENT_KINDS.index("stage")
HOLDS = (("dispute_opened", "dispute_closed"), ("hold_placed", "hold_lifted"), ("plan_agreed", "plan_broken"))
"""Events between which a claim is left alone: an objection, a hold, a plan that is kept."""


def latest_before(owner: IntArray, at_us: IntArray, *, of: IntArray, until_us: IntArray) -> IntArray:
    """Place of the last fact of each owner asked about, at or before an instant; -1 where there is none, shape (q,).

    Parameters
    ----------
    owner, at_us
        Whose each fact is, and when it was, shape (n,), in any order; of facts at one instant the one that stands last counts.
    of, until_us
        Owners and instants asked about, shape (q,).

    >>> owner, at_us = np.array([0, 0, 1]), np.array([10, 20, 5])
    >>> latest_before(owner, at_us, of=np.array([0, 0, 1, 2]), until_us=np.array([20, 19, 4, 99])).tolist()
    [1, 0, -1, -1]
    """
    if not len(owner):
        return np.full(len(of), -1, dtype=np.int64)
    order = np.lexsort((at_us, owner))
    times = np.unique(at_us)
    step = len(times) + 1  # composite keys owner * step + rank of the time: one search for both
    key = owner[order] * step + np.searchsorted(times, at_us[order])
    place = np.searchsorted(key, of * step + np.searchsorted(times, until_us, side="right"), side="left") - 1
    fact: IntArray = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (owner[fact] == of), fact, -1)


def stages_at(events: ClaimEvents, *, claim: IntArray, at_us: IntArray) -> npt.NDArray[np.int64]:
    """Stage of each claim as known at an instant: index in `vocabulary.STAGES`, -1 where none had been told, shape (q,)."""
    found = _latest_event(events, (STAGE,), claim=claim, at_us=at_us)
    return np.where(found >= 0, np.append(events.stage, -1)[found].astype(np.int64), -1)


def held_at(events: ClaimEvents, *, claim: IntArray, at_us: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each claim was to be left alone as far as known at an instant (`HOLDS`), shape (q,)."""
    held = np.zeros(len(claim), dtype=np.bool_)
    for pair in HOLDS:
        begun, ended = (CLAIM_EVENT_KINDS.index(one) for one in pair)
        found = _latest_event(events, (begun, ended), claim=claim, at_us=at_us)
        held |= (found >= 0) & (np.append(events.kind, ended)[found] == begun)
    return held


def _latest_event(events: ClaimEvents, kinds: tuple[int, ...], *, claim: IntArray, at_us: IntArray) -> IntArray:
    """Row of each claim's last event of these kinds that was known at an instant, -1 where there was none, shape (q,)."""
    of_claim = np.repeat(np.arange(len(events.start) - 1), np.diff(events.start))
    told = np.flatnonzero(np.isin(events.kind, kinds))
    found = latest_before(of_claim[told], events.known_us[told], of=claim, until_us=at_us)
    return np.append(told, -1)[found]
