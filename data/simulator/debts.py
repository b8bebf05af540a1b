"""Claims: who owes what to whom since when, and where each stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.config import MoneySettings
from data.simulator.countries import COUNTRIES
from data.simulator.draws import pick, pick_by
from data.simulator.people import People
from data.simulator.sectors import SECTORS
from data.simulator.settings import MONTH_DAYS, SimulationSettings
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, NEVER, DayArray, IntArray

RING = 4
"""Contacts whose effect on a claim may still be going on."""

MOST_CLAIMS = 25
STAGE_FROM_DAYS = (-999, 1, 18, 40, 130)
"""Days past due at which each stage begins, give or take the creditor's habit."""


@dataclass(frozen=True)
class Claims:
    """Claims of a chunk by debtor and registration, shape (m,) each unless said otherwise.

    All of the last two blocks is IN/OUT of the rounds.

    Attributes
    ----------
    debtor, ordinal
        Row in `People`, and the claim's number among that debtor's.
    principal_cents, rate
        In the debtor's currency, and EUR for one unit of it.
    habit_days
        By how much the creditor is later than `STAGE_FROM_DAYS`.
    steady
        Factor on payment by itself that nobody sees.
    paid_cents
        Received for good, known or not.
    unknown_cents, unknown_until_us
        The part of it that the tenant does not know of before then.
    undone_cents, undone_us
        Received besides, and taken back then.
    settled_us, closed_us
        Nothing can be paid any more from then on; and known as closed from then on.
    quiet_until_us
        No payment before then: one was just made.
    plan_next_us, plan_cents, plan_left
        Next instalment, its size, and how many are left.
    effect, arrives_us, quick, loss, through, via
        Contacts at work on the claim, newest first, (m, RING): mass, arrival, quick share, share of payment by
        itself that is lost, number of the contact (-1 for none), channel.
    """

    debtor: IntArray
    ordinal: IntArray
    sector: CodeArray
    creditor: CodeArray
    principal_cents: IntArray
    rate: FloatArray
    due_day: DayArray
    registered_us: IntArray
    habit_days: IntArray
    steady: FloatArray

    stage: CodeArray
    disputed: BoolArray
    held: BoolArray
    on_plan: BoolArray
    paid_cents: IntArray
    unknown_cents: IntArray
    unknown_until_us: IntArray
    undone_cents: IntArray
    undone_us: IntArray
    settled_us: IntArray
    closed_us: IntArray
    close_reason: CodeArray
    quiet_until_us: IntArray
    plan_next_us: IntArray
    plan_cents: IntArray
    plan_left: IntArray

    effect: FloatArray
    arrives_us: IntArray
    quick: FloatArray
    loss: FloatArray
    through: IntArray
    via: CodeArray

    @property
    def size(self) -> int:
        """Number of claims m."""
        return len(self.debtor)


