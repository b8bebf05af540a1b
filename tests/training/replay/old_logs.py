"""Old logs for tests: a portfolio without its decisions for none and its probabilities, and a small world in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.portfolio import Portfolio
from tests.portfolios import portfolio_of
from tests.samples import rows_to_table
from training.logged.chances import ChanceSettings
from training.logged.effect import EffectSettings
from training.logged.multinomial import FitSettings
from training.replay.over_none import ODDS_RATIOS
from training.replay.report import ReplaySettings

NAMES = ("debtors", "claims", "contact_points", "claim_events", "contact_events", "payments", "debtor_profiles")
BEGIN = datetime(2025, 1, 6, 9, tzinfo=UTC)
FIT = FitSettings(folds=2, most_rounds=10, column_share=0.1, threads=1)
QUICK = ReplaySettings(
    chances=ChanceSettings(FIT),
    effect=EffectSettings(FIT, outcome_rounds=8, odds_ratios=ODDS_RATIOS),
    most_by_part=400,
)


def with_contacts(portfolio: Portfolio, contacts: pa.Table) -> Portfolio:
    return portfolio_of({**{name: portfolio[name] for name in NAMES}, "contacts": contacts})


def old_log(portfolio: Portfolio) -> Portfolio:
    """The same portfolio as an old system would have kept it: contacts alone, no probability."""
    contacts = portfolio["contacts"].filter(pc.not_equal(portfolio["contacts"]["channel"], "none"))
    place = contacts.schema.get_field_index("action_probability")
    return with_contacts(
        portfolio, contacts.set_column(place, "action_probability", pa.nulls(len(contacts), pa.float64()))
    )


def written(portfolio: Portfolio, folder: Path) -> Path:
    folder.mkdir()
    for name in (*NAMES, "contacts"):
        pq.write_table(portfolio[name], folder / f"{name}.parquet")
    return folder


def day(number: int, *, hour: int = 0) -> datetime:
    return BEGIN + timedelta(days=number, hours=hour)


def small_world(
    contacted: dict[str, list[int]],
    *,
    events: list[dict[str, Any]] | None = None,
    payments: list[dict[str, Any]] | None = None,
    claims: dict[str, dict[str, Any]] | None = None,
    channel: str = "letter",
) -> dict[str, pa.Table]:
    """Tables of debtors with one claim each from day 0 on, contacted on these days at 09:00 UTC.

    `claims` are columns of a debtor's claim: debtor to columns.
    """
    debtors = [{"debtor_id": one, "country": "SE", "registered_at": day(-30)} for one in contacted]
    owed = [
        {
            "claim_id": f"c-{one}", "debtor_id": one, "creditor_id": "k", "sector": "energy",
            "principal": Decimal("100.00"), "currency": "SEK", "due_on": day(-10).date(), "registered_at": day(0),
            **(claims or {}).get(one, {}),
        }
        for one in contacted
    ]  # fmt: skip
    made = [
        {
            "contact_id": f"{one}-{number}", "debtor_id": one, "claim_id": f"c-{one}", "decided_at": day(number),
            "channel": channel, "send_at": day(number, hour=2), "policy": "old",
        }
        for one, days in contacted.items()
        for number in days
    ]  # fmt: skip
    return {
        "debtors": rows_to_table("debtors", debtors),
        "claims": rows_to_table("claims", owed),
        "claim_events": rows_to_table("claim_events", events or []),
        "contacts": rows_to_table("contacts", made),
        "payments": rows_to_table("payments", payments or []),
    }


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
