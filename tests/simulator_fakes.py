"""A behaviour of ten lines for tests of the simulator, which knows neither rules nor models."""

from __future__ import annotations

import numpy as np

from data.action_grid import ActionGrid, slots
from data.config import Config
from data.simulator.behaviour import Choices
from data.situation import BoolArray, Situation
from data.times import DAY_US


class Fake:
    """Any slot of a channel with a verified point; calls for old claims; 30 % at random."""

    def __init__(self, config: Config) -> None:
        self.grid = ActionGrid.of(config.grid)

    def options(self, situation: Situation) -> BoolArray:
        points, moment = situation.points, situation.as_of_us
        good = points.verified & ~points.withdrawn & (points.valid_to_us > moment[points.debtor])
        has = np.zeros((situation.size, len(self.grid.channels)), dtype=np.bool_)
        has[points.debtor[good], points.channel[good]] = True
        has &= ~situation.opted_out & ~situation.wrong_person & (situation.blocked_us > moment)[:, None]
        times = slots(self.grid, places=situation.places, place=situation.place, as_of_us=moment)
        allowed: BoolArray = has[:, self.grid.channel] & ~times.past(moment)
        allowed[:, 0] = True
        return allowed

    def choose(self, situation: Situation, allowed: BoolArray, *, rng: np.random.Generator) -> Choices:
        claims, row = situation.claims, np.arange(situation.size)
        due = np.full(situation.size, 10**9)
        np.minimum.at(due, claims.debtor, claims.due_day)
        age = situation.as_of_us // DAY_US - due
        wanted = np.select(
            [age < 20, age < 45],
            [self.grid.action_of(1, 0, 10), self.grid.action_of(4, 0, 8)],
            self.grid.action_of(5, 0, 10),
        )
        ruled = np.where(allowed[row, wanted], wanted, 0)
        weight = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
        drawn = (np.cumsum(weight, axis=1) < rng.random((situation.size, 1))).sum(axis=1).clip(max=self.grid.size - 1)
        drawn = np.where(allowed[row, drawn], drawn, 0)
        random = rng.random(situation.size) < 0.3
        action = np.where(random, drawn, ruled)
        return Choices(
            action, np.where(random, weight[row, action], 1.0), np.where(random, "random", "incumbent").astype(object)
        )
