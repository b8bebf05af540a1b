"""A log with known truth for off-policy estimators: two loggers, thirty embedded actions, units whose rows depend on
each other, a payment and its heavy-tailed amount, and a model of them that is wrong in a known way.

Everything about the world is drawn once (`make_world`); a log is a draw from it. The truth is a sum over contexts and
actions, not an average over logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.ope.marginal import cell_probability, embedding_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Reward = Literal["paid", "amount"]

KINDS, MOMENTS = 6, 2
CHANNELS, DAYPARTS, SLOTS = 5, 3, 2
CONTEXTS, CELLS, ACTIONS = KINDS * MOMENTS, CHANNELS * DAYPARTS, CHANNELS * DAYPARTS * SLOTS
SHARE_OF_OLD = 0.7
"""Units that the first of the two loggers decided on."""
MOOD = 0.05
"""Largest amount by which a unit's mood moves its chance of paying, at all of its rows."""
UNIT_SPREAD, ROW_SPREAD = 0.5, 0.8
"""Standard deviations of the logarithm of an amount, between units and within."""
LEANING = 15.0
"""How much more the target likes a cell for each unit of chance that it adds: it is a policy worth asking about."""
FOLDS = 5
SHRUNK_BY = 20.0
CELL_OF_ACTION = np.arange(ACTIONS) // SLOTS
CHANNEL_OF_ACTION = np.arange(ACTIONS) // (DAYPARTS * SLOTS)


@dataclass(frozen=True)
class World:
    """What is true. Contexts are a unit's kind times a row's moment.

    Parameters
    ----------
    kind_share, later_rows
        Share of each kind of unit, and its mean number of rows beyond the first, shape (KINDS,).
    moment_share
        Share of rows in each moment, shape (MOMENTS,).
    chance
        Chance of a payment, shape (CONTEXTS, ACTIONS).
    amount
        Mean amount of one, shape (CONTEXTS,).
    loggers
        Chances of actions of both loggers, shape (2, CONTEXTS, ACTIONS).
    target
        Those of the policy that is valued, shape (CONTEXTS, ACTIONS).
    """

    kind_share: FloatArray
    later_rows: FloatArray
    moment_share: FloatArray
    chance: FloatArray
    amount: FloatArray
    loggers: FloatArray
    target: FloatArray

    @property
    def context_share(self) -> FloatArray:
        """Share of rows in each context, shape (CONTEXTS,)."""
        by_kind = self.kind_share * (1 + self.later_rows)
        return np.outer(by_kind / by_kind.sum(), self.moment_share).ravel()

    def value(self, policy: FloatArray, reward: Reward) -> float:
        """Mean reward of a row under a policy, shape (CONTEXTS, ACTIONS)."""
        scale = np.ones(CONTEXTS) if reward == "paid" else self.amount
        return float(self.context_share * scale @ (policy * self.chance).sum(axis=1))

    def inside_as_logged(self) -> FloatArray:
        """The policy that marginalised weights value, shape (CONTEXTS, ACTIONS): cells as the target, slots as logged."""
        embedding = embedding_of(CELL_OF_ACTION)
        share = np.array([SHARE_OF_OLD, 1 - SHARE_OF_OLD])
        inside = [logger / cell_probability(logger, embedding)[:, CELL_OF_ACTION] for logger in self.loggers]
        slots: FloatArray = np.tensordot(share, np.array(inside), axes=1)
        return np.asarray(cell_probability(self.target, embedding)[:, CELL_OF_ACTION] * slots)


def make_world(rng: np.random.Generator) -> World:
    """A world with overlap: each logger takes every action with a chance of at least half a percent."""
    channel = rng.uniform(-0.03, 0.08, (CONTEXTS, CHANNELS))
    daypart = rng.uniform(-0.04, 0.06, (CONTEXTS, DAYPARTS))
    slot = rng.uniform(-0.005, 0.005, ACTIONS)
    cell = (channel[:, :, None] + daypart[:, None, :]).reshape(CONTEXTS, CELLS)
    base = rng.uniform(0.13, 0.25, (CONTEXTS, 1))
    return World(
        kind_share=rng.dirichlet(np.full(KINDS, 5.0)),
        later_rows=rng.uniform(0.3, 2.0, KINDS),
        moment_share=np.array([0.6, 0.4]),
        chance=base + cell[:, CELL_OF_ACTION] + slot,
        amount=rng.uniform(50, 250, CONTEXTS),
        loggers=np.array([_policy(rng, pull=0.8, slots=0.2), _policy(rng, pull=0.5, slots=0.2)]),
        target=_policy(rng, pull=0.5, slots=1.0, leaning=LEANING * cell),
    )


