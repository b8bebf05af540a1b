"""Payments against the claims they are on: too late, too early, too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data.outcomes import BoolArray
from data.quality.finding import SLIP, Finding, share_of
from data.quality.linked import Linked, looked_up
from data.quality.tally import Tally, added
from data.times import DAY_US, NEVER, IntArray

HEADING = "Payments and claims"

FAULTS = (
    (
        "before_claim",
        "payments were made before their claim was registered",
        "see which of the two times is that of a later booking: what is owed at a moment depends on it",
    ),
    (
        "after_closing",
        "payments were made more than a day after their claim was closed",
        "see whether closed_at comes too early: claims count as done from then on, and what is paid later is lost",
    ),
    (
        "above_owed",
        "payments bring their claim above its principal",
        "give principal without fees as it was at first, payments without fees, and mark reversals",
    ),
)
"""Count, what it says, what to do."""


@dataclass(frozen=True)
class Money:
    """Payments that do not fit their claims.

    Attributes
    ----------
    faults
        (name of `FAULTS`): payments with a known claim, those concerned.
    """

    faults: Tally

    def plus(self, other: Money) -> Money:
        """Both shards together."""
        return added(self, other)

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each way of not fitting."""
        return [
            {"what": what, "payments": payments, "count": count, "share": share_of(count, payments)}
            for name, what, _ in FAULTS
            for payments, count in [self.faults.get((name,), (0, 0))]
        ]

    def findings(self) -> Iterator[Finding]:
        """Each way of not fitting that is more than slips."""
        for (_, what, remedy), row in zip(FAULTS, self.rows(), strict=True):
            if row["count"] > SLIP * row["payments"]:
                yield Finding("look", HEADING, "payments", what, row["count"], row["share"], remedy)


def money(linked: Linked) -> Money:
    """Payments of a portfolio against their claims; those that were reversed are left out."""
    claim, paid_us = linked.claim_of_payment, linked.us("payments", "paid_at")
    kept = (claim >= 0) & (linked.us("payments", "reversed_at") == NEVER) & (paid_us != NEVER)
    claim, paid_us = claim[kept], paid_us[kept]
    registered_us = looked_up(linked.us("claims", "registered_at"), claim)
    closed_us = looked_up(linked.us("claims", "closed_at"), claim)
    found = {
        "before_claim": (registered_us != NEVER) & (paid_us < registered_us),
        "after_closing": (closed_us != NEVER) & (paid_us - DAY_US > closed_us),
        "above_owed": _above_owed(linked, claim, paid_us, kept=kept),
    }
    return Money({(name,): (len(claim), int(mask.sum())) for name, mask in found.items()})


def _above_owed(linked: Linked, claim: IntArray, paid_us: IntArray, *, kept: BoolArray) -> BoolArray:
    """Payments after which more than the principal has been paid on their claim, in the order of time."""
    cents = _cents(linked.tables["payments"].column("amount"))[kept]
    owed = looked_up(_cents(linked.tables["claims"].column("principal")), claim, absent=0)
    order = np.lexsort((paid_us, claim))
    claim, cents, owed = claim[order], cents[order], owed[order]
    paid = np.cumsum(cents)
    begins = np.flatnonzero(np.diff(claim, prepend=-1))
    before = np.concatenate([[0], paid])[begins]
    so_far = paid - np.repeat(before, np.diff(np.append(begins, len(claim))))
    above: BoolArray = (so_far > owed) & (owed > 0)
    return above


def _cents(amounts: pa.ChunkedArray) -> IntArray:
    """Hundredths of a money column, 0 for null."""
    hundredths: IntArray = np.rint(100 * np.nan_to_num(amounts.cast(pa.float64()).to_numpy())).astype(np.int64)
    return hundredths
