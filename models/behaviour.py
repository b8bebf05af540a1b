"""Behaviour of the past: the tenant's ladder for most decisions, a random slice inside the rules for the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.action_grid import ActionGrid, BoolArray
from data.config import Config, ControlSettings
from data.simulator.behaviour import Choices
from data.situation import FloatArray, Situation
from data.times import IntArray
from models.control import control_actions, day_slots
from models.explore import draw, explore_probabilities
from models.rules.company_caps import with_company_caps
from models.rules.mask import Mask, contact_mask
from models.rules.pack import Packs, read_packs

INCUMBENT = "incumbent"
RANDOM = "random"


class IncumbentWithRandomSlice:
    """Decides by the ladder, and for a random share of decisions by hierarchical exploration.

    The logged probability is that of the action given the policy that chose it (`incumbent` or `random`); which of
    the two chooses is drawn independently of the debtor. Vulnerable debtors are never explored. The ladder's calls
    are worked off as a list: their hour is uniform over the allowed call slots of the day, and so logged.

    Parameters
    ----------
    random_share, p_none
        Chance of the random slice, and of `none` inside it.
    """

    def __init__(
        self,
        grid: ActionGrid,
        packs: Packs,
        *,
        control: ControlSettings,
        random_share: float = 0.15,
        p_none: float = 0.2,
    ) -> None:
        self._grid = grid
        self._packs = packs
        self._control = control
        self._random_share = random_share
        self._p_none = p_none
        self._seen: tuple[Situation, Mask] | None = None

    @classmethod
    def of(cls, config: Config) -> IncumbentWithRandomSlice:
        """The tenant's present rules with the usual random slice: what decided in simulated portfolios."""
        packs = with_company_caps(read_packs(channels=config.grid.channels[1:]), config.caps)
        return cls(ActionGrid.of(config.grid), packs, control=config.control)

    def options(self, situation: Situation) -> BoolArray:
        """Actions that no rule bars, shape (n, A)."""
        return self._mask(situation).allowed

    def choose(self, situation: Situation, allowed: BoolArray, *, rng: np.random.Generator) -> Choices:
        """One allowed action for each debtor, with its probability and the policy that chose it."""
        mask = replace(self._mask(situation), allowed=allowed)
        slice_draw, action_draw = rng.random(situation.size), rng.random(situation.size)
        ladder = control_actions(situation, mask, settings=self._control, grid=self._grid)
        action, probability = _spread_calls(ladder, allowed, action_draw, self._grid)
        rows = np.flatnonzero((slice_draw < self._random_share) & ~situation.vulnerable)
        chances = explore_probabilities(allowed[rows], grid=self._grid, p_none=self._p_none)
        action[rows] = draw(chances, action_draw[rows])
        probability[rows] = chances[np.arange(len(rows)), action[rows]]
        policy = np.full(situation.size, INCUMBENT, dtype=np.object_)
        policy[rows] = RANDOM
        return Choices(action, probability, policy)

    def _mask(self, situation: Situation) -> Mask:
        """Mask of a situation, kept for the call that follows: the simulator asks for options, then for a choice."""
        if self._seen is None or self._seen[0] is not situation:
            self._seen = (situation, contact_mask(situation, grid=self._grid, packs=self._packs))
        return self._seen[1]


def _spread_calls(
    ladder: IntArray, allowed: BoolArray, uniform: FloatArray, grid: ActionGrid
) -> tuple[IntArray, FloatArray]:
    """The ladder's actions with calls spread over their day, and the chance of each, shape (n,) each."""
    action, probability = ladder.copy(), np.ones(len(ladder), dtype=np.float64)
    if "phone" not in grid.channels:
        return action, probability
    phone = grid.channels.index("phone")
    calls = np.flatnonzero(grid.channel[ladder] == phone)
    day = grid.day[ladder[calls]].astype(np.int64)
    open_hours = day_slots(allowed[calls], channel=phone, grid=grid)[np.arange(len(calls)), day]
    chances = open_hours / np.maximum(open_hours.sum(axis=1, keepdims=True), 1)
    hour = draw(chances, uniform[calls])
    action[calls] = 1 + (phone - 1) * grid.slots + day * len(grid.hours) + hour
    probability[calls] = chances[np.arange(len(calls)), hour]
    return action, probability
