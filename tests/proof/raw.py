"""Debtors as the judge sees them, straight from the rows of the contract's tables: no histories, no features, no situation."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.proof.calendars import clock, zones_of
from tests.proof.person import Claim, Contact, Person, Point, day_of

Row = dict[str, Any]
Rows = dict[object, list[Row]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400 * 10**6
IN_WRITING = ("letter", "digital_mailbox")
"""Channels of the notices that the law prescribes: a call is none, whatever it is marked as."""


def us(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


class Raw:
    """Rows of every table by debtor; a fact counts when it happened, and was known, before the moment that is asked about."""

    def __init__(self, tables: dict[str, pa.Table]) -> None:
        rows = {name: table.to_pylist() for name, table in tables.items()}
        self._has_points = "contact_points" in tables
        self._debtors = {row["debtor_id"]: row for row in rows["debtors"]}
        self._claims = _by(rows.get("claims", []), "debtor_id")
        self._points = _by(rows.get("contact_points", []), "debtor_id")
        self._course = _by(rows.get("claim_events", []), "claim_id")
        self._contacts = _by(rows.get("contacts", []), "debtor_id")
        self._events = _by(rows.get("contact_events", []), "contact_id")
        self._payments = _by(rows.get("payments", []), "claim_id")

    def person(self, debtor_id: str, as_of: datetime) -> Person:
        """What may be known of a debtor at a moment."""
        row, contacts = self._debtors[debtor_id], self._known_contacts(debtor_id, as_of)
        events = [(name, one) for name in contacts for one in _before(self._events[name], as_of)]
        events.sort(key=lambda pair: pair[1]["at"])
        channel = {name: rows[0]["channel"] for name, rows in contacts.items()}
        met = {
            kind: frozenset(channel[name] for name, one in events if one["kind"] == kind)
            for kind in ("opted_out", "wrong_person")
        }
        zones = zones_of(row["country"], row["region"], row["time_zone"])
        closed = self._paid_before(debtor_id, as_of, zones[0])
        sent = {name: _sent(rows[0]) for name, rows in contacts.items() if rows[0]["channel"] != "none"}
        return Person(
            as_of=us(as_of),
            country=row["country"],
            region=row["region"],
            zones=zones,
            born=None if row["birth_date"] is None else day_of(row["birth_date"]),
            blocked=_maybe(row["blocked_at"]),
            cease=_maybe(row["cease_at"]),
            stop_until=_maybe(row["stop_until"]),
            opted_out=met["opted_out"],
            wrong=met["wrong_person"],
            last_sent=max(sent.values(), default=None),
            talked=max((us(one["at"]) for name, one in events if _is_talk(one, channel[name])), default=None),
            clicked=self._click(debtor_id, [one for _, one in events if one["kind"] == "clicked"], as_of),
            inbound=self._inbound(debtor_id, as_of),
            paid=len(closed),
            paid_late=sum(closed),
            points=self._points_of(debtor_id, as_of) if self._has_points else None,
            claims=tuple(self._open_claims(debtor_id, as_of, contacts, events)),
            contacts=tuple(_contact(rows, sent[name]) for name, rows in contacts.items() if name in sent),
            objected=row["objected_at"] is not None and row["objected_at"] <= as_of,
            vulnerable=row["vulnerable_from"] is not None and row["vulnerable_from"] <= as_of,
        )

    def _known_contacts(self, debtor_id: str, as_of: datetime) -> dict[str, list[Row]]:
        """Rows of each contact that were decided on and known before a moment."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in _before(self._contacts[debtor_id], as_of, "decided_at"):
            found[row["contact_id"]].append(row)
        return found

    def _points_of(self, debtor_id: str, as_of: datetime) -> tuple[Point, ...]:
        return tuple(
            Point(
                channel=row["channel"],
                since=us(row["valid_from"]),
                until=_maybe(row["valid_to"]),
                confirmed=us(row["verified_at"] or EPOCH) if row["verified"] else None,
                consent=row["consent"],
                kind=row["kind"],
                key=row["address_key"],
            )
            for row in self._points[debtor_id]
            if row["valid_from"] <= as_of
        )

    def _open_claims(
        self, debtor_id: str, as_of: datetime, contacts: dict[str, list[Row]], events: list[tuple[str, Row]]
    ) -> list[Claim]:
        found = []
        for row in self._claims[debtor_id]:
            if row["registered_at"] <= as_of and (row["closed_at"] is None or row["closed_at"] > as_of):
                covers = {
                    name: one for name, rows in contacts.items() for one in rows if one["claim_id"] == row["claim_id"]
                }
                found.append(self._claim(row, as_of, covers, events))
        return found

    def _claim(self, row: Row, as_of: datetime, covers: dict[str, Row], events: list[tuple[str, Row]]) -> Claim:
        course = sorted(_before(self._course[row["claim_id"]], as_of), key=lambda one: one["at"])
        stages = [one for one in course if one["kind"] == "stage"]
        last = stages[-1] if stages else {"stage": None, "at": None, "next_due_on": None}
        made = {name: one for name, one in covers.items() if one["channel"] != "none"}
        bounced = {name for name, one in events if one["kind"] == "bounced"}
        came = [one for name, one in made.items() if name not in bounced]
        days = [promised_day(one) for name, one in events if one["kind"] == "promised" and name in covers]
        return Claim(
            key=row["claim_id"],
            owed=self._owed(row, as_of) > 0,
            due=day_of(row["due_on"]),
            disputed=_last(course, "dispute_opened", "dispute_closed"),
            held=_last(course, "hold_placed", "hold_lifted"),
            on_plan=_last(course, "plan_agreed", "plan_broken"),
            promised_on=max(days, default=None),
            stage=last["stage"],
            stage_at=_maybe(last["at"]),
            next_due=None if last["next_due_on"] is None else day_of(last["next_due_on"]),
            written=tuple((one["channel"], _sent(one)) for one in came),
            notices=tuple(_sent(one) for one in came if _is_notice(one)),
            steps=tuple(_sent(one) for one in made.values() if one["statutory_step"] is not None),
        )

    def _owed(self, claim: Row, as_of: datetime) -> Decimal:
        paid = [
            row["amount"]
            for row in _before(self._payments[claim["claim_id"]], as_of, "paid_at")
            if row["reversed_at"] is None or row["reversed_at"] >= as_of
        ]
        return Decimal(claim["principal"] - sum(paid, Decimal(0)))

    def _click(self, debtor_id: str, clicks: list[Row], as_of: datetime) -> int | None:
        """The last click on a link, if nothing has been paid since."""
        if not clicks:
            return None
        clicked = max(one["at"] for one in clicks)
        paid = [
            row
            for claim in self._claims[debtor_id]
            for row in _before(self._payments[claim["claim_id"]], as_of, "paid_at")
            if row["paid_at"] >= clicked and (row["reversed_at"] is None or row["reversed_at"] >= as_of)
        ]
        return None if paid else us(clicked)

    def _inbound(self, debtor_id: str, as_of: datetime) -> int | None:
        claims = [row for row in self._claims[debtor_id] if row["registered_at"] <= as_of]
        course = [one for row in claims for one in _before(self._course[row["claim_id"]], as_of)]
        return max((us(one["at"]) for one in course if one["kind"] == "inbound"), default=None)

    def _paid_before(self, debtor_id: str, as_of: datetime, zone: str) -> list[bool]:
        """For each claim that was closed as paid, whether that was after its due date."""
        closed = [row for row in self._claims[debtor_id] if row["closed_at"] is not None and row["closed_at"] <= as_of]
        return [
            clock(zone, us(row["closed_at"]) // 10**6)[0] > day_of(row["due_on"])
            for row in closed
            if row["close_reason"] == "paid" and row["registered_at"] <= as_of
        ]


def _by(rows: list[Row], name: str) -> Rows:
    found: Rows = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return found


def _before(rows: list[Row], as_of: datetime, happened: str = "at") -> list[Row]:
    """Rows that happened, and were known, before a moment."""
    return [row for row in rows if max(row[happened], row.get("known_at") or row[happened]) < as_of]


def _last(course: list[Row], begins: str, ends: str) -> bool:
    """Whether something has begun and not ended; both at one instant say nothing."""
    said: dict[datetime, set[str]] = defaultdict(set)
    for one in course:
        if one["kind"] in (begins, ends):
            said[one["at"]].add(one["kind"])
    clear = [kinds for _, kinds in sorted(said.items(), key=lambda pair: pair[0]) if len(kinds) == 1]
    return bool(clear) and begins in clear[-1]


def _maybe(moment: datetime | None) -> int | None:
    return None if moment is None else us(moment)


def _sent(row: Row) -> int:
    return us(row["send_at"] or row["decided_at"])


def _contact(rows: list[Row], sent: int) -> Contact:
    """A contact is a notice of the law's if it is so for all of its claims."""
    claims = frozenset(row["claim_id"] for row in rows)
    return Contact(rows[0]["channel"], sent, all(_is_notice(row) for row in rows), claims)


def _is_notice(row: Row) -> bool:
    return row["statutory_step"] is not None and row["channel"] in IN_WRITING


def _is_talk(event: Row, channel: str) -> bool:
    """Who promises on the phone has been talked to."""
    return event["kind"] == "conversation" or (event["kind"] == "promised" and channel == "phone")


def promised_day(event: Row) -> int:
    """Date that was promised, a fortnight on where none was."""
    return day_of(event["promised_for"]) if event["promised_for"] else us(event["at"]) // DAY_US + 14
