"""Situations for tests: one debtor whom every rule lets through, and random ones for property tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from hypothesis import strategies as st

from data.calendar import place_of
from data.situation import Made, OpenClaims, Points, Situation
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, to_day, to_us
from data.vocabulary import CHANNELS

MONDAY = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
PLACES = (
    ("SE", None, None),
    ("NO", None, None),
    ("DK", None, None),
    ("FI", None, None),
    ("DE", None, None),
    ("DE", "DE-BY", None),
    ("GB", None, None),
    ("GB", "GB-SCT", None),
    ("US", None, None),
    ("US", "US-TN", None),
    ("US", "US-AZ", "America/Phoenix"),
    ("BR", None, None),
    ("BR", "BR-SP", None),
    ("BR", "BR-AM", None),
    ("BR", "BR-RJ", None),
    ("FR", None, None),
    ("XX", None, None),
)
NIGHTS = (
    datetime(2026, 3, 28, 22, 10, tzinfo=UTC),  # clocks go forward in Europe
    datetime(2026, 10, 24, 23, 50, tzinfo=UTC),  # and back
    datetime(2026, 3, 8, 5, 0, tzinfo=UTC),  # forward in the United States
    datetime(2026, 11, 1, 4, 59, tzinfo=UTC),  # and back
    datetime(2028, 2, 28, 23, 30, tzinfo=UTC),  # before a leap day
    datetime(2026, 12, 23, 11, 0, tzinfo=UTC),  # before Christmas
    datetime(2026, 4, 1, 23, 59, tzinfo=UTC),  # before Easter
    datetime(2026, 6, 4, 22, 0, tzinfo=UTC),  # before 5 June
)


def points(*rows: tuple[int, str], known: bool = True, **columns: Any) -> Points:
    """Verified open-ended private points of (debtor, channel), other columns as given."""
    size = len(rows)
    base = Points(
        debtor=np.array([row[0] for row in rows], dtype=np.int64),
        channel=np.array([CHANNELS.index(row[1]) for row in rows], dtype=np.int16),
        valid_from_us=np.zeros(size, dtype=np.int64),
        valid_to_us=np.full(size, NEVER, dtype=np.int64),
        verified=np.ones(size, dtype=bool),
        withdrawn=np.zeros(size, dtype=bool),
        kind=np.zeros(size, dtype=np.int16),
        known=known,
    )
    return replace(base, **{name: np.array(values, getattr(base, name).dtype) for name, values in columns.items()})


def with_points(old: Points, new: Points) -> Points:
    """Both together."""
    names = ("debtor", "channel", "valid_from_us", "valid_to_us", "verified", "withdrawn", "kind")
    return replace(new, **{name: np.concatenate([getattr(old, name), getattr(new, name)]) for name in names})


def one_debtor(
    as_of: datetime = MONDAY, *, place: tuple[str, str | None, str | None] = PLACES[0], **changes: Any
) -> Situation:
    """A grown-up in Sweden with a verified point in every channel and one claim of 200 EUR, 20 days past due."""
    as_of_us = np.array([to_us(as_of)], dtype=np.int64)
    never = np.full(1, NEVER, dtype=np.int64)
    base = Situation(
        as_of_us=as_of_us,
        debtor_id=np.array(["d1"], dtype=object),
        places=(place_of(*place),),
        place=np.zeros(1, dtype=np.int64),
        birth_day=np.array([to_day(date(1980, 5, 17))], dtype=np.int32),
        blocked_us=never,
        cease_us=never,
        objected_us=never,
        stop_until_us=never,
        vulnerable=np.zeros(1, dtype=bool),
        opted_out=np.zeros((1, len(CHANNELS)), dtype=bool),
        wrong_person=np.zeros((1, len(CHANNELS)), dtype=bool),
        contacts=np.zeros(1, dtype=np.int64),
        last_contact_us=np.zeros(1, dtype=np.int64),
        last_sent_us=np.zeros(1, dtype=np.int64),
        talked_us=np.zeros(1, dtype=np.int64),
        clicked_us=np.zeros(1, dtype=np.int64),
        inbound_us=np.zeros(1, dtype=np.int64),
        paid_claims=np.zeros(1, dtype=np.int64),
        paid_late=np.zeros(1, dtype=np.int64),
        made=made(),
        points=points(*((0, name) for name in CHANNELS[1:])),
        claims=claims((0, 200.0, to_day(as_of.date()) - 20)),
    )
    return replace(base, **changes)


def claims(*rows: tuple[int, float, int], **columns: Any) -> OpenClaims:
    """Claims of (debtor, outstanding EUR, due day) that nothing holds, first written about long ago; other columns as given."""
    size = len(rows)
    base = OpenClaims(
        debtor=np.array([row[0] for row in rows], dtype=np.int64),
        outstanding_eur=np.array([row[1] for row in rows], dtype=np.float64),
        due_day=np.array([row[2] for row in rows], dtype=np.int32),
        stage=np.zeros(size, dtype=np.int16),
        disputed=np.zeros(size, dtype=bool),
        held=np.zeros(size, dtype=bool),
        on_plan=np.zeros(size, dtype=bool),
        promised_until_us=np.zeros(size, dtype=np.int64),
        stage_us=np.zeros(size, dtype=np.int64),
        next_due_day=np.full(size, NO_DAY, dtype=np.int32),
        first_sent_us=np.ones((size, len(CHANNELS)), dtype=np.int64),
        first_statutory_us=np.full(size, NEVER, dtype=np.int64),
        statutory_us=np.zeros(size, dtype=np.int64),
    )
    return replace(base, **{name: np.array(values, getattr(base, name).dtype) for name, values in columns.items()})


def made(*rows: tuple[int, str, int], links: tuple[tuple[int, int], ...] = (), **columns: Any) -> Made:
    """Contacts of (debtor, channel, time of sending), with links from rows here to rows of claims, no letter of the law's."""
    base = Made(
        debtor=np.array([row[0] for row in rows], dtype=np.int64),
        channel=np.array([CHANNELS.index(row[1]) for row in rows], dtype=np.int16),
        send_us=np.array([row[2] for row in rows], dtype=np.int64),
        statutory=np.zeros(len(rows), dtype=bool),
        link_contact=np.array([link[0] for link in links], dtype=np.int64),
        link_claim=np.array([link[1] for link in links], dtype=np.int64),
    )
    return replace(base, **{name: np.array(values, getattr(base, name).dtype) for name, values in columns.items()})


