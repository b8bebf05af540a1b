"""One round: what happens to every claim from one decision on its debtor to the next."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from data.simulator import course
from data.simulator.contacts import ContactRows, set_in_motion
from data.simulator.course import ClaimEvents
from data.simulator.debts import known_outstanding_cents
from data.simulator.habits import drift
from data.simulator.hazard import hazard_of, rate_of, window_of
from data.simulator.payments import Paid, book, draw_payments
from data.simulator.state import Chunk
from data.simulator.traces import KIND, NO_CENTS, ContactEvents, Sent, clicks_of_payments, traces
from data.situation import BoolArray, FloatArray
from data.times import DAY_US, NEVER, IntArray


@dataclass(frozen=True)
class Log:
    """Everything that happened, in the order in which rounds were played; filled by `play`."""

    contacts: list[ContactRows] = field(default_factory=list)
    contact_events: list[ContactEvents] = field(default_factory=list)
    payments: list[Paid] = field(default_factory=list)
    claim_events: list[ClaimEvents] = field(default_factory=list)


def play(
    chunk: Chunk,
    log: Log,
    *,
    decided: ContactRows | None,
    start_us: IntArray,
    end_us: IntArray,
    rng: np.random.Generator,
) -> None:
    """Play one round of every debtor, from `start_us` to `end_us` (n,), and log it.

    Parameters
    ----------
    decided
        Rows decided at `start_us`, none before the first decision.
    """
    claims = chunk.claims
    made, reach, home = None, np.zeros(0), np.zeros(0, np.bool_)
    if decided is not None:
        log.contacts.append(decided)
        made = rows_of(decided, decided.channel != 0)
        reach, home = set_in_motion(chunk, made, at_us=start_us)
    rows = np.flatnonzero(
        (claims.registered_us < end_us[claims.debtor]) & (claims.settled_us > start_us[claims.debtor])
    )
    begin, end = start_us[claims.debtor[rows]], end_us[claims.debtor[rows]]
    log.claim_events.append(course.register(claims, rows[claims.stage[rows] < 0]))
    window = window_of(claims, rows, start_us=begin, end_us=end)
    rate = rate_of(chunk.people, chunk.habits, claims=claims, window=window, world=chunk.world)
    hazard = hazard_of(claims, window, rate=rate, habits=chunk.habits, pay_days=chunk.pay_days)
    paid = draw_payments(claims, hazard, habits=chunk.habits, clocks=chunk.clocks, rng=rng)
    owed = known_outstanding_cents(claims, np.arange(claims.size), at_us=start_us[claims.debtor])
    book(claims, paid)
    log.payments.append(paid)
    log.claim_events.append(course.agree_plans(claims, paid, rng=rng))
    instalments, broken = course.pay_instalments(claims, rows, end_us=end, rng=rng)
    book(claims, instalments)
    log.payments.append(instalments)
    log.claim_events.append(broken)
    _course(chunk, log, rows=rows, paid=paid, made=made, begin=begin, end=end, rng=rng)
    log.contact_events.append(clicks_of_payments(paid, not_before_us=start_us[claims.debtor[paid.claim]], rng=rng))
    if made is not None and len(made.number):
        _trace(chunk, log, made=made, reach=reach, home=home, paid=paid, owed=owed, end_us=end_us, rng=rng)


def rows_of(rows: ContactRows, which: BoolArray) -> ContactRows:
    """Some rows of a log of decisions."""
    return ContactRows(*(getattr(rows, item.name)[which] for item in fields(ContactRows)))


def _course(
    chunk: Chunk,
    log: Log,
    *,
    rows: IntArray,
    paid: Paid,
    made: ContactRows | None,
    begin: IntArray,
    end: IntArray,
    rng: np.random.Generator,
) -> None:
    claims = chunk.claims
    unpaid = np.ones(claims.size, np.bool_)
    unpaid[paid.claim] = False
    after = np.zeros(claims.size, np.int64)
    if made is not None:
        after[made.claim] = made.send_us
    log.claim_events.append(course.move_stages(claims, rows, start_us=begin, end_us=end))
    left = unpaid[rows] & (claims.settled_us[rows] == NEVER) & ~claims.on_plan[rows]
    rows, begin, end = rows[left], begin[left], end[left]
    from_us = np.maximum(np.maximum(begin, claims.registered_us[rows] + DAY_US // 8), after[rows])
    course.close_unpaid(claims, rows, from_us=from_us, end_us=end, rng=rng)
    still = claims.settled_us[rows] == NEVER
    events = course.trouble(
        claims, rows[still], from_us=from_us[still], end_us=end[still], habits=chunk.habits, rng=rng
    )
    log.claim_events.extend(events)


def _trace(
    chunk: Chunk,
    log: Log,
    *,
    made: ContactRows,
    reach: FloatArray,
    home: BoolArray,
    paid: Paid,
    owed: IntArray,
    end_us: IntArray,
    rng: np.random.Generator,
) -> None:
    """Traces of the contacts that went out: not of those all of whose claims were closed before."""
    first = np.flatnonzero(made.first)
    open_until = np.maximum.reduceat(chunk.claims.closed_us[made.claim], first)
    goes = open_until > made.send_us[first]
    number, debtor = made.number[first], made.debtor[first]
    sent = Sent(
        number=number[goes],
        debtor=debtor[goes],
        channel=made.channel[first][goes],
        content=made.content[first][goes],
        send_us=made.send_us[first][goes],
        reach=reach[first][goes],
        leads_home=home[first][goes],
        moved_us=_earliest(number, paid.cause, at_us=paid.paid_us)[goes],
        used_us=_earliest(number, paid.contact, at_us=paid.paid_us)[goes],
        owed_cents=np.add.reduceat(owed[made.claim], first)[goes],
        end_us=np.maximum(end_us[debtor], made.send_us[first] + DAY_US)[goes],
    )
    events = traces(sent, habits=chunk.habits, rng=rng)
    log.contact_events.append(events)
    _note(chunk, events, sent=sent)


def _earliest(number: IntArray, through: IntArray, *, at_us: IntArray) -> IntArray:
    """First instant under each number, `NEVER` without; `number` rises."""
    first = np.full(len(number), NEVER)
    slot = np.clip(np.searchsorted(number, through), 0, len(number) - 1)
    hits = number[slot] == through
    np.minimum.at(first, slot[hits], at_us[hits])
    return first


def _note(chunk: Chunk, events: ContactEvents, *, sent: Sent) -> None:
    """Enter what binds later decisions: opt-outs, wrong persons, promises."""
    people = chunk.people
    order = np.argsort(sent.number, kind="stable")
    row = order[np.searchsorted(sent.number[order], events.number)]
    debtor, channel = sent.debtor[row], sent.channel[row]
    for kind, marks in (("opted_out", people.opted_us), ("wrong_person", people.wrong_us)):
        met = events.kind == KIND[kind]
        np.minimum.at(marks, (debtor[met], channel[met]), events.at_us[met])
    promised = events.promised_cents != NO_CENTS
    until = (events.promised_day[promised].astype(np.int64) + 1) * DAY_US
    np.maximum.at(people.promised_until_us, debtor[promised], until)


def change_habits(chunk: Chunk, at_us: IntArray, *, from_us: int) -> None:
    """In a drifting world, put the later habits in force for debtors whose instant has reached `from_us`."""
    if chunk.world.drifts:
        drift(chunk.habits, (at_us >= from_us) & ~chunk.habits.drifted)
