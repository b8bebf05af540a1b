"""A portfolio without any fault, large enough for shares to mean something, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from data.schemas import SCHEMAS

Row = dict[str, Any]
Tables = dict[str, pa.Table]

START = datetime(2025, 3, 3, tzinfo=UTC)
DAYS = 200
PLACES = (("SE", "Europe/Stockholm"), ("DE", "Europe/Berlin"), ("FI", "Europe/Helsinki"), ("GB", "Europe/London"))
CHANNELS = ("none", "sms", "email", "phone")
DEBTORS = 480


def local(day: int, zone: str, hour: float) -> datetime:
    """A day of the portfolio at an hour of a zone's clock, as UTC."""
    date = (START + timedelta(days=day)).date()
    midnight = datetime(date.year, date.month, date.day, tzinfo=ZoneInfo(zone))
    return (midnight + timedelta(seconds=round(hour * 3600))).astimezone(UTC)


def made_tables(seed: int = 1, *, debtors: int = DEBTORS) -> Tables:
    """All tables; every debtor has one claim, a decision every fourteen days and at most one payment."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for number in range(debtors):
        country, zone = PLACES[number % len(PLACES)]
        begins = int(rng.integers(0, DAYS - 20))
        _person(rows, number, country=country, begins=begins, rng=rng)
        for turn, day in enumerate(range(begins + int(rng.integers(1, 14)), DAYS, 14)):
            _contact(rows, f"k{number}-{turn}", number, zone=zone, day=day, rng=rng)
        if rng.random() < 0.6:
            _payment(rows, number, day=int(rng.integers(begins + 1, DAYS)), zone=zone, rng=rng)
    return {name: pa.Table.from_pylist(rows[name], schema=schema.arrow) for name, schema in SCHEMAS.items()}


def _person(rows: dict[str, list[Row]], number: int, *, country: str, begins: int, rng: np.random.Generator) -> None:
    debtor, claim, at = f"d{number}", f"c{number}", START + timedelta(days=begins, hours=3)
    base: Row = {"debtor_id": debtor, "valid_from": at}
    rows["debtors"].append({"debtor_id": debtor, "country": country, "registered_at": at})
    rows["debtor_profiles"].append({**base, "income_band": str(rng.choice(["low", "middle"]))})
    rows["contact_points"].append({**base, "channel": "sms", "verified": True, "consent": "given"})
    rows["claims"].append(
        {"claim_id": claim, "debtor_id": debtor, "creditor_id": "k", "sector": "energy", "registered_at": at}
        | {"principal": Decimal(100 + number), "currency": "EUR", "due_on": at.date()}
    )
    rows["claim_events"].append(
        {"event_id": f"s{number}", "claim_id": claim, "at": at, "kind": "stage", "stage": "reminder"}
    )


def _contact(
    rows: dict[str, list[Row]], contact: str, number: int, *, zone: str, day: int, rng: np.random.Generator
) -> None:
    channel = CHANNELS[int(rng.choice(4, p=[0.2, 0.3, 0.25, 0.25]))]
    decided = START + timedelta(days=day, hours=4, minutes=30)
    send = None if channel == "none" else local(day, zone, float(rng.choice([9, 10, 11, 13, 14, 16, 18])))
    rows["contacts"].append(
        {"contact_id": contact, "debtor_id": f"d{number}", "claim_id": f"c{number}", "decided_at": decided}
        | {"channel": channel, "send_at": send, "policy": "drawn" if number % 5 else "rules"}
        | {"action_probability": 0.2 if number % 5 else 1.0}
    )
    if send is None:
        return
    rows["contact_events"].append(_event(contact, "sent", send + timedelta(seconds=2)))
    if channel in ("sms", "email"):
        rows["contact_events"].append(_event(contact, "delivered", send + timedelta(seconds=30)))
        if channel == "email" and rng.random() < 0.6:
            rows["contact_events"].append(
                _event(contact, "opened", send + timedelta(minutes=float(rng.uniform(2, 600))))
            )
    elif rng.random() < 0.5:
        rows["contact_events"].append(_event(contact, "answered", send + timedelta(minutes=float(rng.uniform(0, 50)))))


def _event(contact: str, kind: str, at: datetime) -> Row:
    return {"event_id": f"{contact}-{kind}", "contact_id": contact, "at": at, "kind": kind}


def _payment(rows: dict[str, list[Row]], number: int, *, day: int, zone: str, rng: np.random.Generator) -> None:
    hour = float(np.clip(rng.normal(15, 3.5), 6.5, 22.5))
    at = local(day, zone, hour)
    rows["payments"].append(
        {"payment_id": f"p{number}", "claim_id": f"c{number}", "debtor_id": f"d{number}", "paid_at": at}
        | {"amount": Decimal(50), "currency": "EUR", "known_at": at + timedelta(days=float(rng.uniform(0.2, 2)))}
    )


Change = Callable[[Row], Row | None]


def changed(tables: Tables, name: str, change: Change) -> Tables:
    """Tables with every row of one of them changed, or left out where `change` gives None."""
    rows = [new for row in tables[name].to_pylist() if (new := change(dict(row))) is not None]
    return {**tables, name: pa.Table.from_pylist(rows, schema=tables[name].schema)}


def with_rows(tables: Tables, name: str, rows: list[Row]) -> Tables:
    """Tables with rows added to one of them."""
    return {**tables, name: pa.concat_tables([tables[name], pa.Table.from_pylist(rows, schema=tables[name].schema)])}
