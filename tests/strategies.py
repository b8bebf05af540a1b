"""Random but lawful tables, for tests that must hold on any portfolio."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from data.vocabulary import (
    CLAIM_EVENT_KINDS,
    CLOSE_REASONS,
    CONSENTS,
    CONTACT_CHANNELS,
    CONTACT_EVENT_KINDS,
    EMPLOYMENTS,
    INCOME_BANDS,
    POINT_KINDS,
    STAGES,
)
from tests.samples import rows_to_table

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 400
DAY = timedelta(days=1)
COUNTRIES = (("SE", "SEK"), ("NO", "NOK"), ("DE", "EUR"), ("US", "USD"))
SECTORS = ("energy", "rent", "telecom")
CREDITORS = ("k1", "k2", "k3")
COMMON_EVENTS = ("delivered", "opened", "clicked", "answered", "promised")

Row = dict[str, Any]


def random_tables(seed: int, *, debtors: int = 12, unusual: bool = False) -> dict[str, pa.Table]:
    """Every table of the contract for a few debtors with busy histories; the same for the same seed.

    One in four moments is a midnight, so that facts of several tables happen at one instant, and at the `as_of` of a
    test that looks at midnight; some facts are known late, in another order than they happened in. `unusual` adds what
    few portfolios have: decisions known late, and debtors with a time zone of their own.
    """
    rng = np.random.default_rng(seed)
    odd = 1.0 if unusual else 0.0
    people = [_debtor(rng, number, odd=odd) for number in range(debtors)]
    claims = [claim for person in people for claim in _claims(rng, person)]
    contacts = [row for person in people for row in _contacts(rng, person, claims, odd=odd)]
    events = _contact_events(rng, contacts)
    habits = {person["debtor_id"]: int(rng.integers(1, 32)) for person in people}
    rows: dict[str, list[Row]] = {
        "debtors": people,
        "debtor_profiles": [profile for person in people for profile in _profiles(rng, person)],
        "contact_points": [point for person in people for point in _points(rng, person)],
        "claims": claims,
        "claim_events": [event for claim in claims for event in _claim_events(rng, claim)],
        "contacts": contacts,
        "contact_events": events,
        "payments": [
            payment
            for claim in claims
            for payment in _payments(rng, claim, contacts, events, habit=habits[claim["debtor_id"]])
        ],
    }
    return {name: rows_to_table(name, found) for name, found in rows.items() if found}


def _moment(rng: np.random.Generator, *, after: datetime = START) -> datetime:
    room = (START + timedelta(days=DAYS) - after) / timedelta(minutes=1)
    at = after + timedelta(minutes=int(rng.integers(1, max(int(room), 2))))
    return _next_midnight(at) if rng.random() < 0.25 else at


def _next_midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), time(), UTC) + DAY


def _maybe(rng: np.random.Generator, value: object, chance: float) -> Any:
    return value if rng.random() < chance else None


def _one_of(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


def _late(rng: np.random.Generator, at: datetime, *, chance: float = 0.4) -> datetime | None:
    """When it came to be known: mostly later than it happened, now and then told as earlier, which counts as at once."""
    return _maybe(rng, at + timedelta(hours=int(rng.integers(-20, 200))), chance)


def _debtor(rng: np.random.Generator, number: int, *, odd: float) -> Row:
    country = COUNTRIES[int(rng.integers(len(COUNTRIES)))][0]
    born = date(1940, 1, 1) + timedelta(days=int(rng.integers(0, 30_000)))
    return {
        "debtor_id": f"d{number:03}",
        "country": country,
        "region": "US-CA" if country == "US" else None,
        "time_zone": _maybe(rng, "Pacific/Auckland", 0.1 * odd),
        "birth_date": _maybe(rng, born, 0.9),
        "registered_at": START - timedelta(days=int(rng.integers(1, 300))),
        "blocked_at": _maybe(rng, _moment(rng), 0.1),
        "objected_at": _maybe(rng, _moment(rng), 0.1),
        "stop_until": _maybe(rng, _moment(rng), 0.1),
    }


def _profiles(rng: np.random.Generator, person: Row) -> list[Row]:
    """None to three, now and then two that begin at one instant: then the one that holds stands first."""
    found: list[Row] = []
    for _ in range(int(rng.integers(0, 4))):
        again = found and rng.random() < 0.1
        profile = {
            "debtor_id": person["debtor_id"],
            "valid_from": found[-1]["valid_from"] if again else _moment(rng, after=START - timedelta(days=100)),
            "income_band": _maybe(rng, _one_of(rng, INCOME_BANDS), 0.7),
            "employment": _maybe(rng, _one_of(rng, EMPLOYMENTS), 0.7),
            "other_debts": _maybe(rng, int(rng.integers(0, 9)), 0.7),
        }
        found += [profile] * (profile not in found)
    return sorted(found, key=_standing, reverse=True)


def _standing(profile: Row) -> tuple[datetime, int, int, int]:
    """What a profile is put in order by; what is not known comes before what is."""
    bands, employments = (None, *INCOME_BANDS), (None, *EMPLOYMENTS)
    debts = -1 if profile["other_debts"] is None else profile["other_debts"]
    return (
        profile["valid_from"],
        bands.index(profile["income_band"]),
        employments.index(profile["employment"]),
        debts,
    )


def _points(rng: np.random.Generator, person: Row) -> list[Row]:
    """None to two for each channel, and now and then rows that say something else of one of the addresses, or of some other."""
    (apart,) = rng.spawn(1)
    found = []
    for channel in CONTACT_CHANNELS:
        ends = set()
        for _ in range(int(rng.choice([0, 1, 2], p=[0.3, 0.5, 0.2]))):
            begun = START - timedelta(days=10) if rng.random() < 0.7 else _moment(rng)
            point = {
                "debtor_id": person["debtor_id"],
                "channel": channel,
                "valid_from": begun,
                "valid_to": _maybe(rng, _moment(rng, after=begun), 0.3),
                "verified": bool(rng.random() < 0.8),
                "verified_at": _maybe(rng, _moment(rng), 0.2),
                "consent": _one_of(rng, CONSENTS) if rng.random() < 0.3 else "given",
                "address_key": _key(apart),
                "kind": _maybe(rng, "private", 0.8),
            }
            if point["valid_to"] not in ends:
                found += [point, *_said_again(apart, point)]
            ends.add(point["valid_to"])
    return found


def _key(rng: np.random.Generator) -> str | None:
    return (None, "a", "a", "a", "b", "b")[int(rng.integers(6))]


def _said_again(rng: np.random.Generator, point: Row) -> list[Row]:
    """None to three rows of the same channel, mostly of the same address, that begin then or later and say anything."""
    found = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.85, 0.07, 0.05, 0.03]))):
        begun = point["valid_from"] if rng.random() < 0.2 else _moment(rng, after=point["valid_from"])
        found.append(
            point
            | {
                "valid_from": begun,
                "valid_to": _maybe(rng, _moment(rng, after=begun), 0.3),
                "verified": bool(rng.random() < 0.8),
                "verified_at": _maybe(rng, _moment(rng), 0.2),
                "consent": _one_of(rng, CONSENTS),
                "address_key": _key(rng) if rng.random() < 0.3 else point["address_key"],
                "kind": _maybe(rng, _one_of(rng, POINT_KINDS), 0.5),
            }
        )
    return found


def _claims(rng: np.random.Generator, person: Row) -> list[Row]:
    found: list[Row] = []
    for number in range(int(rng.integers(1, 6))):
        registered = found[-1]["registered_at"] if found and rng.random() < 0.1 else _moment(rng)
        closed = _maybe(rng, _moment(rng, after=registered), 0.4)
        reason = "paid" if rng.random() < 0.5 else _one_of(rng, CLOSE_REASONS[1:])
        found.append(
            {
                "claim_id": f"{person['debtor_id']}-c{number}",
                "debtor_id": person["debtor_id"],
                "creditor_id": _one_of(rng, CREDITORS),
                "sector": _one_of(rng, SECTORS),
                "principal": Decimal(int(rng.integers(100, 100_000))) / 100,
                "currency": dict(COUNTRIES)[person["country"]],
                "due_on": (registered - timedelta(days=int(rng.integers(-10, 60)))).date(),
                "registered_at": registered,
                "closed_at": closed,
                "close_reason": reason if closed else None,
            }
        )
    return found


def _claim_events(rng: np.random.Generator, claim: Row) -> list[Row]:
    """None to seven, now and then two at one instant: then the one that is taken as the last stands last."""
    found: list[Row] = []
    for number in range(int(rng.integers(0, 8))):
        again = found and rng.random() < 0.15
        at = found[-1]["at"] if again else _moment(rng, after=claim["registered_at"])
        kind = _one_of(rng, CLAIM_EVENT_KINDS)
        found.append(
            {
                "event_id": f"{claim['claim_id']}-e{number}",
                "claim_id": claim["claim_id"],
                "at": at,
                "kind": kind,
                "stage": _one_of(rng, STAGES) if kind == "stage" else None,
                "next_due_on": _maybe(rng, at.date() + timedelta(days=int(rng.integers(5, 90))), 0.5),
                "known_at": _late(rng, at),
            }
        )
    return sorted(found, key=_turn)


def _turn(event: Row) -> tuple[datetime, int, int, date]:
    """What a claim's events are put in order by."""
    stages = (None, *STAGES)
    return (
        event["at"],
        CLAIM_EVENT_KINDS.index(event["kind"]),
        stages.index(event["stage"]),
        event["next_due_on"] or date.min,
    )


