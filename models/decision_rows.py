"""The contract's decision rows (section 4): one per open claim, claims under one contact share the decision."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.times import DAY_US, IntArray
from data.vocabulary import ARMS, PAYMENT_OPTIONS, SEGMENTS, TONES
from features.distinct import distinct
from features.pipeline import eur_on
from models._row_kernels import (
    ACTION_CHANCE,
    APART,
    ARM,
    ARM_CHANCE,
    CHANCE,
    CHANNEL,
    CHANNEL_CHANCE,
    CODES,
    DECIDED_US,
    DECISION,
    EXPLORED,
    LEAD,
    MARKS,
    OPTION,
    PART_CHANCE,
    SEGMENT,
    SEND_US,
    SHUT,
    THEIRS,
    TONE,
    UNTIL_US,
    UPLIFT,
    VALUE,
    left_alone,
    tell_contacts,
    tell_numbers,
)
from models.arms import CHALLENGER, CHAMPION
from models.bundle import Bundle
from models.columns import Column, DecisionColumns, Flags, Instants, Numbers, Pairs, Reasons, Texts, Words
from models.decide import Decided
from models.explain import explained
from models.hashing import dated_hex, keyed_hex
from models.message import INSTALMENTS_FROM_EUR, payment_options, tone
from models.rules.mask import RULES
from models.segments import UNKNOWN, Segments
from models.segments_asked import segments_asked
from models.waiting import wait_until_us
from models.words import Codes

BoolArray = npt.NDArray[np.bool_]
Columns = dict[str, Column]

RULE_NAMES = tuple(rule.name for rule in RULES)
NUMBERS = {
    "payment_probability": CHANCE,
    "uplift": UPLIFT,
    "expected_value": VALUE,
    "action_probability": ACTION_CHANCE,
    "channel_probability": CHANNEL_CHANCE,
    "channel_daypart_probability": PART_CHANCE,
    "arm_probability": ARM_CHANCE,
}
"""Columns of numbers, and where `_row_kernels.tell_numbers` writes each."""

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
    told = _segments_by_arm(decided)
    segment = _segment(decided, told)
    code, mark = _contacts(decided, segment)
    columns = _names(decided, code, mark) | _contact(decided, code, mark)
    columns |= _numbers(decided, code, mark) | _versions(decided, mark, packs_version=packs_version)
    of_debtor = _reasons(decided, _segment_in_words(decided, segment, told)) if explain else None
    columns["reasons"] = Reasons(of_debtor, decided.prepared.targets.moment)
    return DecisionColumns(columns)


def _contacts(decided: Decided, segment: IntArray) -> tuple[IntArray, BoolArray]:
    """Codes and marks of each claim as `_row_kernels.tell_contacts` writes them: the contact that it is under, and until when."""
    prepared, choice, slots, grid = decided.prepared, decided.choice, decided.slots, decided.prepared.grid
    moment, as_of_us = prepared.targets.moment, prepared.asks.as_of_us
    again_us = wait_until_us(prepared, by_value=_none_by_value(decided))
    code, mark = np.empty((CODES, len(moment)), dtype=np.int64), np.empty((MARKS, len(moment)), dtype=np.bool_)
    tell_contacts(
        moment, prepared.covered, prepared.rows.outstanding_eur, prepared.mask.claim_rule, choice.action, choice.arm,
        choice.explored, segment, tone(prepared, segment), as_of_us, again_us, slots.of_debtor, slots.send_us,
        grid.channel, payment_options(grid.channels), INSTALMENTS_FROM_EUR, CHALLENGER, code, mark,
    )  # fmt: skip
    return code, mark


def policy_version(decided: Decided, bundle: Bundle | None = None) -> str:
    """Identifier of what turns values into actions: configuration and a bundle's way of choosing, the champion's if None."""
    return _policy_version(decided.prepared.config.fingerprint, (bundle or decided.champion).chooser)


@lru_cache(maxsize=64)
def _policy_version(fingerprint: str, chooser: str) -> str:
    return keyed_hex(f"{fingerprint}|{chooser}", key="policy")[:16]


def _versions(decided: Decided, mark: BoolArray, *, packs_version: str) -> Columns:
    """Versions of the rules, and of the model and the way of choosing of each debtor's arm."""
    bundles, speaks = _bundles(decided), mark[THEIRS].view(np.int8)
    return {
        "model_version": Words([one.model_version for one in bundles], speaks),
        "policy_version": Words([policy_version(decided, one) for one in bundles], speaks),
        "rules_version": Words((packs_version,), np.zeros_like(speaks)),
    }


