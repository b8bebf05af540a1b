"""The situation of debtors as the tenant's own tables would show it, as far as the state of a simulation goes.

The state keeps effects of contacts, not contacts: rules that count what was sent, or wait after what was said, clicked or asked,
see nothing of it here. Behaviours of the simulator decide once in a cycle of a week or more, so that few of them would bind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import Slots, slots
from data.local_time import local_us
from data.simulator.course import STEP_DAYS
from data.simulator.debts import STAGE_FROM_DAYS, Claims, known_outstanding_cents
from data.simulator.state import Chunk
from data.situation import BoolArray, Made, OpenClaims, Points, Situation
from data.times import DAY_US, HOUR_US, NEVER, IntArray
from data.vocabulary import CHANNELS, CLOSE_REASONS, CONSENTS

TextArray = npt.NDArray[np.object_]
WITHDRAWN = CONSENTS.index("withdrawn")
PAID = CLOSE_REASONS.index("paid")
STAGE_HOUR_US = 6 * HOUR_US
REGISTERED_AFTER_US = 1_000_000
LONG_AGO = 1


@dataclass(frozen=True)
class View:
    """Debtors with open claims at their instants, and where they stand in the chunk.

    `debtor` (n,) are rows of people, `claim` (m,) rows of claims; `covered` (m,) marks the claims that a contact would
    cover: neither disputed nor held nor on a plan.
    """

    situation: Situation
    debtor: IntArray
    claim: IntArray
    covered: BoolArray


def view(chunk: Chunk, at_us: IntArray, *, debtor_ids: TextArray) -> View:
    """View of a chunk's debtors at an instant each; `at_us` and `debtor_ids` have shape (n of the chunk,)."""
    claims, people = chunk.claims, chunk.people
    moment = at_us[claims.debtor]
    claim = np.flatnonzero((claims.registered_us <= moment) & (claims.closed_us > moment))
    debtor, owner = np.unique(claims.debtor[claim], return_inverse=True)
    at = at_us[debtor]

    def since(instants: IntArray) -> IntArray:
        return np.where(instants[debtor] <= at, instants[debtor], NEVER)

    opted, wrong = (_by_grid(chunk, marks[debtor] < at[:, None]) for marks in (people.opted_us, people.wrong_us))
    paid, late = _paid_claims(chunk, moment)
    nothing = np.zeros(len(debtor), dtype=np.int64)
    situation = Situation(
        as_of_us=at,
        debtor_id=debtor_ids[debtor],
        places=chunk.clocks.places,
        place=chunk.clocks.place[debtor],
        birth_day=people.birth_day[debtor],
        blocked_us=since(people.blocked_us),
        cease_us=since(people.cease_us),
        objected_us=since(people.objected_us),
        stop_until_us=people.stop_until_us[debtor],
        vulnerable=(people.vulnerable_from_us[debtor] <= at) & (at < people.vulnerable_to_us[debtor]),
        opted_out=opted,
        wrong_person=wrong,
        contacts=people.contacts[debtor],
        last_contact_us=people.last_contact_us[debtor],
        last_sent_us=people.last_contact_us[debtor],
        talked_us=nothing,
        clicked_us=nothing,
        inbound_us=nothing,
        paid_claims=paid[debtor],
        paid_late=late[debtor],
        made=_nothing_made(),
        points=_points(chunk, debtor, at_us=at),
        claims=_open_claims(chunk, claim, owner=owner, at_us=at),
    )
    return View(situation, debtor, claim, ~(claims.disputed[claim] | claims.held[claim] | claims.on_plan[claim]))


def _paid_claims(chunk: Chunk, moment: IntArray) -> tuple[IntArray, IntArray]:
    """Claims of each debtor of the chunk that were paid by the moment of each claim, and those of them paid late, (n,) each."""
    claims, clocks, size = chunk.claims, chunk.clocks, chunk.people.size
    paid = np.flatnonzero((claims.closed_us <= moment) & (claims.close_reason == PAID))
    debtor = claims.debtor[paid]
    zones = tuple(place.zones[0] for place in clocks.places)
    day = local_us(zones, clocks.place[debtor], claims.closed_us[paid]) // DAY_US
    late = day > claims.due_day[paid]
    return np.bincount(debtor, minlength=size), np.bincount(debtor[late], minlength=size)


