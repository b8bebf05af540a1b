"""Decisions as they enter the log and the state: who is contacted how and when, and what that sets in motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.behaviour import Behaviour
from data.simulator.debts import Claims, outstanding_cents
from data.simulator.habits import LETTER, PHONE
from data.simulator.response import PLAN, WEIGHT, content_of, effect
from data.simulator.state import Chunk
from data.simulator.view import TextArray, slots_of, view
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import DAY_US, NEVER, IntArray
from data.vocabulary import PAYMENT_OPTIONS, STAGES, TONES

OPTION = {name: code for code, name in enumerate(PAYMENT_OPTIONS)}
NO_CODE = -1
MOST_ROUNDS = 1_000
"""Decisions of one debtor that have numbers of their own."""


@dataclass(frozen=True)
class ContactRows:
    """Rows of the log of decisions, one for each covered claim, shape (k,); rows of one contact stand together.

    `send_us` is `NEVER` for `none`; `option`, `tone` and `content` are vocabulary indices or `NO_CODE`;
    `action_probability` is NaN where not known.
    """

    number: IntArray
    debtor: IntArray
    claim: IntArray
    decided_us: IntArray
    channel: CodeArray
    send_us: IntArray
    option: CodeArray
    tone: CodeArray
    content: CodeArray
    policy: TextArray
    action_probability: FloatArray

    @property
    def first(self) -> BoolArray:
        """Marks the first row of each contact."""
        first = np.ones(len(self.number), np.bool_)
        first[1:] = self.number[1:] != self.number[:-1]
        return first


def decide(
    chunk: Chunk,
    at_us: IntArray,
    *,
    behaviour: Behaviour,
    numbers: IntArray,
    debtor_ids: TextArray,
    rng: np.random.Generator,
) -> ContactRows:
    """What a behaviour does with every debtor who has an open claim, each at its own instant.

    Parameters
    ----------
    at_us, numbers, debtor_ids
        Instant, number of the contact to be, and identifier of each debtor of the chunk, shape (n,).
    """
    seen = view(chunk, at_us, debtor_ids=debtor_ids)
    allowed = behaviour.options(seen.situation)
    choices = behaviour.choose(seen.situation, allowed, rng=rng)
    times = slots_of(chunk, seen)
    owner = seen.situation.claims.debtor[seen.covered]
    claim, debtor = seen.claim[seen.covered], seen.debtor[owner]
    action = choices.action[owner]
    channel = chunk.channel_codes[chunk.grid.channel[action]]
    send_us = np.where(channel == 0, NEVER, times.send_us[times.of_debtor[owner], action])
    option, tone, content = manner(chunk.claims, claim, channel=channel)
    return ContactRows(
        number=numbers[debtor],
        debtor=debtor,
        claim=claim,
        decided_us=at_us[debtor],
        channel=channel,
        send_us=send_us,
        option=option,
        tone=tone,
        content=content,
        policy=choices.policy[owner],
        action_probability=choices.action_probability[owner],
    )


def manner(claims: Claims, rows: IntArray, *, channel: CodeArray) -> tuple[CodeArray, CodeArray, CodeArray]:
    """Payment option, tone and content that go with a channel at a claim's stage, shape (k,) each."""
    content = content_of(channel, claims.stage[rows], outstanding_eur=owed_eur(claims, rows))
    option = np.where(channel == LETTER, OPTION["qr"], np.where(channel == PHONE, OPTION["card"], OPTION["link"]))
    option = np.where(content == PLAN, OPTION["instalments"], option)
    tones = [TONES.index(name) for name in ("friendly", "friendly", "neutral", "firm", "firm")]
    tone = np.array(tones)[np.clip(claims.stage[rows], 0, len(STAGES) - 1)]
    none = channel == 0
    return tuple(np.where(none, NO_CODE, code).astype(np.int16) for code in (option, tone, content))  # type: ignore[return-value]  # three codes in, three out


def owed_eur(claims: Claims, rows: IntArray) -> FloatArray:
    """What is really owed on claims, in EUR, shape (k,)."""
    eur: FloatArray = outstanding_cents(claims, rows) / 100.0 * claims.rate[rows]
    return eur


def set_in_motion(chunk: Chunk, made: ContactRows, *, at_us: IntArray) -> tuple[FloatArray, BoolArray]:
    """Enter contacts into the state of claims and people, decided at an instant of each debtor of the chunk.

    Parameters
    ----------
    made
        Rows whose channel is not `none`.

    Returns
    -------
    Chance that the person is reached, and whether the address is right, shape of the rows each.
    """
    laws = chunk.laws(at_us)
    hour, weekday = chunk.clocks.wall(made.debtor, made.send_us)
    result = effect(
        laws,
        made.claim,
        channel=made.channel,
        send_us=made.send_us,
        hour=hour,
        weekday=weekday,
        outstanding_eur=owed_eur(chunk.claims, made.claim),
        age_days=(made.decided_us // DAY_US - chunk.claims.due_day[made.claim]).astype(np.float64),
    )
    claims = chunk.claims
    columns = (
        (claims.effect, result.mass), (claims.arrives_us, result.arrives_us), (claims.quick, result.quick),
        (claims.loss, result.loss), (claims.through, made.number), (claims.via, made.channel),
    )  # fmt: skip
    for ring, newest in columns:
        ring[made.claim, 1:] = ring[made.claim, :-1]
        ring[made.claim, 0] = newest
    _remember(chunk, made, tired=laws.tired)
    home: BoolArray = laws.reach.leads_home[made.debtor, made.channel] > 0
    return laws.reach(made.debtor, made.channel, hour=hour, weekday=weekday), home


def _remember(chunk: Chunk, made: ContactRows, *, tired: FloatArray) -> None:
    people, first = chunk.people, made.first
    debtor, decided = made.debtor[first], made.decided_us[first]
    people.contacts[debtor] += 1
    people.last_contact_us[debtor] = decided
    people.tired[debtor] = tired[debtor] + WEIGHT[made.channel[first]]
    people.tired_us[debtor] = decided
