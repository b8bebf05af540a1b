"""A made-up portfolio of a year, by which experiments are planned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from data.portfolio import Portfolio
from data.times import to_us
from tests.training.reports.worlds import table_of

END = datetime(2026, 3, 1, 18, tzinfo=UTC)
END_US = to_us(END)


def before(days: float) -> datetime:
    """So many days before the end of the data."""
    return END - timedelta(days=days)


def claim(number: int, registered: float, *, closed: float | None = None, debtor: int | None = None) -> dict[str, Any]:
    """A claim registered, and closed, so many days before the end."""
    return {
        "claim_id": f"c{number}",
        "debtor_id": f"d{number if debtor is None else debtor}",
        "creditor_id": "k",
        "sector": "telecom",
        "currency": "EUR",
        "principal": Decimal("200.00"),
        "due_on": before(registered + 30).date(),
        "registered_at": before(registered),
        "closed_at": None if closed is None else before(closed),
    }


def payment(number: int, days: float, amount: float, *, debtor: int | None = None) -> dict[str, Any]:
    """A payment on a claim so many days before the end."""
    who = number if debtor is None else debtor
    row = {"payment_id": f"p{number}-{days:.6f}", "claim_id": f"c{number}", "debtor_id": f"d{who}"}
    return row | {"paid_at": before(days), "amount": Decimal(f"{amount:.2f}"), "currency": "EUR"}


def portfolio(
    claims: list[dict[str, Any]], payments: list[dict[str, Any]], *, debtors: dict[str, dict[str, Any]] | None = None
) -> Portfolio:
    """A portfolio of these rows; `debtors` gives more columns of some."""
    named = sorted({row["debtor_id"] for row in claims})
    people = [{"debtor_id": one, "country": "SE", "registered_at": before(400)} for one in named]
    people = [row | (debtors or {}).get(row["debtor_id"], {}) for row in people]
    tables = {"debtors": people, "claims": claims, "payments": payments}
    return Portfolio.from_tables({name: table_of(name, rows) for name, rows in tables.items()}, checked=False)


def year(debtors: int, *, seed: int = 1) -> Portfolio:
    """Debtors who come in evenly over a year, pay now and then, those who paid before more often."""
    rng = np.random.default_rng(seed)
    claims, payments = [], []
    for number in range(debtors):
        registered, often = float(rng.uniform(1, 365)), rng.random() < 0.2
        claims.append(claim(number, registered, closed=max(0.5, registered - 200) if registered > 210 else None))
        days = rng.uniform(max(0.0, registered - 190), registered, rng.poisson(25 if often else 1)).tolist()
        payments += [payment(number, day, float(rng.lognormal(3, 0.6))) for day in days]
    return portfolio(claims, payments)
