"""Debtors: what is known of them, what is not, and what has been done with them so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.simulator.countries import COUNTRIES
from data.simulator.draws import pick, pick_by, sigmoid
from data.simulator.habits import Habits, draw_habits
from data.simulator.worlds import World
from data.situation import CodeArray, FloatArray
from data.times import DAY_US, HOUR_US, NEVER, NO_DAY, DayArray, IntArray
from data.vocabulary import CHANNELS, EMPLOYMENTS, INCOME_BANDS

YEAR_DAYS = 365.25
INCOME_SHARES = (0.04, 0.24, 0.26, 0.26, 0.14, 0.06)


@dataclass(frozen=True)
class People:
    """Debtors of a chunk, shape (n,) each unless said otherwise; the last block is IN/OUT of the rounds.

    `country` is an index in `COUNTRIES`, `region` and `zone` one in its country's lists. `income`, `employment` and
    `other_debts` are (n, 2): before and after `changed_us`. `phase_days` is the debtor's day in the cycle of
    decisions. `opted_us` and `wrong_us` are (n, channels): first opt-out or wrong person met there, else `NEVER`.
    `tired` is the decaying count of contacts as of `tired_us`.
    """

    number: IntArray
    country: CodeArray
    region: CodeArray
    zone: CodeArray
    sex: CodeArray
    age: FloatArray
    birth_day: DayArray
    registered_us: IntArray
    blocked_us: IntArray
    cease_us: IntArray
    objected_us: IntArray
    stop_until_us: IntArray
    vulnerable_from_us: IntArray
    vulnerable_to_us: IntArray
    income: CodeArray
    employment: CodeArray
    other_debts: IntArray
    changed_us: IntArray
    phase_days: IntArray

    opted_us: IntArray
    wrong_us: IntArray
    promised_until_us: IntArray
    contacts: IntArray
    last_contact_us: IntArray
    tired: FloatArray
    tired_us: IntArray

    @property
    def size(self) -> int:
        """Number of debtors n."""
        return len(self.number)


def draw_people(
    first: int, size: int, *, start_us: int, until_us: int, world: World, rng: np.random.Generator
) -> tuple[People, Habits]:
    """Debtors numbered from `first`, and their hidden habits."""
    country = pick(rng, size, shares=[one.share for one in COUNTRIES])
    region = pick_by(rng, country, shares=[[share for _, share in one.regions] for one in COUNTRIES])
    zone = pick_by(rng, country, shares=[[share for _, share in one.zones] for one in COUNTRIES])
    age = _ages(rng, size)
    employment, income, debts = _means(rng, age)
    marks = _marks(rng, size, start_us=start_us, until_us=until_us)
    birth = np.floor(until_us / DAY_US - age * YEAR_DAYS).astype(np.int32)
    birth[rng.random(size) < 0.015] = NO_DAY
    people = People(
        number=np.arange(first, first + size),
        country=country,
        region=region,
        zone=zone,
        sex=pick(rng, size, shares=[0.44, 0.56]),
        age=age,
        birth_day=birth,
        registered_us=np.full(size, NEVER),
        **marks,
        income=income,
        employment=employment,
        other_debts=debts,
        changed_us=_instants(rng, 0.25, size=size, span=(start_us, until_us)),
        phase_days=rng.integers(0, world.cycle_days, size),
        opted_us=np.full((size, len(CHANNELS)), NEVER),
        wrong_us=np.full((size, len(CHANNELS)), NEVER),
        promised_until_us=np.zeros(size, np.int64),
        contacts=np.zeros(size, np.int64),
        last_contact_us=np.zeros(size, np.int64),
        tired=np.zeros(size),
        tired_us=np.full(size, start_us),
    )
    digital = np.array([one.digital for one in COUNTRIES])[country]
    habits = draw_habits(
        country,
        age=age,
        digital=digital,
        income=income[:, 0],
        employment=employment[:, 0],
        debts=debts[:, 0],
        world=world,
        rng=rng,
    )
    return people, habits


def _ages(rng: np.random.Generator, size: int) -> FloatArray:
    """Years at the portfolio's end: many young adults, some old, very few minors."""
    young, middle, old = rng.normal(26, 4.5, size), rng.normal(43, 11, size), rng.normal(67, 8, size)
    kind = pick(rng, size, shares=[0.40, 0.47, 0.13])
    age = np.clip(np.choose(kind, [young, middle, old]), 18.2, 94.0)
    minor = rng.random(size) < 0.004
    return np.where(minor, rng.uniform(14.5, 17.9, size), age)


