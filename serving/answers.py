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
    shared = {name: getattr(leading, name) for name in _SHARED}
    contact = leading.channel != NONE
    covered = [row for row in rows if contact and row.decision_id == leading.decision_id]
    day = to_day(leading.decided_at.date())
    value_eur = sum((row.expected_value * rates.on(row.currency, day).amount for row in covered), start=0.0)
    own = {
        "decision_id": None if dry_run else leading.decision_id,
        "payment_probability": _any(covered or rows),
        "expected_value": value_eur,
        "claims": [_claim(row, leading, dry_run) for row in rows],
        "alternatives": [_alternative(one) for one in decided.alternatives],
        "reused": reused,
        "dry_run": dry_run,
        "status": decided.status,
    }
    return ToldAction.of(shared | own)


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

_SHARED = (
    "debtor_id",
    "decided_at",
    "valid_until",
    "channel",
    "send_at",
    "payment_option",
    "tone",
    "action_probability",
    "arm_probability",
    "channel_probability",
    "channel_daypart_probability",
    "explored",
    "arm",
    "segment",
    "model_version",
    "policy_version",
    "rules_version",
    "reasons",
    "blocked",
)


def _claim(row: DecisionRow, leading: DecisionRow, dry_run: bool) -> dict[str, Any]:
    """A `ClaimDecision`: one of its own decision says which rule holds it; the others share what is said of the whole."""
    own = row.decision_id != leading.decision_id
    return {
        "claim_id": row.claim_id,
        "decision_id": None if dry_run else row.decision_id,
        "covered": not own and leading.channel != NONE,
        "lead": row.lead,
        "payment_probability": row.payment_probability,
        "uplift": row.uplift,
        "expected_value": row.expected_value,
        "currency": row.currency,
        "blocked": row.blocked if own else [],
    }


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
