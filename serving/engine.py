"""Deciding and checking again, in the words of the service; the work itself is done by `models.decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.config import Config
from data.online_decisions import Decided as Logged
from data.online_decisions import DecisionRow
from data.situation import Situation
from data.times import IntArray, to_us
from data.vocabulary import ARMS, NONE, TONES
from features.digest import features_digest
from features.situation import with_contacts_of
from features.tables import Histories
from models.alternatives import Alternative, alternatives_of_all
from models.columns import DecisionColumns, spans
from models.decide import Decided, decide
from models.decision_rows import decision_columns, policy_version
from models.prepare import Asks, Prepared, prepare
from models.rules.mask import barring_rule, contact_mask, rules_version
from models.rules.pack import Packs
from serving.capacity_standing import KeptPrices
from serving.live import Live, LiveState
from serving.models_in_use import Models

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
    """A new decision: its rows, the other candidates, the claims that could be covered; an outline where none is open.

    `features` is a digest of what the model saw.
    """

    rows: tuple[DecisionRow, ...]
    alternatives: tuple[Alternative, ...]
    coverable: frozenset[str]
    features: str
    outline: Outline | None


@dataclass(frozen=True)
class Earlier:
    """A decision taken earlier, to be looked at again at a moment."""

    live: Live
    logged: Logged
    at: datetime


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

    def decide(
        self, lives: Sequence[Live], wishes: Sequence[Wish], *, models: Models, given: frozenset[str] | None = None
    ) -> list[Verdict]:
        """A new decision for each wish; `lives` stand in the same order, each debtor once.

        `given` are the tables that the tenant had handed over at that time; None: those it has by now.
        """
        ...

    def standing(self, earlier: Sequence[Earlier], *, models: Models) -> list[Standing]:
        """What the rules say of earlier decisions, each debtor once."""
        ...

    def versions(self) -> Mapping[str, str]:
        """What else a decision depends on: fingerprints of the configuration, the rules and the prices in force."""
        ...


class DecideEngine:
    """The engine that asks `models.decide`."""

    def __init__(self, config: Config, packs: Packs, *, state: LiveState, prices: KeptPrices) -> None:
        self._config = config
        self._prices = prices
        self._packs = packs
        self._packs_version = rules_version(packs)
        self._state = state

    def versions(self) -> Mapping[str, str]:
        """Fingerprints of the configuration, the rules, and the prices where something is limited."""
        prices = self._prices.current()
        found = {"config": self._config.fingerprint, "rules": self._packs_version}
        return found if prices is None else {**found, "prices": prices.fingerprint}

    def decide(
        self, lives: Sequence[Live], wishes: Sequence[Wish], *, models: Models, given: frozenset[str] | None = None
    ) -> list[Verdict]:
        """A new decision for each wish.

        Raises
        ------
        data.config.MissingRate
            A claim is in a currency without an exchange rate.
        models.decide.NoChallenger
            The configuration gives the challenger a share, and there is none.
        """
        histories = self._state.joined(lives, given=given)
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

    def standing(self, earlier: Sequence[Earlier], *, models: Models) -> list[Standing]:
        """What the rules say of earlier decisions; a slot that has begun is judged as at its beginning.

        Once confirmed, a decision is a contact: it is judged as if it were none, or it would bar itself.
        """
        histories = self._state.joined([one.live for one in earlier])
        row = {name: number for number, name in enumerate(histories.debtor_id.tolist())}
        asks = Asks(
            np.array([row[one.live.debtor_id] for one in earlier], dtype=np.int64),
            np.array([to_us(one.at) for one in earlier], dtype=np.int64),
        )
        prepared = prepare(histories, asks, config=self._config, packs=self._packs, bundle=models.champion)
        prepared = self._judged(prepared, earlier)
        names = prepared.histories.claim_id[prepared.targets.claim]
        every = spans(prepared.targets.moment, len(earlier))
        return [
            _standing(prepared, number, one.logged, first=first, claim_id=names[first:last])
            for number, (one, (first, last)) in enumerate(zip(earlier, every, strict=True))
        ]

    def _judged(self, prepared: Prepared, earlier: Sequence[Earlier]) -> Prepared:
        """The same with the mask under which decisions are looked at again: on what is known now, without their own contacts.

        Once a slot has begun, its debtor's clock is set back to the slot's beginning.
        """
        situation = self._without_themselves(prepared, earlier)
        begun = [one.logged.leading.send_at for one in earlier]
        at_us = [
            to_us(one.at) if send is None else min(to_us(one.at), to_us(send))
            for one, send in zip(earlier, begun, strict=True)
        ]
        if at_us != situation.as_of_us.tolist():
            situation = replace(situation, as_of_us=np.array(at_us, dtype=np.int64))
        if situation is prepared.situation:
            return prepared
        mask = contact_mask(situation, grid=prepared.grid, packs=prepared.packs)
        return replace(prepared, situation=situation, mask=mask)

    def _without_themselves(self, prepared: Prepared, earlier: Sequence[Earlier]) -> Situation:
        """The situation as if the decisions' own contacts had not been made; what the contacts met with still counts."""
        others = [self._without_itself(one) for one in earlier]
        if all(other is one.live for other, one in zip(others, earlier, strict=True)):
            return prepared.situation
        return with_contacts_of(prepared.situation, self._state.joined(others), prepared.targets)

    def _without_itself(self, earlier: Earlier) -> Live:
        """The debtor without the contact that the decision became, if it has become one."""
        facts = earlier.live.facts
        contacts, own = facts.tables["contacts"], [row.decision_id for row in earlier.logged.rows]
        is_own = pc.is_in(contacts["contact_id"], value_set=pa.array(own, pa.string()))
        if not pc.any(is_own).as_py():
            return earlier.live
        others = replace(facts, tables={**facts.tables, "contacts": contacts.filter(pc.invert(is_own))})
        return replace(earlier.live, histories=self._state.histories(others))

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
        columns = decision_columns(decided, packs_version=self._packs_version, explain=first.explain)
        return self._verdicts(decided, columns)

    def _verdicts(self, decided: Decided, columns: DecisionColumns) -> list[Verdict]:
        """The rows of some columns, which stand debtor by debtor in the order of the asks, with what belongs to each."""
        prepared, rows = decided.prepared, columns.rows()
        others, digest = alternatives_of_all(decided), features_digest(prepared.rows, prepared.targets)
        coverable = prepared.covered.tolist()
        return [
            Verdict(
                rows=rows[first:last],
                alternatives=others[number],
                coverable=frozenset(row.claim_id for row in compress(rows[first:last], coverable[first:last])),
                features=digest[number],
                outline=self._outline(decided, number) if first == last else None,
            )
            for number, (first, last) in enumerate(spans(prepared.targets.moment, len(prepared.asks.debtor)))
        ]

    def _outline(self, decided: Decided, number: int) -> Outline:
        bundle = decided.opinion(number).bundle
        return Outline(
            arm=ARMS[decided.choice.arm[number]],
            model_version=bundle.model_version,
            policy_version=policy_version(decided, bundle),
            rules_version=self._packs_version,
            blocked=tuple(decided.prepared.mask.blocked(number)),
        )


