"""Made-up debtors as the rules see them, by the thousand, and the same ones as the judge sees them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.calendar import place_of
from data.situation import Made, OpenClaims, Points, Situation
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, to_us
from data.vocabulary import CONSENTS, POINT_KINDS, STAGES
from features._rule_kernels import begun
from features.debtor_tables import points_of
from tests.proof.calendars import zones_of
from tests.proof.nights import PLACES
from tests.proof.person import Claim, Contact, Person, Point

Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
TROUBLE = (0.0, 0.03, 0.08, 0.25)
"""Chance of each hindrance of a debtor: from one whom nothing hinders to one full of them."""

KINDS = ("person", "points", "claims", "course", "events", "contacts")
"""Kinds of hindrances: half of the debtors have those of one kind alone, and many of them."""

GIVEN, NOT_REQUIRED, WITHDRAWN = (CONSENTS.index(name) for name in ("given", "not_required", "withdrawn"))
JITTER_US = (0, 0, 0, 1, -1, 60_000_000, -60_000_000)


def situation(rng: Rng, night: datetime, *, size: int, channels: tuple[str, ...]) -> tuple[Situation, Told]:
    """Debtors at every place about a night, with what hinders each drawn by itself, and the rows of their contact points."""
    points_known, course_known = rng.random(2) > 0.08
    as_of = to_us(night) + rng.integers(-30, 31, size) * HOUR_US + rng.choice(JITTER_US, size)
    chance = _chances(rng, size)
    rare = chance["person"]
    claims = _claims(rng, as_of, chance["claims"], chance["course"], channels)
    claims = claims if course_known else _without_course(claims)
    paid = rng.integers(0, 5, size)
    told = _points_handed_over(rng, as_of, chance["points"], len(channels))
    found = Situation(
        as_of_us=as_of,
        debtor_id=np.array([f"d{row}" for row in range(size)], dtype=object),
        places=tuple(place_of(*place) for place in PLACES),
        place=rng.integers(0, len(PLACES), size),
        birth_day=_births(rng, as_of, rare),
        blocked_us=_maybe(rng, rare, _about(rng, as_of), NEVER),
        cease_us=_maybe(rng, rare, _about(rng, as_of), NEVER),
        objected_us=np.full(size, NEVER),
        stop_until_us=_maybe(rng, rare, _about(rng, as_of), NEVER),
        vulnerable=rng.random(size) < rare,
        opted_out=rng.random((size, len(channels))) < 2 * rare[:, None],
        wrong_person=rng.random((size, len(channels))) < rare[:, None],
        contacts=np.zeros(size, dtype=np.int64),
        last_contact_us=np.zeros(size, dtype=np.int64),
        last_sent_us=_maybe(rng, chance["events"], _past(rng, as_of, back=9, ahead=5), 0),
        talked_us=_maybe(rng, chance["events"], _past(rng, as_of, back=12), 0),
        clicked_us=_maybe(rng, chance["events"], _past(rng, as_of, back=9), 0),
        inbound_us=_maybe(rng, chance["events"], _past(rng, as_of, back=5), 0),
        paid_claims=paid,
        paid_late=rng.integers(0, paid + 1),
        made=_made(rng, as_of, chance["contacts"], claims, len(channels)),
        points=_points(told, as_of, channels, known=bool(points_known)),
        claims=claims,
    )
    return found, told


def _chances(rng: Rng, size: int) -> dict[str, Any]:
    """Chance of each kind of hindrance of each debtor, shape (n,) each."""
    alike, alone = rng.choice(TROUBLE, size), rng.integers(0, 2 * len(KINDS), size)
    many = rng.choice([0.15, 0.3, 0.45], size)
    return {
        kind: np.where(alone < len(KINDS), np.where(alone == number, many, 0.0), alike)
        for number, kind in enumerate(KINDS)
    }


def _maybe(rng: Rng, chance: Any, values: Ints, otherwise: int) -> Ints:
    return np.where(rng.random(len(values)) < chance, values, otherwise).astype(np.int64)


def _about(rng: Rng, as_of: Ints) -> Ints:
    """Instants from two days before to six after, half of them on the hour."""
    at = as_of + rng.integers(-2 * 24, 6 * 24, len(as_of)) * HOUR_US
    return np.where(rng.random(len(as_of)) < 0.5, at - at % HOUR_US, at) + rng.integers(-1, 2, len(as_of))


def _past(rng: Rng, as_of: Ints, *, back: int = 21, ahead: int = 0) -> Ints:
    """Instants from some days before `as_of` on, a third of them within an hour of a midnight in UTC."""
    at = as_of + rng.integers(-back * 24, ahead * 24 + 1, len(as_of)) * HOUR_US
    near = at - at % DAY_US + rng.integers(-60, 61, len(as_of)) * (HOUR_US // 60)
    return np.minimum(np.where(rng.random(len(as_of)) < 0.3, near, at), as_of + ahead * DAY_US - 1)


def _births(rng: Rng, as_of: Ints, rare: Any) -> Any:
    size = len(as_of)
    teens = as_of // DAY_US - 18 * 365 - 5 + rng.integers(-400, 40, size) // 10
    leap = np.full(size, (np.datetime64("2008-02-29") - np.datetime64("1970-01-01")).astype(np.int64))
    born = _maybe(rng, rare, np.where(rng.random(size) < 0.3, leap, teens), 0)
    born = np.where(born == 0, rng.integers(-10_000, 11_000, size), born)
    return _maybe(rng, 1 - rare / 2, born, NO_DAY).astype(np.int32)


def _claims(rng: Rng, as_of: Ints, rare: Any, course: Any, channels: tuple[str, ...]) -> OpenClaims:
    size = len(as_of)
    count = np.where(rng.random(size) < rare / 2, 0, rng.choice([1, 1, 2, 3], size))
    debtor = np.repeat(np.arange(size), count)
    when, few, some_course = as_of[debtor], rare[debtor], course[debtor]
    soon, long_ago = rng.integers(-14, 3, len(when)), rng.integers(3, 500, len(when))
    due = when // DAY_US - np.where(rng.random(len(when)) < 2 * few, soon, long_ago)
    first = np.full((len(when), len(channels)), 1, dtype=np.int64)
    some = rng.random(len(when)) < 2 * some_course
    told = _past(rng, when[some], ahead=4)[:, None]
    first[some] = np.where(rng.random((int(some.sum()), len(channels))) < 0.7, NEVER, told)
    step = _maybe(rng, some_course, _past(rng, when, ahead=3), 0)
    # A step that was called, or a letter that bounced, is none that tells; the first letter may be older than the last step.
    letter = np.where(rng.random(len(when)) < 0.5, step, step - rng.integers(0, 9, len(when)) * DAY_US)
    tells = (step > 0) & (rng.random(len(when)) < 0.7)
    # Many of the dates are the day before in Greenwich: west of it, some clocks still show it.
    dated = rng.choice([-2, -1, -1, -1, 0, 1, 1, 2, 2, 3, 5, 8], len(when))
    return OpenClaims(
        debtor=debtor,
        outstanding_eur=np.where(rng.random(len(when)) < few, 0.0, 50.0),
        due_day=due.astype(np.int32),
        stage=_maybe(rng, 1 - some_course / 2, rng.integers(0, len(STAGES), len(when)), -1).astype(np.int16),
        disputed=rng.random(len(when)) < 1.5 * few,
        held=rng.random(len(when)) < 1.5 * few,
        on_plan=rng.random(len(when)) < 1.5 * few,
        promised_until_us=_maybe(
            rng, 1.5 * few, (when // DAY_US + rng.choice([-2, 0, 0, 0, 1, 3], len(when))) * DAY_US, 0
        ),
        stage_us=_maybe(rng, 2 * some_course, _past(rng, when, back=14), 1),
        next_due_day=_maybe(rng, 2 * some_course, when // DAY_US + dated, NO_DAY).astype(np.int32),
        first_sent_us=first,
        first_statutory_us=np.where(tells, letter, NEVER),
        statutory_us=step,
    )


def _without_course(claims: OpenClaims) -> OpenClaims:
    """The same claims of a tenant who hands over no events of claims."""
    size, no = len(claims.debtor), np.zeros(len(claims.debtor), dtype=bool)
    return replace(
        claims,
        stage=np.full(size, -1, dtype=np.int16),
        stage_us=np.zeros(size, dtype=np.int64),
        next_due_day=np.full(size, NO_DAY, dtype=np.int32),
        disputed=no,
        held=no,
        on_plan=no,
    )


def _made(rng: Rng, as_of: Ints, rare: Any, claims: OpenClaims, channels: int) -> Made:
    count = rng.binomial(12, np.minimum(2 * rare, 0.5))
    debtor = np.repeat(np.arange(len(as_of)), count)
    back = rng.choice([2, 6, 21, 32], len(debtor))
    start = np.searchsorted(claims.debtor, np.arange(len(as_of) + 1))
    whose = np.repeat(np.arange(len(debtor)), (start[1:] - start[:-1])[debtor])
    ends = np.cumsum((start[1:] - start[:-1])[debtor])
    nth = np.arange(len(whose)) - (ends - (start[1:] - start[:-1])[debtor])[whose] if len(whose) else whose
    linked = rng.random(len(whose)) < 0.7
    codes = rng.integers(0, channels, len(debtor))
    return Made(
        debtor=debtor,
        channel=np.where(codes == 0, -1, codes).astype(np.int16),
        send_us=np.maximum(
            _past(rng, as_of[debtor], back=1, ahead=4) - (rng.random(len(debtor)) < 0.7) * back * DAY_US,
            as_of[debtor] - 32 * DAY_US,
        ),
        statutory=rng.random(len(debtor)) < 0.1,
        link_contact=whose[linked],
        link_claim=(start[debtor[whose]] + nth)[linked] if len(whose) else whose,
    )


@dataclass(frozen=True)
class Told:
    """Rows of contact points, shape (p,) each, as they are handed over; `verified_us` is `NEVER` and `key` -1 where there is none.

    `consent` and `kind` are vocabulary indices. Some of the rows have not begun.
    """

    debtor: Ints
    channel: Ints
    since_us: Ints
    until_us: Ints
    verified_us: Ints
    consent: Ints
    kind: Ints
    key: Ints


def _points_handed_over(rng: Rng, as_of: Ints, rare: Any, channels: int) -> Told:
    size = len(as_of)
    count = 1 + (rng.random((size, channels - 1)) < 0.2) - (rng.random((size, channels - 1)) < rare[:, None])
    owner = np.repeat(np.arange(size * (channels - 1)), count.ravel()) // (channels - 1)
    channel = np.repeat(np.tile(np.arange(1, channels), size), count.ravel())
    few, total = rare[owner], len(owner)
    kind = np.where(rng.random(total) < 2 * few, rng.choice([-1, -1, -1, 1, 2, 3], total), 0)
    given = rng.choice([GIVEN, GIVEN, NOT_REQUIRED], total)
    first = Told(
        debtor=owner,
        channel=channel,
        since_us=as_of[owner] - rng.integers(0, 100, total) * DAY_US,
        until_us=_maybe(rng, 2 * few, _about(rng, as_of[owner]), NEVER),
        verified_us=_maybe(rng, few, np.full(total, NEVER), 0),
        consent=np.where(rng.random(total) < few, WITHDRAWN, given),
        kind=kind,
        key=rng.choice([-1, 0, 0, 1], total),
    )
    again = [_said_again(rng, as_of, first, np.flatnonzero(rng.random(total) < share * few)) for share in (1.5, 0.7)]
    return Told(*(np.concatenate([getattr(one, item.name) for one in (first, *again)]) for item in fields(Told)))


def _said_again(rng: Rng, as_of: Ints, first: Told, rows: Ints) -> Told:
    """Rows of their own about some addresses, mostly the same: what was given is withdrawn, a number may be a child's, or not."""
    size, moment, begun = len(rows), as_of[first.debtor[rows]], first.since_us[rows]
    later = np.where(rng.random(size) < 0.2, begun, begun + rng.integers(0, 110, size) * DAY_US)
    since = np.where(rng.random(size) < 0.1, moment + rng.integers(0, 2, size), later)
    return Told(
        debtor=first.debtor[rows],
        channel=first.channel[rows],
        since_us=since,
        until_us=_maybe(rng, 0.4, since + rng.integers(0, 60, size) * DAY_US, NEVER),
        verified_us=np.where(rng.random(size) < 0.7, 0, np.where(rng.random(size) < 0.5, NEVER, since + DAY_US)),
        consent=rng.integers(0, len(CONSENTS), size),
        kind=rng.choice([-1, 0, 0, 1, 2, 3], size),
        key=np.where(rng.random(size) < 0.3, rng.choice([-1, 0, 1], size), first.key[rows]),
    )