def _contacts(rng: np.random.Generator, person: Row, claims: list[Row], *, odd: float) -> list[Row]:
    """Decisions, often soon after the one before or at its instant, and often by its channel; a row for each claim."""
    mine = [claim for claim in claims if claim["debtor_id"] == person["debtor_id"]]
    found: list[Row] = []
    for number in range(int(rng.integers(0, 20))):
        first = mine[int(rng.integers(len(mine)))]
        decided, channel = _moment(rng, after=first["registered_at"]), _one_of(rng, ("none", *CONTACT_CHANNELS))
        if found and rng.random() < 0.4:
            decided = found[-1]["decided_at"] + timedelta(hours=int(rng.integers(0, 120)))
            channel = found[-1]["channel"] if rng.random() < 0.5 else channel
        sent = None if channel == "none" else decided + timedelta(hours=int(rng.integers(1, 120)))
        shared = {
            "contact_id": f"{person['debtor_id']}-s{number:02}",
            "debtor_id": person["debtor_id"],
            "decided_at": decided,
            "channel": channel,
            "send_at": sent,
            "policy": _one_of(rng, ("incumbent", "random")),
            "action_probability": _maybe(rng, float(rng.uniform(0.01, 1.0)), 0.7),
            "known_at": _late(rng, decided, chance=0.2 * odd),
        }
        found += [{**shared, "claim_id": claim["claim_id"]} for claim in mine if claim["registered_at"] <= decided]
    return found


