"""Small made-up worlds for the report: decisions of one evening and what came in after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from data.portfolio import Portfolio
from data.schemas import DECISIONS, SCHEMAS
from data.vocabulary import ARMS

EVENING = datetime(2026, 3, 1, 18, tzinfo=UTC)
SHARES = np.array([0.10, 0.05, 0.85, 0.0])


def at(day: float) -> datetime:
    return EVENING + timedelta(days=day)


def decision(debtor: str, claim: str, **more: Any) -> dict[str, Any]:
    """One row of the log; `day` counts from the evening, `channel` other than none is sent the next day at 9 UTC."""
    day = more.pop("day", 0.0)
    channel = more.get("channel", "none")
    row = dict.fromkeys(DECISIONS.names) | {
        "decision_id": f"{debtor}-{day:g}",
        "debtor_id": debtor,
        "claim_id": claim,
        "lead": True,
        "decided_at": at(day),
        "valid_until": at(day + 1),
        "channel": channel,
        "send_at": None if channel == "none" else at(day) + timedelta(hours=15),
        "payment_probability": 0.2,
        "uplift": 0.0,
        "expected_value": 0.0,
        "currency": "EUR",
        "action_probability": 1.0,
        "arm": "champion",
        "arm_probability": 0.85,
        "explored": False,
        "segment": "unknown",
        "model_version": "model-1",
        "policy_version": "policy-1",
        "rules_version": "rules-1",
        "blocked": [],
    }
    return row | more


def payment(claim: str, day: float, amount: float, **more: Any) -> dict[str, Any]:
    row = {"payment_id": f"{claim}-{day:.6f}", "claim_id": claim, "debtor_id": claim.split("/")[0], "paid_at": at(day)}
    return row | {"amount": Decimal(f"{amount:.2f}"), "currency": "EUR", "reversed_at": None, "known_at": None} | more


def contact(debtor: str, claim: str, **more: Any) -> dict[str, Any]:
    day = more.pop("day", 0.0)
    row = {"contact_id": f"{debtor}-{day:g}", "debtor_id": debtor, "claim_id": claim, "decided_at": at(day)}
    return row | {"channel": "sms", "send_at": at(day) + timedelta(hours=15), "policy": "rettid"} | more


def event(contact_id: str, day: float, kind: str) -> dict[str, Any]:
    return {"event_id": f"{contact_id}-{kind}", "contact_id": contact_id, "at": at(day), "kind": kind}


def log_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=DECISIONS.arrow)


def portfolio_of(decisions: pa.Table, **tables: list[dict[str, Any]]) -> Portfolio:
    """Portfolio of the debtors and claims decided on, in Sweden, with the rows given for other tables."""
    rows = {row["claim_id"]: row for row in decisions.select(["claim_id", "debtor_id"]).to_pylist()}
    debtors = [
        {"debtor_id": one, "country": "SE", "registered_at": at(-99)}
        for one in sorted({row["debtor_id"] for row in rows.values()})
    ]
    debtors = tables.pop("debtors", debtors)
    fixed = {
        "creditor_id": "k",
        "sector": "telecom",
        "currency": "EUR",
        "registered_at": at(-99),
        "due_on": at(-60).date(),
    }
    claims = [{**row, **fixed, "principal": Decimal("100.00")} for row in rows.values()]
    whole = {"debtors": debtors, "claims": claims, **tables}
    return Portfolio.from_tables({name: table_of(name, content) for name, content in whole.items()}, checked=False)


def table_of(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """A table of the contract; columns that a row leaves out are null."""
    schema = SCHEMAS[name].arrow
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema=schema)


def world(
    *, debtors: int, rng: np.random.Generator, effect: float = 0.0, shares: np.ndarray = SHARES, last_day: float = 28
) -> tuple[pa.Table, Portfolio]:
    """A log of one evening and a portfolio with what came after; `effect` is added to the champion's chance of payment."""
    rows, payments, contacts, events = [], [], [], []
    for number in range(debtors):
        debtor = f"d{number:06d}"
        arm = ARMS[int(rng.choice(4, p=shares))]
        weights = [0.3, 0.3, 0.2, 0.15, 0.05] if arm == "control" else [0.45, 0.25, 0.2, 0.05, 0.05]
        channel = str(rng.choice(["none", "sms", "email", "letter", "phone"], p=weights))
        send_at = (
            None if channel == "none" else at(int(rng.integers(1, 6))).replace(hour=int(rng.choice([7, 9, 11, 15, 17])))
        )
        if channel != "none":
            first = contact(debtor, f"{debtor}/0", channel=channel, send_at=send_at)
            contacts.append(first)
            kinds = ["answered"] if channel == "phone" and rng.random() < 0.4 else []
            kinds += [kind for kind, chance in (("opted_out", 0.01), ("complained", 0.004)) if rng.random() < chance]
            events += [event(first["contact_id"], 5, kind) for kind in kinds]
        taste = rng.beta(1.2, 5)
        for place in range(int(rng.integers(1, 4))):
            claim = f"{debtor}/{place}"
            chance = float(np.clip(taste + effect * (arm == "champion"), 0.01, 0.95))
            more = chance - float(np.clip(taste, 0.01, 0.95))
            extra = {"arm": arm, "arm_probability": float(shares[ARMS.index(arm)]), "payment_probability": chance}
            extra["uplift"] = more
            rows.append(decision(debtor, claim, lead=place == 0, channel=channel, send_at=send_at, **extra))
            if rng.random() < chance:
                payments.append(payment(claim, float(rng.uniform(0, 14)), float(rng.lognormal(4.2, 1.1))))
            elif rng.random() < 0.15:
                payments.append(payment(claim, float(rng.uniform(14, last_day)), float(rng.lognormal(4.2, 1.1))))
    rows.append(decision("last", "last/0", arm="control", arm_probability=0.1))
    payments.append(payment("last/0", last_day, 10.0))
    log = log_of(rows)
    return log, portfolio_of(log, payments=payments, contacts=contacts, contact_events=events)
