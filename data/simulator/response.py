"""What a contact does: reach, mass of its effect, arrival, and how the effect is spread over time.

A contact adds to the hazard of payment of each claim it covers: `mass * F(time since arrival)`, where F rises from 0
to 1 within `SLOW_DAYS`. Everything broadcasts, so that one law serves a chosen action and the whole action grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.debts import Claims
from data.simulator.habits import EMAIL, LETTER, MAILBOX, PORTAL, SMS, Habits
from data.simulator.paydays import PayDays
from data.simulator.post import Post
from data.simulator.worlds import World
from data.situation import CodeArray, FloatArray
from data.times import DAY_US, IntArray
from data.vocabulary import CONTENTS, STAGES

SLOW_DAYS = 14.0
QUICK_DAYS = 2.0
QUICK_HOURS = 5.0

PLAIN, LINK, PLAN = range(len(CONTENTS))

RESPONSE = np.array(
    [
        # none, sms, email, digital_mailbox, letter, phone, portal
        [0.0, 0.40, 0.36, 0.40, 0.32, 0.36, 0.32],
        [0.0, 0.17, 0.14, 0.17, 0.16, 0.30, 0.14],
        [0.0, 0.02, 0.015, 0.04, 0.08, 0.09, 0.01],
    ]
)
"""Hazard of payment that a contact adds once the person is reached, by segment and channel."""

FLAT_RESPONSE = np.array([0.30, 0.20, 0.03])
"""The same where all channels are alike."""

PLAN_FACTOR = np.array([0.9, 1.5, 1.2])
WEIGHT = np.array([0.0, 0.8, 0.45, 0.4, 0.35, 1.0, 0.25])
"""How much a channel annoys, and how much it adds to the count of recent contacts, relative to a call."""
HOUR_FLOOR = np.array([1.0, 0.50, 0.70, 0.80, 1.0, 0.20, 0.80])
"""Reach at the worst hour, relative to the best."""
HOUR_WIDTH = 3.0
DAY_FIT = np.array([1.0, 0.96, 0.88, 0.84])
"""Reach by days between the weekday and the person's best one; a letter waits on the table."""
QUICK = np.array([0.0, 0.60, 0.50, 0.45, 0.15, 0.60, 0.55])
TIRES_DAYS = 30.0
TYPICAL_EUR = 150.0


@dataclass(frozen=True)
class Reach:
    """What decides whether a person is reached through a channel at a time, by debtor: traits and points."""

    habits: Habits
    leads_home: FloatArray
    flat: bool

    def __call__(self, debtor: IntArray, channel: CodeArray, *, hour: CodeArray, weekday: CodeArray) -> FloatArray:
        """Chance of being reached, broadcast over all arguments; `hour` and `weekday` are local."""
        floor = HOUR_FLOOR[channel]
        off = (hour + 0.5 - self.habits.peak_hour[debtor]) / HOUR_WIDTH
        fit = 1.0 if self.flat else floor + (1 - floor) * np.exp(-0.5 * off * off)
        apart = np.abs(weekday - self.habits.good_day[debtor])
        day = DAY_FIT[np.minimum(apart, 7 - apart)]
        free = 1.0 if self.flat else np.where(channel == LETTER, 1.0, day)
        chance = self.habits.affinity[debtor, channel] * self.leads_home[debtor, channel] * fit * free
        reached: FloatArray = np.minimum(chance, 0.97)
        return reached


@dataclass(frozen=True)
class Laws:
    """Everything that a contact's effect depends on besides the contact.

    `country` is each debtor's, an index in `COUNTRIES`; `tired` their count of recent contacts at the moment of
    decision, shape (n,) each.
    """

    world: World
    claims: Claims
    habits: Habits
    reach: Reach
    pay_days: PayDays
    post: Post
    country: CodeArray
    tired: FloatArray


@dataclass(frozen=True)
class Effect:
    """The effect of contacts on claims: mass, arrival, quick share, loss of payment by itself; same shape each."""

    mass: FloatArray
    arrives_us: IntArray
    quick: FloatArray
    loss: FloatArray


def effect(
    laws: Laws,
    rows: IntArray,
    *,
    channel: CodeArray,
    send_us: IntArray,
    hour: CodeArray,
    weekday: CodeArray,
    outstanding_eur: FloatArray,
    age_days: FloatArray,
) -> Effect:
    """Effect of contacts on claims, broadcast over all arguments; nothing for channel `none`.

    Parameters
    ----------
    rows
        Rows in the claims.
    hour, weekday
        Local hour and weekday (0 = Monday) of sending.
    age_days
        Days past due when decided.
    """
    habits, flat = laws.habits, laws.world.flat
    debtor = laws.claims.debtor[rows]
    arrives = arrival_us(laws, debtor, channel=channel, send_us=send_us)
    mass = _pull(
        laws.claims, rows, channel=channel, habits=habits, outstanding_eur=outstanding_eur, age_days=age_days, flat=flat
    )
    mass = mass * laws.reach(debtor, channel, hour=hour, weekday=weekday)
    mass = mass * np.exp(-habits.tires[debtor] * laws.tired[debtor]) * laws.world.effect
    return Effect(
        mass=mass * timing(habits, debtor, arrives_us=arrives, pay_days=laws.pay_days),
        arrives_us=arrives,
        quick=quick_share(habits, debtor, channel=channel, flat=flat),
        loss=loss_share(habits, debtor, channel=channel),
    )


