"""A judge of contacts that shares nothing with `models`: what is known of one person, a pack's TOML, one slot at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from tests.proof.calendars import clock, is_bank_day, is_holiday, is_known, weekday, when
from tests.proof.person import Claim, Contact, Person, Point

Document = dict[str, Any]
Memory = dict[tuple[object, ...], tuple[str, ...]]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECONDS = (0, 29 * 60 + 59, 30 * 60, 59 * 60 + 59)
"""Seconds of a slot at which the clocks are looked at: windows and clock changes lie on halves of an hour."""

ORDER = (
    "slot_past", "blocked", "cease_requested", "stop_period", "no_open_claim", "minor", "no_contact_point",
    "unverified_point", "point_not_private", "wrong_person", "school_hours", "disputed_claim", "claim_on_hold",
    "plan_kept", "promise_pending", "nothing_owed", "unknown_country", "channel_not_in_pack", "pack_expired",
    "quiet_hours", "public_holiday", "statutory_period", "first_in_writing", "payment_in_flight",
    "after_conversation", "minimum_gap", "cap_per_debtor", "cap_per_claim", "consent_withdrawn", "opted_out",
    "recent_inbound", "not_due",
)  # fmt: skip
RANK = {name: rank for rank, name in enumerate(ORDER)}


class Judge:
    """What holds for one person under one country's document; None: there is no pack.

    `memory` keeps what the calendar says of slots, for judges of others under the same documents.
    """

    def __init__(self, person: Person, pack: Document | None, memory: Memory | None = None) -> None:
        self.person, self.pack = person, pack
        self._memory: Memory = {} if memory is None else memory
        self._ends: dict[tuple[int, str, int], int] = {}

    # Answers ------------------------------------------------------------------------------------------------------

    def barring(self, channel: str, send: int) -> set[str]:
        """Names of the rules that forbid a contact; empty where it is lawful."""
        found = set(self._alone(channel, send))
        for faults in (self._claim_faults, self._point_faults(channel, send)):
            if all(faults):
                found |= {ORDER[rank] for one in faults for rank in one}
        return found

    def first(self, channel: str, send: int) -> int | None:
        """Rank of the rule that, in order, is the first to leave nothing of a slot; None where it is lawful."""
        ranks = [RANK[name] for name in self._alone(channel, send)]
        for faults in (self._claim_faults, self._point_faults(channel, send)):
            if faults and all(faults):
                ranks += [max(min(one) for one in faults)]
        return min(ranks, default=None)

    def held_by(self, key: object) -> str | None:
        """Name of the first rule that holds a claim; None where a contact may be about it."""
        pairs = zip(self.person.claims, self._claim_faults, strict=True)
        ranks = next(faults for claim, faults in pairs if claim.key == key)
        return ORDER[min(ranks)] if ranks else None

    # What bars by itself ------------------------------------------------------------------------------------------

    def _alone(self, channel: str, send: int) -> Iterator[str]:
        yield from self._person_says(channel, send)
        if channel == "phone" and any(claim.stage is None for claim in self._covered):
            yield "statutory_period"
        if self.pack is None:
            yield "unknown_country"
        elif not any(channel in row["channels"] for row in self.pack["windows"]):
            yield "channel_not_in_pack"
            yield from self._past_says(channel, send)
        else:
            key = (self.person.country, self.person.region, self.person.zones, channel, send)
            if key not in self._memory:
                self._memory[key] = tuple(self._calendar_says(channel, send))
            yield from self._memory[key]
            yield from self._past_says(channel, send)

    def _person_says(self, channel: str, send: int) -> Iterator[str]:
        one = self.person
        if send < one.as_of:
            yield "slot_past"
        if one.blocked is not None and send >= one.blocked:
            yield "blocked"
        if one.cease is not None and send >= one.cease:
            yield "cease_requested"
        if one.stop_until is not None and send < one.stop_until:
            yield "stop_period"
        if channel != "letter" and self._is_minor:
            yield "minor"
        if channel in one.wrong:
            yield "wrong_person"
        if channel in one.opted_out:
            yield "opted_out"
        if not one.claims:
            yield "no_open_claim"

    @cached_property
    def _today(self) -> int:
        """Local date; the day before where the zone is not certain, so that it is not later than on any clock."""
        day, _ = clock(self.person.zones[0], self.person.as_of // 10**6)
        return day - (len(self.person.zones) > 1)

    @cached_property
    def _is_minor(self) -> bool:
        if self.person.born is None:
            return True
        on, born = when(min([self._today, *(claim.due for claim in self.person.claims)])), when(self.person.born)
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < 18

    # Claims and points: a contact is barred when each of them is -----------------------------------------------------

    @cached_property
    def _claim_faults(self) -> list[list[int]]:
        return [self._faults_of(claim) for claim in self.person.claims]

    def _faults_of(self, claim: Claim) -> list[int]:
        found = {
            "disputed_claim": claim.disputed,
            "claim_on_hold": claim.held,
            "plan_kept": claim.on_plan,
            "promise_pending": self._is_promised(claim),
            "nothing_owed": not claim.owed,
            "not_due": self._is_early(claim),
        }
        return [RANK[name] for name, bars in found.items() if bars]

    def _is_promised(self, claim: Claim) -> bool:
        """Whether some clock still shows the promised day, or an earlier one."""
        now, last = self.person.as_of // 10**6, claim.promised_on
        return last is not None and any(clock(zone, now)[0] <= last for zone in self.person.zones)

    def _is_early(self, claim: Claim) -> bool:
        left = claim.due - self._today
        habit = self.person.paid >= 2 and 2 * self.person.paid_late >= self.person.paid
        return left >= 0 and not (habit and left <= 10)

    @cached_property
    def _covered(self) -> list[Claim]:
        return [claim for claim, bad in zip(self.person.claims, self._claim_faults, strict=True) if not bad]

    def _point_faults(self, channel: str, send: int) -> list[list[int]]:
        if self.person.points is None:
            return [[]] if channel == "letter" else [[RANK["no_contact_point"]]]
        mine = [point for point in self.person.points if point.channel == channel]
        return [self._faults_at(point, send) for point in mine] or [[RANK["no_contact_point"]]]

    def _faults_at(self, point: Point, send: int) -> list[int]:
        open_kinds = self._kind_of(point) in (None, "private")
        found = {
            "no_contact_point": point.since > send or (point.until is not None and point.until <= send),
            "unverified_point": point.channel != "letter" and not self._is_confirmed(point),
            "point_not_private": point.channel in ("sms", "email", "phone") and not open_kinds,
            "school_hours": self._kind_of(point) != "private" and self._at_school(point.channel, send),
            "consent_withdrawn": self._is_withdrawn(point),
        }
        return [RANK[name] for name, bars in found.items() if bars]

    # What is said of an address: every row speaks, whether it has ended or not -------------------------------------------

    def _is_withdrawn(self, point: Point) -> bool:
        no = [one for one in self._rows_of(point) if one.consent == "withdrawn"]
        if point.consent == "withdrawn" or any(one.since >= point.since for one in no):
            return True
        mine = [one for one in self._same(point) if one.consent != "not_required" and one.since <= point.since]
        return point.consent == "not_required" and _last_says(mine, lambda one: one.consent == "withdrawn")

    def _kind_of(self, point: Point) -> str | None:
        """The row's own kind, unless another row says that the address is not private."""
        if point.kind not in (None, "private"):
            return point.kind
        later = [one for one in self._rows_of(point) if one.kind not in (None, "private") and one.since >= point.since]
        if later:
            return later[0].kind
        mine = [one for one in self._same(point) if one.kind is not None and one.since <= point.since]
        return "?" if point.kind is None and _last_says(mine, lambda one: one.kind != "private") else point.kind

    def _is_confirmed(self, point: Point) -> bool:
        if point.confirmed is None or point.confirmed > self.person.as_of:
            return False
        open_still = [one.since for one in self._same(point) if one.confirmed is None or one.confirmed > one.since]
        return not any(point.since <= at and point.confirmed <= at for at in open_still)

    def _rows_of(self, point: Point) -> list[Point]:
        """Rows that may speak of the same address: no two keys tell them apart."""
        rows = [one for one in self.person.points or () if one.channel == point.channel]
        return [one for one in rows if point.key is None or one.key is None or one.key == point.key]

    def _same(self, point: Point) -> list[Point]:
        """Rows that surely speak of the same address."""
        return [one for one in self._rows_of(point) if point.key is not None and one.key == point.key]

    def _at_school(self, channel: str, send: int) -> bool:
        school = None if self.pack is None else self.pack.get("school_hours")
        if school is None or "none" in school or channel not in school["channels"]:
            return False
        return any(
            WEEK[weekday(day)] in school["weekdays"] and school["from"] <= hour < school["to"]
            for _, day, hour in self._clocks(send)
        )

    # Hours and days ----------------------------------------------------------------------------------------------

    def _clocks(self, send: int) -> Iterator[tuple[str, int, int]]:
        """Zone, date and hour at several moments of a slot."""
        for zone in self.person.zones:
            for second in SECONDS:
                yield zone, *clock(zone, send // 10**6 + second)

    def _calendar_says(self, channel: str, send: int) -> Iterator[str]:
        assert self.pack is not None
        found = {(day, hour) for _, day, hour in self._clocks(send)}
        if "valid_to" in self.pack and any(when(day) > self.pack["valid_to"] for day, _ in found):
            yield "pack_expired"
        if any(not self._open(channel, day, hour, quietly=False) for day, hour in found):
            yield "quiet_hours"
        off = {day for day, _ in found if is_holiday(self.pack, self.person.region, day)}
        if any(day in off and not self._open(channel, day, hour, quietly=True) for day, hour in found):
            yield "public_holiday"

    def _open(self, channel: str, day: int, hour: int, *, quietly: bool) -> bool:
        """Whether a window holds; with `quietly` one that holds on holidays too."""
        named = WEEK[weekday(day)]
        return all(
            any(
                named in row["weekdays"] and row["from"] <= hour < row["to"] and (row["holidays"] or not quietly)
                for row in rows
            )
            for rows in self._windows(channel)
        )

    def _windows(self, channel: str) -> list[list[Document]]:
        """Windows of a channel in each region that the person may live in."""
        if channel not in self._windows_of:
            assert self.pack is not None
            rows = [row for row in self.pack["windows"] if channel in row["channels"]]
            named = sorted({region for row in self.pack["windows"] for region in row.get("regions", [])})
            certain = is_known(self.person.country, self.person.region)
            regions = [self.person.region] if certain else [None, *named]
            general = [row for row in rows if not row.get("regions")]
            self._windows_of[channel] = [
                [row for row in rows if region in row.get("regions", [])] or general for region in regions
            ]
        return self._windows_of[channel]

    @cached_property
    def _windows_of(self) -> dict[str, list[list[Document]]]:
        return {}

    # What was sent, said and begun -------------------------------------------------------------------------------

    def _past_says(self, channel: str, send: int) -> Iterator[str]:
        assert self.pack is not None
        one = self.person
        for name, after, at in (
            ("payment_in_flight", "click", one.clicked),
            ("after_conversation", "conversation", one.talked),
            ("minimum_gap", "contact", one.last_sent),
            ("recent_inbound", "inbound", one.inbound),
        ):
            if at is not None and any(self._waits(row, at, send) for row in self._rows_after(after, channel)):
                yield name
        if any(self._in_period(claim, channel, send) for claim in self._covered):
            yield "statutory_period"
        if any(self._not_told(claim, channel, send) for claim in self._covered):
            yield "first_in_writing"
        for cap in self.pack.get("caps", []):
            if channel in cap["channels"] and self._at_cap(cap, send):
                yield f"cap_per_{cap['scope']}"

    def _rows_after(self, after: str, channel: str) -> list[Document]:
        assert self.pack is not None
        return [row for row in self.pack.get("waits", []) if row["after"] == after and channel in row["channels"]]

    def _waits(self, row: Document, at: int, send: int) -> bool:
        """Whether the time after an event is still running, on some clock."""
        return any(clock(zone, send // 10**6)[0] < self._end(row, zone, at) for zone in self.person.zones)

    def _end(self, row: Document, zone: str, at: int) -> int:
        """First date that is free after an event."""
        key = (id(row), zone, at)
        if key not in self._ends:
            day = clock(zone, at // 10**6)[0] + row.get("receipt_days", 0)
            for _ in range(row["days"]):
                day += 1
                while row.get("bank_days") and not is_bank_day(self.person.country, day):
                    day += 1
            self._ends[key] = day + bool(row.get("full_days"))
        return self._ends[key]

    def _in_period(self, claim: Claim, channel: str, send: int) -> bool:
        """Whether a period runs since a step of the law's, or the stage's own, or the stage's date has not gone by."""
        days = [clock(zone, send // 10**6)[0] for zone in self.person.zones]
        for row in self._rows_after("stage", channel):
            inside = claim.stage in row["stages"]
            begun = [*claim.steps, *([claim.stage_at] if inside and claim.stage_at is not None else [])]
            if any(self._waits(row, at, send) for at in begun):
                return True
            if inside and claim.next_due is not None and min(days) <= claim.next_due:
                return True
        return False

    def _not_told(self, claim: Claim, channel: str, send: int) -> bool:
        assert self.pack is not None
        rule = self.pack.get("in_writing")
        told = [*claim.notices, *(at for by, at in claim.written if rule is not None and by in rule["by"])]
        return rule is not None and channel in rule["channels"] and not any(at < send for at in told)

    def _at_cap(self, cap: Document, send: int) -> bool:
        counted = [one for one in self.person.contacts if not one.notice and self._counts(cap, one)]
        if cap["scope"] == "debtor":
            return self._too_many(cap, counted, send)
        return any(
            self._too_many(cap, [one for one in counted if claim.key in one.claims], send) for claim in self._covered
        )

    def _counts(self, cap: Document, contact: Contact) -> bool:
        named = set(cap["channels"])
        return bool(named & self.person.elsewhere) if contact.channel == "?" else contact.channel in named

    def _too_many(self, cap: Document, counted: list[Contact], send: int) -> bool:
        """Whether, with this one, some run of days holds more than the cap, on some clock."""
        if len(counted) < cap["most"]:
            return False
        for zone in self.person.zones:
            today = clock(zone, send // 10**6)[0]
            days = [clock(zone, one.at // 10**6)[0] for one in counted]
            for first in range(today - cap["days"] + 1, today + 1):
                if sum(first <= day < first + cap["days"] for day in days) + 1 > cap["most"]:
                    return True
        return False


def _last_says(rows: list[Point], word: Callable[[Point], bool]) -> bool:
    """Whether the last of some rows says it, or one of several that began together; False without any."""
    last = max((one.since for one in rows), default=0)
    return any(word(one) for one in rows if one.since == last)
