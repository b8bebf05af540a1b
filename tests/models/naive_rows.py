"""The contract's decision rows, one claim and one value at a time: what the columns of `decision_table` must equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.schemas import DECISIONS
from data.times import DAY_US, HOUR_US, from_us
from data.vocabulary import ARMS, STAGES
from models.arms import CHALLENGER
from models.decide import Decided
from models.decision_rows import policy_version
from models.hashing import keyed_hex

Row = dict[str, Any]
PAYMENT_OPTION = {"sms": "link", "email": "link", "portal": "link", "digital_mailbox": "link", "letter": "qr"}


def naive_rows(decided: Decided, *, packs_version: str) -> list[Row]:
    """Every row, nulls as None, columns in the contract's order."""
    rows = [_row(decided, claim, packs_version) for claim in range(len(decided.prepared.targets.claim))]
    return [{name: _null(row[name]) for name in DECISIONS.names} for row in rows]


def _null(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value


def _in_contact(decided: Decided, claim: int) -> bool:
    action = decided.choice.action[decided.prepared.targets.moment[claim]]
    return bool(action > 0 and decided.prepared.covered[claim])


def _leads(decided: Decided, claim: int) -> bool:
    """The first claim of the contact, of a debtor without contact the first of all, and every claim held back."""
    moment = decided.prepared.targets.moment
    mine = np.flatnonzero(moment == moment[claim]).tolist()
    under = [one for one in mine if _in_contact(decided, one)] or mine
    held = decided.choice.action[moment[claim]] > 0 and not _in_contact(decided, claim)
    return bool(held) or under[0] == claim


def _row(decided: Decided, claim: int, packs_version: str) -> Row:
    prepared, choice = decided.prepared, decided.choice
    who, number = prepared.targets.moment[claim], prepared.targets.claim[claim]
    debtor = int(who)
    held = bool(choice.action[who] > 0 and not _in_contact(decided, claim))
    opinion = decided.opinion(debtor)
    row = {
        "decision_id": decided.decision_id[who],
        "debtor_id": prepared.situation.debtor_id[who],
        "claim_id": prepared.histories.claim_id[number],
        "lead": _leads(decided, claim),
        "blocked": [{"channel": channel, "rule": rule} for channel, rule in prepared.mask.blocked(debtor)],
        "arm": ARMS[choice.arm[who]],
        "arm_probability": choice.arm_probability[who],
        "explored": bool(choice.explored[who]),
        "segment": "unknown",
        "model_version": opinion.bundle.model_version,
        "policy_version": policy_version(decided, opinion.bundle),
        "rules_version": packs_version,
        "reasons": None,
    }
    for name in ("action_probability", "channel_probability", "channel_daypart_probability"):
        row[name] = getattr(choice, name)[who]
    if held:
        row |= _held_back(decided, claim, row)
    return row | _contact(decided, claim) | _money(decided, claim)


def _held_back(decided: Decided, claim: int, row: Row) -> Row:
    why = decided.prepared.mask.claim_barred(claim) or "not_asked"
    return {
        "decision_id": keyed_hex(f"{row['decision_id']}|{row['claim_id']}", key="uncovered"),
        "blocked": [{"channel": name, "rule": why} for name in decided.prepared.grid.channels[1:]],
        "explored": False,
        "action_probability": 1.0,
        "channel_probability": 1.0,
        "channel_daypart_probability": 1.0,
    }


def _contact(decided: Decided, claim: int) -> Row:
    prepared, who = decided.prepared, int(decided.prepared.targets.moment[claim])
    as_of_us = int(prepared.asks.as_of_us[who])
    row: Row = {
        "decided_at": from_us(as_of_us),
        "channel": "none",
        "send_at": None,
        "payment_option": None,
        "tone": None,
    }
    row["valid_until"] = from_us(as_of_us + prepared.grid.days * DAY_US)
    if _in_contact(decided, claim):
        action = int(decided.choice.action[who])
        send_us = decided.send_us(who, action)
        row |= {"channel": prepared.grid.channels[prepared.grid.channel[action]], "send_at": from_us(send_us)}
        row |= {"valid_until": from_us(send_us + HOUR_US), "tone": _tone(decided, who)}
        row["payment_option"] = PAYMENT_OPTION.get(row["channel"])
    return row


def _tone(decided: Decided, who: int) -> str:
    prepared = decided.prepared
    stage = max(prepared.rows.state.stage[prepared.targets.moment == who].tolist())
    contacts = prepared.situation.contacts[who]
    if stage >= STAGES.index("collection") and contacts >= 2:
        return "firm"
    return "friendly" if contacts == 0 or stage <= STAGES.index("reminder") else "neutral"


def _money(decided: Decided, claim: int) -> Row:
    prepared, who = decided.prepared, int(decided.prepared.targets.moment[claim])
    said = decided.challenger.scored if decided.challenger and decided.choice.arm[who] == CHALLENGER else decided.scored
    action = int(decided.choice.action[who]) if _in_contact(decided, claim) else 0
    currency = prepared.histories.currencies[prepared.histories.claims.currency[prepared.targets.claim[claim]]]
    rate = prepared.config.rates.on(currency, int(prepared.asks.as_of_us[who] // DAY_US)).amount
    pays = _in_contact(decided, claim) and _leads(decided, claim)
    price = decided.price.total[who, prepared.grid.channel[action]] if pays else 0.0
    return {
        "payment_probability": said.probability[claim, action],
        "uplift": said.probability[claim, action] - said.probability[claim, 0],
        "expected_value": (
            (said.probability[claim, action] - said.probability[claim, 0]) * said.worth_eur[claim] - price
        )
        / rate,
        "currency": currency,
    }
