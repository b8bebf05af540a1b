"""Features and state the slow way: one debtor at a time, loops over the tables' rows as Python dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, log
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from data.calendar import place_of
from data.vocabulary import CLAIM_EVENT_KINDS, CONTACT_CHANNELS, NONE, STAGES, daypart_of_hour
from features.columns import UNDATED_PROMISE_DAYS

Row = dict[str, Any]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Past:
    """Rows of every table as they were known at `as_of`."""

    as_of: datetime
    rows: dict[str, list[Row]]

    @staticmethod
    def of(tables: dict[str, pa.Table], as_of: datetime) -> Past:
        times = {"claim_events": "at", "contacts": "decided_at", "contact_events": "at", "payments": "paid_at"}
        rows = {name: table.to_pylist() for name, table in tables.items()}
        for name, column in times.items():
            rows[name] = [row for row in rows.get(name, []) if known(row, column) < as_of]
        rows["payments"] = [row for row in rows["payments"] if not row["reversed_at"] or row["reversed_at"] >= as_of]
        rows["claims"] = [row for row in rows["claims"] if row["registered_at"] <= as_of]
        return Past(as_of, rows)

    def of_debtor(self, name: str, debtor_id: str) -> list[Row]:
        return [row for row in self.rows.get(name, []) if row["debtor_id"] == debtor_id]

    def contacts(self, debtor_id: str) -> list[Row]:
        """One row for each contact, decisions not to make contact left out, in order of time."""
        found = {row["contact_id"]: row for row in self.of_debtor("contacts", debtor_id) if row["channel"] != NONE}
        return sorted(found.values(), key=lambda row: row["decided_at"])

    def responses(self, debtor_id: str) -> list[Row]:
        """Events of the debtor's contacts with their channel, in order of time."""
        channel = {row["contact_id"]: row["channel"] for row in self.contacts(debtor_id)}
        events = [row for row in self.rows["contact_events"] if row["contact_id"] in channel]
        return sorted(
            ({**row, "channel": channel[row["contact_id"]]} for row in events),
            key=lambda row: row["at"],
        )


def known(row: Row, column: str) -> datetime:
    return max(row[column], row["known_at"] or row[column])


def days_since(as_of: datetime, then: datetime | None) -> float | None:
    return None if then is None else (as_of - then) / DAY


def local_hour(moment: datetime, debtor: Row) -> int:
    place = place_of(debtor["country"], region=debtor["region"], time_zone=debtor["time_zone"])
    return moment.astimezone(ZoneInfo(place.zones[0])).hour


def local_part(moment: datetime, debtor: Row) -> int:
    return daypart_of_hour(local_hour(moment, debtor))


def bell(apart: int) -> float:
    """Weight of an hour for one so many hours away, on a clock whose weights sum to one; a bell of 2.5 hours, wound around it."""

    def wound(hours: int) -> float:
        return sum(exp(-((hours + 24 * turns) ** 2) / (2 * 2.5**2)) for turns in range(-4, 5))

    return wound(apart) / sum(wound(hours) for hours in range(24))


def near_hour(hour: int, hours: list[int], usual: list[float]) -> float:
    """Log of what was paid near an hour, two payments more as usual, over as many as usual; `usual` shares by hour."""
    expected = sum(bell(hour - other) * share for other, share in enumerate(usual))
    came = sum(bell(hour - other) for other in hours)
    return log((came + 2 * expected) / ((len(hours) + 2) * expected))


def firsts(events: list[Row], kinds: tuple[str, ...]) -> list[Row]:
    """Of each contact and kind the event that was known first."""
    found: dict[tuple[str, str], Row] = {}
    for row in sorted(events, key=lambda row: (known(row, "at"), row["at"])):
        if row["kind"] in kinds:
            found.setdefault((row["contact_id"], row["kind"]), row)
    return list(found.values())


