"""Just before sending: whether a decision may still be sent, and what has come of it since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from data.decision_log import CONFIRMED, ONLINE, REFUSED, REPLACED
from data.online_decisions import Decided, add_step, decided_under, leading_row
from data.vocabulary import NONE
from serving.access.caller import Caller, sees
from serving.again import Repeater
from serving.answers import told
from serving.decider import Service
from serving.engine import Earlier
from serving.live import Live
from serving.models_in_use import Models
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
    "not_yet": "it was decided for a moment that has not come",
    "erased": "the debtor was erased",
    "past_valid_until": "it was valid until a moment that has passed",
    "outside_window": "its send slot is outside the permitted hours or has passed",
    "paid": "a claim it covers is paid",
    "closed": "a claim it covers is closed",
    "disputed": "a claim it covers is disputed",
    "opted_out": "the debtor has opted out of the channel",
    "objected": "the debtor has objected to profiling since: the rule-based course decides",
    "vulnerable": "the debtor is known to be vulnerable since: nothing drawn, nothing firm",
}

RUN_OUT = ("past_valid_until", "outside_window")
"""Reasons for which a decision may not be sent any more, and that say nothing against its having been sent before."""


@dataclass(frozen=True)
class Request:
    """A decision of which leave to send is asked, as it stood in one transaction; `reason` where that already forbids it."""

    decision_id: str
    decided: Decided
    live: Live
    at: datetime
    reason: str | None


def look(connection: sa.Connection, service: Service, decision_id: str, *, at: datetime) -> Request:
    """A decision that leave to send is asked for.

    Raises
    ------
    serving.problems.Refused
        There is no such decision, or its debtor was erased.
    """
    decided = decided_under(connection, decision_id)
    if decided is None:
        raise _unknown()
    leading = decided.leading
    live = service.state.of(connection, [leading.debtor_id], at=at)[leading.debtor_id]
    if not live.facts.known:
        raise _not_to_be_sent("erased")
    at = live.facts.moment(at)
    if decided.source == ONLINE:  # taken before it is asked about, whatever a clock says that stands still or went back
        at = max(at, decided.leading.decided_at)
    reason = _plain_reason(decided, decision_id, live.last)
    if reason is None and at >= leading.valid_until:
        reason = "past_valid_until"
    if reason is None and at < leading.decided_at:
        reason = "not_yet"
    return Request(decision_id, decided, live, at, reason)


def judge(service: Service, requests: Sequence[Request], *, models: Models) -> list[Request]:
    """The same with what the rules say, each debtor once: everything is looked at again, however often it is asked."""
    open_ones = [one for one in requests if one.reason is None]
    earlier = [Earlier(one.live, one.decided, one.at) for one in open_ones]
    standing = iter(service.engine.standing(earlier, models=models) if earlier else [])
    return [one if one.reason is not None else replace(one, reason=next(standing).reason) for one in requests]


def write(connection: sa.Connection, request: Request, *, at: datetime) -> None:
    """Puts leave or refusal on record; a leave that merely ran out was not taken back: it may have been used."""
    step, before = CONFIRMED if request.reason is None else REFUSED, request.decided.status
    ran_out = before == CONFIRMED and request.reason in RUN_OUT
    if not ran_out and request.reason != REPLACED:
        debtor_id = request.live.debtor_id
        add_step(connection, request.decision_id, step=step, at=at, reason=request.reason, debtor_id=debtor_id)


def tell(request: Request, *, at: datetime) -> Confirmation | Refused:
    """Leave to send, or why not."""
    leading = request.decided.leading
    if request.reason is not None or leading.send_at is None:
        return _not_to_be_sent(request.reason or "no_contact")
    return Confirmation(
        decision_id=request.decision_id,
        debtor_id=leading.debtor_id,
        channel=leading.channel,
        send_at=leading.send_at,
        valid_until=leading.valid_until,
        confirmed_at=at,
    )


def stored(service: Service, decision_id: str, *, caller: Caller, repeater: Repeater | None = None) -> StoredDecision:
    """A decision as stored, with what came of it up to now; with a `repeater` also why, where it was not asked for then.

    Raises
    ------
    serving.problems.Refused
        There is no such decision, or one about creditors that the caller does not see.
    """
    with service.log.reading() as connection:
        decided = decided_under(connection, decision_id)
        if decided is None:
            raise _unknown()
        facts = facts_of(connection, service.base, decided.leading.debtor_id)
    if caller.creditors is not None and not sees(caller, _creditors(decided, facts)):
        raise _unknown()
    said = told(decided, rates=service.config.rates, reused=False).model
    if repeater is not None and said.reasons is None:
        said = said.model_copy(update={"reasons": _reasons(decided, repeater)})
    return StoredDecision(
        decision=said,
        source=decided.source,
        asked=None if decided.asked is None else dict(decided.asked),
        seen=None if decided.seen is None else dict(decided.seen),
        steps=[StepTaken(step=one.step, at=one.at, reason=one.reason) for one in decided.steps],
        outcome=_outcome(service, decided, facts),
    )


def _unknown() -> Refused:
    return Refused("unknown-decision", "no such decision has been logged", remedy="use the decision_id of an answer")


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


def _reasons(decided: Decided, repeater: Repeater) -> list[str] | None:
    """What spoke for a decision, found by taking it again; None where that does not come out the same."""
    (found,) = repeater.again([decided.leading.decision_id], explain=True)
    return leading_row(found.rows).reasons if found.same else None


def _creditors(decided: Decided, facts: Facts) -> set[str]:
    """Creditors of all claims that a decision speaks of."""
    named = {row.claim_id for row in decided.rows}
    return {row["creditor_id"] for row in facts.tables["claims"].to_pylist() if row["claim_id"] in named}


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
