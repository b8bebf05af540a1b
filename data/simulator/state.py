"""A chunk of a simulation in memory: its people, claims and laws, and how it is kept between runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.action_grid import ActionGrid
from data.config import Config
from data.simulator.clock import Clocks, clocks_of
from data.simulator.debts import Claims, draw_claims
from data.simulator.habits import Habits
from data.simulator.paydays import PayDays, pay_day_table
from data.simulator.people import People, draw_people
from data.simulator.points import PointBook, draw_points, leads_home
from data.simulator.post import Post, post_of
from data.simulator.response import Laws, Reach, tiredness
from data.simulator.settings import SimulationSettings
from data.simulator.worlds import WORLDS, World
from data.situation import CodeArray
from data.times import DAY_US, IntArray
from data.vocabulary import CHANNELS

AHEAD_DAYS = 200
"""Days of the calendar kept ready after a chunk's present."""


class UnknownChannel(ValueError):
    """The configuration's grid has a channel whose effect no world knows."""


@dataclass(frozen=True)
class Chunk:
    """Some debtors with everything that concerns them."""

    config: Config
    world: World
    people: People
    habits: Habits
    points: PointBook
    claims: Claims
    clocks: Clocks
    pay_days: PayDays
    post: Post
    grid: ActionGrid

    @property
    def channel_codes(self) -> CodeArray:
        """Index in `vocabulary.CHANNELS` of each of the grid's channels."""
        return np.array([CHANNELS.index(name) for name in self.grid.channels], dtype=np.int16)

    def laws(self, at_us: IntArray) -> Laws:
        """Laws of response for decisions at an instant of each debtor, shape (n,)."""
        people = self.people
        return Laws(
            world=self.world,
            claims=self.claims,
            habits=self.habits,
            reach=Reach(self.habits, leads_home(self.points, at_us), self.world.flat),
            pay_days=self.pay_days,
            post=self.post,
            country=people.country,
            tired=tiredness(people.tired, people.tired_us, at_us=at_us),
        )


def assembled(
    people: People,
    habits: Habits,
    *,
    points: PointBook,
    claims: Claims,
    world: World,
    config: Config,
    first_us: int,
    until_us: int,
) -> Chunk:
    """A chunk with its calendars from `first_us` to some time after `until_us`.

    Raises
    ------
    UnknownChannel
        The grid has a channel that the contract does not name: nobody knows how people respond to it.
    """
    strange = [name for name in config.grid.channels if name not in CHANNELS]
    if strange:
        raise UnknownChannel(
            f"the simulator knows {', '.join(CHANNELS)}; take {', '.join(strange)} out of [grid] channels"
        )
    days = (until_us - first_us) // DAY_US + AHEAD_DAYS
    return Chunk(
        config=config,
        world=world,
        people=people,
        habits=habits,
        points=points,
        claims=claims,
        clocks=clocks_of(people, first_us=first_us, days=days),
        pay_days=pay_day_table(first_us, days, world=world),
        post=post_of(first_us, days),
        grid=ActionGrid.of(config.grid),
    )


def first_us_of(settings: SimulationSettings) -> int:
    """Instant at which the calendars of a chunk begin that is born with these settings."""
    return settings.start_us - 2 * WORLDS[settings.world].cycle_days * DAY_US


def born(first: int, size: int, *, settings: SimulationSettings, config: Config, rng: np.random.Generator) -> Chunk:
    """A chunk at the beginning of its simulation."""
    world = WORLDS[settings.world]
    people, habits = draw_people(
        first, size, start_us=settings.start_us, until_us=settings.until_us, world=world, rng=rng
    )
    claims = draw_claims(people, settings=settings, rates=config.rates, rng=rng)
    points = draw_points(people, habits, rng=rng)
    return assembled(
        people,
        habits,
        points=points,
        claims=claims,
        world=world,
        config=config,
        first_us=first_us_of(settings),
        until_us=settings.until_us,
    )
