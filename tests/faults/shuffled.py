"""The same facts in any order, late and several times over: they come to the same rows, features, decision, leave and outcome.

Each order is told about a debtor of its own, all of them to one service; what it came to is held against a debtor to whom the
same has happened and of whom it was told in order, once.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from data.online_decisions import DecisionRow
from data.portfolio import read_portfolio
from data.times import to_us
from data.vocabulary import CHANNELS
from features.histories import histories_of
from serving.access.caller import Caller
from serving.confirmer import stored
from serving.decider import Service
from serving.engine import Verdict, Wish
from serving.group import GIVEN, Ask, Leave, Reply, Tell, answer_group
from serving.group_told import Told
from serving.settings import ServiceSettings
from serving.shapes import EventRequest, NextBestActionRequest
from serving.state import portfolio_with_events
from serving.tenants import open_tenants
from tests.faults.line import Line
from tests.faults.stories import IN_FULL, LEAVES, PAID, STORIES, Decided, Event, story, told_in_any_order
from tests.faults.world import debtor_name, write_many
from tests.small_service import NOW, FakeClock
from training.rows import training_blocks

TOGETHER = 64
"""Events that come together, as many as the service answers at once."""

TICK = timedelta(milliseconds=1)
"""From one group to the next: nothing is received at the moment at which it was elsewhere."""

TOLD_FROM = NOW + timedelta(minutes=10)
LOOKED_AT = NOW + timedelta(minutes=25)
ASKED_FOR = NOW + timedelta(hours=30)
"""Moment of the decision that all are asked for: not now, so that nothing is kept of it."""

LEARNT_AT = NOW + timedelta(days=15)
"""When the decisions are mature and train."""

BLOCK = 20_000
"""Rows learnt that are made at once."""

T = TypeVar("T")

REFERENCES = len(STORIES)
"""The first debtors: told in order, once, one for each story."""

SOMEBODY = Caller("main", "collection_system", "0a1b2c3d")


@dataclass(frozen=True)
class Learnt:
    """The rows that a debtor's decisions train: a digest, and whether they tell of a response and of a payment through the contact."""

    digest: str
    answered: tuple[bool, bool]


@dataclass(frozen=True)
class Came:
    """What it came to for one debtor, its own names taken out.

    Attributes
    ----------
    rows
        Digest of all that is known of the debtor, table by table.
    paid
        Unreversed payments.
    features
        Digest of what the model sees, each number with all its bits.
    decision
        Digest of what is decided for a later moment: rules, candidates, probabilities with all their digits.
    leave
        Why the decision taken before may not be sent; None where it may.
    outcome
        What came of the decision taken before.
    learnt
        Digest of the rows it trains and is reported with: features bit for bit, what was paid, responses.
    """

    rows: str
    paid: Decimal
    features: str
    decision: str
    leave: str | None
    outcome: str
    learnt: Learnt


def shuffled(orders: int, *, seed: int) -> Line:
    """So many orders, each on a debtor of its own, in groups as the service makes them."""
    with tempfile.TemporaryDirectory() as name:
        settings, clock = write_many(Path(name), debtors=REFERENCES + orders), FakeClock()
        (tenant,) = open_tenants(settings, clock, told=Told()).values()
        try:
            decided = _decided(tenant.service, REFERENCES + orders)
            tellings = tellings_of(decided, random.Random(seed))
            clock.now = TOLD_FROM
            refused = [one for group in _in_turn(tellings) for one in _tell(tenant.service, clock, group)]
            clock.now = LOOKED_AT
            came = _came(tenant.service, settings, decided)
        finally:
            tenant.counter.close()
    wrong = [*refused, *_wrong(came)]
    endings = len({*came})
    return Line(
        "facts out of order, late, each 1 to 5 times, some under two names",
        f"{orders} orders of {REFERENCES} stories, {sum(map(len, tellings))} events told",
        f"{endings} different outcome(s); features, verdicts, leaves, outcomes and rows learnt "
        + ("the same" if not wrong else "differ"),
        tuple(wrong[:10]),
    )


def ending_of(number: int) -> str:
    """How the story of a debtor ends."""
    return STORIES[number % len(STORIES)]


def _decided(service: Service, debtors: int) -> list[Decided]:
    """A decision to contact each debtor, all at one moment."""
    names = [debtor_name(number) for number in range(debtors)]
    said = [
        json.loads(one.stored.body)
        for some in _parts(names)
        for one in answer_group(service, [Ask(NextBestActionRequest(debtor_id=name)) for name in some])
    ]
    step = timedelta(minutes=1)
    return [
        Decided(name, one["decision_id"], one["channel"], datetime.fromisoformat(one["decided_at"]), step)
        for name, one in zip(names, said, strict=True)
    ]


def tellings_of(decided: Sequence[Decided], rng: random.Random) -> list[list[Event]]:
    """What is told of each debtor, in its order; the references are told first to last, once."""
    told = [story(one, ending_of(number)) for number, one in enumerate(decided)]
    return [*told[:REFERENCES], *(told_in_any_order(one, rng) for one in told[REFERENCES:])]


def _parts(of: Sequence[T]) -> Iterator[Sequence[T]]:
    return (of[first : first + TOGETHER] for first in range(0, len(of), TOGETHER))


def _in_turn(tellings: Sequence[Sequence[Event]]) -> Iterator[Sequence[Event]]:
    """Groups over many debtors, each debtor's events in their order."""
    for place in range(max(map(len, tellings))):
        yield from _parts([one[place] for one in tellings if place < len(one)])


