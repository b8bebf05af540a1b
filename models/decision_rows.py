"""The contract's decision rows (section 4): one per open claim, claims under one contact share the decision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.times import DAY_US, HOUR_US, IntArray
from data.vocabulary import ARMS, NONE, PAYMENT_OPTIONS, SEGMENTS, TONES
from features.distinct import distinct
from features.pipeline import eur_on
from models.arms import CHALLENGER, CHAMPION
from models.bundle import Bundle
from models.columns import Column, DecisionColumns, Flags, Instants, Numbers, Pairs, Reasons, Texts, Words
from models.decide import Decided, Scored
from models.explain import explained
from models.hashing import dated_hex, keyed_hex
from models.message import payment_option, tone
from models.rules.left import NO_RULE
from models.rules.mask import RULES
from models.segments import UNKNOWN, Segments
from models.segments_asked import segments_asked
from models.waiting import wait_until_us

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Columns = dict[str, Column]

RULE_NAMES = tuple(rule.name for rule in RULES)
NOT_ASKED = "not_asked"
"""What holds back a claim that nobody asked about, in place of a rule."""


def decision_table(decided: Decided, *, packs_version: str, explain: bool = False) -> pa.Table:
    """Rows of `DECISION_SCHEMA` for every open claim of every debtor decided, in the order of the asks; as `decision_columns`."""
    return decision_columns(decided, packs_version=packs_version, explain=explain).table


def decision_columns(decided: Decided, *, packs_version: str, explain: bool = False) -> DecisionColumns:
    """Columns of `DECISION_SCHEMA` for every open claim of every debtor decided, in the order of the asks.

    Parameters
    ----------
    packs_version
        As `models.rules.mask.rules_version` gives it.
    explain
        Fill `reasons`; costs far more than deciding.
    """
    claims, told = _Claims.of(decided), _segments_by_arm(decided)
    segment = _segment(decided, told)
    columns = _names(decided, claims) | _contact(decided, claims, segment)
    columns |= _chances(decided, claims) | _money(decided, claims)
    columns |= _versions(decided, claims, packs_version=packs_version)
    columns["segment"] = Words(SEGMENTS, segment[claims.moment])
    columns["blocked"] = _blocked(decided, claims)
    of_debtor = _reasons(decided, claims, _segment_in_words(decided, segment, told)) if explain else None
    columns["reasons"] = Reasons(of_debtor, claims.moment)
    return DecisionColumns(columns)


@dataclass(frozen=True)
class _Claims:
    """The claims to write a row of, shape (m,) each.

    `moment` is the place of the debtor among the asks, `action` the contact that the claim is under, 0 where there is
    none. `apart` marks claims held back from their debtor's contact: a decision of their own with `none`, certain under
    every arm. One claim of each decision leads.
    """

    moment: IntArray
    action: IntArray
    apart: BoolArray
    lead: BoolArray

    @staticmethod
    def of(decided: Decided) -> _Claims:
        moment = decided.prepared.targets.moment
        action = decided.choice.action[moment]
        covered = decided.prepared.covered & (action > 0)
        apart = ~covered & (action > 0)
        return _Claims(moment, np.where(covered, action, 0), apart, _lead(moment, covered) | apart)


def policy_version(decided: Decided, bundle: Bundle | None = None) -> str:
    """Identifier of what turns values into actions: configuration and a bundle's way of choosing, the champion's if None."""
    return _policy_version(decided.prepared.config.fingerprint, (bundle or decided.champion).chooser)


@lru_cache(maxsize=64)
def _policy_version(fingerprint: str, chooser: str) -> str:
    return keyed_hex(f"{fingerprint}|{chooser}", key="policy")[:16]


def _versions(decided: Decided, claims: _Claims, *, packs_version: str) -> Columns:
    """Versions of the rules, and of the model and the way of choosing of each debtor's arm."""
    second = decided.champion if decided.challenger is None else decided.challenger.bundle
    bundles, theirs = (decided.champion, second), (decided.choice.arm == CHALLENGER)[claims.moment].astype(np.int64)
    return {
        "model_version": Words([one.model_version for one in bundles], theirs),
        "policy_version": Words([policy_version(decided, one) for one in bundles], theirs),
        "rules_version": Words((packs_version,), np.zeros_like(theirs)),
    }


def _names(decided: Decided, claims: _Claims) -> Columns:
    prepared, moment = decided.prepared, claims.moment
    claim_id = prepared.histories.claim_id[prepared.targets.claim]
    held, ids = np.flatnonzero(claims.apart), decided.decision_id.tolist()
    as_of_us = prepared.asks.as_of_us.tolist()
    ids += [
        dated_hex(f"{ids[moment[row]]}|{claim_id[row]}", key="uncovered", at_us=as_of_us[moment[row]])
        for row in held.tolist()
    ]
    decision = moment.copy()
    decision[held] = len(decided.decision_id) + np.arange(len(held))
    return {
        "decision_id": Words(ids, decision),
        "debtor_id": Words(prepared.situation.debtor_id.tolist(), moment),
        "claim_id": Texts(claim_id),
        "lead": Flags(claims.lead),
    }


def _contact(decided: Decided, claims: _Claims, segment: IntArray) -> Columns:
    """When was decided, until when it holds, and the contact that each claim is under with its message."""
    prepared, action, slots = decided.prepared, claims.action, decided.slots
    as_of_us = prepared.asks.as_of_us[claims.moment]
    send_us = np.where(action > 0, slots.send_us[slots.of_debtor[claims.moment], action], -1)
    channel, channels = prepared.grid.channel[action].astype(np.int64), prepared.grid.channels
    until_us = send_us + HOUR_US
    if not action.all():
        again_us = wait_until_us(prepared, by_value=_none_by_value(decided))[claims.moment]
        until_us = np.where(action > 0, until_us, again_us)
    return {
        "decided_at": Instants(as_of_us),
        "valid_until": Instants(until_us),
        "channel": Words(channels, channel),
        "send_at": Instants(send_us),
        "payment_option": Words(PAYMENT_OPTIONS, payment_option(prepared, channel, segment)),
        "tone": Words(TONES, np.where(channel == channels.index(NONE), -1, tone(prepared, segment)[claims.moment])),
    }


