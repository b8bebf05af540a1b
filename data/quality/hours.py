"""What the debtors' clocks show when something happens, by country and zone: times that look wrong.

Rules, each with its reason:

- *night*: fewer than one call, text message or answer in twenty falls between 22 and 6 o'clock wherever people are called
  at all; more means that the zone, or the offset of the times, is wrong.
- *midnight*: nine in ten times at exactly midnight, by the debtor's clock or UTC: dates stored as times, without an hour.
- *full hour elsewhere*: in a zone whose clock is off the full hour (India, Nepal), times that lie on the full hour of UTC and
  never on the debtors' own: made for another zone.
- *shift*: the profile over the day is far from that of all other places together (more than three tenths of the rows would
  have to move), and moving it by some hours takes away more than half of that. With only two places it cannot be told
  which of them is off, and the sentence says so.
- *foreign zone*: a debtor's own `time_zone` whose clock no part of the country has. Some live abroad: one in twenty is let
  pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.outcomes import BoolArray
from data.quality.finding import ENOUGH, Finding, share_of
from data.quality.linked import Linked
from data.quality.local_clock import (
    DAY_S,
    EARLIEST_US,
    LATEST_US,
    SEPARATOR,
    second_of_day,
    zones_of_debtors,
)
from data.quality.profile import Profile, best_shift, night_share
from data.quality.tally import Sums, Tally, added, histogram
from data.times import IntArray
from data.zones import UnknownZone, zones_of

HEADING = "Time zones"

SERIES = ("calls and messages", "answered", "payments")
"""Sendings by phone or sms (what is sent by machine, such as e-mail, may well go out at night), answers, payments."""

TABLE_OF = {"calls and messages": "contacts", "answered": "contact_events", "payments": "payments"}
COLUMN_OF = {"calls and messages": "send_at", "answered": "at", "payments": "paid_at"}
DISTURBING = ("phone", "sms")

NIGHTLY = 0.05
MIDNIGHT = 0.9
FULL_HOUR = 0.9
FOREIGN = 0.05


@dataclass(frozen=True)
class Hours:
    """Rows by the debtor's local hour.

    Attributes
    ----------
    profiles
        (series, country, zone): 24 counts, one for each local hour.
    exact
        (series, country, zone): rows, at midnight of the debtor, at midnight UTC, on the debtor's full hour, on UTC's.
    zones
        (country): debtors with a zone of their own, those whose clock no part of the country has.
    """

    profiles: Tally
    exact: Tally
    zones: Tally

    def plus(self, other: Hours) -> Hours:
        """Both shards together."""
        return added(self, other)

    def of(self, series: str) -> dict[tuple[str, str], Profile]:
        """Profile over the day of each (country, zone)."""
        found = {
            (str(c), str(z)): np.array(v, dtype=np.float64) for (s, c, z), v in self.profiles.items() if s == series
        }
        return {place: profile for place, profile in sorted(found.items()) if profile.sum()}

    def rows(self) -> list[dict[str, Any]]:
        """One entry for each place and series, places with most rows first."""
        size = {place: 0.0 for series in SERIES for place in self.of(series)}
        for series in SERIES:
            for place, profile in self.of(series).items():
                size[place] += float(profile.sum())
        found = []
        for country, zone in sorted(size, key=lambda place: (-size[place], place)):
            for series in SERIES:
                profile = self.of(series).get((country, zone), np.zeros(24))
                if profile.sum():
                    counts = [int(count) for count in profile]
                    night = night_share(profile)
                    found.append({"country": country, "zone": zone, "series": series, "hours": counts, "night": night})
        return found

    def findings(self) -> Iterator[Finding]:
        """Places whose clock cannot be right."""
        for series in SERIES:
            profiles = self.of(series)
            for place, profile in profiles.items():
                if profile.sum() >= ENOUGH:
                    yield from self._exact_times(series, place)
                    yield from _at_night(series, place, profile)
            yield from _shifted(series, profiles, dated=self._dated(series))
        yield from self._foreign_zones()

    def _dated(self, series: str) -> frozenset[tuple[str, str]]:
        """Places whose times are dates: their hours say nothing."""
        return frozenset(
            (str(country), str(zone))
            for (name, country, zone), (rows, local, utc, *_) in self.exact.items()
            if name == series and max(local, utc) >= MIDNIGHT * rows
        )

    def _exact_times(self, series: str, place: tuple[str, str]) -> Iterator[Finding]:
        rows, local, utc, full, full_utc = self.exact[(series, *place)]
        where, table, column = _where(place), TABLE_OF[series], COLUMN_OF[series]
        midnights = max(local, utc)
        if midnights >= MIDNIGHT * rows:
            whose = "the debtor's midnight" if local >= utc else "midnight UTC"
            sentence = f"{column} of {series} in {where} stands at {whose}: a date stored as a time"
            remedy = "hand over the time of day if it is known; hours of these rows say nothing"
            yield Finding("look", HEADING, table, sentence, midnights, share_of(midnights, rows), remedy)
        elif full_utc >= FULL_HOUR * rows and full <= (1 - FULL_HOUR) * rows:
            sentence = f"{column} of {series} in {where} lies on the full hour of UTC, never on the debtor's own"
            remedy = "see whether the times were made for another zone"
            yield Finding("look", HEADING, table, sentence, full_utc, share_of(full_utc, rows), remedy)

    def _foreign_zones(self) -> Iterator[Finding]:
        for (country,), (given, foreign) in self.zones.items():
            if given >= ENOUGH and foreign > FOREIGN * given:
                sentence = f"time_zone of debtors in {country} has a clock that no part of the country has"
                remedy = "correct time_zone, or leave it null: country and region then tell"
                yield Finding("look", HEADING, "debtors", sentence, foreign, share_of(foreign, given), remedy)


def _where(place: tuple[str, str]) -> str:
    country, zone = place
    return f"{country or 'no country'} ({zone})"


def _at_night(series: str, place: tuple[str, str], profile: Profile) -> Iterator[Finding]:
    share = night_share(profile)
    if series != "payments" and share > NIGHTLY:
        count = round(share * float(profile.sum()))
        sentence = f"{series} in {_where(place)} fall between 22 and 6 o'clock of the debtors"
        remedy = f"see that {COLUMN_OF[series]} is UTC and that the debtors' zone is right"
        yield Finding("problem", HEADING, TABLE_OF[series], sentence, count, share, remedy)


def _shifted(
    series: str, profiles: dict[tuple[str, str], Profile], *, dated: frozenset[tuple[str, str]]
) -> Iterator[Finding]:
    """Places whose profile, moved by some hours, would agree with all others together."""
    usable = {place: profile for place, profile in profiles.items() if place not in dated}
    for place, profile in usable.items():
        # Each other place counts alike: one large place that is off must not make the others look shifted.
        others = [one / one.sum() for name, one in usable.items() if name != place and one.sum() >= 4 * ENOUGH]
        if not others or profile.sum() < 4 * ENOUGH:
            continue
        shift = best_shift(profile, np.median(others, axis=0) if len(others) > 2 else np.mean(others, axis=0))
        if shift:
            remedy = f"see that {COLUMN_OF[series]} is UTC and that the debtors' zone is right"
            doubt = "" if len(others) > 1 else ", or the one other place by as much the other way"
            sentence = f"{series} in {_where(place)} look shifted by about {shift:+d} h against other places{doubt}"
            yield Finding("look", HEADING, TABLE_OF[series], sentence, int(profile.sum()), None, remedy)


def hours(linked: Linked) -> Hours:
    """Local hours of a portfolio's calls and messages, answers and payments."""
    debtors = linked.tables["debtors"]
    country, zone = zones_of_debtors(debtors)
    place = pc.dictionary_encode(pc.binary_join_element_wise(country, zone, SEPARATOR))
    names = [tuple(str(one).rsplit(SEPARATOR, 1)) for one in place.dictionary.to_pylist()]
    code = np.append(place.indices.to_numpy(), -1) if len(place) else np.array([-1])
    profiles: Sums = {}
    exact: Sums = {}
    for series, (instant_us, debtor) in _instants(linked).items():
        for number, name in enumerate(names):
            here = instant_us[code[debtor] == number]
            if len(here):
                profiles[(series, *name)], exact[(series, *name)] = _counts(name[1], here)
    return Hours(profiles, exact, _zones_abroad(debtors))


