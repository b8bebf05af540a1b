"""What a contact rule is: the facts it may look at, what it bars, its name, its tier and its plain sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.action_grid import ActionGrid, BoolArray, Slots, slots
from data.calendar import Place
from data.situation import Situation
from data.times import IntArray
from models.rules.pack import Packs

TIERS = ("stop", "identity", "legal", "preference", "policy")
"""Order in which rules speak; the first that leaves a channel without a slot is the reason given."""


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
        return np.array([channel in names for channel in self.grid.channels[1:]], dtype=bool)

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
    def local_day(self) -> IntArray:
        """Local date of `as_of`, days since the epoch, shape (n,); a day earlier where the zone is not certain."""
        uncertain = np.array([len(place.zones) > 1 for place in self.situation.places], dtype=np.int64)
        day: IntArray = self.slots.first_day[self.slots.of_debtor] - uncertain[self.situation.place]
        return day

    @cached_property
    def _classes(self) -> tuple[IntArray, IntArray]:
        keys = self.situation.place * 1_000_000 + self.slots.first_day[self.slots.of_debtor]
        found, of_debtor = np.unique(keys, return_inverse=True)
        return found, of_debtor.astype(np.int64)

    @property
    def class_of_debtor(self) -> IntArray:
        """Calendar class (place and local date of `as_of`) of each debtor, shape (n,)."""
        return self._classes[1]

    @cached_property
    def classes(self) -> tuple[tuple[Place, int], ...]:
        """Place and local date (days since the epoch) of each calendar class, length K."""
        return tuple((self.situation.places[key // 1_000_000], key % 1_000_000) for key in self._classes[0].tolist())


@dataclass(frozen=True)
class Barred:
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
    """

    claims: BoolArray | None = None
    points: BoolArray | None = None
    channels: BoolArray | None = None
    before_us: IntArray | None = None
    from_us: IntArray | None = None
    slots: BoolArray | None = None


@dataclass(frozen=True)
class Rule:
    """A rule by name, with the sentence that tells a lawyer what `bars` does."""

    name: str
    tier: str
    sentence: str
    bars: Callable[[Facts], Barred]
