"""What rules and rule policies look at, taken from histories at each debtor's `as_of`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.situation import Made, OpenClaims, Points, Situation
from data.times import NEVER, IntArray
from features._hold_kernels import holds_of, promised_until
from features._rule_kernels import (
    Marks,
    Recalled,
    Sent,
    begun,
    mark,
    no_recalled,
    no_sent,
    recall,
    walk_sent,
)
from features.pipeline import ClaimRows, Targets
from features.tables import Histories


def situation_of(histories: Histories, targets: Targets, *, rows: ClaimRows) -> Situation:
    """Situation of debtors at their moments; `targets` must hold every open claim of each.

    Parameters
    ----------
    rows
        As `features.pipeline.build` gives them for the same targets.
    """
    debtor, as_of_us, known = targets.debtor, targets.as_of_us, rows.debtors
    since_us, until_us = histories.vulnerable_from_us[debtor], histories.vulnerable_to_us[debtor]
    # An end without a beginning is read with caution: vulnerable ever since.
    so_far = (since_us <= as_of_us) | ((since_us == NEVER) & (until_us < NEVER))
    vulnerable = so_far & (as_of_us < until_us)
    marks, sent = _marks(histories, targets), _sent(histories, targets)
    return Situation(
        as_of_us=as_of_us,
        debtor_id=histories.debtor_id[debtor],
        places=histories.places,
        place=histories.place[debtor],
        birth_day=histories.birth_day[debtor],
        blocked_us=histories.blocked_us[debtor],
        cease_us=histories.cease_us[debtor],
        objected_us=histories.objected_us[debtor],
        stop_until_us=histories.stop_until_us[debtor],
        vulnerable=vulnerable,
        opted_out=known.opted_out,
        wrong_person=known.wrong_person,
        contacts=known.contacts,
        last_contact_us=known.last_contact_us,
        last_sent_us=sent.last_us,
        **marks._asdict(),
        made=_made(histories, targets, sent),
        points=_points(histories, debtor, as_of_us),
        claims=_claims(histories, targets, rows, sent),
    )


def with_contacts_of(situation: Situation, histories: Histories, targets: Targets) -> Situation:
    """The same debtors as if only these histories' contacts had been made; what contacts met with stays as it is.

    A decision that is looked at again is itself among the contacts once it has been confirmed: without it, the rules
    that count contacts say what they said before it was one.

    Parameters
    ----------
    histories
        Of the same debtors and claims, in the same order, as those that `situation` and `targets` were made of.
    """
    sent = _sent(histories, targets)
    claims = replace(
        situation.claims,
        first_sent_us=sent.first_us,
        first_statutory_us=sent.first_statutory_us,
        statutory_us=sent.statutory_us,
    )
    return replace(situation, last_sent_us=sent.last_us, made=_made(histories, targets, sent), claims=claims)


def _marks(histories: Histories, targets: Targets) -> Marks:
    # Of a grid without calls, a promise through a channel that the grid has not may have been one.
    phone = histories.channels.index("phone") if "phone" in histories.channels else -1
    marks = Marks(*np.zeros((len(Marks._fields), len(targets.debtor)), dtype=np.int64))
    mark(
        targets.debtor, targets.as_of_us, histories.claims, histories.claim_events, histories.contact_events,
        histories.payments, phone, marks,
    )  # fmt: skip
    return marks


def _sent(histories: Histories, targets: Targets) -> Sent:
    sent = no_sent(len(targets.debtor), len(targets.claim), len(histories.channels))
    walk_sent(
        targets.debtor, targets.as_of_us, _start(targets), targets.claim, histories.contacts, histories.covers, sent
    )
    return sent


def _made(histories: Histories, targets: Targets, sent: Sent) -> Made:
    found: Recalled = no_recalled(sent)
    recall(
        targets.debtor, targets.as_of_us, _start(targets), targets.claim, histories.contacts, histories.covers, found
    )
    contacts = histories.contacts
    return Made(
        debtor=found.moment,
        channel=contacts.channel[found.row],
        send_us=contacts.send_us[found.row],
        statutory=found.statutory,
        link_contact=found.link_contact,
        link_claim=found.link_claim,
    )


def _start(targets: Targets) -> IntArray:
    """Start of each moment's claims among the targets, shape (d + 1,)."""
    if targets.every is not None and targets.whole:
        return targets.every.start
    return np.searchsorted(targets.moment, np.arange(len(targets.debtor) + 1)).astype(np.int64)


def _points(histories: Histories, debtor: IntArray, as_of_us: IntArray) -> Points:
    return Points(*begun(debtor, as_of_us, histories.points), known="contact_points" not in histories.missing)


def _claims(histories: Histories, targets: Targets, rows: ClaimRows, sent: Sent) -> OpenClaims:
    state, as_of_us = rows.state, targets.as_of_us
    promised_us = promised_until(targets.debtor, as_of_us, histories.contact_events)
    holds = holds_of(as_of_us[targets.moment], targets.claim, histories.claim_events)
    return OpenClaims(
        debtor=targets.moment,
        outstanding_eur=rows.outstanding_eur,
        due_day=histories.claims.due_day[targets.claim],
        stage=state.stage.astype(np.int16),
        **holds._asdict(),
        promised_until_us=promised_us[targets.moment],
        stage_us=state.stage_us,
        next_due_day=state.next_due_day,
        first_sent_us=sent.first_us,
        first_statutory_us=sent.first_statutory_us,
        statutory_us=sent.statutory_us,
    )
