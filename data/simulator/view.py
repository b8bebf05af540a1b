"""The situation of debtors as the tenant's own tables would show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.action_grid import Slots, slots
from data.simulator.debts import known_outstanding_cents
from data.simulator.state import Chunk
from data.situation import BoolArray, OpenClaims, Points, Situation
from data.times import NEVER, IntArray
from data.vocabulary import CHANNELS, CONSENTS

TextArray = npt.NDArray[np.object_]
WITHDRAWN = CONSENTS.index("withdrawn")


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
        points=_points(chunk, debtor, at_us=at),
        claims=_open_claims(chunk, claim, owner=owner, at_us=at),
    )
    return View(situation, debtor, claim, ~(claims.disputed[claim] | claims.held[claim] | claims.on_plan[claim]))


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
    promised = chunk.people.promised_until_us[claims.debtor[claim]]
    return OpenClaims(
        debtor=owner.astype(np.int64),
        outstanding_eur=owed / 100.0 * claims.rate[claim],
        due_day=claims.due_day[claim],
        stage=claims.stage[claim],
        disputed=claims.disputed[claim],
        held=claims.held[claim],
        on_plan=claims.on_plan[claim],
        promised_until_us=np.where(promised > at_us[owner], promised, 0),
    )


def slots_of(chunk: Chunk, seen: View) -> Slots:
    """Send times of the grid for the debtors of a view."""
    situation = seen.situation
    return slots(chunk.grid, places=situation.places, place=situation.place, as_of_us=situation.as_of_us)