def _points(told: Told, as_of: Ints, channels: tuple[str, ...], *, known: bool) -> Points:
    """What is known of the rows at each debtor's moment, read as from a portfolio."""
    names = [f"{row:06}" for row in range(len(as_of))]
    owners = np.array(names, dtype=object)[told.debtor]
    table = pa.table(
        {
            "debtor_id": pa.array(owners, pa.string()),
            "channel": _words(told.channel, channels),
            "valid_from": _instants(told.since_us),
            "valid_to": _instants(told.until_us),
            "verified": pa.array(told.verified_us < NEVER),
            "verified_at": _instants(np.where(told.verified_us == 0, NEVER, told.verified_us)),
            "consent": _words(told.consent, CONSENTS),
            "kind": _words(told.kind, POINT_KINDS),
            "address_key": _words(told.key, ("a", "b")),
        }
    )
    found = points_of(table, pa.array(names), channels)
    return Points(*begun(np.arange(len(as_of)), as_of, found), known=known)


def _words(codes: Ints, words: tuple[str, ...]) -> pa.Array:
    return pa.array([words[code] if code >= 0 else None for code in codes.tolist()], pa.string())


def _instants(us: Ints) -> pa.Array:
    return pa.array(us, pa.timestamp("us", tz="UTC"), mask=us == NEVER)