def promises(past: Past, debtor_id: str) -> tuple[int, int, datetime | None]:
    """Kept, broken, and the end of the latest that is not yet due."""
    kept, broken, until = 0, 0, []
    for row in past.responses(debtor_id):
        if row["kind"] != "promised":
            continue
        day = row["promised_for"] or row["at"].date() + UNDATED_PROMISE_DAYS * DAY
        end = datetime.combine(day, datetime.min.time(), UTC) + DAY
        if end > past.as_of:
            until.append(end)
            continue
        paid = [one for one in past.of_debtor("payments", debtor_id) if row["at"] <= one["paid_at"] <= end + 3 * DAY]
        kept, broken = kept + bool(paid), broken + (not paid and end + 3 * DAY <= past.as_of)
    return kept, broken, max(until, default=None)


def debtor_facts(past: Past, debtor: Row) -> Row:
    """Counts and ages of one debtor by feature name; None for a missing value."""
    as_of, who = past.as_of, debtor["debtor_id"]
    contacts, payments = past.contacts(who), past.of_debtor("payments", who)
    answered = firsts(past.responses(who), ("clicked", "answered"))
    kept, broken, _ = promises(past, who)
    made = max((row["decided_at"] for row in contacts), default=None)
    facts: Row = {
        "contacts_30": sum(as_of - row["decided_at"] <= 30 * DAY for row in contacts),
        "contacts_90": sum(as_of - row["decided_at"] <= 90 * DAY for row in contacts),
        "since_contact": days_since(as_of, made),
        "last_channel": (NONE, *CONTACT_CHANNELS).index(contacts[-1]["channel"]) if contacts else None,
        "since_response": days_since(as_of, max((row["at"] for row in answered), default=None)),
        "promises_kept": kept,
        "promises_broken": broken,
        "payments_ever": len(payments),
        "payments_90": sum(as_of - row["paid_at"] <= 90 * DAY for row in payments),
        "payments_365": sum(as_of - row["paid_at"] <= 365 * DAY for row in payments),
        "since_payment": days_since(as_of, max((row["paid_at"] for row in payments), default=None)),
    }
    for channel in CONTACT_CHANNELS:
        facts[f"sent_{channel}_ever"] = sum(row["channel"] == channel for row in contacts)
        facts[f"reachable_{channel}"] = float(any(usable(row, past) for row in points(past, who, channel)))
        facts[f"paid_through_{channel}"] = sum(through(past, row) == channel for row in payments)
    return facts | claim_counts(past, who) | profile(past, who)


def points(past: Past, debtor_id: str, channel: str) -> list[Row]:
    return [row for row in past.of_debtor("contact_points", debtor_id) if row["channel"] == channel]


def usable(point: Row, past: Past) -> bool:
    lasts = point["valid_from"] <= past.as_of and (point["valid_to"] is None or past.as_of < point["valid_to"])
    return lasts and verified(point, past) and not withdrawn(point, past)


def withdrawn(point: Row, past: Past) -> bool:
    words = said_of(point, past, column="consent", against=("withdrawn",), takes_back="given")
    return point["consent"] == "withdrawn" or bool(words)


def kinds(point: Row, past: Past) -> set[str | None]:
    """What a point may be said to be: its own kind unless it is private or not known and another row says it is not private."""
    bad = ("work", "shared", "may_be_childs")
    words = said_of(point, past, column="kind", against=bad, takes_back="private")
    return {point["kind"]} if point["kind"] in bad or not words else {row["kind"] for row in words}


def verified(point: Row, past: Past) -> bool:
    since = verified_since(point)
    doubts = [
        row
        for row in points(past, point["debtor_id"], point["channel"])
        if verified_since(row) > row["valid_from"] >= max(point["valid_from"], since)
        and row["valid_from"] <= past.as_of
        and row["address_key"] == point["address_key"] is not None
    ]
    return since <= past.as_of and not doubts


def verified_since(point: Row) -> datetime:
    never, always = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    return (point["verified_at"] or always) if point["verified"] else never


def said_of(point: Row, past: Past, *, column: str, against: tuple[str, ...], takes_back: str) -> list[Row]:
    """Rows that say something against the address of a point that does not say so itself."""
    here = [row for row in points(past, point["debtor_id"], point["channel"]) if row["valid_from"] <= past.as_of]
    keys, found = point["address_key"], []
    for row in (row for row in here if row[column] in against):
        if row["valid_from"] >= point["valid_from"]:
            holds = None in (keys, row["address_key"]) or keys == row["address_key"]
        else:
            back = [
                one["valid_from"]
                for one in here
                if one["address_key"] == keys and one[column] == takes_back and one["valid_from"] <= point["valid_from"]
            ]
            same = keys == row["address_key"] is not None
            holds = same and point[column] != takes_back and all(at <= row["valid_from"] for at in back)
        found += [row] * holds
    return found