def _nothing_made() -> Made:
    none, codes = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int16)
    return Made(none, codes, none, np.zeros(0, dtype=np.bool_), none, none)


def _by_grid(chunk: Chunk, marks: BoolArray) -> BoolArray:
    """Columns by channel of the contract, put in the order of the grid's channels."""
    columns: BoolArray = marks[:, chunk.channel_codes]
    return columns


def _points(chunk: Chunk, debtor: IntArray, *, at_us: IntArray) -> Points:
    book = chunk.points
    row_of = np.full(chunk.people.size, -1)
    row_of[debtor] = np.arange(len(debtor))
    code_of = np.full(len(CHANNELS), -1, np.int16)
    code_of[chunk.channel_codes] = np.arange(len(chunk.channel_codes))
    owner = row_of[book.debtor]
    mine = np.flatnonzero((owner >= 0) & (code_of[book.channel] >= 0))
    mine = mine[book.valid_from_us[mine] <= at_us[owner[mine]]]
    return Points(
        debtor=owner[mine],
        channel=code_of[book.channel[mine]],
        valid_from_us=book.valid_from_us[mine],
        valid_to_us=np.where(book.valid_to_us[mine] <= at_us[owner[mine]], book.valid_to_us[mine], NEVER),
        verified=book.verified[mine],
        withdrawn=book.consent[mine] == WITHDRAWN,
        kind=book.kind[mine],
        known=True,
    )


def _open_claims(chunk: Chunk, claim: IntArray, *, owner: IntArray, at_us: IntArray) -> OpenClaims:
    claims = chunk.claims
    owed = known_outstanding_cents(claims, claim, at_us=at_us[owner])
    stage_us = _stage_us(claims, claim)
    return OpenClaims(
        debtor=owner.astype(np.int64),
        outstanding_eur=owed / 100.0 * claims.rate[claim],
        due_day=claims.due_day[claim],
        stage=claims.stage[claim],
        disputed=claims.disputed[claim],
        held=claims.held[claim],
        on_plan=claims.on_plan[claim],
        promised_until_us=chunk.people.promised_until_us[claims.debtor[claim]],
        stage_us=stage_us,
        next_due_day=(stage_us // DAY_US + STEP_DAYS).astype(np.int32),
        first_sent_us=_first_sent_us(chunk, claim),
        first_statutory_us=np.full(len(claim), NEVER),
        statutory_us=np.zeros(len(claim), dtype=np.int64),
    )


def _stage_us(claims: Claims, claim: IntArray) -> IntArray:
    """Beginning of each claim's stage, shape (k,): when it was registered, or the day of the stage if that came later.

    A stage put off by a hold, a dispute or a plan counts from the day on which it would have begun.
    """
    registered_us, stage = claims.registered_us[claim], claims.stage[claim]
    day = claims.due_day[claim] + np.array(STAGE_FROM_DAYS)[stage] + claims.habit_days[claim]
    later = day > registered_us // DAY_US
    begun: IntArray = np.where(later, day * DAY_US + STAGE_HOUR_US, registered_us + REGISTERED_AFTER_US)
    return begun


def _first_sent_us(chunk: Chunk, claim: IntArray) -> IntArray:
    """`LONG_AGO` for each of the grid's channels of a claim's last contacts, else `NEVER`, shape (k, channels).

    Of a claim with more contacts than the state keeps, every channel counts as used: among them was a text.
    """
    through, via = chunk.claims.through[claim], chunk.claims.via[claim]
    used = ((via[:, :, None] == chunk.channel_codes) & (through >= 0)[:, :, None]).any(axis=1)
    found: IntArray = np.where(used | (through[:, -1:] >= 0), LONG_AGO, NEVER)
    return found


def slots_of(chunk: Chunk, seen: View) -> Slots:
    """Send times of the grid for the debtors of a view."""
    situation = seen.situation
    return slots(chunk.grid, places=situation.places, place=situation.place, as_of_us=situation.as_of_us)
