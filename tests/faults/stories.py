"""What happens to one debtor of the many, as facts that say nothing of the order in which they come; and that order, drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.faults.world import CLAIMS, claim_name

Event = tuple[str, str, dict[str, Any]]
"""Identifier, table, row."""

Rows = list[tuple[str, dict[str, Any]]]

STORIES = ("open", "disputed", "paid", "opted-out", "withdrawn", "stopped")
"""How they end; all else is the same."""

LEAVES = {
    "open": None,
    "disputed": "disputed",
    "paid": "paid",
    "opted-out": "opted_out",
    "withdrawn": "consent_withdrawn",
    "stopped": "stop_period",
}
"""Why the decision taken before may not be sent at the end of each; None where it may."""

PAID = Decimal("519.05")
"""What a debtor has paid once everything is told: three payments stand, one was reversed."""

IN_FULL = Decimal("9000.00")
"""What is paid besides where the story ends so."""

TIMES, WEIGHTS = (1, 2, 3, 4, 5), (92, 4, 2, 1, 1)
"""How often a fact is told, and how probably."""

AGAIN = 0.08
"""Chance that a row which has a name of its own is also told under another identifier."""

NAMED = frozenset({"payments", "claims", "contacts", "contact_points", "debtor_profiles", "debtors"})
"""Tables whose rows have a name of their own: a second one with the same name takes the place of the first."""


@dataclass(frozen=True)
class Decided:
    """A decision of ours to contact a debtor, by which the story goes on; `step` is the time between two things that follow it."""

    debtor: str
    decision_id: str
    channel: str
    at: datetime
    step: timedelta

    def later(self, steps: int) -> str:
        """A moment so many steps after the decision."""
        return (self.at + steps * self.step).isoformat()


def story(decided: Decided, ending: str) -> list[Event]:
    """Facts about one debtor, in the order in which they happened to be written down here."""
    rows = [
        *_payments(decided),
        *_claims(decided),
        *_contact(decided),
        *_own_contact(decided),
        *_ending(decided, ending),
    ]
    return [(f"{decided.debtor}-e{number}", table, row) for number, (table, row) in enumerate(rows)]


def told_in_any_order(events: list[Event], rng: random.Random) -> list[Event]:
    """The facts shuffled, each told one to five times; some also under another identifier."""
    told = [one for one in events for _ in range(*rng.choices(TIMES, WEIGHTS))]
    told += [(f"{name}-again", table, row) for name, table, row in events if table in NAMED and rng.random() < AGAIN]
    rng.shuffle(told)
    return told


def _payments(decided: Decided) -> Rows:
    """Two payments of one instant on a claim, one of them reversed; one on a claim that is new, one through our contact."""
    paid = {"debtor_id": decided.debtor, "currency": "SEK"}
    old = {**paid, "payment_id": f"{decided.debtor}-p1", "claim_id": claim_name(decided.debtor, 1)}
    old |= {"amount": "250.10", "paid_at": "2026-02-20T08:00:00Z"}
    reversed_ = {**paid, "payment_id": f"{decided.debtor}-p2", "claim_id": claim_name(decided.debtor, 1)}
    reversed_ |= {"amount": "90.00", "paid_at": "2026-02-20T08:00:00Z"}
    new = {**paid, "claim_id": f"{decided.debtor}-late", "paid_at": "2026-03-09T08:00:00Z"}
    through = {**paid, "claim_id": claim_name(decided.debtor, 5), "contact_id": decided.decision_id}
    return [
        ("payments", old | {"known_at": "2026-02-21T08:00:00Z"}),
        ("payments", reversed_),
        ("payments", reversed_ | {"reversed_at": "2026-03-01T08:00:00Z"}),
        ("payments", {**new, "payment_id": f"{decided.debtor}-p3", "amount": "168.90"}),
        (
            "payments",
            {**through, "payment_id": f"{decided.debtor}-p6", "amount": "100.05", "paid_at": decided.later(5)},
        ),
    ]


def _claims(decided: Decided) -> Rows:
    """A claim that is new, a dispute that was closed, a profile, a second address of a new channel."""
    debtor, late = decided.debtor, f"{decided.debtor}-late"
    new = {"creditor_id": "k-energy", "sector": "energy", "principal": "700.00", "currency": "SEK"}
    new |= {"due_on": "2026-02-10", "registered_at": "2026-02-01T09:00:00Z", "claim_id": late, "debtor_id": debtor}
    letter = {"debtor_id": debtor, "channel": "letter", "valid_from": "2026-02-01T00:00:00Z", "verified": True}
    disputed = claim_name(debtor, 3)
    return [
        ("claims", new),
        ("claim_events", {"claim_id": late, "at": "2026-02-02T09:00:00Z", "kind": "stage", "stage": "reminder"}),
        ("claim_events", {"claim_id": disputed, "at": "2026-03-02T09:00:00Z", "kind": "dispute_opened"}),
        ("claim_events", {"claim_id": disputed, "at": "2026-03-04T09:00:00Z", "kind": "dispute_closed"}),
        ("debtor_profiles", {"debtor_id": debtor, "valid_from": "2026-02-01T00:00:00Z", "income_band": "low"}),
        ("contact_points", letter | {"consent": "given", "kind": "private", "address_key": "a1"}),
    ]


def _contact(decided: Decided) -> Rows:
    """A contact of whoever decided before, with two events of one instant."""
    contact = f"{decided.debtor}-c"
    sent = {"contact_id": contact, "debtor_id": decided.debtor, "claim_id": claim_name(decided.debtor, 2)}
    sent |= {"decided_at": "2026-02-24T08:00:00Z", "channel": "email", "send_at": "2026-02-24T10:00:00Z"}
    kinds = ("sent", "delivered", "opened")
    told = [{"contact_id": contact, "at": "2026-02-24T10:00:01Z", "kind": kind} for kind in kinds]
    return [("contacts", sent | {"policy": "incumbent"}), *(("contact_events", one) for one in told)]


def _own_contact(decided: Decided) -> Iterator[tuple[str, dict[str, Any]]]:
    """What came of our own decision, a response among it."""
    for steps, kind in enumerate(("sent", "delivered", "clicked"), start=1):
        yield "contact_events", {"contact_id": decided.decision_id, "at": decided.later(steps), "kind": kind}


def _ending(decided: Decided, ending: str) -> Rows:
    debtor = decided.debtor
    claims = [claim_name(debtor, number) for number in range(CLAIMS)]
    if ending == "disputed":
        return [("claim_events", {"claim_id": claims[4], "at": decided.later(6), "kind": "dispute_opened"})]
    if ending == "paid":
        paid = {"debtor_id": debtor, "currency": "SEK", "payment_id": f"{debtor}-p7", "claim_id": claims[6]}
        return [("payments", paid | {"amount": str(IN_FULL), "paid_at": decided.later(6)})]
    if ending == "opted-out":
        return [("contact_events", {"contact_id": decided.decision_id, "at": decided.later(6), "kind": "opted_out"})]
    if ending == "withdrawn":
        point = {"debtor_id": debtor, "channel": decided.channel, "valid_from": "2026-01-05T12:00:00Z"}
        return [("contact_points", point | {"verified": True, "consent": "withdrawn", "kind": "private"})]
    if ending == "stopped":
        known = {"debtor_id": debtor, "country": "SE", "time_zone": "Europe/Stockholm", "birth_date": "1979-04-30"}
        known |= {"registered_at": "2026-01-05T12:00:00Z", "stop_until": "2026-06-01T00:00:00Z"}
        return [("debtors", known)]
    return []