def _bundles(decided: Decided) -> tuple[Bundle, Bundle]:
    """The champion and the challenger; the champion twice where there is none."""
    return decided.champion, decided.champion if decided.challenger is None else decided.challenger.bundle


def _names(decided: Decided, code: IntArray, mark: BoolArray) -> Columns:
    prepared, moment = decided.prepared, decided.prepared.targets.moment
    claim_id = prepared.histories.claim_id[prepared.targets.claim]
    ids, as_of_us = decided.decision_id.tolist(), prepared.asks.as_of_us
    ids += [
        dated_hex(f"{ids[moment[row]]}|{claim_id[row]}", key="uncovered", at_us=int(as_of_us[moment[row]]))
        for row in np.flatnonzero(mark[APART]).tolist()
    ]
    return {
        "decision_id": Words(ids, code[DECISION]),
        "debtor_id": Words(prepared.situation.debtor_id.tolist(), moment),
        "claim_id": Texts(claim_id),
        "lead": Flags(mark[LEAD]),
    }


def _contact(decided: Decided, code: IntArray, mark: BoolArray) -> Columns:
    """When was decided and by which arm, until when it holds, and the contact that each claim is under with its message.

    Channels that are shut are its debtor's, or all of them by what holds the claim back.
    """
    channels, mask = decided.prepared.grid.channels, decided.prepared.mask
    shut = np.concatenate([mask.channel_rule, _all_by_one(len(channels) - 1)])
    return {
        "decided_at": Instants(code[DECIDED_US]),
        "valid_until": Instants(code[UNTIL_US]),
        "channel": Words(channels, code[CHANNEL]),
        "send_at": Instants(code[SEND_US]),
        "payment_option": Words(PAYMENT_OPTIONS, code[OPTION]),
        "tone": Words(TONES, code[TONE]),
        "explored": Flags(mark[EXPLORED]),
        "arm": Words(ARMS, code[ARM]),
        "segment": Words(SEGMENTS, code[SEGMENT]),
        "blocked": Pairs(channels[1:], (*RULE_NAMES, NOT_ASKED), shut, code[SHUT]),
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
    code = mine.code if theirs is mine else np.where(decided.choice.arm == CHALLENGER, theirs.code, mine.code)
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
    choice, (first, second) = decided.choice, _bundles(decided)
    by_value = np.array([(second if arm == CHALLENGER else first).chooser == "value" for arm in range(len(ARMS))])
    return left_alone(
        choice.action, choice.arm, choice.action_probability, by_value, CHAMPION, decided.prepared.allowed
    )


@lru_cache(maxsize=64)
def _all_by_one(channels: int) -> Codes:
    """Every channel shut for not having been asked about, or by the same rule, shape (1 + rules, channels); not to be written to."""
    return np.repeat(
        np.array([[len(RULE_NAMES)], *([rule] for rule in range(len(RULE_NAMES)))], np.int16), channels, axis=1
    )


def _reasons(decided: Decided, of_segment: list[list[str]]) -> list[list[str]]:
    """Reasons for each debtor's decision, and behind them those for its segment; none without an open claim."""
    asked = set(decided.prepared.targets.moment.tolist())
    return [[*explained(decided, row), *said] if row in asked else [] for row, said in enumerate(of_segment)]


def _numbers(decided: Decided, code: IntArray, mark: BoolArray) -> Columns:
    """Chance of payment, what the contact adds to it, its value in each claim's own currency, and with which chance it was chosen."""
    prepared, price, choice, moment = decided.prepared, decided.price, decided.choice, decided.prepared.targets.moment
    mine, other = decided.scored, decided.scored if decided.challenger is None else decided.challenger.scored
    currencies, currency = prepared.histories.currencies, prepared.histories.claims.currency[prepared.targets.claim]
    days, day = distinct(prepared.asks.as_of_us // DAY_US)
    rates = np.array([eur_on(currencies, one, prepared.config.rates) for one in days]).reshape(
        len(days), len(currencies)
    )
    found = np.empty((len(NUMBERS), len(moment)))
    tell_numbers(
        moment, code, mark, mine.probability, mine.worth_eur, other.probability, other.worth_eur, price.cost, price.harm,
        rates, day, currency, choice.action_probability, choice.channel_probability, choice.channel_daypart_probability,
        choice.arm_probability, found,
    )  # fmt: skip
    told = {name: Numbers(found[place]) for name, place in NUMBERS.items()}
    return {**told, "currency": Words(currencies, currency)}
