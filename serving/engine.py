"""Deciding and checking again, in the words of the service; the work itself is done by `models.decide`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.online_decisions import Decided as Logged
from data.online_decisions import DecisionRow, rows_of
from data.situation import Situation
from data.times import to_us
from data.vocabulary import ARMS, NONE, TONES
from features.histories import histories_of
from features.situation import with_contacts_of
from features.tables import Histories
from models.decide import Decided, decide
from models.decision_rows import Alternative, alternatives, decision_table, policy_version
from models.prepare import Asks, Prepared, prepare
from models.rules.mask import barring_rule, contact_mask, rules_version
from models.rules.pack import Packs
from serving.capacity_standing import KeptPrices
from serving.models_in_use import Models
from serving.state import Facts, portfolio_of

REASONS = {"disputed_claim": "disputed", "nothing_owed": "paid", "no_open_claim": "closed"}
"""What a refusal is called on the wire, where it is not called by the rule's own name."""

FIRM = TONES[-1]

OF_HOURS = ("slot_past", "quiet_hours", "public_holiday", "school_hours")
"""Rules that bar a slot for its hour alone: `outside_window` on the wire where the channel has other slots left."""


@dataclass(frozen=True)
class Wish:
    """What is asked for one debtor: a decision at a moment, maybe within a narrower grid."""

    debtor_id: str
    as_of: datetime
    channels: tuple[str, ...] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    claim_ids: frozenset[str] | None = None
    explain: bool = False

    @property
    def narrowing(self) -> tuple[object, ...]:
        """What wishes decided in one go must have in common."""
        claims = None if self.claim_ids is None else tuple(sorted(self.claim_ids))
        return self.channels, self.not_before, self.not_after, claims, self.explain


@dataclass(frozen=True)
class Outline:
    """What there is to say of a debtor without an open claim."""

    arm: str
    model_version: str
    policy_version: str
    rules_version: str
    blocked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Verdict:
    """A new decision: its rows, the other candidates, the claims that could be covered; an outline where none is open."""

    rows: tuple[DecisionRow, ...]
    alternatives: tuple[Alternative, ...]
    coverable: frozenset[str]
    outline: Outline | None


@dataclass(frozen=True)
class Standing:
    """What the rules say now of a decision taken earlier.

    Parameters
    ----------
    reason
        Why its contact may not be made, None where it may; always None for `none`.
    coverable
        Claims that a contact could cover now.
    open_channels
        Channels with an allowed slot now.
    """

    reason: str | None
    coverable: frozenset[str]
    open_channels: frozenset[str]


class Engine(Protocol):
    """What the service needs of features, rules and models."""

    def decide(self, facts: Sequence[Facts], wishes: Sequence[Wish], *, models: Models) -> list[Verdict]:
        """A new decision for each wish; `facts` stand in the same order, each debtor once."""
        ...

    def standing(self, facts: Facts, logged: Logged, *, at: datetime, models: Models) -> Standing:
        """What the rules say of an earlier decision at a moment."""
        ...