def _policy(rng: np.random.Generator, *, pull: float, slots: float, leaning: FloatArray | float = 0.0) -> FloatArray:
    """A policy with tastes for channels, cells and slots and 15 % at random, shape (CONTEXTS, ACTIONS)."""
    taste = rng.normal(0, pull, (CONTEXTS, CHANNELS))[:, CHANNEL_OF_ACTION]
    taste = taste + (leaning + rng.normal(0, pull / 2, (CONTEXTS, CELLS)))[:, CELL_OF_ACTION]
    taste = np.exp(taste + rng.normal(0, slots, (CONTEXTS, ACTIONS)))
    return np.asarray(0.15 / ACTIONS + 0.85 * taste / taste.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Drawn:
    """A log, rows in order of units, shape (n,) each."""

    unit: IntArray
    context: IntArray
    logger: IntArray
    action: IntArray
    paid: FloatArray
    amount: FloatArray

    def first(self, units: int) -> Drawn:
        """The rows of the first units."""
        rows = int(np.searchsorted(self.unit, units))
        return Drawn(
            self.unit[:rows],
            self.context[:rows],
            self.logger[:rows],
            self.action[:rows],
            self.paid[:rows],
            self.amount[:rows],
        )


def draw_log(world: World, rng: np.random.Generator, *, units: int) -> Drawn:
    """A log of so many units."""
    kind = rng.choice(KINDS, units, p=world.kind_share)
    unit = np.repeat(np.arange(units), 1 + rng.poisson(world.later_rows[kind]))
    rows = len(unit)
    context = kind[unit] * MOMENTS + rng.choice(MOMENTS, rows, p=world.moment_share)
    logger = (rng.random(units) > SHARE_OF_OLD).astype(np.int64)[unit]
    steps = world.loggers.cumsum(axis=2)
    action = (steps[logger, context] < rng.random((rows, 1)) * steps[logger, context, -1:]).sum(axis=1)
    mood = rng.uniform(-MOOD, MOOD, units)[unit]
    paid = (rng.random(rows) < world.chance[context, action] + mood).astype(np.float64)
    usual = np.exp(UNIT_SPREAD * rng.normal(size=units) - UNIT_SPREAD**2 / 2)[unit]
    noise = np.exp(ROW_SPREAD * rng.normal(size=rows) - ROW_SPREAD**2 / 2)
    return Drawn(unit, context, logger, action, paid, paid * world.amount[context] * usual * noise)


def cross_fitted(log: Drawn, reward: FloatArray) -> tuple[FloatArray, IntArray]:
    """A model by folds of units, shape (FOLDS, CONTEXTS, CHANNELS), and each row's fold, shape (n,).

    Mean reward by context and channel, shrunk to the context's. It knows nothing of parts of the day.
    """
    fold, channel = log.unit % FOLDS, CHANNEL_OF_ACTION[log.action]
    place = (fold * CONTEXTS + log.context) * CHANNELS + channel
    shape = (FOLDS, CONTEXTS, CHANNELS)
    sums = np.bincount(place, reward, FOLDS * CONTEXTS * CHANNELS).reshape(shape)
    count = np.bincount(place, minlength=FOLDS * CONTEXTS * CHANNELS).reshape(shape).astype(np.float64)
    sums, count = sums.sum(axis=0) - sums, count.sum(axis=0) - count
    usual = sums.sum(axis=2, keepdims=True) / np.maximum(count.sum(axis=2, keepdims=True), 1.0)
    return (sums + SHRUNK_BY * usual) / (count + SHRUNK_BY), fold