def channels(*names: str) -> np.ndarray[Any, Any]:
    """Flags by channel of one debtor, shape (1, channels)."""
    return np.array([[name in names for name in CHANNELS]])


def random_situation(rng: np.random.Generator, *, size: int, rare: float = 0.1) -> Situation:
    """Debtors all over, at nights and days that are hard on clocks; each hindrance with chance `rare`."""
    starts = np.array([to_us(night) for night in NIGHTS], dtype=np.int64)
    as_of_us = rng.choice(starts, size) + rng.integers(-30, 60, size) * HOUR_US + rng.integers(0, 2, size)
    near = as_of_us + rng.integers(-2, 5, size) * DAY_US + rng.integers(0, 24, size) * HOUR_US

    def seldom(values: Any, otherwise: int) -> Any:
        return np.where(rng.random(size) < rare, values, otherwise)

    teens = as_of_us // DAY_US - 18 * 365 - rng.integers(-40, 40, size)
    birth_day = np.where(rng.random(size) < rare, teens, rng.integers(-10_000, 12_000, size))
    open_claims = _random_claims(rng, as_of_us, rare)
    often = min(4 * rare, 0.6)
    paid = rng.integers(0, 5, size)
    return Situation(
        as_of_us=as_of_us,
        debtor_id=np.array([f"d{row}" for row in range(size)], dtype=object),
        places=tuple(place_of(*place) for place in PLACES),
        place=rng.integers(0, len(PLACES), size),
        birth_day=np.where(rng.random(size) < rare / 2, NO_DAY, birth_day).astype(np.int32),
        blocked_us=seldom(near, NEVER),
        cease_us=seldom(near, NEVER),
        objected_us=seldom(near, NEVER),
        stop_until_us=seldom(near, NEVER),
        vulnerable=rng.random(size) < rare,
        opted_out=rng.random((size, len(CHANNELS))) < rare,
        wrong_person=rng.random((size, len(CHANNELS))) < rare,
        contacts=rng.integers(0, 4, size),
        last_contact_us=np.where(rng.random(size) < 0.5, 0, as_of_us - rng.integers(0, 30, size) * DAY_US),
        last_sent_us=np.where(rng.random(size) < often, _recent(rng, as_of_us), 0),
        talked_us=np.where(rng.random(size) < often, _recent(rng, as_of_us, ahead_days=0), 0),
        clicked_us=np.where(rng.random(size) < often, _recent(rng, as_of_us, ahead_days=0), 0),
        inbound_us=np.where(rng.random(size) < often, _recent(rng, as_of_us, ahead_days=0), 0),
        paid_claims=paid,
        paid_late=rng.integers(0, paid + 1),
        made=_random_made(rng, as_of_us, open_claims, rare),
        points=_random_points(rng, as_of_us, rare),
        claims=open_claims,
    )