def content_of(channel: CodeArray, stage: CodeArray, *, outstanding_eur: FloatArray) -> CodeArray:
    """Content of a contact, broadcast: a plan offer for large sums late in the course, else a link where there can be one."""
    late = (stage >= STAGES.index("collection")) & (outstanding_eur >= 150.0)
    link = np.isin(channel, (SMS, EMAIL, MAILBOX, PORTAL))
    return np.where(late & (channel != 0), PLAN, np.where(link, LINK, PLAIN)).astype(np.int16)


def arrival_us(laws: Laws, debtor: IntArray, *, channel: CodeArray, send_us: IntArray) -> IntArray:
    """When contacts arrive, broadcast: at once, but letters by the post."""
    if laws.world.flat:
        return np.broadcast_to(send_us, np.broadcast_shapes(debtor.shape, channel.shape, send_us.shape)).copy()
    return np.where(channel == LETTER, laws.post.arrival_us(laws.country[debtor], send_us), send_us)


def _pull(
    claims: Claims,
    rows: IntArray,
    *,
    channel: CodeArray,
    habits: Habits,
    outstanding_eur: FloatArray,
    age_days: FloatArray,
    flat: bool,
) -> FloatArray:
    """Mass of the effect once the debtor is reached on an average day: what claim and person make of it, broadcast."""
    debtor = claims.debtor[rows]
    segment = habits.segment[debtor]
    plan = content_of(channel, claims.stage[rows], outstanding_eur=outstanding_eur) == PLAN
    size = np.clip((TYPICAL_EUR / np.maximum(outstanding_eur, 10.0)) ** 0.15, 0.55, 1.25)
    fresh = 1.0 / (1.0 + np.maximum(age_days, 0.0) / 250.0)
    response = np.where(channel == 0, 0.0, FLAT_RESPONSE[segment]) if flat else RESPONSE[segment, channel]
    return response * np.where(plan, PLAN_FACTOR[segment], 1.0) * habits.moved[debtor] * size * fresh


def tiredness(tired: FloatArray, since_us: IntArray, *, at_us: IntArray) -> FloatArray:
    """The count of recent contacts, decayed to an instant."""
    left: FloatArray = tired * np.exp(-np.maximum(at_us - since_us, 0) / (TIRES_DAYS * DAY_US))
    return left


def timing(habits: Habits, debtor: IntArray, *, arrives_us: IntArray, pay_days: PayDays) -> FloatArray:
    """Factor on the mass for the day on which the contact arrives, broadcast."""
    return pay_days.effect[habits.pay_day[debtor], habits.segment[debtor], pay_days.day(arrives_us)]


def quick_share(habits: Habits, debtor: IntArray, *, channel: CodeArray, flat: bool) -> FloatArray:
    """Share of the effect that comes within hours, broadcast."""
    return (
        np.ones(np.broadcast_shapes(debtor.shape, channel.shape))
        if flat
        else QUICK[channel] * np.minimum(habits.quick[debtor], 1.3)
    )


def loss_share(habits: Habits, debtor: IntArray, *, channel: CodeArray) -> FloatArray:
    """Share of payment by itself that is lost after a contact has arrived, broadcast; a letter as well as a call."""
    return habits.annoyance[debtor] * np.where(channel == 0, 0.0, 0.35 + 0.65 * WEIGHT[channel])


def spread(since_arrival_us: IntArray, quick: FloatArray) -> FloatArray:
    """F: share of the effect that has come by a time since arrival, broadcast; 0 before, 1 from `SLOW_DAYS` on.

    >>> spread(np.array([-5, 0, 14 * DAY_US]), np.array(0.5)).tolist()
    [0.0, 0.0, 1.0]
    """
    days = np.clip(since_arrival_us / DAY_US, 0.0, SLOW_DAYS)
    slow = 1.0 - (1.0 - days / SLOW_DAYS) ** 2
    rate = 24.0 / QUICK_HOURS
    fast = np.expm1(-np.minimum(days, QUICK_DAYS) * rate) / np.expm1(-QUICK_DAYS * rate)
    share: FloatArray = quick * fast + (1.0 - quick) * slow
    return share
