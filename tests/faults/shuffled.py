"""The same facts in any order, late and several times over: they come to the same rows, the same totals, the same decision."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from serving.decider import Service
from serving.group import GIVEN, Ask, Tell, answer_group
from serving.group_told import Told
from serving.shapes import EventRequest, NextBestActionRequest
from serving.state import facts_of
from serving.tenants import open_tenants
from tests.faults.line import Line
from tests.faults.world import claim_name, debtor_name, write_many
from tests.small_service import NOW, FakeClock

TOGETHER = 32
REPEATED = 10
PAID = Decimal("350.00")
"""What each debtor has paid once everything is told: two payments stand, one was reversed."""

Event = tuple[str, str, dict[str, Any]]


def story(debtor: str) -> list[Event]:
    """Facts about one debtor, as (identifier, table, row); nothing in them says in which order they come."""
    claims = [claim_name(debtor, number) for number in range(7)]
    paid = {"debtor_id": debtor, "currency": "SEK"}
    late = f"{debtor}-late"
    contact = f"{debtor}-c"
    new = {"creditor_id": "k-energy", "sector": "energy", "principal": "700.00", "currency": "SEK"}
    new |= {"due_on": "2026-02-10", "registered_at": "2026-02-01T09:00:00Z", "claim_id": late, "debtor_id": debtor}
    reversed_ = {**paid, "payment_id": f"{debtor}-p2", "claim_id": claims[1], "paid_at": "2026-02-20T08:00:00Z"}
    reversed_ |= {"amount": "90.00"}
    sent = {"contact_id": contact, "debtor_id": debtor, "claim_id": claims[2], "decided_at": "2026-02-24T08:00:00Z"}
    sent |= {"channel": "email", "send_at": "2026-02-24T10:00:00Z", "policy": "incumbent"}
    first = {**paid, "payment_id": f"{debtor}-p1", "claim_id": claims[0], "paid_at": "2025-12-05T08:00:00Z"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("payments", first | {"amount": "250.00"}),
        ("payments", reversed_),
        ("payments", reversed_ | {"reversed_at": "2026-03-01T08:00:00Z"}),
        ("payments", {**paid, "payment_id": f"{debtor}-p3", "claim_id": late, "amount": "100.00", "paid_at": NOW_TEXT}),
        ("claims", new),
        ("claim_events", {"claim_id": late, "at": "2026-02-02T09:00:00Z", "kind": "stage", "stage": "reminder"}),
        ("claim_events", {"claim_id": claims[3], "at": "2026-03-02T09:00:00Z", "kind": "dispute_opened"}),
        ("claim_events", {"claim_id": claims[3], "at": "2026-03-04T09:00:00Z", "kind": "dispute_closed"}),
        ("claim_events", {"claim_id": claims[4], "at": "2026-03-05T09:00:00Z", "kind": "dispute_opened"}),
        ("contacts", sent),
        ("contact_events", {"contact_id": contact, "at": "2026-02-24T10:00:01Z", "kind": "sent"}),
        ("contact_events", {"contact_id": contact, "at": "2026-02-24T11:00:01Z", "kind": "opened"}),
        ("debtor_profiles", {"debtor_id": debtor, "valid_from": "2026-02-01T00:00:00Z", "income_band": "low"}),
    ]
    return [(f"{debtor}-e{number}", table, row) for number, (table, row) in enumerate(rows)]


NOW_TEXT = "2026-03-09T08:00:00Z"


def told_in_any_order(debtor: str, rng: random.Random, *, most: int) -> list[Event]:
    """The story shuffled, each part told up to so many times; a payment also under another identifier."""
    told = [one for one in story(debtor) for _ in range(rng.randint(1, most))]
    told += [(f"{name}-again", table, row) for name, table, row in story(debtor) if table == "payments"]
    rng.shuffle(told)
    return told


@dataclass(frozen=True)
class Came:
    """What it came to for one debtor, its own name taken out."""

    rows: str
    paid: Decimal
    decision: str


def shuffled(orders: int, *, seed: int) -> Line:
    """Each order on a debtor of its own; the first one is told in the order of the story, once.

    In one order of ten each fact is told one to five times, in the others once: shuffling is what costs the least.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        settings = write_many(Path(name), debtors=orders + 1)
        (tenant,) = open_tenants(settings, FakeClock(), told=Told()).values()
        try:
            service = tenant.service
            refused = _tell(service, story(debtor_name(0)))
            most = [5 if number % REPEATED == 0 else 1 for number in range(orders)]
            tellings = [told_in_any_order(debtor_name(n + 1), rng, most=times) for n, times in enumerate(most)]
            sent = sum(len(one) for one in tellings)
            for group in _in_turn(tellings):
                refused += _tell(service, group)
            names = [debtor_name(number) for number in range(orders + 1)]
            came = [one for n in range(0, len(names), TOGETHER) for one in _came(service, names[n : n + TOGETHER])]
        finally:
            tenant.counter.close()
    wrong = [*refused]
    wrong += [f"{debtor_name(n)}: other rows" for n, one in enumerate(came) if one.rows != came[0].rows]
    wrong += [f"{debtor_name(n)}: paid {one.paid}, expected {PAID}" for n, one in enumerate(came) if one.paid != PAID]
    wrong += [f"{debtor_name(n)}: another decision" for n, one in enumerate(came) if one.decision != came[0].decision]
    return Line(
        "facts out of order, late, in one of ten 1 to 5 times, payments under two names",
        f"{orders} orders, {sent} events sent",
        f"{len({(one.rows, one.decision) for one in came})} different outcome(s); totals {'equal' if not wrong else 'differ'}",
        tuple(wrong[:10]),
    )


def _in_turn(tellings: Sequence[Sequence[Event]]) -> Iterator[list[Event]]:
    """Groups over many debtors, each debtor's events in their order."""
    for place in range(max(map(len, tellings))):
        part = [one[place] for one in tellings if place < len(one)]
        for first in range(0, len(part), TOGETHER):
            yield part[first : first + TOGETHER]


def _tell(service: Service, events: Sequence[Event]) -> list[str]:
    """Tells events together; those that were not taken."""
    tasks = [Tell(EventRequest(event_id=name, table=table, row=row)) for name, table, row in events]
    replies = answer_group(service, tasks)
    return [f"{events[n][0]}: {one.stored.body!r}" for n, one in enumerate(replies) if one.stored.status != GIVEN]


def _came(service: Service, debtors: Sequence[str]) -> list[Came]:
    later = (NOW + timedelta(hours=1)).isoformat()
    replies = answer_group(service, [Ask(NextBestActionRequest(debtor_id=one, as_of=later)) for one in debtors])
    with service.log.reading() as connection:
        facts = [facts_of(connection, service.base, one).tables for one in debtors]
    return [
        _as_came(debtor, tables, reply.stored.body.decode())
        for debtor, tables, reply in zip(debtors, facts, replies, strict=True)
    ]


def _as_came(debtor: str, tables: Mapping[str, pa.Table], said: str) -> Came:
    rows = {name: sorted(map(repr, table.to_pylist())) for name, table in tables.items()}
    payments = [one for one in tables["payments"].to_pylist() if one["reversed_at"] is None]
    paid = sum((one["amount"] for one in payments), Decimal(0))
    named = re.compile(rf"\b{debtor}(?=[-'\"])")  # and no end of a hash that happens to be the same
    return Came(named.sub("", repr(rows)), paid, named.sub("", said))
