"""Just before sending: whether a decision may still be sent, and what has come of it since."""

from __future__ import annotations

from datetime import timedelta

from data.decision_log import CONFIRMED, REFUSED, REPLACED
from data.online_decisions import Decided, add_step, decided_under, last_decided
from data.vocabulary import NONE
from serving.answers import told
from serving.decider import Service, models_of
from serving.problems import Refused
from serving.shapes import (
    Confirmation,
    ContactEventSeen,
    PaymentSeen,
    StepTaken,
    StoredDecision,
    WhatCame,
)
from serving.state import Facts, facts_of

SENTENCES = {
    REPLACED: "a newer decision took its place",
    "no_contact": "it was decided not to make contact",
    "past_valid_until": "it was valid until a moment that has passed",
    "outside_window": "its send slot is outside the permitted hours or has passed",
    "paid": "a claim it covers is paid",
    "closed": "a claim it covers is closed",
    "disputed": "a claim it covers is disputed",
    "opted_out": "the debtor has opted out of the channel",
    "objected": "the debtor has objected to profiling since: the rule-based course decides",
    "vulnerable": "the debtor is known to be vulnerable since: nothing drawn, nothing firm",
}


def confirm(service: Service, decision_id: str) -> Confirmation:
    """Leave to send, on record before it is given; asked again, everything is looked at again.

    Raises
    ------
    serving.problems.Refused
        There is no such decision, or it may not be sent: 409 with the reason.
    """
    models = models_of(service)
    now = service.clock()
    with service.log.writing() as connection:
        decided = _found(decided_under(connection, decision_id))
        leading = decided.leading
        newest = last_decided(connection, leading.debtor_id, at=now)
        reason = _plain_reason(decided, decision_id, newest)
        if reason is None and now >= leading.valid_until:
            reason = "past_valid_until"
        if reason is None:
            facts = facts_of(connection, service.base, leading.debtor_id)
            reason = service.engine.standing(facts, decided, at=now, models=models).reason
        step = CONFIRMED if reason is None else REFUSED
        if reason != REPLACED:
            add_step(connection, decision_id, step=step, at=now, reason=reason)
    if reason is not None or leading.send_at is None:
        raise _not_to_be_sent(reason or "no_contact")
    return Confirmation(
        decision_id=decision_id,
        debtor_id=leading.debtor_id,
        channel=leading.channel,
        send_at=leading.send_at,
        valid_until=leading.valid_until,
        confirmed_at=now,
    )


def stored(service: Service, decision_id: str) -> StoredDecision:
    """A decision as stored, with what came of it up to now.

    Raises
    ------
    serving.problems.Refused
        There is no such decision.
    """
    with service.log.reading() as connection:
        decided = _found(decided_under(connection, decision_id))
        facts = facts_of(connection, service.base, decided.leading.debtor_id)
    return StoredDecision(
        decision=told(decided, rates=service.config.rates, reused=False),
        source=decided.source,
        asked=None if decided.asked is None else dict(decided.asked),
        seen=None if decided.seen is None else dict(decided.seen),
        steps=[StepTaken(step=one.step, at=one.at, reason=one.reason) for one in decided.steps],
        outcome=_outcome(service, decided, facts),
    )


def _found(decided: Decided | None) -> Decided:
    if decided is None:
        raise Refused("unknown-decision", "no such decision has been logged", remedy="use the decision_id of an answer")
    return decided


def _plain_reason(decided: Decided, decision_id: str, newest: Decided | None) -> str | None:
    """A reason that lies in the decisions themselves."""
    if decided.status == REPLACED or (newest is not None and newest.leading.decided_at > decided.leading.decided_at):
        return REPLACED
    if decided.leading.channel == NONE or decision_id != decided.leading.decision_id:
        return "no_contact"
    return None


def _not_to_be_sent(reason: str) -> Refused:
    sentence = SENTENCES.get(reason, f"the rule {reason} bars it")
    return Refused("not-to-be-sent", f"do not send: {sentence}", remedy="ask for the next best action", reason=reason)


def _outcome(service: Service, decided: Decided, facts: Facts) -> WhatCame:
    leading, days = decided.leading, service.config.horizon.days
    until = leading.decided_at + timedelta(days=days)
    events = [row for row in facts.tables["contact_events"].to_pylist() if row["contact_id"] == leading.decision_id]
    paid = [
        row
        for row in facts.tables["payments"].to_pylist()
        if row["claim_id"] in decided.covered and leading.decided_at <= row["paid_at"] < until
    ]
    return WhatCame(
        horizon_days=days,
        mature=until <= service.clock(),
        contact_events=[ContactEventSeen(at=row["at"], kind=row["kind"]) for row in events],
        payments=[
            PaymentSeen(
                payment_id=row["payment_id"],
                claim_id=row["claim_id"],
                paid_at=row["paid_at"],
                amount=str(row["amount"]),
                currency=row["currency"],
                reversed=row["reversed_at"] is not None,
            )
            for row in paid
        ],
    )