def _instants(linked: Linked) -> dict[str, tuple[IntArray, IntArray]]:
    """Instants of each series and the row of `debtors` of each."""
    of_contact = linked.debtor_of_row[linked.first]
    channel = linked.of_contact("channel")
    calls = pc.is_in(channel, value_set=pa.array(DISTURBING)).to_numpy(zero_copy_only=False)
    answered = _answers(linked)
    return {
        "calls and messages": _sensible(linked.contact_us("send_at")[calls], of_contact[calls]),
        "answered": _sensible(
            linked.us("contact_events", "at")[answered],
            np.append(of_contact, -1)[linked.contact_of_event[answered]],
        ),
        "payments": _sensible(linked.us("payments", "paid_at"), linked.debtor_of_payment),
    }


def _answers(linked: Linked) -> BoolArray:
    marked: BoolArray = pc.equal(linked.text("contact_events", "kind"), "answered").to_numpy(zero_copy_only=False)
    return marked


def _sensible(instant_us: IntArray, debtor: IntArray) -> tuple[IntArray, IntArray]:
    """Those with a known debtor and an instant that a clock can show."""
    kept = (debtor >= 0) & (instant_us >= EARLIEST_US) & (instant_us < LATEST_US)
    return instant_us[kept], debtor[kept]


def _counts(zone: str, instant_us: IntArray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """24 counts by local hour; rows, at midnight and on the full hour by the debtor's clock and by UTC."""
    local, utc = second_of_day(zone, instant_us), instant_us // 1_000_000 % DAY_S
    profile = histogram(local // 3600, size=24)
    whole: list[npt.NDArray[np.bool_]] = [local == 0, utc == 0, local % 3600 == 0, utc % 3600 == 0]
    return tuple(profile.tolist()), (len(instant_us), *(int(mask.sum()) for mask in whole))


def _zones_abroad(debtors: pa.Table) -> Tally:
    """By country: debtors with a zone of their own, and those whose clock no part of the country has."""
    given = debtors.select(["country", "time_zone"]).drop_null()
    counts = given.group_by(["country", "time_zone"], use_threads=False).aggregate([([], "count_all")])
    found: Sums = {}
    for country, zone, rows in zip(*(column.to_pylist() for column in counts.columns), strict=True):
        before = found.get((country,), (0, 0))
        found[country,] = (before[0] + rows, before[1] + rows * _is_abroad(country, zone))
    return found


def _is_abroad(country: str, zone: str) -> bool:
    try:
        (own,) = zones_of(country, None, time_zone=zone)
    except UnknownZone:
        return False  # told by the contract's check
    at_home = zones_of(country, None, time_zone=None)
    return at_home != ("UTC",) and _clock(own) not in {_clock(one) for one in at_home}


def _clock(zone: str) -> tuple[int, int]:
    """Second of the local day at two noons UTC, in winter and in summer."""
    noons = np.array([19_737, 19_905], dtype=np.int64) * DAY_S * 1_000_000
    winter, summer = second_of_day(zone, noons).tolist()
    return winter, summer
