"""Bodies made to hurt, with the call each is sent to: a problem of the caller's, every one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

DECIDE = "/v1/next-best-action"
EVENT = "/v1/events"
SECRET = "c4n4ry"


def event(**row: Any) -> str:
    """A payment told, some of its columns changed."""
    base = {"payment_id": "z", "claim_id": "k1", "debtor_id": "s1", "paid_at": "2026-03-01T00:00:00Z"}
    told = {**base, "amount": "1.00", "currency": "SEK", **row}
    return json.dumps({"event_id": "e", "table": "payments", "row": told})


def asked(**fields: Any) -> str:
    """A question, with more fields."""
    return json.dumps({"debtor_id": "s1", **fields})


BODIES: Mapping[str, tuple[str, str | bytes]] = {
    "empty": (DECIDE, ""),
    "no JSON": (DECIDE, "{debtor_id: s1}"),
    "cut short": (DECIDE, '{"debtor_id": "s'),
    "not UTF-8": (DECIDE, b'{"debtor_id": "\xff\xfe"}'),
    "NaN": (EVENT, event(amount=float("nan"))),
    "Infinity": (EVENT, event(amount=float("inf"))),
    "1e400": (EVENT, event().replace('"1.00"', "1e400")),
    "exponent of nine digits": (EVENT, event().replace('"1.00"', "1e999999999")),
    "5,000 digits": (EVENT, event().replace('"1.00"', "9" * 5000)),
    "10^30": (EVENT, event(amount=10**30)),
    "bool for a number": (EVENT, event(amount=True)),
    "minus one": (EVENT, event(amount=-1)),
    "amount as list": (EVENT, event(amount=[1])),
    "row as list": (EVENT, json.dumps({"event_id": "e", "table": "payments", "row": []})),
    "table as number": (EVENT, json.dumps({"event_id": "e", "table": 1, "row": {}})),
    "table as path": (EVENT, json.dumps({"event_id": "e", "table": "../debtors", "row": {}})),
    "null": (DECIDE, "null"),
    "a list": (DECIDE, "[]"),
    "null debtor": (DECIDE, asked(debtor_id=None)),
    "debtor as number": (DECIDE, asked(debtor_id=7)),
    "debtor as object": (DECIDE, asked(debtor_id={"a": 1})),
    "debtor empty": (DECIDE, asked(debtor_id="")),
    "debtor of a million": (DECIDE, asked(debtor_id="x" * 900_000)),
    "NUL": (DECIDE, asked(debtor_id="a\x00b")),
    "lone surrogate": (DECIDE, '{"debtor_id": "\\ud800"}'),
    "lone surrogate as name": (DECIDE, '{"debtor_id": "s1", "\\ud800": 1}'),
    "right to left": (DECIDE, asked(debtor_id="\u202e1s", channels=["\u202esms"])),
    "unknown field": (DECIDE, asked(**{SECRET: 1})),
    "a name twice": (DECIDE, '{"debtor_id": "s1", "debtor_id": "s1"}'),
    "depth": (DECIDE, '{"debtor_id": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "unknown channel": (DECIDE, asked(channels=["fax"])),
    "channels as text": (DECIDE, asked(channels="sms")),
    "naive time": (DECIDE, asked(as_of="2026-03-10T08:00:00")),
    "time as number": (DECIDE, asked(as_of=1_772_000_000)),
    "time as float": (DECIDE, asked(as_of=1e300)),
    "year 0": (DECIDE, asked(as_of="0000-01-01T00:00:00Z")),
    "year 1 east": (DECIDE, asked(as_of="0001-01-01T00:00:00+23:59")),
    "year 9999 west": (DECIDE, asked(as_of="9999-12-31T23:59:59-23:59")),
    "offset of 99 hours": (DECIDE, asked(as_of="2026-03-10T08:00:00+99:00")),
    "31 February": (DECIDE, asked(as_of="2026-02-31T08:00:00Z")),
    "far ahead": (DECIDE, asked(as_of="2199-01-01T00:00:00Z")),
    "window turned round": (DECIDE, asked(not_before="2026-03-12T00:00:00Z", not_after="2026-03-11T00:00:00Z")),
    "replace as text": (DECIDE, asked(replace="yes")),
    "quotes": (DECIDE, asked(debtor_id="'; DROP TABLE events; --", channels=["' OR 1=1"])),
    "no claim": (DECIDE, asked(claim_ids=[])),
    "a million claims": (DECIDE, asked(claim_ids=["c"] * 100_000)),
    "batch of text": ("/v1/next-best-actions", json.dumps({"requests": "s1"})),
    "batch missing": ("/v1/next-best-actions", "{}"),
}


def as_sent(body: str | bytes) -> bytes:
    """A body as it goes over the wire, halves of pairs and all."""
    return body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
