"""The contract's decision rows (section 4): one per open claim, claims under one contact share the decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.schemas import DECISION_SCHEMA
from data.times import DAY_US, HOUR_US, IntArray, from_us
from data.vocabulary import ARMS, NONE, STAGES
from features.pipeline import eur_rate
from models.arms import CHALLENGER
from models.bundle import Bundle
from models.decide import Decided, Scored, reasons
from models.hashing import keyed_hex

FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]
Values = npt.NDArray[Any]

PAYMENT_OPTION = {"sms": "link", "email": "link", "portal": "link", "digital_mailbox": "link", "letter": "qr"}
"""How to pay, by channel; none is offered on the phone."""

FIRM_AFTER = 2
"""Contacts that must have gone before a message may be firm."""


@dataclass(frozen=True)
class Alternative:
    """An allowed channel at its best slot; money in EUR, `send_at` aware UTC."""

    channel: str
    send_at: datetime
    payment_probability: float
    expected_value: float


def decision_table(decided: Decided, *, packs_version: str, explain: bool = False) -> pa.Table:
    """Rows of `DECISION_SCHEMA` for every open claim of every debtor decided, in the order of the asks.

    Parameters
    ----------
    packs_version
        As `models.rules.mask.rules_version` gives it.
    explain
        Fill `reasons`; costs far more than deciding.
    """
    debtor = _debtor_columns(decided)
    claim = _claim_columns(decided)
    moment = decided.prepared.targets.moment
    covered = _in_contact(decided)
    size = len(moment)
    columns = {name: values[moment] for name, values in debtor.items()} | claim
    uncovered = ~covered & (decided.choice.action[moment] > 0)
    columns |= _uncovered(decided, columns, uncovered)
    words = {
        "rules_version": packs_version,
        "segment": "unknown",
    }
    columns |= {name: np.full(size, word, dtype=np.object_) for name, word in words.items()}
    columns |= {name: values[moment] for name, values in _versions(decided).items()}
    columns["reasons"] = _reasons(decided, explain)[moment] if explain else np.full(size, None, dtype=np.object_)
    return pa.table([_column(columns[field.name], field) for field in DECISION_SCHEMA], schema=DECISION_SCHEMA)


def policy_version(decided: Decided, bundle: Bundle | None = None) -> str:
    """Identifier of what turns values into actions: configuration and a bundle's way of choosing, the champion's if None."""
    text = f"{decided.prepared.config.fingerprint}|{(bundle or decided.champion).chooser}"
    return keyed_hex(text, key="policy")[:16]


def _versions(decided: Decided) -> dict[str, TextArray]:
    """Versions of the model and the way of choosing of each debtor's arm, shape (n,) each."""
    second = decided.champion if decided.challenger is None else decided.challenger.bundle
    bundles, theirs = (decided.champion, second), (decided.choice.arm == CHALLENGER).astype(np.int64)
    return {
        "model_version": np.array([one.model_version for one in bundles], dtype=np.object_)[theirs],
        "policy_version": np.array([policy_version(decided, one) for one in bundles], dtype=np.object_)[theirs],
    }


def _column(values: Values, field: pa.Field) -> pa.Array:
    if pa.types.is_timestamp(field.type):
        instants = values.astype(np.int64)
        return pa.array(instants, pa.int64(), mask=instants < 0).cast(field.type)
    if pa.types.is_floating(field.type):
        return pa.array(values.astype(np.float64), field.type, from_pandas=True)
    return pa.array(values.tolist(), field.type)


def _in_contact(decided: Decided) -> npt.NDArray[np.bool_]:
    """Claims that the chosen contact covers, shape (m,)."""
    covered: npt.NDArray[np.bool_] = decided.prepared.covered & (
        decided.choice.action[decided.prepared.targets.moment] > 0
    )
    return covered


def _debtor_columns(decided: Decided) -> dict[str, Values]:
    prepared, choice = decided.prepared, decided.choice
    action, as_of_us, slots = choice.action, prepared.asks.as_of_us, decided.slots
    send_us = np.where(action > 0, slots.send_us[slots.of_debtor, action], -1)
    names = np.array(prepared.grid.channels, dtype=np.object_)[prepared.grid.channel[action]]
    return {
        "decision_id": decided.decision_id,
        "debtor_id": prepared.situation.debtor_id,
        "decided_at": as_of_us,
        "valid_until": np.where(action > 0, send_us + HOUR_US, as_of_us + prepared.grid.days * DAY_US),
        "channel": names,
        "send_at": send_us,
        "payment_option": np.array([PAYMENT_OPTION.get(name) for name in names.tolist()], dtype=np.object_),
        "tone": _tone(decided, names),
        "action_probability": choice.action_probability,
        "arm_probability": choice.arm_probability,
        "channel_probability": choice.channel_probability,
        "channel_daypart_probability": choice.channel_daypart_probability,
        "explored": choice.explored,
        "arm": np.array(ARMS, dtype=np.object_)[choice.arm],
        "blocked": _blocked(decided),
    }