class DecideEngine:
    """The engine that asks `models.decide`."""

    def __init__(self, config: Config, packs: Packs, *, given: frozenset[str], prices: KeptPrices) -> None:
        self._config = config
        self._prices = prices
        self._packs = packs
        self._packs_version = rules_version(packs)
        self._given = given

    def decide(self, facts: Sequence[Facts], wishes: Sequence[Wish], *, models: Models) -> list[Verdict]:
        """A new decision for each wish.

        Raises
        ------
        data.config.MissingRate
            A claim is in a currency without an exchange rate.
        models.decide.NoChallenger
            The configuration gives the challenger a share, and there is none.
        """
        histories = self._histories(facts)
        row = {name: number for number, name in enumerate(histories.debtor_id.tolist())}
        groups: dict[tuple[object, ...], list[int]] = {}
        for number, wish in enumerate(wishes):
            groups.setdefault(wish.narrowing, []).append(number)
        found: dict[int, Verdict] = {}
        for numbers in groups.values():
            some = [wishes[number] for number in numbers]
            verdicts = self._decide_alike(histories, [row[wish.debtor_id] for wish in some], some, models=models)
            found.update(zip(numbers, verdicts, strict=True))
        return [found[number] for number in range(len(wishes))]

    def standing(self, facts: Facts, logged: Logged, *, at: datetime, models: Models) -> Standing:
        """What the rules say of an earlier decision at a moment; a slot that has begun is judged as at its beginning.

        Once confirmed, the decision is a contact: it is judged as if it were none, or it would bar itself.
        """
        histories = self._histories([facts])
        asks = Asks(np.zeros(1, dtype=np.int64), np.array([to_us(at)]))
        prepared = prepare(histories, asks, config=self._config, packs=self._packs, bundle=models.champion)
        leading = logged.leading
        prepared = self._judged(prepared, facts, logged, at_us=to_us(at))
        mask = prepared.mask
        names = histories.claim_id[prepared.targets.claim].tolist()
        coverable = frozenset(name for name, covered in zip(names, prepared.covered, strict=True) if covered)
        codes = np.unique(prepared.grid.channel[mask.allowed[0]])
        open_channels = frozenset(prepared.grid.channels[code] for code in codes) - {NONE}
        if leading.channel == NONE:
            return Standing(None, coverable, open_channels)
        held = sorted(logged.covered - coverable)
        reason = (
            _why_held(prepared, held[0]) if held else _why_barred(prepared, leading) or _why_person(prepared, leading)
        )
        return Standing(reason, coverable, open_channels)

    def _histories(self, facts: Sequence[Facts]) -> Histories:
        return histories_of(portfolio_of(facts, given=self._given), channels=self._config.grid.channels)

    def _judged(self, prepared: Prepared, facts: Facts, logged: Logged, *, at_us: int) -> Prepared:
        """The same with the mask under which an earlier decision is looked at again: on what is known now, without its own contact.

        Once the slot has begun, the clock is set back to its beginning.
        """
        situation, send_at = self._without_itself(prepared, facts, logged), logged.leading.send_at
        if send_at is not None and to_us(send_at) < at_us:
            situation = replace(situation, as_of_us=np.array([to_us(send_at)]))
        if situation is prepared.situation:
            return prepared
        mask = contact_mask(situation, grid=prepared.grid, packs=prepared.packs)
        return replace(prepared, situation=situation, mask=mask)

    def _without_itself(self, prepared: Prepared, facts: Facts, logged: Logged) -> Situation:
        """The situation as if the decision's own contact had not been made; what the contact met with still counts."""
        contacts, own = facts.tables["contacts"], [row.decision_id for row in logged.rows]
        is_own = pc.is_in(contacts["contact_id"], value_set=pa.array(own, pa.string()))
        if not pc.any(is_own).as_py():
            return prepared.situation
        others = replace(facts, tables={**facts.tables, "contacts": contacts.filter(pc.invert(is_own))})
        return with_contacts_of(prepared.situation, self._histories([others]), prepared.targets)

    def _decide_alike(
        self, histories: Histories, rows: list[int], wishes: Sequence[Wish], *, models: Models
    ) -> list[Verdict]:
        """Decisions on wishes with the same narrowing, in their order."""
        first = wishes[0]
        asks = Asks(
            debtor=np.array(rows, dtype=np.int64),
            as_of_us=np.array([to_us(wish.as_of) for wish in wishes], dtype=np.int64),
            channels=first.channels,
            not_before_us=None if first.not_before is None else to_us(first.not_before),
            not_after_us=None if first.not_after is None else to_us(first.not_after),
            claim_ids=first.claim_ids,
        )
        decided = decide(
            histories,
            asks,
            champion=models.champion,
            challenger=models.challenger,
            config=self._config,
            packs=self._packs,
            limits=self._prices.current(),
        )
        table = decision_table(decided, packs_version=self._packs_version, explain=first.explain)
        by_debtor: dict[str, list[DecisionRow]] = {}
        for one in rows_of(table):
            by_debtor.setdefault(one.debtor_id, []).append(one)
        return [
            self._verdict(decided, number, tuple(by_debtor.get(wish.debtor_id, ())))
            for number, wish in enumerate(wishes)
        ]

    def _verdict(self, decided: Decided, number: int, rows: tuple[DecisionRow, ...]) -> Verdict:
        prepared = decided.prepared
        mine = (prepared.targets.moment == number) & prepared.covered
        coverable = prepared.histories.claim_id[prepared.targets.claim[mine]]
        outline = None if rows else self._outline(decided, number)
        return Verdict(rows, alternatives(decided, number), frozenset(coverable.tolist()), outline)

    def _outline(self, decided: Decided, number: int) -> Outline:
        bundle = decided.opinion(number).bundle
        return Outline(
            arm=ARMS[decided.choice.arm[number]],
            model_version=bundle.model_version,
            policy_version=policy_version(decided, bundle),
            rules_version=self._packs_version,
            blocked=tuple(decided.prepared.mask.blocked(number)),
        )


def _why_held(prepared: Prepared, claim_id: str) -> str:
    """Why a claim that was covered may not be any more."""
    names = prepared.histories.claim_id[prepared.targets.claim].tolist()
    if claim_id not in names:
        return "closed"
    rule = prepared.mask.claim_barred(names.index(claim_id))
    return "paid" if rule is None else REASONS.get(rule, rule)


def _why_person(prepared: Prepared, leading: DecisionRow) -> str | None:
    """What has come to be known of the debtor that this decision was not taken for; None where nothing has."""
    situation = prepared.situation
    # Without a probability of its arm it was the rule-based course already.
    if situation.objected_us[0] <= situation.as_of_us[0] and leading.arm_probability is not None:
        return "objected"
    return "vulnerable" if situation.vulnerable[0] and (leading.explored or leading.tone == FIRM) else None


def _why_barred(prepared: Prepared, leading: DecisionRow) -> str | None:
    """Why the slot of a contact is not allowed; None where it is."""
    grid, mask = prepared.grid, prepared.mask
    if leading.channel not in grid.channels or leading.send_at is None:
        return "channel_not_offered"
    code = grid.channels.index(leading.channel)
    at_slot = (mask.slots.send_us[mask.slots.of_debtor[0]] == to_us(leading.send_at)) & (grid.channel == code)
    if bool(np.any(mask.allowed[0] & at_slot)):
        return None
    shut = dict(mask.blocked(0)).get(leading.channel)
    if shut is not None or not at_slot.any():
        return shut or "outside_window"
    action = int(np.flatnonzero(at_slot)[0])
    rule = barring_rule(prepared.situation, grid=grid, packs=prepared.packs, action=action)
    return rule if rule and rule not in OF_HOURS else "outside_window"