def _segments_by_arm(decided: Decided) -> tuple[Segments, Segments]:
    """What the champion and the challenger make of every debtor; the champion twice where there is no challenger."""
    mine = segments_asked(decided.champion.segments, decided.prepared)
    if decided.challenger is None:
        return mine, mine
    return mine, segments_asked(decided.challenger.bundle.segments, decided.challenger.prepared)


def _segment(decided: Decided, told: tuple[Segments, Segments]) -> IntArray:
    """Index in `SEGMENTS` of each debtor by the model of its arm, shape (n,); `unknown` for who objected to profiling."""
    mine, theirs = told
    code = np.where(decided.choice.arm == CHALLENGER, theirs.code, mine.code)
    situation = decided.prepared.situation
    return np.where(situation.objected_us <= situation.as_of_us, UNKNOWN, code)


def _segment_in_words(decided: Decided, segment: IntArray, told: tuple[Segments, Segments]) -> list[list[str]]:
    """For each debtor with a segment what spoke for it, as one more reason: `segment=forgot (0.82: pays within a week)`."""
    said: list[list[str]] = []
    for row, arm in enumerate(decided.choice.arm.tolist()):
        found = told[arm == CHALLENGER]
        why = "" if segment[row] == UNKNOWN else "; ".join(found.why(row))
        said.append([f"segment={SEGMENTS[segment[row]]} ({found.chance[row].max():.2f}: {why})"] if why else [])
    return said


def _none_by_value(decided: Decided) -> BoolArray:
    """Debtors who could have been contacted, and for whom the model of their arm found `none` worth most, shape (n,)."""
    choice, theirs = decided.choice, decided.choice.arm == CHALLENGER
    second = decided.champion if decided.challenger is None else decided.challenger.bundle
    by_value = np.array([one.chooser == "value" for one in (decided.champion, second)])[theirs.astype(np.int64)]
    chosen = (choice.action == 0) & (choice.arm >= CHAMPION) & ~np.isnan(choice.action_probability)
    found: BoolArray = chosen & by_value & np.any(decided.prepared.allowed[:, 1:], axis=1)
    return found


def _chances(decided: Decided, claims: _Claims) -> Columns:
    """How the action came to be chosen, and with which chance; a claim held back is certain to be."""
    choice, moment = decided.choice, claims.moment
    certain = {
        "action_probability": choice.action_probability,
        "channel_probability": choice.channel_probability,
        "channel_daypart_probability": choice.channel_daypart_probability,
    }
    return {
        **{name: Numbers(np.where(claims.apart, 1.0, values[moment])) for name, values in certain.items()},
        "arm_probability": Numbers(choice.arm_probability[moment]),
        "arm": Words(ARMS, choice.arm[moment]),
        "explored": Flags(choice.explored[moment] & ~claims.apart),
    }


def _blocked(decided: Decided, claims: _Claims) -> Pairs:
    """Channels that are shut to each claim, with the rule: its debtor's, or all of them by what holds the claim back."""
    mask, held = decided.prepared.mask, np.flatnonzero(claims.apart)
    rule = mask.channel_rule[claims.moment].astype(np.int64)
    holding = mask.claim_rule[held]
    rule[held] = np.where(holding == NO_RULE, len(RULE_NAMES), holding)[:, None]
    return Pairs(mask.channels[1:], (*RULE_NAMES, NOT_ASKED), rule)


def _reasons(decided: Decided, claims: _Claims, of_segment: list[list[str]]) -> list[list[str]]:
    """Reasons for each debtor's decision, and behind them those for its segment; none without an open claim."""
    asked = set(claims.moment.tolist())
    return [[*explained(decided, row), *said] if row in asked else [] for row, said in enumerate(of_segment)]


def _money(decided: Decided, claims: _Claims) -> Columns:
    """Chance of payment, what the contact adds to it, and its value in each claim's own currency."""
    prepared, moment, action = decided.prepared, claims.moment, claims.action
    chance = decided.said(Scored.chance, action)
    currencies, code = prepared.histories.currencies, prepared.histories.claims.currency[prepared.targets.claim]
    price = decided.price.total[moment, prepared.grid.channel[action]]
    pays = claims.lead & (action > 0)
    value_eur = decided.said(Scored.lift_eur, action) - np.where(pays, price, 0.0)
    day, which = distinct(prepared.asks.as_of_us // DAY_US)
    rates = np.array([eur_on(currencies, one, prepared.config.rates) for one in day], dtype=np.float64)
    rate = rates.reshape(len(day), len(currencies))[which[moment], code]
    return {
        "payment_probability": Numbers(chance),
        "uplift": Numbers(chance - decided.said(Scored.chance, np.zeros_like(action))),
        "expected_value": Numbers(value_eur / rate),
        "currency": Words(currencies, code),
    }


def _lead(moment: IntArray, covered: BoolArray) -> BoolArray:
    """First covered claim of each debtor, or its first claim where the contact covers none, shape (m,)."""
    order = np.lexsort((np.arange(len(moment)), ~covered, moment))
    lead = np.zeros(len(moment), dtype=np.bool_)
    lead[order[np.unique(moment[order], return_index=True)[1]]] = True
    return lead
