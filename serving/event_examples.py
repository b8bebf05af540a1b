"""One row of each table as an event, about the simulated debtor d-1042."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CLAIM, _DEBTOR = {"claim_id": "c-7"}, {"debtor_id": "d-1042"}
_SENT = {"contact_id": "0f5c2a9b7d4e4c21a3b6d8e0f1a2b3c4", "at": "2026-03-10T09:00:03Z", "kind": "sent"}

ROWS: Mapping[str, dict[str, Any]] = {
    "debtors": {
        **_DEBTOR,
        "country": "SE",
        "time_zone": "Europe/Stockholm",
        "birth_date": "1979-04-30",
        "registered_at": "2026-01-05T12:00:00Z",
    },
    "debtor_profiles": {**_DEBTOR, "valid_from": "2026-03-01T00:00:00Z", "employment": "employed"},
    "contact_points": {
        **_DEBTOR,
        "channel": "sms",
        "valid_from": "2026-01-05T12:00:00Z",
        "verified": True,
        "consent": "given",
        "kind": "private",
    },
    "claims": {
        **_CLAIM,
        **_DEBTOR,
        "creditor_id": "k-energy",
        "sector": "energy",
        "principal": "2400.00",
        "currency": "SEK",
        "due_on": "2026-01-31",
        "registered_at": "2026-01-10T12:00:00Z",
    },
    "claim_events": {**_CLAIM, "at": "2026-03-10T07:15:00Z", "kind": "dispute_opened"},
    "contacts": {
        "contact_id": "old-31",
        **_DEBTOR,
        **_CLAIM,
        "decided_at": "2026-02-20T08:00:00Z",
        "channel": "letter",
        "send_at": "2026-02-20T13:00:00Z",
        "policy": "ladder",
    },
    "contact_events": _SENT,
    "payments": {
        "payment_id": "p-9",
        **_CLAIM,
        **_DEBTOR,
        "paid_at": "2026-03-02T11:05:00+01:00",
        "amount": "400.00",
        "currency": "SEK",
    },
}

EVENTS: Mapping[str, dict[str, Any]] = {
    table: {"event_id": f"e-{number}", "table": table, "row": row}
    for number, (table, row) in enumerate(ROWS.items(), 71)
}
"""By table, as they are sent."""