def draw_claims(
    people: People, *, settings: SimulationSettings, rates: MoneySettings, rng: np.random.Generator
) -> Claims:
    """Claims registered at any time of the portfolio, at least one for each debtor."""
    counts = _counts(people.size, settings=settings, rng=rng)
    debtor = np.repeat(np.arange(people.size), counts)
    size = len(debtor)
    registered = _registered(size, settings=settings, rng=rng)
    order = np.lexsort((registered, debtor))
    registered = registered[order]
    starts = np.cumsum(counts) - counts
    sector = pick(rng, size, shares=[one.share for one in SECTORS])
    creditor = pick_by(rng, sector, shares=[[1.0 / (2 + n) for n in range(one.creditors)] for one in SECTORS])
    rate, cents = _amounts(rng, people.country[debtor], sector=sector, rates=rates, day=settings.until_us // DAY_US)
    due_day = (registered // DAY_US - _age_days(rng, sector, creditor=creditor)).astype(np.int32)
    np.minimum.at(people.registered_us, debtor, registered - rng.integers(60, 3_600, size) * 1_000_000)
    return Claims(
        debtor=debtor,
        ordinal=np.arange(size) - np.repeat(starts, counts),
        sector=sector,
        creditor=creditor,
        principal_cents=cents,
        rate=rate,
        due_day=due_day,
        registered_us=registered,
        habit_days=(creditor.astype(np.int64) * 3) % 7 - 2,
        steady=np.exp(rng.normal(-0.03, 0.25, size)),
        **_untouched(size),
    )


def _untouched(size: int) -> dict[str, Any]:
    """State of claims on which nothing has happened."""
    state: dict[str, Any] = {name: np.zeros(size, np.bool_) for name in ("disputed", "held", "on_plan")}
    zeros = (
        "paid_cents",
        "unknown_cents",
        "unknown_until_us",
        "undone_cents",
        "undone_us",
        "quiet_until_us",
        "plan_cents",
        "plan_left",
    )
    state |= {name: np.zeros(size, np.int64) for name in zeros}
    state |= {name: np.full(size, NEVER) for name in ("settled_us", "closed_us", "plan_next_us")}
    state |= {name: np.full(size, -1, np.int16) for name in ("stage", "close_reason")}
    state |= {name: np.zeros((size, RING)) for name in ("effect", "quick", "loss")}
    state["arrives_us"] = np.full((size, RING), NEVER // 4)
    state["through"] = np.full((size, RING), -1)
    state["via"] = np.zeros((size, RING), np.int16)
    return state


def _counts(size: int, *, settings: SimulationSettings, rng: np.random.Generator) -> IntArray:
    more = max(settings.claims * settings.months * MONTH_DAYS / 365.25 - 1.0, 0.1)
    counts: IntArray = 1 + np.minimum(rng.poisson(rng.gamma(0.75, more / 0.75, size)), MOST_CLAIMS - 1)
    return counts


def _registered(size: int, *, settings: SimulationSettings, rng: np.random.Generator) -> IntArray:
    """Instants in office hours of weekdays, shape (size,), inside the portfolio."""
    first, last = settings.start_us // DAY_US, settings.until_us // DAY_US
    day = rng.integers(first, last, size)
    day -= np.maximum((day + 3) % 7 - 4, 0)  # day 0 was a Thursday
    return np.maximum(day, first + 1) * DAY_US + rng.integers(7 * HOUR_US, 16 * HOUR_US, size)


def _amounts(
    rng: np.random.Generator, country: CodeArray, *, sector: CodeArray, rates: MoneySettings, day: int
) -> tuple[FloatArray, IntArray]:
    """EUR for a unit of each claim's currency, and its principal in hundredths of that unit."""
    rate = np.array([rates.on(one.currency, day).amount for one in COUNTRIES])[country]
    median = np.array([one.median_eur for one in SECTORS])[sector]
    spread = np.array([one.spread for one in SECTORS])[sector]
    poorer = np.where(country == len(COUNTRIES) - 1, 0.5, 1.0)
    eur = np.clip(median * poorer * np.exp(spread * rng.normal(0, 1, len(country))), 8.0, 25_000.0)
    units = eur / rate
    whole = rng.random(len(country)) < 0.4
    cents = np.where(whole, np.ceil(units) * 100, np.round(units * 100))
    return rate, cents.astype(np.int64)


def _age_days(rng: np.random.Generator, sector: CodeArray, *, creditor: CodeArray) -> IntArray:
    """Days past due at registration; below 0 for a preventive reminder. Each creditor has its own custom."""
    size = len(sector)
    early = rng.random(size) < np.array([one.early for one in SECTORS])[sector]
    custom = (creditor.astype(np.int64) + sector) % 4
    kind = pick_by(rng, custom, shares=((0.8, 0.15, 0.05), (0.5, 0.4, 0.1), (0.2, 0.6, 0.2), (0.1, 0.3, 0.6)))
    late = np.choose(kind, [rng.integers(4, 15, size), rng.integers(18, 36, size), rng.integers(42, 95, size)])
    return np.where(early, -rng.integers(5, 14, size), late)


def outstanding_cents(claims: Claims, rows: IntArray) -> IntArray:
    """What is really still owed on some claims, shape (k,)."""
    return claims.principal_cents[rows] - claims.paid_cents[rows]


def known_outstanding_cents(claims: Claims, rows: IntArray, *, at_us: IntArray) -> IntArray:
    """What the tenant believes to be owed at an instant each, shape (k,)."""
    unknown = np.where(claims.unknown_until_us[rows] >= at_us, claims.unknown_cents[rows], 0)
    not_yet_undone = np.where(claims.undone_us[rows] >= at_us, claims.undone_cents[rows], 0)
    return outstanding_cents(claims, rows) + unknown - not_yet_undone