def through(past: Past, payment: Row) -> str | None:
    """Channel of the contact that a payment came through; one decided on later cannot have brought it."""
    for row in past.rows["contacts"]:
        if row["contact_id"] == payment["contact_id"] and known(row, "decided_at") <= payment["paid_at"]:
            return row["channel"] if row["channel"] != NONE else None
    return None


def claim_counts(past: Past, debtor_id: str) -> Row:
    claims = past.of_debtor("claims", debtor_id)
    closed = [row for row in claims if row["closed_at"] and row["closed_at"] <= past.as_of]
    paid = sum(row["close_reason"] == "paid" for row in closed)
    return {
        "open_claims": len(claims) - len(closed),
        "claims_paid": paid,
        "claims_unpaid": len(closed) - paid,
        "claims_365": sum(past.as_of - row["registered_at"] <= 365 * DAY for row in claims),
    }


def profile(past: Past, debtor_id: str) -> Row:
    begun = [row for row in past.of_debtor("debtor_profiles", debtor_id) if row["valid_from"] <= past.as_of]
    last = max(begun, key=lambda row: row["valid_from"], default={"other_debts": None})
    return {"other_debts": last["other_debts"]}


def reached(past: Past, debtor_id: str) -> list[Row]:
    """Contacts that were opened, clicked or answered."""
    kinds = ("opened", "clicked", "answered")
    ids = {row["contact_id"] for row in past.responses(debtor_id) if row["kind"] in kinds}
    return [row for row in past.contacts(debtor_id) if row["contact_id"] in ids]


def responses_by(past: Past, debtor_id: str, channel: str) -> int:
    """Clicks and answers to contacts of a channel, each contact's first of each kind."""
    events = [row for row in past.responses(debtor_id) if row["channel"] == channel]
    return len(firsts(events, ("clicked", "answered")))


def claim_facts(past: Past, claim: Row) -> Row:
    """Course of one claim by feature name, and `disputed`, `held`, `on_plan`, `outstanding`; None where missing."""
    events = sorted(
        (row for row in past.rows["claim_events"] if row["claim_id"] == claim["claim_id"]), key=lambda row: row["at"]
    )
    by_kind = {kind: [row for row in events if row["kind"] == kind] for kind in CLAIM_EVENT_KINDS}
    stage = by_kind["stage"][-1] if by_kind["stage"] else None
    due = stage["next_due_on"] if stage else None
    inbound = by_kind["inbound"][-1]["at"] if by_kind["inbound"] else None
    payments = [row for row in past.rows["payments"] if row["claim_id"] == claim["claim_id"]]
    paid = sum(float(row["amount"]) for row in payments)
    return {
        "claim_payments": len(payments),
        "outstanding": max(round(float(claim["principal"]) - paid, 2), 0.0),
        "days_past_due": (past.as_of.date() - claim["due_on"]).days,
        "claim_days": days_since(past.as_of, claim["registered_at"]),
        "stage": STAGES.index(stage["stage"]) if stage else None,
        "stage_days": days_since(past.as_of, stage["at"]) if stage else None,
        "to_next_due": (due - past.as_of.date()).days if due else None,
        "plans_broken": len(by_kind["plan_broken"]),
        "since_inbound": days_since(past.as_of, inbound),
        "disputed": last_of(events, "dispute_opened", "dispute_closed"),
        "held": last_of(events, "hold_placed", "hold_lifted"),
        "on_plan": last_of(events, "plan_agreed", "plan_broken"),
    }


def last_of(events: list[Row], begins: str, ends: str) -> bool:
    """Whether the last event of the two is the one that begins."""
    kinds = [row["kind"] for row in events if row["kind"] in (begins, ends)]
    return bool(kinds) and kinds[-1] == begins