def _standing(
    prepared: Prepared, number: int, logged: Logged, *, first: int, claim_id: npt.NDArray[np.object_]
) -> Standing:
    """What the rules say of the decision on debtor `number`, whose open claims stand from row `first` on."""
    covered = prepared.covered[first : first + len(claim_id)]
    coverable = frozenset(claim_id[covered].tolist())
    slots = prepared.mask.allowed[number, 1:].reshape(len(prepared.grid.channels) - 1, -1)
    open_channels = frozenset(compress(prepared.grid.channels[1:], np.any(slots, axis=1)))
    if logged.leading.channel == NONE:
        return Standing(None, coverable, open_channels)
    held = sorted(logged.covered - coverable)
    reason = (
        _why_held(prepared, first + np.flatnonzero(claim_id == held[0]))
        if held
        else _why_barred(prepared, number, logged.leading) or _why_person(prepared, number, logged.leading)
    )
    return Standing(reason, coverable, open_channels)


def _why_held(prepared: Prepared, row: IntArray) -> str:
    """Why a claim that was covered may not be any more; `row` is its place among the open ones, if it is one."""
    if not len(row):
        return "closed"
    rule = prepared.mask.claim_barred(int(row[0]))
    return "paid" if rule is None else REASONS.get(rule, rule)


def _why_person(prepared: Prepared, number: int, leading: DecisionRow) -> str | None:
    """What has come to be known of the debtor that this decision was not taken for; None where nothing has."""
    situation = prepared.situation
    # Without a probability of its arm it was the rule-based course already.
    if situation.objected_us[number] <= situation.as_of_us[number] and leading.arm_probability is not None:
        return "objected"
    return "vulnerable" if situation.vulnerable[number] and (leading.explored or leading.tone == FIRM) else None


def _why_barred(prepared: Prepared, number: int, leading: DecisionRow) -> str | None:
    """Why the slot of a contact is not allowed; None where it is."""
    grid, mask = prepared.grid, prepared.mask
    if leading.channel not in grid.channels or leading.send_at is None:
        return "channel_not_offered"
    code = grid.channels.index(leading.channel)
    at_slot = (mask.slots.send_us[mask.slots.of_debtor[number]] == to_us(leading.send_at)) & (grid.channel == code)
    if bool(np.any(mask.allowed[number] & at_slot)):
        return None
    shut = dict(mask.blocked(number)).get(leading.channel)
    if shut is not None or not at_slot.any():
        return shut or "outside_window"
    action = int(np.flatnonzero(at_slot)[0])
    rule = barring_rule(prepared.situation, grid=grid, packs=prepared.packs, debtor=number, action=action)
    return rule if rule and rule not in OF_HOURS else "outside_window"
