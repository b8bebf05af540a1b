"""The rules that look at what was sent, said and begun, a second time: one debtor, one slot, plain dates of Python's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data.action_grid import ActionGrid
from data.calendar import is_bank_day
from data.situation import Situation
from data.times import NEVER, NO_DAY, from_day, from_us
from data.vocabulary import STAGES
from models.rules.pack import Cap, Pack, Wait

DAY = timedelta(days=1)


def barred_by_past(
    pack: Pack | None, situation: Situation, debtor: int, *, send: datetime, channel: str, grid: ActionGrid
) -> Iterator[str]:
    """Names of the rules that bar one slot of one debtor."""
    covered = [row for row in range(len(situation.claims.debtor)) if is_covered(situation, debtor, row)]
    if channel == "phone" and any(situation.claims.stage[row] == -1 for row in covered):
        yield "statutory_period"
    if pack is None:
        return
    zones = [ZoneInfo(name) for name in situation.places[situation.place[debtor]].zones]
    if pack.valid_to is not None and any(send.astimezone(zone).date() > pack.valid_to for zone in zones):
        yield "pack_expired"
    events = {
        "minimum_gap": ("contact", situation.last_sent_us[debtor]),
        "after_conversation": ("conversation", situation.talked_us[debtor]),
        "payment_in_flight": ("click", situation.clicked_us[debtor]),
        "recent_inbound": ("inbound", situation.inbound_us[debtor]),
    }
    for name, (after, at_us) in events.items():
        for wait in pack.waits:
            binds = wait.after == after and channel in wait.channels and at_us > 0
            if binds and not _over(wait, pack.country, from_us(int(at_us)), send, zones):
                yield name
    for row in covered:
        yield from _of_claim(pack, situation, row, send, channel, zones, grid)
    for cap in [cap for cap in pack.caps if channel in cap.channels]:
        owners: list[int | None] = [None] if cap.scope == "debtor" else [*covered]
        if any(_full(cap, situation, debtor, owner, send, zones, grid) for owner in owners):
            yield f"cap_per_{cap.scope}"


def is_covered(situation: Situation, debtor: int, row: int) -> bool:
    """Whether a contact with the debtor would be about a claim."""
    claims = situation.claims
    return claims.debtor[row] == debtor and not (
        claims.disputed[row]
        or claims.held[row]
        or claims.on_plan[row]
        or is_promised(situation, debtor, row)
        or claims.outstanding_eur[row] <= 0
        or is_not_due(situation, debtor, row)
    )


def is_promised(situation: Situation, debtor: int, row: int) -> bool:
    """Whether some clock has not yet reached the day after a promise."""
    until, as_of = int(situation.claims.promised_until_us[row]), from_us(int(situation.as_of_us[debtor]))
    morrow = (from_us(until) + DAY - timedelta(microseconds=1)).date()
    zones = situation.places[situation.place[debtor]].zones
    return until > 0 and any(as_of.astimezone(ZoneInfo(zone)).date() < morrow for zone in zones)


def is_not_due(situation: Situation, debtor: int, row: int) -> bool:
    place = situation.places[situation.place[debtor]]
    today = from_us(int(situation.as_of_us[debtor])).astimezone(ZoneInfo(place.zones[0])).date()
    today -= DAY * (len(place.zones) > 1)
    left = (from_day(int(situation.claims.due_day[row])) - today).days
    paid, late = int(situation.paid_claims[debtor]), int(situation.paid_late[debtor])
    return left >= 0 and not (left <= 10 and paid >= 2 and late >= paid / 2)


def _over(wait: Wait, country: str, happened: datetime, send: datetime, zones: list[ZoneInfo]) -> bool:
    """Whether a wait is over at the time of sending, on every clock."""
    return all(send.astimezone(zone).date() >= _free(wait, country, happened.astimezone(zone).date()) for zone in zones)


def _free(wait: Wait, country: str, day: date) -> date:
    day, left = day + wait.receipt_days * DAY, wait.days
    while left:
        day += DAY
        left -= not wait.bank_days or is_bank_day(country, day)
    return day + DAY if wait.full_days else day


def _of_claim(
    pack: Pack,
    situation: Situation,
    row: int,
    send: datetime,
    channel: str,
    zones: list[ZoneInfo],
    grid: ActionGrid,
) -> Iterator[str]:
    claims = situation.claims
    for wait in pack.waits:
        if wait.after != "stage" or channel not in wait.channels:
            continue
        begun = [int(claims.statutory_us[row])]
        if claims.stage[row] >= 0 and STAGES[claims.stage[row]] in wait.stages:
            begun.append(int(claims.stage_us[row]))
            due = int(claims.next_due_day[row])
            if due != NO_DAY and any(send.astimezone(zone).date() <= from_day(due) for zone in zones):
                yield "statutory_period"
        if not all(_over(wait, pack.country, from_us(at), send, zones) for at in begun if at):
            yield "statutory_period"
    if pack.in_writing is not None and channel in pack.in_writing.channels:
        columns = [grid.channels.index(name) for name in pack.in_writing.by if name in grid.channels]
        told = [int(claims.first_sent_us[row, column]) for column in columns] + [int(claims.first_statutory_us[row])]
        if not any(at != NEVER and from_us(at) < send for at in told):
            yield "first_in_writing"


def _full(
    cap: Cap,
    situation: Situation,
    debtor: int,
    claim: int | None,
    send: datetime,
    zones: list[ZoneInfo],
    grid: ActionGrid,
) -> bool:
    """Whether one contact more would be too many in some run of days on some clock."""
    made = situation.made
    rows = [row for row in range(len(made.debtor)) if made.debtor[row] == debtor and not made.statutory[row]]
    rows = [row for row in rows if grid.channels[made.channel[row]] in cap.channels]
    if claim is not None:
        pairs = set(zip(made.link_contact.tolist(), made.link_claim.tolist(), strict=True))
        rows = [row for row in rows if (row, claim) in pairs]
    for zone in zones:
        dates = [from_us(int(made.send_us[row])).astimezone(zone).date() for row in rows]
        today = send.astimezone(zone).date()
        for back in range(cap.days):
            first = today - back * DAY
            if sum(first <= day < first + cap.days * DAY for day in dates) + 1 > cap.most:
                return True
    return False