def _recent(rng: np.random.Generator, as_of_us: Any, *, ahead_days: int = 5) -> Any:
    """Instants from three weeks before to some days after `as_of`, many of them within an hour of a midnight."""
    at = as_of_us + rng.integers(-21 * 24, ahead_days * 24 + 1, len(as_of_us)) * HOUR_US
    near = at - at % DAY_US + rng.integers(-60, 61, len(as_of_us)) * (HOUR_US // 60)
    return np.minimum(np.where(rng.random(len(as_of_us)) < 0.3, near, at), as_of_us + ahead_days * DAY_US - 1)


def _random_made(rng: np.random.Generator, as_of_us: Any, open_claims: OpenClaims, rare: float) -> Made:
    """More contacts the more hindrances there are; each linked to some of the debtor's open claims."""
    debtor = np.sort(rng.integers(0, len(as_of_us), rng.binomial(8 * len(as_of_us), min(4 * rare, 0.6))))
    links = [
        (row, claim)
        for row, owner in enumerate(debtor.tolist())
        for claim in np.flatnonzero(open_claims.debtor == owner).tolist()
        if rng.random() < 0.7
    ]
    return Made(
        debtor=debtor,
        channel=rng.integers(1, len(CHANNELS), len(debtor)).astype(np.int16),
        send_us=_recent(rng, as_of_us[debtor]),
        statutory=rng.random(len(debtor)) < 0.1,
        link_contact=np.array([row for row, _ in links], dtype=np.int64),
        link_claim=np.array([claim for _, claim in links], dtype=np.int64),
    )


def _random_points(rng: np.random.Generator, as_of_us: Any, rare: float) -> Points:
    count = 6 * len(as_of_us)
    debtor = rng.integers(0, len(as_of_us), count)
    ends = as_of_us[debtor] + rng.integers(-1, 5, count) * DAY_US + rng.integers(0, 24, count) * HOUR_US
    return Points(
        debtor=debtor,
        channel=rng.integers(1, len(CHANNELS), count).astype(np.int16),
        valid_from_us=as_of_us[debtor] - rng.integers(0, 100, count) * DAY_US,
        valid_to_us=np.where(rng.random(count) < 2 * rare, ends, NEVER),
        verified=rng.random(count) > rare,
        withdrawn=rng.random(count) < rare,
        kind=np.where(rng.random(count) < 3 * rare, rng.choice([-1, -1, -1, 0, 1, 2, 3], count), 0).astype(np.int16),
        known=bool(rng.random() > rare / 2),
    )


def _random_claims(rng: np.random.Generator, as_of_us: Any, rare: float) -> OpenClaims:
    count = 2 * len(as_of_us)
    debtor = np.sort(rng.integers(0, len(as_of_us), count))
    midnight_us = as_of_us[debtor] - as_of_us[debtor] % DAY_US
    return OpenClaims(
        debtor=debtor,
        outstanding_eur=np.where(rng.random(count) < rare / 2, 0.0, rng.exponential(200.0, count)),
        due_day=(as_of_us[debtor] // DAY_US - rng.integers(-40, 500, count)).astype(np.int32),
        stage=np.where(rng.random(count) < rare / 2, -1, rng.integers(0, 5, count)).astype(np.int16),
        disputed=rng.random(count) < rare,
        held=rng.random(count) < rare,
        on_plan=rng.random(count) < rare,
        promised_until_us=np.where(rng.random(count) < rare, midnight_us + rng.integers(-1, 5, count) * DAY_US, 0),
        **_random_course(rng, as_of_us[debtor], rare),
    )


def _random_course(rng: np.random.Generator, as_of_us: Any, rare: float) -> dict[str, Any]:
    """Beginnings of stages, dates until which they run, and what was written about each claim when."""
    count = len(as_of_us)
    first = np.where(rng.random((count, len(CHANNELS))) < 0.5, NEVER, _recent(rng, as_of_us)[:, None])
    letter = np.where(rng.random(count) < rare, _recent(rng, as_of_us), 0)
    until = as_of_us // DAY_US + rng.integers(-3, 9, count)
    return {
        "stage_us": np.where(rng.random(count) < 3 * rare, _recent(rng, as_of_us, ahead_days=0), 1),
        "next_due_day": np.where(rng.random(count) < rare, until, NO_DAY).astype(np.int32),
        "first_sent_us": np.where(rng.random(count) < 3 * rare, first.T, 1).T,
        "first_statutory_us": np.where(letter > 0, letter, NEVER),
        "statutory_us": letter,
    }


def situations(*, size: int = 3) -> st.SearchStrategy[Situation]:
    """Random situations of `size` debtors, from quiet to full of hindrances."""
    return st.builds(
        lambda seed, rare: random_situation(np.random.default_rng(seed), size=size, rare=rare),
        st.integers(0, 2**32 - 1),
        st.sampled_from([0.0, 0.02, 0.1, 0.3]),
    )
