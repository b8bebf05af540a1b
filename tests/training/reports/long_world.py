"""A made-up experiment of some weeks: debtors of several creditors and countries enter day by day, into drawn arms."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from data.config import ArmSettings, Config
from data.times import to_us
from data.vocabulary import ARMS, SEGMENTS
from tests.training.reports.worlds import at, contact, decision, event, log_of, payment, portfolio_of
from training.reports.facts import Facts, facts_of

SHARES = {"control": 0.3, "explore": 0.2, "champion": 0.5, "challenger": 0.0}
CONFIG = Config(arms=ArmSettings(control=0.3, explore=0.2, champion=0.5))
DRAWN = {"none": 0.5, "sms": 0.25, "email": 0.25}
CREDITORS = ("big", "other", "tiny")


def long_world(
    *, debtors: int, rng: np.random.Generator, effect: float = 0.0, lift: float = 0.0, days: int = 42, last: float = 60
) -> Facts:
    """Facts as of day `last`; `effect` is added to the champion's chance of payment, `lift` to that of who is contacted."""
    rows: list[dict[str, Any]] = []
    tables: dict[str, list[dict[str, Any]]] = {"payments": [], "contacts": [], "contact_events": [], "claims": []}
    people = []
    for number in range(debtors):
        debtor = f"d{number:05d}"
        country = "SE" if rng.random() < 0.7 else "NO"
        people.append({"debtor_id": debtor, "country": country, "registered_at": at(-99)})
        arm = str(rng.choice(ARMS, p=list(SHARES.values())))
        rows += _debtor(debtor, arm, day=int(rng.integers(0, days)), chances=(effect, lift), tables=tables, rng=rng)
    tables["payments"].append(payment(rows[0]["claim_id"], last, 1.0))
    log = log_of(rows)
    portfolio = portfolio_of(log, debtors=people, **tables)
    return facts_of(log, portfolio, config=CONFIG, workspace=Path("nowhere"), known_until_us=to_us(at(last)))


def _debtor(
    debtor: str,
    arm: str,
    *,
    day: int,
    chances: tuple[float, float],
    tables: dict[str, list[dict[str, Any]]],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """The debtor's rows of the log; what came of them goes into `tables`."""
    effect, lift = chances
    channel = str(rng.choice(list(DRAWN), p=list(DRAWN.values())))
    if arm != "explore" and rng.random() < 0.2:
        channel = "phone"
    send_at = None if channel == "none" else at(day) + timedelta(hours=int(rng.choice([13, 15, 22])))
    taste, more = float(rng.beta(2, 5)), effect * (arm == "champion") + lift * (channel != "none")
    size = int(rng.integers(1, 3))
    rows = []
    for place in range(size):
        claim = f"{debtor}/{place}"
        tables["claims"].append(_claim(debtor, claim, str(rng.choice(CREDITORS, p=[0.7, 0.295, 0.005]))))
        chance = float(np.clip(taste + more, 0, 1))
        extra = {"arm": arm, "arm_probability": SHARES[arm], "channel": channel, "send_at": send_at, "day": day}
        drawn = DRAWN[channel] if arm == "explore" else 1.0
        extra |= {"channel_probability": drawn, "action_probability": drawn, "explored": arm == "explore"}
        extra |= {"payment_probability": chance, "uplift": chance - taste, "segment": str(rng.choice(SEGMENTS))}
        rows.append(decision(debtor, claim, lead=place == 0, **extra))
        if channel != "none":
            tables["contacts"].append(contact(debtor, claim, day=day, channel=channel, send_at=send_at))
        if rng.random() < chance:
            tables["payments"].append(payment(claim, day + float(rng.uniform(0, 14)), float(rng.lognormal(4, 0.6))))
    if channel == "phone":
        kind = "answered" if rng.random() < 0.4 else "voicemail"
        tables["contact_events"].append(event(f"{debtor}-{day:g}", day + 1, kind))
    return rows


def _claim(debtor: str, claim: str, creditor: str) -> dict[str, Any]:
    fixed = {"sector": "telecom", "currency": "EUR", "registered_at": at(-99), "due_on": at(-60).date()}
    return {"debtor_id": debtor, "claim_id": claim, "creditor_id": creditor, "principal": Decimal("100.00"), **fixed}