def _means(rng: np.random.Generator, age: FloatArray) -> tuple[CodeArray, CodeArray, IntArray]:
    """Employment, income band and debts elsewhere, (n, 2) each: before and after a change."""
    group = np.digitize(age, [25, 64])
    shares = ([0.40, 0.02, 0.42, 0.0, 0.16], [0.70, 0.09, 0.05, 0.03, 0.13], [0.12, 0.04, 0.0, 0.82, 0.02])
    employment = np.stack([pick_by(rng, group, shares=shares), pick_by(rng, group, shares=shares)], axis=1)
    income = np.stack([_income(rng, employment[:, column]) for column in (0, 1)], axis=1)
    rate = np.where(income[:, :1] <= INCOME_BANDS.index("lower_middle"), 2.2, 0.8) * rng.gamma(
        0.7, 1 / 0.7, (len(age), 1)
    )
    debts = np.minimum(rng.poisson(rate, (len(age), 2)), 40)
    return employment, income, debts.astype(np.int64)


def _income(rng: np.random.Generator, employment: CodeArray) -> CodeArray:
    shift = np.array([0.9, 1.0, -1.4, -0.2, -1.9])[employment]
    level = 2.2 + shift + rng.normal(0, 1.1, len(employment))
    return np.clip(np.round(level), 0, len(INCOME_BANDS) - 1).astype(np.int16)


def _marks(rng: np.random.Generator, size: int, *, start_us: int, until_us: int) -> dict[str, IntArray]:
    """Deaths, stops and the like: few, drawn in advance, kept out of the tables until they happen."""
    span = (start_us, until_us + 120 * DAY_US)
    vulnerable = _instants(rng, 0.012, size=size, span=span)
    lasting = rng.integers(30, 180, size) * DAY_US
    forever = (vulnerable == NEVER) | (rng.random(size) < 0.3)
    stopped = rng.random(size) < 0.004
    return {
        "blocked_us": _instants(rng, 0.012, size=size, span=span),
        "cease_us": _instants(rng, 0.004, size=size, span=span),
        "objected_us": _instants(rng, 0.006, size=size, span=span),
        "stop_until_us": np.where(stopped, start_us + rng.integers(30, 400, size) * DAY_US, 0),
        "vulnerable_from_us": vulnerable,
        "vulnerable_to_us": np.where(forever, NEVER, vulnerable.clip(max=span[1]) + lasting),
    }


def _instants(rng: np.random.Generator, share: float, *, size: int, span: tuple[int, int]) -> IntArray:
    """An office-hour instant in the span for a share of people, `NEVER` for the others."""
    day = rng.integers(span[0] // DAY_US + 1, span[1] // DAY_US, size)
    at = day * DAY_US + rng.integers(8 * HOUR_US, 15 * HOUR_US, size)
    return np.where(rng.random(size) < share, at, NEVER)


def working(people: People, debtor: IntArray, *, at_us: IntArray) -> FloatArray:
    """Ability to pay from employment and income at instants, about 0.7 to 1.2, shape of `debtor`."""
    column = (people.changed_us[debtor] <= at_us).astype(np.int64)
    income = people.income[debtor, column] - 2.5
    idle = people.employment[debtor, column] == EMPLOYMENTS.index("unemployed")
    able: FloatArray = np.exp(0.07 * income - 0.18 * idle)
    return able


def chance_of_mailbox(people: People) -> FloatArray:
    """Chance of having a digital mailbox, shape (n,)."""
    share = np.array([one.mailbox for one in COUNTRIES])[people.country]
    return sigmoid(np.log(share / (1 - share)) - 0.03 * np.maximum(people.age - 60, 0))