def _contact_events(rng: np.random.Generator, contacts: list[Row]) -> list[Row]:
    """What happened to contacts; often the same thing twice, and the second may be known first."""
    sent = {row["contact_id"]: row for row in contacts if row["send_at"] is not None}
    found: list[Row] = []
    for contact_id, row in sent.items():
        at, kind = row["send_at"], "sent"
        for number in range(int(rng.integers(0, 7))):
            if rng.random() < 0.9:
                at = row["send_at"] + timedelta(minutes=int(rng.integers(0, 10_000)))
            if rng.random() < 0.8:
                kind = _one_of(rng, COMMON_EVENTS if rng.random() < 0.5 else CONTACT_EVENT_KINDS)
            promised = at.date() + timedelta(days=int(rng.integers(0, 30))) if kind == "promised" else None
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


def _payments(rng: np.random.Generator, claim: Row, contacts: list[Row], events: list[Row], *, habit: int) -> list[Row]:
    """None to five: at any time, about the debtor's day of the month, or at a telling time after a contact."""
    made = [row for row in contacts if row["claim_id"] == claim["claim_id"]]
    through = {row["contact_id"] for row in made}
    telling = [at for row in made for at in (row["decided_at"], row["decided_at"] + timedelta(days=14))]
    telling += [at for event in events if event["contact_id"] in through for at in _answers(event)]
    found = []
    for number in range(int(rng.integers(0, 6))):
        paid, kind = _moment(rng, after=claim["registered_at"]), rng.random()
        if kind < 0.35:
            paid = _on_day_of_month(paid, habit) + timedelta(hours=int(rng.integers(0, 72)))
        elif kind < 0.6 and telling:
            paid = telling[int(rng.integers(len(telling)))]
        whole = rng.random() < 0.1
        found.append(
            {
                "payment_id": f"{claim['claim_id']}-p{number}",
                "claim_id": claim["claim_id"],
                "debtor_id": claim["debtor_id"],
                "paid_at": paid,
                "amount": claim["principal"] if whole else Decimal(int(rng.integers(1, 20_000))) / 100,
                "currency": claim["currency"],
                "contact_id": _maybe(rng, made[int(rng.integers(len(made)))]["contact_id"], 0.5) if made else None,
                "reversed_at": _maybe(rng, paid + timedelta(days=int(rng.integers(1, 40))), 0.15),
                "known_at": _late(rng, paid),
            }
        )
    return found


def _answers(event: Row) -> tuple[datetime, ...]:
    """Instants at which a payment may or may not be taken as following an event: its own, the last that keeps a promise."""
    if event["kind"] != "promised":
        return (event["at"],) if event["kind"] == "clicked" else ()
    day = event["promised_for"] or event["at"].date() + 14 * DAY
    last = datetime.combine(day, time(), UTC) + 4 * DAY
    return event["at"], last, last + timedelta(microseconds=1)


def _on_day_of_month(at: datetime, day: int) -> datetime:
    """The first such day of the month at or after a moment, at most a month on; the month's last where it has none such."""
    for later in range(32):
        here = at + later * DAY
        if here.day == day or (here.day < day and (here + DAY).day == 1):
            return here
    return at
