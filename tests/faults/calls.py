"""Calls over a real connection, kept open: the answer, or nothing where the line broke."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

SILENT_S = 3.0
"""A line unused for so long is not used again: the service closes one after five seconds."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body read as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Caller:
    """One caller with its own connection and key; not for several threads."""

    def __init__(self, port: int, key: str | None, *, timeout_s: float = 30.0) -> None:
        self.port = port
        self._key = key
        self._timeout_s = timeout_s
        self._line: http.client.HTTPConnection | None = None
        self._used_s = 0.0

    def post(self, path: str, body: object = None, *, once: str | None = None) -> Answer | None:
        """The answer to a POST; None where none came."""
        headers = {} if once is None else {"Idempotency-Key": once}
        data = None if body is None else json.dumps(body).encode()
        return self.send("POST", path, data, {"Content-Type": "application/json", **headers})

    def get(self, path: str) -> Answer | None:
        """The answer to a GET."""
        return self.send("GET", path, None, {})

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer | None:
        """The answer to any request."""
        if time.monotonic() - self._used_s > SILENT_S:
            self.close()
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self._timeout_s)
        signed = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        try:
            self._line.request(method, path, body, {**signed, **headers})
            answer = self._line.getresponse()
            found = Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        self._used_s = time.monotonic()
        if found.headers.get("connection") == "close":
            self.close()
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connection up; the next call opens another."""
        if self._line is not None:
            self._line.close()
            self._line = None


def decide(debtor_id: str, **more: object) -> tuple[str, dict[str, object]]:
    """Path and body of a question."""
    return "/v1/next-best-action", {"debtor_id": debtor_id, **more}


def payment(event_id: str, debtor_id: str, claim_id: str, **more: object) -> tuple[str, dict[str, object]]:
    """Path and body of a payment told."""
    row = {"payment_id": event_id, "claim_id": claim_id, "debtor_id": debtor_id, "paid_at": "2026-03-01T00:00:00Z"}
    row |= {"amount": "1.00", "currency": "SEK"}
    return "/v1/events", {"event_id": event_id, "table": "payments", "row": {**row, **more}}
