"""Answers and problems as examples, of the simulated debtor d-1042; the tests hold them against shapes and service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.problems import KINDS

Example = dict[str, Any]

_SEND_AT, _VALID_UNTIL = "2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z"
_DECISION_ID = "0f5c2a9b7d4e4c21a3b6d8e0f1a2b3c4"
_NO_POINT = [{"channel": name, "rule": "no_contact_point"} for name in ("digital_mailbox", "letter", "portal")]
_CLAIM: Example = {
    "claim_id": "c-7",
    "decision_id": _DECISION_ID,
    "covered": True,
    "lead": True,
    "payment_probability": 0.4,
    "uplift": 0.3,
    "expected_value": 357.53,
    "currency": "SEK",
    "blocked": [],
}

DECISION: Example = {
    "decision_id": _DECISION_ID,
    "debtor_id": "d-1042",
    "decided_at": "2026-03-10T07:30:00Z",
    "valid_until": _VALID_UNTIL,
    "channel": "sms",
    "send_at": _SEND_AT,
    "payment_option": "link",
    "tone": "friendly",
    "payment_probability": 0.4,
    "expected_value": 31.83,
    "currency": "EUR",
    "action_probability": 1.0,
    "arm_probability": 0.85,
    "channel_probability": 1.0,
    "channel_daypart_probability": 1.0,
    "explored": False,
    "arm": "champion",
    "segment": "forgot",
    "model_version": "chain-20260301",
    "policy_version": "ed1c98903541d563",
    "rules_version": "65e8f4264f5e2f24",
    "reasons": None,
    "blocked": _NO_POINT,
    "claims": [_CLAIM],
    "alternatives": [
        {
            "channel": "phone",
            "send_at": _SEND_AT,
            "payment_probability": 0.35,
            "expected_value": 22.94,
            "currency": "EUR",
        }
    ],
    "reused": False,
    "dry_run": False,
    "degraded": False,
    "status": "decided",
}

DEGRADED: Example = DECISION | {
    "decision_id": None,
    "valid_until": "2026-03-10T07:31:00Z",
    "channel": "none",
    **dict.fromkeys(("send_at", "payment_option", "tone", "arm", "action_probability", "arm_probability")),
    **dict.fromkeys(("channel_probability", "channel_daypart_probability")),
    **dict.fromkeys(("payment_probability", "expected_value"), 0.0),
    **dict.fromkeys(("model_version", "policy_version", "rules_version"), "unavailable"),
    **{name: [] for name in ("blocked", "claims", "alternatives")},
    "segment": "unknown",
    "degraded": True,
}

CONFIRMATION: Example = {
    "decision_id": _DECISION_ID,
    "status": "confirmed",
    "debtor_id": "d-1042",
    "channel": "sms",
    "send_at": _SEND_AT,
    "valid_until": _VALID_UNTIL,
    "confirmed_at": "2026-03-10T08:55:00Z",
}

STORED: Example = {
    "decision": DECISION | {"status": "sent"},
    "source": "online",
    "asked": {"explain": False, "replace": False},
    "seen": {
        "log": {"event": 4_711, "row": 90_210, "step": 1_033},
        "versions": {"config": "752dda7d7484aa55", "rules": "65e8f4264f5e2f24"},
        "coverable": ["c-7"],
    },
    "steps": [
        {"step": "confirmed", "at": "2026-03-10T08:55:00Z", "reason": None},
        {"step": "sent", "at": "2026-03-10T09:00:03Z", "reason": None},
    ],
    "outcome": {
        "horizon_days": 14,
        "mature": False,
        "contact_events": [{"at": "2026-03-10T09:00:03Z", "kind": "sent"}],
        "payments": [
            {
                "payment_id": "p-9",
                "claim_id": "c-7",
                "paid_at": "2026-03-11T16:20:00Z",
                "amount": "400.00",
                "currency": "SEK",
                "reversed": False,
            }
        ],
    },
}

ERASURE: Example = {
    "erased_at": "2026-03-10T10:30:00Z",
    "unreadable": {"events": 12, "decisions": 3, "stored_answers": 4},
    "link": 1_042,
    "left_to_do": ["the base portfolio: take the debtor out of its tables; until then the service leaves its rows out"],
}

TAKEN: Example = {"event_id": "e-77", "duplicate": False, "waits_for": None}
WAITING: Example = {"event_id": "e-78", "duplicate": False, "waits_for": "claims"}
ALIVE: Example = {"status": "alive"}

READY: Example = {
    "status": "ready",
    "checks": [
        {"name": "store_writable", "ok": True, "detail": ""},
        {"name": "champion_loaded", "ok": True, "detail": ""},
    ],
    "model_version": "chain-20260301",
    "notices": [],
}

NOT_READY: Example = READY | {
    "status": "not ready",
    "checks": [
        {"name": "store_writable", "ok": False, "detail": "OperationalError: look at the disk of the workspace"}
    ],
}

_SAID: Mapping[str, Example] = {
    "bad-json": {
        "detail": "not JSON from character 1 on",
        "remedy": "send one JSON object",
    },
    "unauthenticated": {
        "detail": "the call has no key or session that is good",
        "remedy": "send Authorization: Bearer with a key that has not run out, or sign in at /login",
    },
    "forbidden": {
        "detail": "this call is not for the caller's role",
        "remedy": "use a key of a role that may: the roles of each call stand in the documentation",
    },
    "csrf": {
        "detail": "the form does not belong to this session",
        "remedy": "open the page again and send its form",
    },
    "not-found": {"detail": "no such report", "remedy": "see /reports for those there are"},
    "unknown-debtor": {
        "detail": "no such debtor has been received",
        "remedy": "send it: POST /v1/events, debtors",
    },
    "unknown-decision": {
        "detail": "no such decision has been logged",
        "remedy": "use the decision_id of an answer",
    },
    "not-to-be-sent": {
        "detail": "do not send: a claim it covers is disputed",
        "remedy": "ask for the next best action",
        "reason": "disputed",
    },
    "erased": {
        "detail": "the debtor was erased",
        "remedy": "stop sending rows about this debtor: nothing of it is kept",
    },
    "event-conflict": {
        "detail": "another event was stored under this event_id: give each event an id of its own",
        "remedy": "give each event an event_id of its own",
    },
    "still-running": {
        "detail": "the same request is being answered: ask again in a second",
        "remedy": "send it again in a second",
    },
    "too-large": {
        "detail": "the body has more than 1,000,000 bytes",
        "remedy": "send fewer entries in one request",
    },
    "unsupported-media-type": {
        "detail": "expected a body of type application/json, not compressed",
        "remedy": "set Content-Type: application/json",
    },
    "invalid": {
        "detail": "body.as_of: a time without its zone",
        "remedy": "add Z or an offset such as +01:00",
        "errors": [
            {
                "where": "body.as_of",
                "what": "a time without its zone",
                "remedy": "add Z or an offset such as +01:00",
            }
        ],
    },
    "key-reused": {
        "detail": "this Idempotency-Key was used with another request: use a new key for each request",
        "remedy": "use a new key for each request",
    },
    "too-many-requests": {
        "detail": "more calls than the limit allows",
        "remedy": "wait as long as Retry-After says, then go on at a lower rate",
    },
    "not-ready": {
        "detail": "no champion has been promoted or can be loaded",
        "remedy": "train and promote a model: rettid train, then rettid promote",
    },
    "overloaded": {
        "detail": "more is asked than can be answered",
        "remedy": "send it again in a second",
    },
    "log-unavailable": {
        "detail": "the log did not take the entry",
        "remedy": "nothing was promised: send the request again; if it lasts, look at the disk of the workspace",
    },
}


def problem_example(kind: str) -> Example:
    """A problem of a kind as the service answers it.

    >>> problem_example("overloaded")["title"]
    'The service has too much to do'
    """
    status, title = KINDS[kind]
    return {"type": f"urn:rettid:problem:{kind}", "title": title, "status": status, "errors": [], **_SAID[kind]}


BATCH: Example = {
    "answers": [
        {"result": DECISION, "error": None},
        {"result": None, "error": problem_example("unknown-debtor")},
    ]
}