def _tell(service: Service, clock: FakeClock, events: Sequence[Event]) -> list[str]:
    """Tells events together; those that were not taken."""
    clock.now += TICK
    tasks = [Tell(EventRequest(event_id=name, table=table, row=row)) for name, table, row in events]
    replies = answer_group(service, tasks)
    return [f"{events[n][0]}: {one.stored.body!r}" for n, one in enumerate(replies) if one.stored.status != GIVEN]


def _came(service: Service, settings: ServiceSettings, decided: Sequence[Decided]) -> list[Came]:
    learnt = _learnt(service, settings, decided)
    return [one for some in _parts(decided) for one in _came_together(service, some, learnt)]


def _came_together(service: Service, some: Sequence[Decided], learnt: Mapping[str, Learnt]) -> list[Came]:
    with service.log.reading() as connection:
        found = service.state.of(connection, [one.debtor for one in some], at=LOOKED_AT)
    lives = [found[one.debtor] for one in some]
    wishes = [Wish(one.debtor, ASKED_FOR) for one in some]
    verdicts = service.engine.decide(lives, wishes, models=service.models.current())
    outcomes = [stored(service, one.decision_id, caller=SOMEBODY).outcome.model_dump(mode="json") for one in some]
    leaves = answer_group(service, [Leave(one.decision_id) for one in some])
    return [
        Came(
            rows=_digest(_unordered(one, {name: table.to_pylist() for name, table in live.facts.tables.items()})),
            paid=_paid(live.facts.tables["payments"]),
            features=verdict.features,
            decision=_digest(
                anonymous(one, repr([_nameless(verdict), verdict.alternatives, sorted(verdict.coverable)]))
            ),
            leave=reason_of(leave),
            outcome=_unordered(one, outcome),
            learnt=learnt[one.debtor],
        )
        for one, live, verdict, leave, outcome in zip(some, lives, verdicts, leaves, outcomes, strict=True)
    ]


def _learnt(service: Service, settings: ServiceSettings, decided: Sequence[Decided]) -> dict[str, Learnt]:
    """What each debtor's decisions are learnt from and reported with, once they are mature."""
    assert settings.portfolio is not None
    with service.log.walking() as connection:
        portfolio = portfolio_with_events(connection, read_portfolio(settings.portfolio), as_of=LEARNT_AT)
    histories = histories_of(portfolio, channels=CHANNELS)
    reference = service.models.current().champion.reference
    names, claims = histories.debtor_id.tolist(), histories.claim_id.tolist()
    of = {one.debtor: one for one in decided}
    found: dict[str, list[tuple[str, bytes]]] = {name: [] for name in of}
    answered = dict.fromkeys(of, (False, False))
    for rows in training_blocks(
        portfolio, histories, as_of_us=to_us(LEARNT_AT), reference=reference, config=service.config, size=BLOCK
    ):
        outcome = np.column_stack([rows.paid, rows.share, rows.amount_eur, rows.responded, rows.paid_through])
        matrix = np.ascontiguousarray(rows.matrix, dtype="<f4")
        for row, number in enumerate(rows.debtor.tolist()):
            name = names[number]
            if name not in of:
                continue
            which = anonymous(of[name], f"{rows.contact_id[row]}-, {claims[rows.claim[row]]}-")
            found[name].append((which, matrix[row].tobytes() + outcome[row].tobytes()))
            told = answered[name]
            answered[name] = (told[0] or bool(rows.responded[row]), told[1] or bool(rows.paid_through[row]))
    return {name: Learnt(_digest(sorted(some)), answered[name]) for name, some in found.items()}


def _wrong(came: Sequence[Came]) -> list[str]:
    """What is not as the story says, and what differs from the debtor who was told of in order."""
    wrong = []
    for number, one in enumerate(came):
        ending, like = ending_of(number), came[number % REFERENCES]
        paid = PAID + (IN_FULL if ending == "paid" else 0)
        if one.paid != paid:
            wrong.append(f"{debtor_name(number)}: paid {one.paid}, expected {paid}")
        if one.leave != LEAVES[ending]:
            wrong.append(f"{debtor_name(number)}, {ending}: leave {one.leave}, expected {LEAVES[ending]}")
        if one.learnt.answered != (True, True):
            wrong.append(f"{debtor_name(number)}: response and payment through it {one.learnt.answered}, expected both")
        wrong += [
            f"{debtor_name(number)}, {ending}: other {part.name}"
            for part in fields(Came)
            if getattr(one, part.name) != getattr(like, part.name)
        ]
    return wrong


def reason_of(leave: Reply) -> str | None:
    """Why leave was refused; None where it was given."""
    if leave.stored.status == GIVEN:
        return None
    reason: str = json.loads(leave.stored.body)["reason"]
    return reason


def _nameless(verdict: Verdict) -> list[DecisionRow]:
    return [row._replace(decision_id="") for row in verdict.rows]


def _paid(payments: pa.Table) -> Decimal:
    return sum((one["amount"] for one in payments.to_pylist() if one["reversed_at"] is None), Decimal(0))


def _unordered(decided: Decided, told: Mapping[str, Any]) -> str:
    """What is told under each name without names of the debtor's own, lists without their order."""
    plain = {
        name: sorted(anonymous(decided, repr(one)) for one in value) if isinstance(value, list) else value
        for name, value in told.items()
    }
    return repr(plain)


def anonymous(decided: Decided, text: str) -> str:
    """The text without the names of the debtor and its decision."""
    named = re.sub(rf"\b{decided.debtor}(?=[-'\"])", "", text)  # and no end of a hash that happens to be the same
    return named.replace(decided.decision_id, "")


def _digest(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()
