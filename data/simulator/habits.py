"""Hidden habits of people: why they pay late, which channels and hours they answer to, when they are paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.countries import COUNTRIES
from data.simulator.draws import pick, pick_by, pick_weighted, sigmoid
from data.simulator.worlds import World
from data.situation import BoolArray, CodeArray, FloatArray
from data.times import IntArray
from data.vocabulary import CHANNELS, EMPLOYMENTS

SMS, EMAIL, MAILBOX, LETTER, PHONE, PORTAL = range(1, len(CHANNELS))
FORGOT, SHORT, UNWILLING = range(3)

PAY_DAYS = tuple((one.code, day) for one in COUNTRIES for day, _ in one.pay_days)
"""Pay-day classes: (country, day of the month; 0 for the country's usual day)."""

GOOD_DAYS = (
    (0.03, 0.04, 0.08, 0.20, 0.45, 0.08, 0.12),
    (0.20, 0.04, 0.04, 0.04, 0.04, 0.10, 0.54),
    (0.04, 0.06, 0.18, 0.50, 0.10, 0.04, 0.08),
    (0.12, 0.55, 0.20, 0.06, 0.03, 0.02, 0.02),
    (0.52, 0.26, 0.10, 0.06, 0.03, 0.02, 0.01),
)
"""By employment: share of people by best weekday, Monday first."""

HIDDEN_SPREAD = 0.75
"""Standard deviation, in logits, of what nobody can see of a person's liking for a channel."""

PEAKS = (
    ((8.5, 0.12), (12.3, 0.18), (19.2, 0.70)),
    ((8.5, 0.25), (13.0, 0.15), (20.0, 0.60)),
    ((10.5, 0.10), (15.5, 0.30), (20.3, 0.60)),
    ((9.8, 0.75), (14.2, 0.20), (18.8, 0.05)),
    ((11.0, 0.65), (15.2, 0.25), (20.0, 0.10)),
)
"""By employment: (local hour at which a person is best reached, share)."""


@dataclass(frozen=True)
class Habits:
    """Traits that no table shows, shape (n,) unless said otherwise.

    Attributes
    ----------
    segment
        0 forgot, 1 short of money, 2 unwilling.
    affinity, affinity_later
        Chance of being reached through a channel at the best hour, (n, channels); from the drift on, the later one.
    peak_hour, peak_later
        Local hour of best reach, and of most payments.
    good_day
        Weekday of best reach, 0 for Monday.
    steady, moved
        Factors on payment by itself, and on the effect of being reached.
    annoyance
        Share of payment by itself lost after a contact of weight 1 (a call).
    tires
        Loss of effect, in logarithms, per recent contact.
    quick
        Share of a contact's effect that comes within hours, relative to its channel.
    link_use
        Chance of paying through the latest contact's link although the person would have paid anyway.
    opens_itself
        The mail program opens every message by itself.
    pay_day
        Index in `PAY_DAYS`.
    drifted
        True once the later habits hold. IN/OUT.
    """

    segment: CodeArray
    affinity: FloatArray
    affinity_later: FloatArray
    peak_hour: FloatArray
    peak_later: FloatArray
    good_day: CodeArray
    steady: FloatArray
    moved: FloatArray
    annoyance: FloatArray
    tires: FloatArray
    quick: FloatArray
    link_use: FloatArray
    opens_itself: BoolArray
    pay_day: IntArray
    drifted: BoolArray


def draw_habits(
    country: CodeArray,
    *,
    age: FloatArray,
    digital: FloatArray,
    income: CodeArray,
    employment: CodeArray,
    debts: IntArray,
    world: World,
    rng: np.random.Generator,
) -> Habits:
    """Habits that depend in part on what is known of a person, and in part on nothing that is."""
    size = len(age)
    visible = _visible(age, digital, income=income, employment=employment)
    segment = _segment(rng, income, employment=employment, debts=debts)
    affinity, later = _affinity(rng, visible), _affinity(rng, visible, shift=world.drifts)
    peak, peak_later = _peak(rng, employment), _peak(rng, employment)
    stays = rng.random(size) < 0.4
    if world.flat:
        affinity = np.full_like(affinity, 0.5)
    return Habits(
        segment=segment,
        affinity=affinity,
        affinity_later=np.where(stays[:, None], affinity, later),
        peak_hour=peak,
        peak_later=np.where(stays, peak, peak_later),
        good_day=pick_by(rng, employment, shares=GOOD_DAYS),
        steady=np.exp(rng.normal(-0.08, 0.4, size)),
        moved=np.exp(rng.normal(-0.06, 0.35, size)),
        annoyance=_annoyance(rng, age, segment=segment, employment=employment, world=world),
        tires=rng.gamma(3.0, 0.04, size),
        quick=np.ones(size) if world.flat else rng.uniform(0.5, 1.3, size),
        link_use=sigmoid(-1.0 + 0.5 * digital + 0.02 * (40 - age) + rng.normal(0, 0.7, size)),
        opens_itself=rng.random(size) < 0.35,
        pay_day=_pay_day(rng, country),
        drifted=np.zeros(size, np.bool_),
    )


def _visible(age: FloatArray, digital: FloatArray, *, income: CodeArray, employment: CodeArray) -> FloatArray:
    """The part of channel liking, in logits, that age, country, income and employment tell, (n, channels)."""
    young, rich = np.clip((42 - age) / 18, -2.2, 1.4), (income - 2.4) / 1.3
    at_home = (employment == EMPLOYMENTS.index("retired")) | (employment == EMPLOYMENTS.index("unemployed"))
    visible = np.zeros((len(age), len(CHANNELS)))
    visible[:, SMS] = 0.1 + 1.0 * young
    visible[:, EMAIL] = -0.7 + 0.2 * young + 0.9 * rich
    visible[:, MAILBOX] = -0.4 + 0.7 * digital - 0.3 * young
    visible[:, LETTER] = -1.0 - 1.2 * young
    visible[:, PHONE] = -1.2 - 0.5 * young + 1.8 * at_home
    visible[:, PORTAL] = -1.8 + 0.8 * young + 0.6 * digital
    return visible


def _affinity(rng: np.random.Generator, visible: FloatArray, *, shift: bool = False) -> FloatArray:
    hidden = rng.normal(0, HIDDEN_SPREAD, visible.shape)
    if shift:
        visible = visible + np.array([0.0, -0.9, 0.3, 0.7, -0.3, -0.5, 0.9])
    affinity = sigmoid(visible + hidden)
    affinity[:, PORTAL] *= rng.random(len(visible)) < sigmoid(0.5 + visible[:, PORTAL])
    affinity[:, 0] = 0.0
    return affinity


def _segment(rng: np.random.Generator, income: CodeArray, *, employment: CodeArray, debts: IntArray) -> CodeArray:
    poor, owing = (2.2 - income) / 1.3, np.log1p(debts)
    idle = employment == EMPLOYMENTS.index("unemployed")
    own = employment == EMPLOYMENTS.index("self_employed")
    logits = np.stack(
        [1.0 - 0.35 * owing, -0.2 + 0.8 * poor + 0.5 * idle + 0.3 * owing, -0.7 + 0.5 * own + 0.25 * owing], axis=1
    )
    return pick_weighted(rng, np.exp(logits))


def _peak(rng: np.random.Generator, employment: CodeArray) -> FloatArray:
    which = pick_by(rng, employment, shares=[[share for _, share in one] for one in PEAKS])
    hours = np.array([[hour for hour, _ in one] for one in PEAKS])
    return np.clip(hours[employment, which] + rng.normal(0, 0.9, len(employment)), 7.5, 21.5)


def _annoyance(
    rng: np.random.Generator, age: FloatArray, *, segment: CodeArray, employment: CodeArray, world: World
) -> FloatArray:
    own = employment == EMPLOYMENTS.index("self_employed")
    odds = -2.4 + 1.6 * (age > 55) + 1.4 * own + 1.0 * (segment == UNWILLING)
    annoyed = rng.random(len(age)) < np.minimum(sigmoid(odds) * world.annoyed_share, 0.95)
    return annoyed * world.annoyed_loss * rng.uniform(0.7, 1.0, len(age))


def _pay_day(rng: np.random.Generator, country: CodeArray) -> IntArray:
    own = pick_by(rng, country, shares=[[share for _, share in one.pay_days] for one in COUNTRIES])
    starts = np.cumsum([0] + [len(one.pay_days) for one in COUNTRIES[:-1]])
    usual = starts[country] + own
    odd = pick(rng, len(country), shares=[0.95, 0.05]) == 1
    return np.where(odd, starts[country], usual).astype(np.int64)


def drift(habits: Habits, rows: BoolArray) -> None:
    """Put the later habits in force for `rows`, shape (n,)."""
    habits.affinity[rows] = habits.affinity_later[rows]
    habits.peak_hour[rows] = habits.peak_later[rows]
    habits.drifted[rows] = True
