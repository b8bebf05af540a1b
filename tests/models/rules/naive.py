"""The contact rules a second time: one debtor, one slot, one minute at a time, with dates and clocks of Python's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
from dateutil.easter import easter

from data.action_grid import ActionGrid
from data.calendar import Place
from data.situation import Situation
from data.times import NEVER, NO_DAY, from_day, from_us
from models.rules.pack import Pack, Packs
from tests.models.rules.naive_past import barred_by_past, is_not_due, is_promised

MINUTES = (0, 17, 30, 45, 59)
ORDER = (
    "slot_past",
    "blocked",
    "cease_requested",
    "stop_period",
    "no_open_claim",
    "minor",
    "no_contact_point",
    "unverified_point",
    "point_not_private",
    "wrong_person",
    "school_hours",
    "disputed_claim",
    "claim_on_hold",
    "plan_kept",
    "promise_pending",
    "nothing_owed",
    "unknown_country",
    "channel_not_in_pack",
    "pack_expired",
    "quiet_hours",
    "public_holiday",
    "statutory_period",
    "first_in_writing",
    "payment_in_flight",
    "after_conversation",
    "minimum_gap",
    "cap_per_debtor",
    "cap_per_claim",
    "consent_withdrawn",
    "opted_out",
    "recent_inbound",
    "not_due",
)


def allowed(
    situation: Situation,
    debtor: int,
    *,
    channel: str,
    day: int,
    hour: int,
    packs: Packs,
    grid: ActionGrid,
    active: tuple[str, ...] = ORDER,
) -> bool:
    """Whether none of the active rules bars one slot."""
    place = situation.places[situation.place[debtor]]
    today = from_us(int(situation.as_of_us[debtor])).astimezone(ZoneInfo(place.zones[0])).date()
    when = today + timedelta(days=day)
    send = datetime(when.year, when.month, when.day, hour, tzinfo=ZoneInfo(place.zones[0])).astimezone(UTC)
    barred = (
        *_person(situation, debtor, send, channel),
        *_claims(situation, debtor, active),
        *_points(situation, debtor, send, channel, grid, active, packs.get(place.country)),
        *_calendar(packs.get(place.country), place, send, channel),
        *barred_by_past(packs.get(place.country), situation, debtor, send=send, channel=channel, grid=grid),
    )
    return not any(name in active for name in barred)


def _person(situation: Situation, debtor: int, send: datetime, channel: str) -> Iterator[str]:
    place, as_of = situation.places[situation.place[debtor]], from_us(int(situation.as_of_us[debtor]))
    if send < as_of:
        yield "slot_past"
    for name, instants in (("blocked", situation.blocked_us), ("cease_requested", situation.cease_us)):
        if instants[debtor] != NEVER and send >= from_us(int(instants[debtor])):
            yield name
    until = int(situation.stop_until_us[debtor])
    if until != NEVER and send < from_us(until):
        yield "stop_period"
    mine = [row for row in range(len(situation.claims.debtor)) if situation.claims.debtor[row] == debtor]
    if not mine:
        yield "no_open_claim"
    today = as_of.astimezone(ZoneInfo(place.zones[0])).date() - timedelta(days=len(place.zones) > 1)
    first = min([today, *(from_day(int(situation.claims.due_day[row])) for row in mine)])
    born = int(situation.birth_day[debtor])
    if channel != "letter" and (born == NO_DAY or not _grown_up(from_day(born), first)):
        yield "minor"
    flags = {"wrong_person": situation.wrong_person, "opted_out": situation.opted_out}
    code = ("none", "sms", "email", "digital_mailbox", "letter", "phone", "portal").index(channel)
    yield from (name for name, flag in flags.items() if flag[debtor, code])


def _grown_up(born: date, on: date) -> bool:
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return age >= 18


def _claims(situation: Situation, debtor: int, active: tuple[str, ...]) -> Iterator[str]:
    """The last rule in order among those that, together, leave no claim covered: all of them count as barring."""
    holds = []
    for row in range(len(situation.claims.debtor)):
        if situation.claims.debtor[row] == debtor:
            held = {
                "disputed_claim": situation.claims.disputed[row],
                "claim_on_hold": situation.claims.held[row],
                "plan_kept": situation.claims.on_plan[row],
                "promise_pending": is_promised(situation, debtor, row),
                "nothing_owed": situation.claims.outstanding_eur[row] <= 0,
                "not_due": is_not_due(situation, debtor, row),
            }
            holds.append({name for name, holding in held.items() if holding and name in active})
    if holds and all(holds):
        yield from set().union(*holds)


def _points(
    situation: Situation,
    debtor: int,
    send: datetime,
    channel: str,
    grid: ActionGrid,
    active: tuple[str, ...],
    pack: Pack | None,
) -> Iterator[str]:
    points = situation.points
    if not points.known:
        if channel != "letter":
            yield "no_contact_point"
        return
    faults = []
    at_school = _at_school(pack, situation.places[situation.place[debtor]], send, channel)
    for row in range(len(points.debtor)):
        if points.debtor[row] == debtor and grid.channels[points.channel[row]] == channel:
            kind = ("private", "work", "shared", "may_be_childs", "unknown")[points.kind[row]]
            fault = {
                "no_contact_point": points.valid_to_us[row] != NEVER and from_us(int(points.valid_to_us[row])) <= send,
                "unverified_point": not points.verified[row] and channel != "letter",
                "point_not_private": kind in ("work", "shared", "may_be_childs")
                and channel in ("sms", "email", "phone"),
                "school_hours": kind != "private" and at_school,
                "consent_withdrawn": points.withdrawn[row],
            }
            faults.append({name for name, found in fault.items() if found and name in active})
    if not faults:
        yield "no_contact_point"
    elif all(faults):
        yield from set().union(*faults)


def _at_school(pack: Pack | None, place: Place, send: datetime, channel: str) -> bool:
    school = None if pack is None else pack.school_hours
    if school is None or channel not in school.channels:
        return False
    clocks = [(send + timedelta(minutes=m)).astimezone(ZoneInfo(zone)) for zone in place.zones for m in MINUTES]
    return any(c.weekday() in school.weekdays and school.from_hour <= c.hour < school.to_hour for c in clocks)


def _calendar(pack: Pack | None, place: Place, send: datetime, channel: str) -> Iterator[str]:
    if pack is None:
        yield "unknown_country"
        return
    if not any(channel in window.channels for window in pack.windows):
        yield "channel_not_in_pack"
        return
    for zone in place.zones:
        for minute in MINUTES:
            local = (send + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
            for region in _regions(pack, place):
                windows = _windows(pack, channel, region)
                inside = [w for w in windows if local.weekday() in w.weekdays and w.from_hour <= local.hour < w.to_hour]
                if not inside:
                    yield "quiet_hours"
                if not any(w.holidays for w in inside) and _holiday(pack, region, local.date()):
                    yield "public_holiday"


def _regions(pack: Pack, place: Place) -> list[str | None]:
    known = [f"{pack.country}-{name}" for name in holidays.list_supported_countries()[pack.country]]
    return [place.region] if place.region in known or not known else [None, *known]


def _windows(pack: Pack, channel: str, region: str | None):  # type: ignore[no-untyped-def] # a test's own
    mine = [window for window in pack.windows if channel in window.channels and region in window.regions]
    return mine or [window for window in pack.windows if channel in window.channels and not window.regions]


def _holiday(pack: Pack, region: str | None, day: date) -> bool:
    extra = [date(day.year, *map(int, text.split("-"))) for text in pack.extra if not text.startswith("easter")]
    extra += [easter(day.year) + timedelta(days=int(text[6:])) for text in pack.extra if text.startswith("easter")]
    subdivision = region.split("-")[1] if region else "ENG" if pack.country == "GB" else None
    return day in extra or day in _listed(pack.country, subdivision, pack.categories, day.year)


_LISTS: dict[tuple[object, ...], set[date]] = {}


def _listed(country: str, subdivision: str | None, categories: tuple[str, ...], year: int) -> set[date]:
    key = (country, subdivision, categories, year)
    if key not in _LISTS:
        _LISTS[key] = set(holidays.country_holidays(country, subdiv=subdivision, years=year, categories=categories))
    return _LISTS[key]