# The same debtors, for the judge --------------------------------------------------------------------------------------


def people(of: Situation, told: Told, channels: tuple[str, ...], every: tuple[str, ...]) -> list[Person]:
    """Each debtor's facts in plain words; `every` are all channels that a pack may name."""
    claims, contacts = _claims_told(of, channels), _contacts_told(of, channels)
    points = _points_told(told, of.as_of_us.tolist(), channels)
    elsewhere = frozenset(name for name in every if name not in channels)
    return [
        Person(
            as_of=int(of.as_of_us[row]),
            country=PLACES[of.place[row]][0],
            region=PLACES[of.place[row]][1],
            zones=zones_of(*PLACES[of.place[row]]),
            born=_known(of.birth_day[row], NO_DAY),
            blocked=_known(of.blocked_us[row], NEVER),
            cease=_known(of.cease_us[row], NEVER),
            stop_until=_known(of.stop_until_us[row], NEVER),
            opted_out=frozenset(channels[code] for code in np.flatnonzero(of.opted_out[row])),
            wrong=frozenset(channels[code] for code in np.flatnonzero(of.wrong_person[row])),
            last_sent=_known(of.last_sent_us[row], 0),
            talked=_known(of.talked_us[row], 0),
            clicked=_known(of.clicked_us[row], 0),
            inbound=_known(of.inbound_us[row], 0),
            paid=int(of.paid_claims[row]),
            paid_late=int(of.paid_late[row]),
            points=tuple(points[row]) if of.points.known else None,
            claims=tuple(claims[row]),
            contacts=tuple(contacts[row]),
            elsewhere=elsewhere,
        )
        for row in range(of.size)
    ]


