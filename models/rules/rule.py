"""What a contact rule is: the facts it may look at, what it bars, its name, its tier and its plain sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from data.action_grid import ActionGrid, BoolArray, Slots, slots
from data.calendar import Place
from data.situation import Situation
from data.times import IntArray
from features.distinct import distinct
from models.rules.pack import Pack, Packs

TIERS = ("stop", "identity", "legal", "preference", "policy")
"""Order in which rules speak; the first that leaves a channel without a slot is the reason given."""


@dataclass(frozen=True)
class Zones:
    """Names of zones, and the candidates of each place: `zone[start[p]:start[p + 1]]` are those of place p."""

    names: tuple[str, ...]
    start: IntArray
    zone: IntArray

    @cached_property
    def one_each(self) -> bool:
        """Whether each place has one candidate alone."""
        return len(self.zone) == len(self.start) - 1


@dataclass(frozen=True)
class Facts:
    """Everything a rule may look at. Shapes: n debtors, m open claims, p points, C contact channels, S slots."""

    situation: Situation
    grid: ActionGrid
    packs: Packs
    slots: Slots

    @staticmethod
    def of(situation: Situation, *, grid: ActionGrid, packs: Packs) -> Facts:
        """Facts with the send times of the grid for each debtor."""
        when = slots(grid, places=situation.places, place=situation.place, as_of_us=situation.as_of_us)
        return Facts(situation, grid, packs, when)

    def channels_named(self, *names: str) -> BoolArray:
        """Which contact channels of the grid bear one of the names, shape (C,)."""
        return named_channels(self.grid.channels, names)

    @property
    def any_channel(self) -> BoolArray:
        """True for each contact channel, shape (C,)."""
        return np.ones(len(self.grid.channels) - 1, dtype=bool)

    @property
    def every_debtor(self) -> BoolArray:
        """True for each debtor, shape (n, 1)."""
        return np.ones((self.situation.size, 1), dtype=bool)

    def points_of(self, *names: str) -> BoolArray:
        """Which contact points belong to one of the named channels, shape (p,)."""
        named: BoolArray = self.channels_named(*names)[self.situation.points.channel - 1]
        return named

    @cached_property
    def zones(self) -> Zones:
        """Candidate zones of the situation's places."""
        return _zones_of(self.situation.places)

    @cached_property
    def _packs_here(self) -> dict[str, Pack]:
        found = {place.country for place in self.situation.places}
        return {country: self.packs[country] for country in sorted(found) if country in self.packs}

    @property
    def packs_here(self) -> tuple[Pack, ...]:
        """Packs of the countries of the situation's places, in alphabetical order of these."""
        return tuple(self._packs_here.values())

    @cached_property
    def pack_of_debtor(self) -> IntArray:
        """Index in `packs_here` of each debtor's pack, -1 where its country has none, shape (n,)."""
        number = {country: row for row, country in enumerate(self._packs_here)}
        of_place = [number.get(place.country, -1) for place in self.situation.places]
        return np.array(of_place, dtype=np.int64)[self.situation.place]

    @cached_property
    def kept(self) -> dict[str, BoolArray]:
        """What one rule has found of every claim and others ask for too, by name."""
        return {}

    def barred_by(self, rule: Rule) -> Barred:
        """What a rule bars; one that holds claims is asked once."""
        found = self._held.get(rule.bars)
        if found is None:
            found = rule.bars(self)
            if found.claims is not None:
                self._held[rule.bars] = found
        return found

    @cached_property
    def _held(self) -> dict[Callable[[Facts], Barred], Barred]:
        return {}

    @cached_property
    def local_day(self) -> IntArray:
        """Local date of `as_of`, days since the epoch, shape (n,); a day earlier where the zone is not certain."""
        if self.zones.one_each:
            return self.slots.first_day[self.slots.of_debtor]
        uncertain = np.array([len(place.zones) > 1 for place in self.situation.places], dtype=np.int64)
        day: IntArray = self.slots.first_day[self.slots.of_debtor] - uncertain[self.situation.place]
        return day

    @cached_property
    def class_days(self) -> tuple[ClassDays | None, ...]:
        """The coming days of each calendar class under its pack, None without one, length K."""
        return tuple(
            class_days(self.packs[place.country], place, day, self.grid) if place.country in self.packs else None
            for place, day in self.classes
        )

    @cached_property
    def _classes(self) -> tuple[tuple[int, ...], IntArray]:
        keys = self.situation.place * 1_000_000 + self.slots.first_day[self.slots.of_debtor]
        found, of_debtor = distinct(keys)
        return tuple(found), of_debtor

    @property
    def class_of_debtor(self) -> IntArray:
        """Calendar class (place and local date of `as_of`) of each debtor, shape (n,)."""
        return self._classes[1]

    @cached_property
    def classes(self) -> tuple[tuple[Place, int], ...]:
        """Place and local date (days since the epoch) of each calendar class, length K."""
        return tuple((self.situation.places[key // 1_000_000], key % 1_000_000) for key in self._classes[0])


@lru_cache(maxsize=256)
def _zones_of(places: tuple[Place, ...]) -> Zones:
    """Candidate zones of places."""
    number = {name: row for row, name in enumerate(dict.fromkeys(z for place in places for z in place.zones))}
    start = np.cumsum([0, *(len(place.zones) for place in places)]).astype(np.int64)
    zone = np.array([number[z] for place in places for z in place.zones], dtype=np.int64)
    return Zones(tuple(number), start, zone)


@dataclass(frozen=True, eq=False)
class ClassDays:
    """The days of a grid at a place from a local date on, under the country's pack, and what rules have said of them, by rule."""

    pack: Pack
    place: Place
    first_day: int
    grid: ActionGrid
    said: dict[object, BoolArray | None]


@lru_cache(maxsize=16_384)
def class_days(pack: Pack, place: Place, first_day: int, grid: ActionGrid) -> ClassDays:
    """The same object for the same days, so that a rule is asked once about each of them."""
    return ClassDays(pack, place, first_day, grid, {})


@lru_cache(maxsize=1_024)
def named_channels(channels: tuple[str, ...], names: tuple[str, ...]) -> BoolArray:
    """Which contact channels of a grid bear one of the names, shape (C,), not to be written to."""
    named = np.array([channel in names for channel in channels[1:]], dtype=bool)
    named.flags.writeable = False
    return named


@dataclass(frozen=True)
class PointSlots:
    """Contact points (p,) that may not be used at slots of their debtor's calendar class (K, C, S)."""

    points: BoolArray
    slots: BoolArray


@dataclass(frozen=True)
class DebtorSlots:
    """Slots (k, C, S) that are barred to some debtors (k,), each named once, in rising order."""

    debtor: IntArray
    slots: BoolArray


class Barred(NamedTuple):
    """What one rule bars; None where it bars nothing of that kind.

    Attributes
    ----------
    claims
        Claims that no contact may cover, shape (m,).
    points
        Contact points that may not be used, shape (p,).
    channels
        Channels barred at every slot, shape (n, C).
    before_us, from_us
        Slots that begin before, or at and after, an instant, shape (n,).
    slots
        Slots barred by calendar class, shape (K, C, S).
    until_us
        Slots of a channel that begin before an instant, 0 for none, shape (n, C).
    points_at
        Contact points that may not be used at some slots.
    own
        Slots barred to single debtors.
    """

    claims: BoolArray | None = None
    points: BoolArray | None = None
    channels: BoolArray | None = None
    before_us: IntArray | None = None
    from_us: IntArray | None = None
    slots: BoolArray | None = None
    until_us: IntArray | None = None
    points_at: PointSlots | None = None
    own: DebtorSlots | None = None


NOTHING = Barred()
"""What a rule gives that bars nothing of anybody asked about: it costs no look at the grid."""


@dataclass(frozen=True)
class Rule:
    """A rule by name, with the sentence that tells a lawyer what `bars` does."""

    name: str
    tier: str
    sentence: str
    bars: Callable[[Facts], Barred]