def _tone(decided: Decided, names: TextArray) -> TextArray:
    """Friendly first; firm only at collection or later and after earlier contacts; null for `none`."""
    prepared = decided.prepared
    stage = np.full(prepared.situation.size, -1, dtype=np.int64)
    np.maximum.at(stage, prepared.targets.moment, prepared.rows.state.stage)
    contacts = prepared.situation.contacts
    firm = (stage >= STAGES.index("collection")) & (contacts >= FIRM_AFTER)
    friendly = (contacts == 0) | (stage <= STAGES.index("reminder"))
    tone = np.where(firm, "firm", np.where(friendly, "friendly", "neutral")).astype(np.object_)
    tone[names == NONE] = None
    return tone


def _blocked(decided: Decided) -> TextArray:
    rows = [
        [{"channel": channel, "rule": rule} for channel, rule in decided.prepared.mask.blocked(row)]
        for row in range(decided.prepared.situation.size)
    ]
    result = np.empty(len(rows), dtype=np.object_)
    result[:] = rows
    return result


def _reasons(decided: Decided, explain: bool) -> TextArray:
    rows = [list(reasons(decided, row)) if explain else None for row in range(decided.prepared.situation.size)]
    result = np.empty(len(rows), dtype=np.object_)
    result[:] = rows
    return result


def _claim_columns(decided: Decided) -> dict[str, Values]:
    prepared = decided.prepared
    moment, claim = prepared.targets.moment, prepared.targets.claim
    covered = _in_contact(decided)
    action = np.where(covered, decided.choice.action[moment], 0)
    chance = _said(decided, lambda scored: scored.probability, action)
    histories = prepared.histories
    currency = np.array(histories.currencies, dtype=np.object_)[histories.claims.currency[claim]]
    lead = _lead(moment, covered)
    price = decided.price.total[moment, prepared.grid.channel[action]]
    value_eur = _said(decided, lambda scored: scored.lift_eur, action) - np.where(lead & covered, price, 0.0)
    rate = eur_rate(currency, prepared.asks.as_of_us[moment], rates=prepared.config.rates)
    return {
        "claim_id": prepared.histories.claim_id[claim],
        "lead": lead,
        "payment_probability": chance,
        "uplift": chance - _said(decided, lambda scored: scored.probability, np.zeros_like(action)),
        "expected_value": value_eur / rate,
        "currency": currency,
    }


def _said(decided: Decided, table: Callable[[Scored], FloatArray], action: IntArray) -> FloatArray:
    """What the model of each claim's arm says of one action a claim, in a table of shape (m, A), shape (m,)."""
    rows = np.arange(len(action))
    said = table(decided.scored)[rows, action]
    if decided.challenger is None:
        return said
    theirs = decided.choice.arm[decided.prepared.targets.moment] == CHALLENGER
    return np.where(theirs, table(decided.challenger.scored)[rows, action], said)


def _lead(moment: IntArray, covered: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """First covered claim of each debtor, or its first claim where the contact covers none, shape (m,)."""
    order = np.lexsort((np.arange(len(moment)), ~covered, moment))
    lead = np.zeros(len(moment), dtype=np.bool_)
    lead[order[np.unique(moment[order], return_index=True)[1]]] = True
    return lead


def _uncovered(decided: Decided, columns: dict[str, Values], uncovered: npt.NDArray[np.bool_]) -> dict[str, Values]:
    """Claims held back from a contact: a decision of their own with `none`, certain under every arm."""
    claims = np.flatnonzero(uncovered)
    rule = [decided.prepared.mask.claim_barred(int(row)) or "not_asked" for row in claims]
    changed = {
        name: columns[name].copy()
        for name in ("decision_id", "channel", "send_at", "payment_option", "tone", "valid_until", "blocked")
    }
    changed["lead"] = columns["lead"] | uncovered
    changed["channel"][claims] = NONE
    changed["send_at"][claims] = -1
    changed["valid_until"][claims] = columns["decided_at"][claims] + decided.prepared.grid.days * DAY_US
    for name in ("payment_option", "tone"):
        changed[name][claims] = None
    for row, why in zip(claims.tolist(), rule, strict=True):
        changed["decision_id"][row] = keyed_hex(
            f"{columns['decision_id'][row]}|{columns['claim_id'][row]}", key="uncovered"
        )
        changed["blocked"][row] = [{"channel": name, "rule": why} for name in decided.prepared.grid.channels[1:]]
    certain = ("action_probability", "channel_probability", "channel_daypart_probability")
    for name in certain:
        changed[name] = np.where(uncovered, 1.0, columns[name])
    changed["explored"] = columns["explored"] & ~uncovered
    return changed


def alternatives(decided: Decided, row: int) -> tuple[Alternative, ...]:
    """Every other allowed channel of debtor `row` at its best slot, best first; `none` is not listed."""
    grid, scored = decided.prepared.grid, decided.opinion(row).scored
    value = scored.value_eur[row]
    chosen = grid.channel[decided.choice.action[row]]
    mine = np.flatnonzero((decided.prepared.targets.moment == row) & decided.prepared.covered)
    found = []
    for code in range(1, len(grid.channels)):
        cells = np.flatnonzero((grid.channel == code) & decided.prepared.allowed[row])
        if code == chosen or not len(cells):
            continue
        best = int(cells[np.argmax(np.round(value[cells], 12))])
        any_paid = 1.0 - float(np.prod(1.0 - scored.probability[mine, best]))
        found.append(
            Alternative(grid.channels[code], from_us(decided.send_us(row, best)), any_paid, float(value[best]))
        )
    return tuple(sorted(found, key=lambda one: -one.expected_value))