def _known(value: Any, unknown: int) -> int | None:
    return None if int(value) == unknown else int(value)


def _claims_told(of: Situation, channels: tuple[str, ...]) -> list[list[Claim]]:
    found: list[list[Claim]] = [[] for _ in range(of.size)]
    told = of.claims
    for row, owner in enumerate(told.debtor.tolist()):
        first = told.first_sent_us[row].tolist()
        promised, notice = _known(told.promised_until_us[row], 0), _known(told.first_statutory_us[row], NEVER)
        step = _known(told.statutory_us[row], 0)
        found[owner].append(
            Claim(
                key=row,
                owed=bool(told.outstanding_eur[row] > 0),
                due=int(told.due_day[row]),
                disputed=bool(told.disputed[row]),
                held=bool(told.held[row]),
                on_plan=bool(told.on_plan[row]),
                promised_on=None if promised is None else promised // DAY_US - 1,
                stage=STAGES[told.stage[row]] if told.stage[row] >= 0 else None,
                stage_at=_known(told.stage_us[row], 0),
                next_due=_known(told.next_due_day[row], NO_DAY),
                written=tuple((channels[code], at) for code, at in enumerate(first) if code and at != NEVER),
                notices=() if notice is None else (notice,),
                steps=() if step is None else (step,),
            )
        )
    return found


def _points_told(told: Told, as_of: list[int], channels: tuple[str, ...]) -> list[list[Point]]:
    found: list[list[Point]] = [[] for _ in as_of]
    rows = zip(*(getattr(told, item.name).tolist() for item in fields(Told)), strict=True)
    for owner, channel, since, until, verified, consent, kind, key in rows:
        if since <= as_of[owner]:
            found[owner].append(
                Point(
                    channel=channels[channel],
                    since=since,
                    until=_known(until, NEVER),
                    confirmed=_known(verified, NEVER),
                    consent=CONSENTS[consent],
                    kind=POINT_KINDS[kind] if kind >= 0 else None,
                    key="ab"[key] if key >= 0 else None,
                )
            )
    return found


def _contacts_told(of: Situation, channels: tuple[str, ...]) -> list[list[Contact]]:
    made = of.made
    about: list[set[object]] = [set() for _ in range(len(made.debtor))]
    for contact, claim in zip(made.link_contact.tolist(), made.link_claim.tolist(), strict=True):
        about[contact].add(claim)
    found: list[list[Contact]] = [[] for _ in range(of.size)]
    for row, owner in enumerate(made.debtor.tolist()):
        code = int(made.channel[row])
        name = channels[code] if code > 0 else "?"
        found[owner].append(Contact(name, int(made.send_us[row]), bool(made.statutory[row]), frozenset(about[row])))
    return found
