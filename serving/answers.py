"""Decisions as they are told on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from data.config import MoneySettings
from data.online_decisions import Decided, DecisionRow, Json
from data.times import to_day
from data.vocabulary import NONE
from models.alternatives import Alternative as Candidate
from serving.engine import Outline, Wish
from serving.shapes import NextBestActionRequest
from serving.told_action import ToldAction

ASK_AGAIN = timedelta(minutes=1)
"""How long an answer holds that was given without the log."""

UNAVAILABLE = "unavailable"
"""Version of what had no part in an answer."""


def told(decided: Decided, *, rates: MoneySettings, reused: bool, dry_run: bool = False) -> ToldAction:
    """A decision with at least one open claim."""
    leading, rows = decided.leading, decided.rows
    covered = [row for row in rows if row.decision_id == leading.decision_id] if leading.channel != NONE else []
    return ToldAction(
        {
            "decision_id": None if dry_run else leading.decision_id,
            "debtor_id": leading.debtor_id,
            "decided_at": leading.decided_at,
            "valid_until": leading.valid_until,
            "channel": leading.channel,
            "send_at": leading.send_at,
            "payment_option": leading.payment_option,
            "tone": leading.tone,
            "payment_probability": _any(covered or rows),
            "expected_value": _value_eur(covered, rates),
            "currency": "EUR",
            "action_probability": leading.action_probability,
            "arm_probability": leading.arm_probability,
            "channel_probability": leading.channel_probability,
            "channel_daypart_probability": leading.channel_daypart_probability,
            "explored": leading.explored,
            "arm": leading.arm,
            "segment": leading.segment,
            "model_version": leading.model_version,
            "policy_version": leading.policy_version,
            "rules_version": leading.rules_version,
            "reasons": leading.reasons,
            "blocked": leading.blocked,
            "claims": _claims(rows, leading, dry_run=dry_run),
            "alternatives": [_alternative(one) for one in decided.alternatives],
            "reused": reused,
            "dry_run": dry_run,
            "degraded": False,
            "status": decided.status,
        }
    )


def nothing_open(outline: Outline, wish: Wish, *, dry_run: bool) -> ToldAction:
    """The answer for a debtor without an open claim: no contact, and nothing to log."""
    certain = dict.fromkeys(("action_probability", "channel_probability", "channel_daypart_probability"), 1.0)
    own = {
        "debtor_id": wish.debtor_id,
        "decided_at": wish.as_of,
        "valid_until": wish.as_of,
        "arm": outline.arm,
        "model_version": outline.model_version,
        "policy_version": outline.policy_version,
        "rules_version": outline.rules_version,
        "blocked": [{"channel": channel, "rule": rule} for channel, rule in outline.blocked],
        "dry_run": dry_run,
    }
    return ToldAction.of(_NOBODY | certain | own)


def without_log(request: NextBestActionRequest, *, now: datetime) -> ToldAction:
    """The answer where nothing can be known of a debtor: no contact, and to be asked again soon. Nothing was logged."""
    own = {
        "debtor_id": request.debtor_id,
        "decided_at": now,
        "valid_until": now + ASK_AGAIN,
        "model_version": UNAVAILABLE,
        "policy_version": UNAVAILABLE,
        "rules_version": UNAVAILABLE,
        "blocked": [],
        "dry_run": False,
        "degraded": True,
    }
    return ToldAction.of(_NOBODY | own)


def candidates(others: Sequence[Candidate]) -> list[Mapping[str, Json]]:
    """Alternatives as they are stored."""
    return [
        {
            "channel": other.channel,
            "send_at": other.send_at.isoformat(),
            "payment_probability": other.payment_probability,
            "expected_value": other.expected_value,
        }
        for other in others
    ]


_UNSAID = ("decision_id", "send_at", "payment_option", "tone", "arm", "reasons", "action_probability", "arm_probability",
           "channel_probability", "channel_daypart_probability")  # fmt: skip
_NOBODY = dict.fromkeys(_UNSAID) | {
    "channel": NONE,
    "payment_probability": 0.0,
    "expected_value": 0.0,
    "explored": False,
    "segment": "unknown",
    "claims": [],
    "alternatives": [],
    "reused": False,
    "status": "decided",
}
"""What answers have in common that stand on no record: nobody is contacted, and no claim is named."""


def _claims(rows: Sequence[DecisionRow], leading: DecisionRow, *, dry_run: bool) -> list[dict[str, Any]]:
    """A `ClaimDecision` each: one of its own decision says which rule holds it; the others share what is said of the whole."""
    shared, contact = leading.decision_id, leading.channel != NONE
    return [
        {
            "claim_id": row.claim_id,
            "decision_id": None if dry_run else row.decision_id,
            "covered": contact and row.decision_id == shared,
            "lead": row.lead,
            "payment_probability": row.payment_probability,
            "uplift": row.uplift,
            "expected_value": row.expected_value,
            "currency": row.currency,
            "blocked": [] if row.decision_id == shared else row.blocked,
        }
        for row in rows
    ]


def _alternative(stored: Mapping[str, Json]) -> dict[str, Any]:
    """An `Alternative` of one as it is stored."""
    return {
        "channel": stored["channel"],
        "send_at": datetime.fromisoformat(str(stored["send_at"])),
        "payment_probability": stored["payment_probability"],
        "expected_value": stored["expected_value"],
        "currency": "EUR",
    }


def _any(rows: Sequence[DecisionRow]) -> float:
    """Chance that at least one claim is paid on, the claims taken one by one."""
    none = 1.0
    for row in rows:
        none *= 1.0 - row.payment_probability
    return 1.0 - none


def _value_eur(covered: Sequence[DecisionRow], rates: MoneySettings) -> float:
    """Value of a contact over the claims that it covers."""
    if not covered:
        return 0.0
    day = to_day(covered[0].decided_at.date())
    rate = {currency: rates.on(currency, day).amount for currency in {row.currency for row in covered}}
    return sum((row.expected_value * rate[row.currency] for row in covered), start=0.0)
