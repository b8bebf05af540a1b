"""How the debtor is met: the tone of the message, and the way to pay that it offers. Neither is chosen by value."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, PAYMENT_OPTIONS, SEGMENTS, STAGES, TONES
from models._message_kernels import mark_calmed, raise_tones
from models.prepare import Prepared
from models.segments import FORGOT, SHORT_OF_MONEY

BoolArray = npt.NDArray[np.bool_]

FRIENDLY, NEUTRAL, FIRM = range(len(TONES))

TONE_OF_STAGE = {"pre_due": FRIENDLY, "reminder": FRIENDLY, "notice": NEUTRAL, "collection": FIRM, "legal": FIRM}
"""How far the tone may go at each stage of a claim."""

TONE_OF_CONTACTS = (FRIENDLY, NEUTRAL, FIRM)
"""How far it may go after none, one, two or more contacts about the claim."""

CALMING = ("hold_placed", "dispute_opened", "plan_agreed", "plan_broken")
"""Events after which a claim's message is never firm again: a hold (a dispute is one), an agreement, kept or not."""

BY_STAGE = np.array([TONE_OF_STAGE[name] for name in STAGES] + [FRIENDLY])
"""By stage, and friendly for one not known."""

BY_CONTACTS = np.array(TONE_OF_CONTACTS)

_CALMS = np.array([name in CALMING for name in (*CLAIM_EVENT_KINDS, None)])
"""By kind of event, and False for one not known."""

PAYMENT_OPTION = {"sms": "link", "email": "link", "portal": "link", "digital_mailbox": "link", "letter": "qr"}
"""How to pay, by channel, where nothing is known of the debtor; none is offered on the phone."""

MAILBOX = "digital_mailbox"

INSTALMENTS_FROM_EUR = 50.0
"""Outstanding sum of the covered claims from which instalments are offered to who is short of money."""


def tone(prepared: Prepared, segment: IntArray) -> IntArray:
    """Place in `TONES` of each debtor's message, shape (n,): that of the covered claim that is furthest on.

    A claim's own course counts: the milder of what its stage allows and what the contacts about it do that were sent and did
    not bounce; neutral at most for the vulnerable, those who are short of money, and after a hold or an agreement.

    Parameters
    ----------
    segment
        Index in `vocabulary.SEGMENTS` of each debtor, shape (n,).
    """
    targets, whole = prepared.targets, prepared.histories
    contacts, covers = whole.contacts, whole.covers
    found = np.full(prepared.situation.size, FRIENDLY, dtype=np.int64)
    highest = raise_tones(
        targets.moment, targets.claim, prepared.covered, prepared.rows.state.stage, targets.debtor, targets.as_of_us,
        BY_STAGE, BY_CONTACTS, contacts.start, contacts.send_us, contacts.known_us, contacts.bounced_us,
        covers.start, covers.claim, covers.known_us, found,
    )  # fmt: skip
    if highest < FIRM:
        return found
    never_firm = prepared.situation.vulnerable | (segment == SHORT_OF_MONEY) | calmed(prepared)
    return np.where(never_firm, np.minimum(found, NEUTRAL), found)


def calmed(prepared: Prepared) -> BoolArray:
    """Debtors one of whose open claims has been on hold, in dispute or on a plan, now or before, shape (n,)."""
    targets, events = prepared.targets, prepared.histories.claim_events
    found = np.zeros(prepared.situation.size, dtype=np.bool_)
    mark_calmed(
        targets.moment, targets.claim, targets.as_of_us, events.start, events.at_us, events.known_us, events.kind,
        _CALMS, found,
    )  # fmt: skip
    return found


@lru_cache(maxsize=64)
def payment_options(channels: tuple[str, ...]) -> IntArray:
    """Place in `PAYMENT_OPTIONS` of the way to pay that a message offers, -1 for none; not to be written to.

    By channel, by index in `vocabulary.SEGMENTS`, and by whether `INSTALMENTS_FROM_EUR` are owed on the covered claims, shape
    (channels, segments, 2). `card` is never offered: credit makes a debt worse.

    >>> table = payment_options(("none", "sms"))
    >>> [PAYMENT_OPTIONS[one] for one in table[1, SHORT_OF_MONEY].tolist()]
    ['link', 'instalments']
    >>> np.unique(table[0]).tolist()
    [-1]
    """
    found = np.full((len(channels), len(SEGMENTS), 2), -1, dtype=np.int64)
    for code, name in enumerate(channels):
        if name in PAYMENT_OPTION:
            found[code] = PAYMENT_OPTIONS.index(PAYMENT_OPTION[name])
            found[code, SHORT_OF_MONEY, 1] = PAYMENT_OPTIONS.index("instalments")
        if name == MAILBOX:
            found[code, FORGOT] = PAYMENT_OPTIONS.index("direct_debit")
    return found
