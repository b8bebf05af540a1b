"""The contract's decision rows, one claim and one value at a time: what the columns of `decision_table` must equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from data.schemas import DECISIONS
from data.times import DAY_US, HOUR_US, NO_DAY, from_day, from_us, to_us
from data.vocabulary import ARMS, CLAIM_EVENT_KINDS, SEGMENTS, STAGES
from features.pay_days import from_pay_days
from features.tables import Histories
from models.arms import CHALLENGER, CHAMPION
from models.decide import Decided
from models.decision_rows import policy_version
from models.hashing import keyed_hex
from models.prepare import Prepared
from models.segments_indicators import INDICATORS, NEEDED
from tests.deciding import COLUMNS

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
        "segment": segment_of(decided, debtor),
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
        "decision_id": row["decision_id"][:14]
        + keyed_hex(f"{row['decision_id']}|{row['claim_id']}", key="uncovered")[14:],
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
    row["valid_until"] = from_us(_asked_again_us(decided, who))
    if _in_contact(decided, claim):
        action = int(decided.choice.action[who])
        send_us = decided.send_us(who, action)
        row |= {"channel": prepared.grid.channels[prepared.grid.channel[action]], "send_at": from_us(send_us)}
        row |= {"valid_until": from_us(send_us + HOUR_US), "tone": _tone(decided, who)}
        row["payment_option"] = _payment_option(decided, who, row["channel"])
    return row


def segment_of(decided: Decided, who: int) -> str:
    """Bayes' rule over one debtor's indicators, one at a time."""
    opinion, situation = decided.opinion(who), decided.prepared.situation
    model, mine = opinion.bundle.segments, opinion.prepared.rows.matrix[decided.prepared.targets.moment == who]
    if model is None or situation.objected_us[who] <= situation.as_of_us[who] or not len(mine):
        return "unknown"
    columns = {name: np.fmax.reduce(mine[:, [COLUMNS.index(name)]].astype(np.float64), axis=0) for name in NEEDED}
    level = model.level(columns, size=1)[0].tolist()
    chance = list(model.share)
    for one, at in zip(INDICATORS, level, strict=True):
        for segment in range(3):
            chance[segment] *= model.levels[one.name][segment][at - 1] if at else 1.0
    seen = sum(at > 0 and one.history for one, at in zip(INDICATORS, level, strict=True))
    best = max(range(3), key=lambda segment: chance[segment])
    return SEGMENTS[best] if seen >= 2 and chance[best] >= 0.6 * sum(chance) else "unknown"


def _asked_again_us(decided: Decided, who: int) -> int:
    """End of `none`: the grid's, a pause's, a promise's, the morning after a stage's last day or after the pay day."""
    prepared = decided.prepared
    as_of_us, whole = int(prepared.asks.as_of_us[who]), prepared.histories
    last_us = as_of_us + prepared.grid.days * DAY_US
    first_day = int(prepared.mask.slots.first_day[prepared.mask.slots.of_debtor[who]])
    debtors, mornings = prepared.rows.debtors, []
    for due in prepared.rows.state.next_due_day[prepared.targets.moment == who].tolist():
        mornings += [due + 1] if due != NO_DAY and due >= first_day else []
    if _left_alone_by_value(decided, who):
        country = whole.country[prepared.asks.debtor[who : who + 1]]
        today, learned = np.array([first_day]), debtors.pay_day[who : who + 1]
        mornings.append(first_day + int(from_pay_days(whole.countries, country, day=today, learned=learned)[1, 0]) + 1)
    promised = prepared.situation.claims.promised_until_us[prepared.targets.moment == who]
    mornings += [int(until) // DAY_US for until in promised if int(until) // DAY_US > first_day]
    ends = [int(prepared.situation.stop_until_us[who])]
    ends += [_morning_us(prepared, who, day) for day in mornings if day < first_day + prepared.grid.days]
    return max(min([last_us, *(one for one in ends if one > as_of_us)]), as_of_us + HOUR_US)


def _morning_us(prepared: Prepared, who: int, day: int) -> int:
    zone = prepared.mask.slots.zone[prepared.mask.slots.of_debtor[who]]
    date = from_day(day)
    return to_us(datetime(date.year, date.month, date.day, min(prepared.grid.hours), tzinfo=ZoneInfo(zone)))


def _left_alone_by_value(decided: Decided, who: int) -> bool:
    choice = decided.choice
    by_model = choice.arm[who] >= CHAMPION and decided.opinion(who).bundle.chooser == "value"
    return bool(by_model and choice.action[who] == 0 and decided.prepared.allowed[who, 1:].any())


def _payment_option(decided: Decided, who: int, channel: str) -> str | None:
    prepared, segment = decided.prepared, segment_of(decided, who)
    mine = (prepared.targets.moment == who) & prepared.covered
    if segment == "short_of_money" and prepared.rows.outstanding_eur[mine].sum() >= 50 and channel in PAYMENT_OPTION:
        return "instalments"
    if segment == "forgot" and channel == "digital_mailbox":
        return "direct_debit"
    return PAYMENT_OPTION.get(channel)


def _tone(decided: Decided, who: int) -> str:
    prepared, situation = decided.prepared, decided.prepared.situation
    covered, state = (prepared.targets.moment == who) & prepared.covered, prepared.rows.state
    as_of_us = int(prepared.asks.as_of_us[who])
    calm = situation.vulnerable[who] or segment_of(decided, who) == "short_of_money" or _calmed(decided, who)
    tones = set()
    for stage, claim in zip(state.stage[covered].tolist(), prepared.targets.claim[covered].tolist(), strict=True):
        contacts = contacts_about_one(prepared.histories, claim, as_of_us)
        if stage >= STAGES.index("collection") and contacts >= 2:
            tones.add("neutral" if calm else "firm")
        elif contacts and stage > STAGES.index("reminder"):
            tones.add("neutral")
    return "firm" if "firm" in tones else "neutral" if tones else "friendly"


def contacts_about_one(found: Histories, claim: int, as_of_us: int) -> int:
    """Contacts that covered a claim, were sent and known before a moment, and had not bounced as far as was known then."""
    contacts, covers, debtor = found.contacts, found.covers, found.claims.debtor[claim]
    met = 0
    for row in range(contacts.start[debtor], contacts.start[debtor + 1]):
        links = range(covers.start[row], covers.start[row + 1])
        about = any(covers.claim[link] == claim and covers.known_us[link] < as_of_us for link in links)
        sent = contacts.channel[row] != 0 and contacts.send_us[row] < as_of_us and contacts.known_us[row] < as_of_us
        met += about and sent and contacts.bounced_us[row] >= as_of_us
    return met


def _calmed(decided: Decided, who: int) -> bool:
    prepared, events = decided.prepared, decided.prepared.histories.claim_events
    for claim in prepared.targets.claim[prepared.targets.moment == who].tolist():
        for one in range(events.start[claim], events.start[claim + 1]):
            known_us = max(events.at_us[one], events.known_us[one])
            kind = CLAIM_EVENT_KINDS[events.kind[one]]
            held = kind in ("hold_placed", "dispute_opened", "plan_agreed", "plan_broken")
            if held and known_us < prepared.asks.as_of_us[who]:
                return True
    return False


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
