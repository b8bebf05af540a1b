"""Portfolios full of what bars a contact: everything happens within days of one night, much of it within an hour of a midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from data.vocabulary import CHANNELS, CLAIM_EVENT_KINDS, STAGES
from tests.proof.nights import PLACES
from tests.samples import rows_to_table

Row = dict[str, Any]
DAY = timedelta(days=1)
EVENTS = (
    "clicked", "conversation", "opted_out", "wrong_person", "promised", "promised", "voicemail", "answered", "bounced",
    "delivered",
)  # fmt: skip
OPPOSITES = (("dispute_opened", "dispute_closed"), ("hold_placed", "hold_lifted"), ("plan_agreed", "plan_broken"))


class Nasty:
    """Draws the tables of one night; the same for the same generator."""

    def __init__(self, rng: np.random.Generator, night: datetime, *, debtors: int) -> None:
        self.rng, self.night = rng, night
        self.rows: dict[str, list[Row]] = {
            name: []
            for name in (
                "debtors",
                "contact_points",
                "claims",
                "claim_events",
                "contacts",
                "contact_events",
                "payments",
            )
        }
        for number in range(debtors):
            self._debtor(number)

    def tables(self) -> dict[str, pa.Table]:
        """Tables of the contract; now and then without contact points, or without the course of claims."""
        left_out = {name for name in ("contact_points", "claim_events") if self._chance(0.06)}
        return {name: rows_to_table(name, rows) for name, rows in self.rows.items() if rows and name not in left_out}

    # One fact at a time ----------------------------------------------------------------------------------------------

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _one(self, words: tuple[str, ...]) -> str:
        return words[int(self.rng.integers(len(words)))]

    def _near(self, back: float, ahead: float = 0.0) -> datetime:
        """An instant some days before the night or after it; a third of them lie about a midnight."""
        at = self.night + DAY * float(self.rng.uniform(-back, ahead))
        if self._chance(0.3):
            at = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(minutes=int(self.rng.integers(-30, 31)))
        return at.replace(microsecond=0)

    def _debtor(self, number: int) -> None:
        country, region, zone = PLACES[int(self.rng.integers(len(PLACES)))]
        rare = float(self.rng.choice([0.0, 0.03, 0.1, 0.3]))
        key = f"d{number:04}"
        born: date | None = date(1950, 1, 1) + timedelta(days=int(self.rng.integers(0, 18_000)))
        if self._chance(rare):
            born = (self.night - timedelta(days=18 * 365 + 5 + int(self.rng.integers(-30, 300)))).date()
        self.rows["debtors"].append(
            {
                "debtor_id": key,
                "country": country,
                "region": region,
                "time_zone": zone,
                "birth_date": None if self._chance(rare / 2) else born,
                "registered_at": self.night - 900 * DAY,
                "blocked_at": self._near(2, 6) if self._chance(rare / 2) else None,
                "cease_at": self._near(2, 6) if self._chance(rare / 2) else None,
                "objected_at": self._near(2, 6) if self._chance(rare / 2) else None,
                "stop_until": self._near(2, 6) if self._chance(rare / 2) else None,
                "vulnerable_from": self._near(30, 6) if self._chance(rare) else None,
            }
        )
        claims = [self._claim(key, n, rare) for n in range(int(self.rng.integers(1, 5)))]
        for channel in CHANNELS[1:]:
            for _ in range(int(self.rng.choice([0, 1, 2], p=[0.1 + rare / 4, 0.7 - rare / 4, 0.2]))):
                self._point(key, channel, rare)
        if self._chance(0.3):
            self._edge(key, claims)
        else:
            for contact in range(int(self.rng.integers(0, 2 + 20 * rare))):
                self._contact(f"{key}-s{contact}", key, claims, rare)

    def _point(self, key: str, channel: str, rare: float) -> None:
        point: Row = {
            "debtor_id": key,
            "channel": channel,
            "valid_from": self.night - 30 * DAY if self._chance(0.8) else self._near(3, 3),
            "valid_to": self.night + DAY * float(self.rng.uniform(4, 9)) if self._chance(2 * rare) else None,
            "verified": not self._chance(rare),
            "verified_at": self._near(2, 2) if self._chance(rare) else None,
            "consent": "withdrawn" if self._chance(rare) else self._one(("given", "given", "not_required")),
            "address_key": self._key(),
            "kind": self._one(("work", "shared", "may_be_childs")) if self._chance(rare) else None
            if self._chance(0.2) else "private",
        }  # fmt: skip
        self.rows["contact_points"].append(point)
        while self._chance(1.5 * rare):
            self._said_again(point)

    def _said_again(self, point: Row) -> None:
        """A row of its own about an address, mostly the same one: what was given is withdrawn, a number may be a child's, or not."""
        begun = point["valid_from"] if self._chance(0.2) else self._near(20, 3)
        self.rows["contact_points"].append(
            point
            | {
                "valid_from": begun,
                "valid_to": begun + DAY * float(self.rng.uniform(0, 9)) if self._chance(0.4) else None,
                "verified": self._chance(0.8),
                "verified_at": self._near(20, 2) if self._chance(0.2) else None,
                "consent": self._one(("given", "not_required", "withdrawn")),
                "address_key": self._key() if self._chance(0.3) else point["address_key"],
                "kind": self._one(("private", "private", "work", "may_be_childs")) if self._chance(0.7) else None,
            }
        )

    def _key(self) -> str | None:
        return (None, "a", "a", "b")[int(self.rng.integers(4))]

    def _claim(self, key: str, number: int, rare: float) -> Row:
        registered = self.night - 400 * DAY if self._chance(0.8) else self._near(30)
        closed = max(self._near(300), registered + DAY) if self._chance(0.25) else None
        due = (self.night - timedelta(days=int(self.rng.integers(1, 400)))).date()
        if self._chance(2 * rare):
            due = self._near(3, 14).date()
        claim: Row = {
            "claim_id": f"{key}-c{number}",
            "debtor_id": key,
            "creditor_id": "k1",
            "sector": "energy",
            "principal": Decimal(int(self.rng.integers(10_000, 900_000))) / 100,
            "currency": "EUR",
            "due_on": due,
            "registered_at": registered,
            "closed_at": closed,
            "close_reason": None if closed is None else self._one(("paid", "paid", "sold")),
        }
        self.rows["claims"].append(claim)
        self._course(claim, rare)
        if self._chance(2 * rare):
            self._payment(claim)
        return claim

    def _course(self, claim: Row, rare: float) -> None:
        """Stages, disputes, holds, plans and signs of the debtor, no two stages at one instant, but now and then opposites."""
        taken: set[datetime] = set()
        if self._chance(0.9):
            self._step(claim, claim["registered_at"], "stage")
        for number in range(int(self.rng.integers(0, 2 + 12 * rare))):
            at = max(self._near(12), claim["registered_at"] + timedelta(minutes=1 + number))
            kind = "stage" if self._chance(0.4) else self._one(CLAIM_EVENT_KINDS)
            if at not in taken:
                taken.add(at)
                self._step(claim, at, kind)
                if self._chance(rare + 0.05):
                    self._opposites(claim, at)

    def _opposites(self, claim: Row, at: datetime) -> None:
        """What one instant says both ways, after one of the two had happened before, or neither."""
        pair = OPPOSITES[int(self.rng.integers(len(OPPOSITES)))]
        if self._chance(0.6):
            self._step(claim, max(claim["registered_at"], at - DAY), self._one(pair))
        for kind in self.rng.permutation([*pair, *([self._one(pair)] if self._chance(0.2) else [])]):
            self._step(claim, at, str(kind))

    def _step(self, claim: Row, at: datetime, kind: str) -> None:
        self.rows["claim_events"].append(
            {
                "event_id": f"e{len(self.rows['claim_events'])}",
                "claim_id": claim["claim_id"],
                "at": at,
                "kind": kind,
                "stage": self._one(STAGES) if kind == "stage" else None,
                "next_due_on": self._near(2, 9).date() if kind == "stage" and self._chance(0.3) else None,
                "known_at": at + timedelta(hours=int(self.rng.integers(0, 50))) if self._chance(0.1) else None,
            }
        )

    def _payment(self, claim: Row) -> None:
        paid = max(self._near(6), claim["registered_at"] + timedelta(minutes=1))
        self.rows["payments"].append(
            {
                "payment_id": f"{claim['claim_id']}-p",
                "claim_id": claim["claim_id"],
                "debtor_id": claim["debtor_id"],
                "paid_at": paid,
                "amount": claim["principal"] if self._chance(0.6) else Decimal("5.00"),
                "currency": "EUR",
                "reversed_at": paid + timedelta(hours=int(self.rng.integers(1, 90))) if self._chance(0.2) else None,
                "known_at": paid + timedelta(hours=int(self.rng.integers(0, 50))) if self._chance(0.2) else None,
            }
        )

    def _contact(self, name: str, key: str, claims: list[Row], rare: float) -> None:
        decided = self._near(int(self.rng.choice([2, 8, 33])))
        mine = [claim for claim in claims if claim["registered_at"] < decided and self._chance(0.8)]
        channel = self._one(CHANNELS)
        sent = None if channel == "none" else decided + timedelta(hours=int(self.rng.integers(1, 90)))
        marked = 0.3 if channel in ("letter", "digital_mailbox") else 0.1
        law = "letter" if channel != "none" and self._chance(marked) else None
        known = decided + timedelta(hours=int(self.rng.integers(0, 40))) if self._chance(0.05) else None
        shared: Row = {"contact_id": name, "debtor_id": key, "decided_at": decided, "channel": channel, "send_at": sent}
        for claim in mine:
            step = {"statutory_step": law, "policy": "incumbent", "known_at": known}
            self.rows["contacts"].append({**shared, "claim_id": claim["claim_id"], **step})
        for number in range(int(self.rng.integers(0, 2 + 4 * rare)) if sent and mine and sent < self.night else 0):
            self._event(f"{name}-v{number}", name, sent, rare)

    def _edge(self, key: str, claims: list[Row]) -> None:
        """A past of few contacts, of which one word decides what may follow."""
        told = self.night - 35 * DAY
        case = int(self.rng.integers(4))
        if case == 0:  # the only text bounced
            self._made(f"{key}-a", key, claims, (self._one(("letter", "email")), None, self._near(9, -1)), "bounced")
            return
        if case == 1:  # the law's step was a call, and no text
            self._made(f"{key}-a", key, claims, ("phone", "call", told), "delivered")
            return
        self._made(f"{key}-a", key, claims, ("letter", None, told), "delivered")
        if case == 2:  # promised in a call of which nothing else is told
            self._made(f"{key}-b", key, claims, ("phone", None, self._near(6, -1)), "promised")
            return
        channel = self._one(("phone", "sms", "email"))
        for number in range(int(self.rng.integers(1, 8))):  # calls and texts that are marked as the law's
            self._made(f"{key}-c{number}", key, claims, (channel, "step", self._near(7, -0.2)), "delivered")

    def _made(self, name: str, key: str, claims: list[Row], how: tuple[str, str | None, datetime], event: str) -> None:
        """A contact over every claim through a channel, as a step of the law's or none, at a time; and what it met with."""
        channel, law, sent = how
        one: Row = {"contact_id": name, "debtor_id": key, "decided_at": sent - DAY / 4, "channel": channel}
        one |= {"send_at": sent, "statutory_step": law, "policy": "incumbent"}
        self.rows["contacts"] += [{**one, "claim_id": claim["claim_id"]} for claim in claims]
        for kind in {event: 0, "delivered": 0}:
            at = sent + timedelta(minutes=int(self.rng.integers(0, 600)))
            told: Row = {"event_id": f"{name}-{kind}", "contact_id": name, "at": at, "kind": kind}
            told["promised_for"] = max(at, self.night - 3 * DAY).date() if kind == "promised" else None
            self.rows["contact_events"].append(told)

    def _event(self, name: str, contact: str, sent: datetime, rare: float) -> None:
        at = sent + timedelta(minutes=int(self.rng.integers(0, 3_000)))
        kind = self._one(EVENTS) if self._chance(0.2 + rare) else "delivered"
        dated = kind == "promised" and self._chance(0.7)
        self.rows["contact_events"].append(
            {
                "event_id": name,
                "contact_id": contact,
                "at": at,
                "kind": kind,
                "promised_for": self._promised(at) if dated else None,
                "known_at": at + timedelta(hours=int(self.rng.integers(0, 40))) if self._chance(0.1) else None,
            }
        )

    def _promised(self, at: datetime) -> date:
        """A date about the night's own, on which the clocks of west and east do not agree whether it is over."""
        return max(
            at, self._near(2, 3) if self._chance(0.6) else self.night - DAY * int(self.rng.integers(0, 2))
        ).date()
