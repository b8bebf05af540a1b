"""Every payment once: under the last contact on its claim before it, or under none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.outcomes import Payments
from data.times import DAY_US, NEVER, IntArray
from features.columns import FloatArray
from training.replay.latest import latest_before
from training.replay.made import Made

LONG_AFTER, WITHOUT = -1, 0
"""Where a payment stands that came long after the last contact on its claim, and one without any contact before it."""


@dataclass(frozen=True)
class Ledger:
    """Payments that counted at the moment, one entry each, shape (p,).

    Parameters
    ----------
    payment
        Row in the table of payments.
    under
        Channel code of the last contact on the claim up to the payment, `LONG_AFTER` or `WITHOUT`.
    cents
        In the payment's own currency.
    contact
        The contact it stands under, -1 for none.
    taken_back
        Payments left out because they had been reversed.
    """

    payment: IntArray
    under: IntArray
    cents: IntArray
    eur: FloatArray
    claim: IntArray
    contact: IntArray
    taken_back: int


def ledger_of(made: Made, payments: Payments, *, known_us: int, days: int) -> Ledger:
    """Payments made and known up to a moment and not reversed by then; one within `days` of the last contact stands under it."""
    there = (payments.paid_us <= known_us) & (payments.known_us <= known_us) & (payments.claim_row >= 0)
    stands = payments.reversed_us > known_us
    payment = np.flatnonzero(there & stands)
    claim, paid_us = payments.claim_row[payment], payments.paid_us[payment]
    row = latest_before(made.claim, made.decided_us[made.cover], of=claim, until_us=paid_us)
    contact = np.where(row >= 0, made.cover[np.maximum(row, 0)], -1)
    at = np.where(contact >= 0, made.decided_us[np.maximum(contact, 0)], NEVER)
    soon = (contact >= 0) & (paid_us < at + days * DAY_US)
    channel = made.channel[np.maximum(contact, 0)].astype(np.int64)
    return Ledger(
        payment=payment,
        under=np.where(soon, channel, np.where(contact >= 0, LONG_AFTER, WITHOUT)),
        cents=np.rint(100 * payments.amount[payment]).astype(np.int64),
        eur=payments.amount_eur[payment],
        claim=claim,
        contact=np.where(soon, contact, -1),
        taken_back=int((there & ~stands).sum()),
    )
