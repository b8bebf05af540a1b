"""Random but lawful tables, for tests that must hold on any portfolio."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_CHANNELS, CONTACT_EVENT_KINDS, STAGES
from tests.samples import rows_to_table

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 400
COUNTRIES = (("SE", "SEK"), ("NO", "NOK"), ("DE", "EUR"), ("US", "USD"))

Row = dict[str, Any]


def random_tables(seed: int, *, debtors: int = 12) -> dict[str, pa.Table]:
    """Every table of the contract for a few debtors with busy histories; the same for the same seed."""
    rng = np.random.default_rng(seed)
    people = [_debtor(rng, number) for number in range(debtors)]
    claims = [claim for person in people for claim in _claims(rng, person)]
    contacts = [row for person in people for row in _contacts(rng, person, claims)]
    rows: dict[str, list[Row]] = {
        "debtors": people,
        "debtor_profiles": [_profile(rng, person) for person in people],
        "contact_points": [point for person in people for point in _points(rng, person)],
        "claims": claims,
        "claim_events": [event for claim in claims for event in _claim_events(rng, claim)],
        "contacts": contacts,
        "contact_events": _contact_events(rng, contacts),
        "payments": [payment for claim in claims for payment in _payments(rng, claim, contacts)],
    }
    return {name: rows_to_table(name, found) for name, found in rows.items() if found}


def _moment(rng: np.random.Generator, *, after: datetime = START) -> datetime:
    room = (START + timedelta(days=DAYS) - after) / timedelta(minutes=1)
    return after + timedelta(minutes=int(rng.integers(1, max(int(room), 2))))


def _maybe(rng: np.random.Generator, value: object, chance: float) -> Any:
    return value if rng.random() < chance else None


def _late(rng: np.random.Generator, at: datetime) -> datetime | None:
    return _maybe(rng, at + timedelta(hours=int(rng.integers(0, 200))), 0.4)


def _debtor(rng: np.random.Generator, number: int) -> Row:
    country = COUNTRIES[int(rng.integers(len(COUNTRIES)))][0]
    born = date(1940, 1, 1) + timedelta(days=int(rng.integers(0, 30_000)))
    return {
        "debtor_id": f"d{number:03}",
        "country": country,
        "region": "US-CA" if country == "US" else None,
        "birth_date": _maybe(rng, born, 0.9),
        "registered_at": START - timedelta(days=int(rng.integers(1, 300))),
        "blocked_at": _maybe(rng, _moment(rng), 0.1),
        "objected_at": _maybe(rng, _moment(rng), 0.1),
        "stop_until": _maybe(rng, _moment(rng), 0.1),
    }


def _profile(rng: np.random.Generator, person: Row) -> Row:
    return {
        "debtor_id": person["debtor_id"],
        "valid_from": _moment(rng),
        "income_band": _maybe(rng, "low", 0.7),
        "employment": _maybe(rng, "student", 0.7),
        "other_debts": _maybe(rng, int(rng.integers(0, 9)), 0.7),
    }


def _points(rng: np.random.Generator, person: Row) -> list[Row]:
    return [
        {
            "debtor_id": person["debtor_id"],
            "channel": channel,
            "valid_from": START - timedelta(days=10),
            "valid_to": _maybe(rng, _moment(rng), 0.2),
            "verified": bool(rng.random() < 0.8),
            "verified_at": _maybe(rng, _moment(rng), 0.2),
            "consent": "withdrawn" if rng.random() < 0.1 else "given",
            "kind": _maybe(rng, "private", 0.8),
        }
        for channel in CONTACT_CHANNELS
        if rng.random() < 0.7
    ]


def _claims(rng: np.random.Generator, person: Row) -> list[Row]:
    found = []
    for number in range(int(rng.integers(1, 5))):
        registered = _moment(rng)
        closed = _maybe(rng, _moment(rng, after=registered), 0.4)
        found.append(
            {
                "claim_id": f"{person['debtor_id']}-c{number}",
                "debtor_id": person["debtor_id"],
                "creditor_id": "k1",
                "sector": str(rng.choice(["energy", "telecom"])),
                "principal": Decimal(int(rng.integers(100, 100_000))) / 100,
                "currency": dict(COUNTRIES)[person["country"]],
                "due_on": (registered - timedelta(days=int(rng.integers(-10, 60)))).date(),
                "registered_at": registered,
                "closed_at": closed,
                "close_reason": ("paid" if rng.random() < 0.6 else "withdrawn") if closed else None,
            }
        )
    return found


def _claim_events(rng: np.random.Generator, claim: Row) -> list[Row]:
    found = []
    for number in range(int(rng.integers(0, 6))):
        kind, at = str(rng.choice(CLAIM_EVENT_KINDS)), _moment(rng, after=claim["registered_at"])
        found.append(
            {
                "event_id": f"{claim['claim_id']}-e{number}",
                "claim_id": claim["claim_id"],
                "at": at,
                "kind": kind,
                "stage": str(rng.choice(STAGES)) if kind == "stage" else None,
                "next_due_on": _maybe(rng, at.date() + timedelta(days=14), 0.5),
                "known_at": _late(rng, at),
            }
        )
    return found


def _contacts(rng: np.random.Generator, person: Row, claims: list[Row]) -> list[Row]:
    mine = [claim for claim in claims if claim["debtor_id"] == person["debtor_id"]]
    found = []
    for number in range(int(rng.integers(0, 15))):
        first = mine[int(rng.integers(len(mine)))]
        decided = _moment(rng, after=first["registered_at"])
        channel = str(rng.choice(("none", *CONTACT_CHANNELS)))
        sent = None if channel == "none" else decided + timedelta(hours=int(rng.integers(1, 120)))
        found += [
            {
                "contact_id": f"{person['debtor_id']}-s{number}",
                "debtor_id": person["debtor_id"],
                "claim_id": claim["claim_id"],
                "decided_at": decided,
                "channel": channel,
                "send_at": sent,
                "policy": str(rng.choice(["incumbent", "random"])),
                "action_probability": _maybe(rng, float(rng.uniform(0.01, 1.0)), 0.7),
            }
            for claim in mine
            if claim["registered_at"] <= decided
        ]
    return found


def _contact_events(rng: np.random.Generator, contacts: list[Row]) -> list[Row]:
    sent = {row["contact_id"]: row for row in contacts if row["send_at"] is not None}
    found = []
    for contact_id, row in sent.items():
        for number in range(int(rng.integers(0, 5))):
            at = row["send_at"] + timedelta(minutes=int(rng.integers(0, 10_000)))
            kind = str(rng.choice(CONTACT_EVENT_KINDS))
            promised = at.date() + timedelta(days=int(rng.integers(1, 30))) if kind == "promised" else None
            promised = None if promised and promised.day % 5 == 0 else promised  # some name no day
            found.append(
                {
                    "event_id": f"{contact_id}-v{number}",
                    "contact_id": contact_id,
                    "at": at,
                    "kind": kind,
                    "promised_for": promised,
                    "known_at": _late(rng, at),
                }
            )
    return found


def _payments(rng: np.random.Generator, claim: Row, contacts: list[Row]) -> list[Row]:
    through = [row["contact_id"] for row in contacts if row["claim_id"] == claim["claim_id"]]
    found = []
    for number in range(int(rng.integers(0, 4))):
        paid = _moment(rng, after=claim["registered_at"])
        found.append(
            {
                "payment_id": f"{claim['claim_id']}-p{number}",
                "claim_id": claim["claim_id"],
                "debtor_id": claim["debtor_id"],
                "paid_at": paid,
                "amount": Decimal(int(rng.integers(1, 20_000))) / 100,
                "currency": claim["currency"],
                "contact_id": _maybe(rng, str(rng.choice(through)), 0.5) if through else None,
                "reversed_at": _maybe(rng, paid + timedelta(days=int(rng.integers(1, 40))), 0.1),
                "known_at": _late(rng, paid),
            }
        )
    return found
