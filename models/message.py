"""How the debtor is met: the tone of the message, and the way to pay that it offers. Neither is chosen by value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.times import IntArray
from data.vocabulary import CLAIM_EVENT_KINDS, PAYMENT_OPTIONS, STAGES, TONES
from features.tables import Histories
from models.contacts_about import contacts_about
from models.prepare import Prepared
from models.segments import FORGOT, SHORT_OF_MONEY

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FRIENDLY, NEUTRAL, FIRM = range(len(TONES))

TONE_OF_STAGE = {"pre_due": FRIENDLY, "reminder": FRIENDLY, "notice": NEUTRAL, "collection": FIRM, "legal": FIRM}
"""How far the tone may go at each stage of a claim."""

TONE_OF_CONTACTS = (FRIENDLY, NEUTRAL, FIRM)
"""How far it may go after none, one, two or more contacts about the claim."""

CALMING = ("hold_placed", "dispute_opened", "plan_agreed", "plan_broken")
"""Events after which a claim's message is never firm again: a hold (a dispute is one), an agreement, kept or not."""

_BY_STAGE = np.array([TONE_OF_STAGE[name] for name in STAGES] + [FRIENDLY])
"""By stage, and friendly for one not known."""

_BY_CONTACTS = np.array(TONE_OF_CONTACTS)

_CALMS = np.array([name in CALMING for name in (*CLAIM_EVENT_KINDS, None)])
"""By kind of event, and False for one not known."""

PAYMENT_OPTION = {"sms": "link", "email": "link", "portal": "link", "digital_mailbox": "link", "letter": "qr"}
"""How to pay, by channel, where nothing is known of the debtor; none is offered on the phone."""

MAILBOX = "digital_mailbox"

INSTALMENTS_FROM_EUR = 50.0
"""Outstanding sum of the covered claims from which instalments are offered to who is short of money."""


def tone(prepared: Prepared, segment: IntArray) -> IntArray:
    """Place in `TONES` of each debtor's message, shape (n,): that of the covered claim that is furthest on.

    A claim's own course counts: its stage, and the contacts about it that were sent and did not bounce.

    Parameters
    ----------
    segment
        Index in `vocabulary.SEGMENTS` of each debtor, shape (n,).
    """
    situation, targets, covered = prepared.situation, prepared.targets, prepared.covered
    moment, stage = targets.moment[covered], prepared.rows.state.stage[covered]
    contacts = contacts_about(prepared.histories, targets.claim[covered], targets.as_of_us[moment])
    of_claim = tone_of(stage, contacts, never_firm=np.zeros(len(moment), dtype=np.bool_))
    if (of_claim == FIRM).any():
        never_firm = situation.vulnerable | (segment == SHORT_OF_MONEY) | calmed(prepared)
        of_claim = tone_of(stage, contacts, never_firm=never_firm[moment])
    found = np.full(situation.size, FRIENDLY, dtype=np.int64)
    np.maximum.at(found, moment, of_claim)
    return found


def tone_of(stage: IntArray, contacts: IntArray, *, never_firm: BoolArray) -> IntArray:
    """The milder of what the stage and what the contacts about it before allow, shape (m,): a further step is never friendlier.

    Parameters
    ----------
    stage
        Index in `vocabulary.STAGES` of each claim, -1 where not known: then friendly.
    never_firm
        Vulnerable, short of money, or after a hold or an agreement: neutral at most.

    >>> known, calm = np.array([3, 3, 3, 1]), np.array([False, False, True, False])
    >>> [TONES[one] for one in tone_of(known, np.array([0, 2, 2, 9]), never_firm=calm).tolist()]
    ['friendly', 'firm', 'neutral', 'friendly']
    """
    by_stage = _BY_STAGE[stage]
    by_contacts = _BY_CONTACTS[np.minimum(contacts, len(TONE_OF_CONTACTS) - 1)]
    found: IntArray = np.minimum(np.minimum(by_stage, by_contacts), np.where(never_firm, NEUTRAL, FIRM))
    return found


def calmed(prepared: Prepared) -> BoolArray:
    """Debtors one of whose open claims has been on hold, in dispute or on a plan, now or before, shape (n,)."""
    targets, found = prepared.targets, np.zeros(prepared.situation.size, dtype=np.bool_)
    calm = _was_calmed(prepared.histories, targets.claim, targets.as_of_us[targets.moment])
    found[targets.moment[calm]] = True
    return found


def _was_calmed(histories: Histories, claim: IntArray, as_of_us: IntArray) -> BoolArray:
    """Claims with an event of `CALMING` that happened, and was known, before the claim's moment, shape (m,)."""
    events = histories.claim_events
    happened = np.flatnonzero(_CALMS[events.kind])
    owner = np.searchsorted(events.start, happened, side="right") - 1
    first = np.full(len(histories.claim_id), np.iinfo(np.int64).max)
    np.minimum.at(first, owner, np.maximum(events.at_us, events.known_us)[happened])
    calmed: BoolArray = first[claim] < as_of_us
    return calmed


def payment_option(prepared: Prepared, channel: IntArray, segment: IntArray) -> IntArray:
    """Place in `PAYMENT_OPTIONS` of the way to pay that each claim's message offers, -1 for none, shape (m,).

    Parameters
    ----------
    channel
        Grid's code of each claim's contact, 0 for `none`, shape (m,).
    segment
        Index in `vocabulary.SEGMENTS` of each debtor, shape (n,).
    """
    moment = prepared.targets.moment
    owed = np.where(prepared.covered, prepared.rows.outstanding_eur, 0.0)
    owed_eur = np.bincount(moment, weights=owed, minlength=prepared.situation.size).astype(np.float64)
    return option_of(channel, prepared.grid.channels, segment=segment[moment], owed_eur=owed_eur[moment])


def option_of(channel: IntArray, channels: tuple[str, ...], *, segment: IntArray, owed_eur: FloatArray) -> IntArray:
    """Way to pay by channel, segment and what is owed on the covered claims, -1 for none, shape (m,).

    `card` is never offered: credit makes a debt worse.

    >>> codes = option_of(np.array([0, 1, 1]), ("none", "sms"), segment=np.array([1, 1, 1]), owed_eur=np.array([80, 80, 20.0]))
    >>> [PAYMENT_OPTIONS[one] if one >= 0 else None for one in codes.tolist()]
    [None, 'instalments', 'link']
    """
    usual = [PAYMENT_OPTIONS.index(PAYMENT_OPTION[name]) if name in PAYMENT_OPTION else -1 for name in channels]
    option = np.array(usual, dtype=np.int64)[channel]
    mailbox = channel == (channels.index(MAILBOX) if MAILBOX in channels else -1)
    in_parts = (option >= 0) & (segment == SHORT_OF_MONEY) & (owed_eur >= INSTALMENTS_FROM_EUR)
    option[mailbox & (segment == FORGOT)] = PAYMENT_OPTIONS.index("direct_debit")
    option[in_parts] = PAYMENT_OPTIONS.index("instalments")
    return option
