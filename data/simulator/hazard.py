"""The hazard of payment: by itself, and through the contacts at work, day by day.

A claim pays in a window when an exponential draw falls below the hazard summed over it, so that the chance of payment
is `1 - exp(-sum)`, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from data.simulator.debts import RING, Claims, outstanding_cents
from data.simulator.habits import Habits
from data.simulator.paydays import PayDays
from data.simulator.people import People, working
from data.simulator.response import SLOW_DAYS, spread
from data.simulator.sectors import SECTORS
from data.simulator.worlds import World
from data.situation import FloatArray
from data.times import DAY_US, IntArray

PERIOD_DAYS = 14.0
BY_ITSELF = np.array([0.34, 0.17, 0.055])
"""Hazard of payment by itself in `PERIOD_DAYS`, just past due, by segment."""
BY_STAGE = np.array([2.0, 1.25, 1.10, 0.90, 0.70])
WHILE_DISPUTED = 0.15
ALIKE = 0.55
"""Correlation, in normal scores, between the draws of one debtor's claims: who pays one often pays all."""


@dataclass(frozen=True)
class Window:
    """A stretch of time of each claim in question: (k,) rows, from when to when, microseconds UTC.

    `start_us` lies on the edge of a day of the simulation; nothing is paid before `active_us`.
    """

    rows: IntArray
    start_us: IntArray
    active_us: IntArray
    end_us: IntArray

    @property
    def days(self) -> int:
        """Days that cover every row's window."""
        return int(-(-(self.end_us - self.start_us).max(initial=0) // DAY_US))

    def of(self, part: IntArray) -> Window:
        """The window of some of the rows."""
        return Window(self.rows[part], self.start_us[part], self.active_us[part], self.end_us[part])

    def edges(self) -> tuple[IntArray, IntArray]:
        """Beginning and end of the active part of each day, (k, days); end <= beginning where there is none."""
        day = self.start_us[:, None] + np.arange(self.days) * DAY_US
        return np.maximum(day, self.active_us[:, None]), np.minimum(day + DAY_US, self.end_us[:, None])


@dataclass(frozen=True)
class Hazard:
    """Hazard by day: `base` (k, days) by itself, `effect` (k, days, RING) through each contact at work."""

    window: Window
    base: FloatArray
    effect: FloatArray

    @property
    def total(self) -> FloatArray:
        """Sum over the whole window, (k,)."""
        whole: FloatArray = self.base.sum(axis=1) + self.effect.sum(axis=(1, 2))
        return whole

    def of(self, part: IntArray) -> Hazard:
        """The hazard of some of the rows."""
        return Hazard(self.window.of(part), self.base[part], self.effect[part])


def window_of(claims: Claims, rows: IntArray, *, start_us: IntArray, end_us: IntArray) -> Window:
    """Window of claims from their own start on, registered and not quiet; `start_us` and `end_us` have shape (k,)."""
    active = np.maximum(np.maximum(start_us, claims.registered_us[rows]), claims.quiet_until_us[rows])
    return Window(rows, start_us, active, end_us)


def rate_of(people: People, habits: Habits, *, claims: Claims, window: Window, world: World) -> FloatArray:
    """Hazard of payment by itself in `PERIOD_DAYS` as of the window's start, shape (k,)."""
    rows = window.rows
    debtor = claims.debtor[rows]
    moment = np.maximum(window.start_us, claims.registered_us[rows])
    segment = habits.segment[debtor]
    age = np.maximum(moment / DAY_US - claims.due_day[rows], 0.0)
    eur = outstanding_cents(claims, rows) / 100.0 * claims.rate[rows]
    rate = BY_ITSELF[segment] * np.array(world.base)[segment] * BY_STAGE[np.maximum(claims.stage[rows], 0)]
    rate *= (1.0 + age / 80.0) ** -0.6 * np.clip((150.0 / np.maximum(eur, 10.0)) ** 0.12, 0.6, 1.3)
    rate *= np.array([one.readily for one in SECTORS])[claims.sector[rows]]
    rate *= working(people, debtor, at_us=moment) * habits.steady[debtor] * claims.steady[rows]
    rate *= np.where(claims.disputed[rows], WHILE_DISPUTED, 1.0)
    still = (claims.settled_us[rows] > window.start_us) & ~claims.on_plan[rows]
    return np.where(still & (people.blocked_us[debtor] > window.start_us), rate, 0.0)


def hazard_of(claims: Claims, window: Window, *, rate: FloatArray, habits: Habits, pay_days: PayDays) -> Hazard:
    """Hazard of claims by day, from their rate and the contacts in their rings."""
    rows = window.rows
    debtor = claims.debtor[rows]
    low, high = window.edges()
    length = np.maximum(high - low, 0)
    day = pay_days.day(window.start_us)[:, None] + np.arange(window.days)
    factor = pay_days.base[habits.pay_day[debtor][:, None], habits.segment[debtor][:, None], day]
    base = (rate / PERIOD_DAYS)[:, None] * factor * (length / DAY_US)
    effect = np.zeros((*base.shape, RING))
    for slot in range(RING):
        arrives = claims.arrives_us[rows, slot]
        at_work = np.flatnonzero((claims.through[rows, slot] >= 0) & (rate > 0))
        near = (arrives[at_work] < window.end_us[at_work]) & (
            arrives[at_work] + SLOW_DAYS * DAY_US > window.start_us[at_work]
        )
        at_work = at_work[near]
        if not len(at_work):
            continue
        begins, ends, since = low[at_work], np.maximum(high, low)[at_work], arrives[at_work, None]
        quick = claims.quick[rows[at_work], slot][:, None]
        share = spread(ends - since, quick) - spread(begins - since, quick)
        effect[at_work, :, slot] = claims.effect[rows[at_work], slot][:, None] * share
        lost = claims.loss[rows[at_work], slot]
        if lost.any():
            base[at_work] *= 1.0 - lost[:, None] * _covered(begins, ends, arrives=since)
    return Hazard(window, base, effect)


def _covered(begins: IntArray, ends: IntArray, *, arrives: IntArray) -> FloatArray:
    """Share of each stretch in which a contact is still remembered, for `SLOW_DAYS` from its arrival on."""
    inside = np.minimum(ends, arrives + round(SLOW_DAYS) * DAY_US) - np.maximum(begins, arrives)
    covered: FloatArray = np.maximum(inside, 0) / np.maximum(ends - begins, 1)
    return covered


def base_after(hazard: Hazard, at_us: IntArray) -> FloatArray:
    """Base hazard left in each window after instants, (k, a); `at_us` has that shape.

    Consistent with `hazard_of`: within a day the base is even over the day's active part.
    """
    window = hazard.window
    low, high = window.edges()
    left = np.concatenate([np.cumsum(hazard.base[:, ::-1], axis=1)[:, ::-1], np.zeros((len(low), 1))], axis=1)
    day = np.clip((at_us - window.start_us[:, None]) // DAY_US, 0, window.days - 1)
    row = np.arange(len(low))[:, None]
    begins, ends = low[row, day], high[row, day]
    part = np.clip((ends - np.maximum(at_us, begins)) / np.maximum(ends - begins, 1), 0.0, 1.0)
    rest: FloatArray = left[row, day + 1] + hazard.base[row, day] * part
    return rest


def exponentials(debtor: IntArray, people: int, *, rng: np.random.Generator) -> FloatArray:
    """One standard exponential draw for each claim, alike within a debtor, shape (k,)."""
    shared = rng.standard_normal(people)[debtor]
    own = rng.standard_normal(len(debtor))
    uniform = ndtr(np.sqrt(ALIKE) * shared + np.sqrt(1.0 - ALIKE) * own)
    draw: FloatArray = -np.log(np.maximum(uniform, 1e-300))
    return draw
