"""No call and no electronic message to a minor, or to somebody whose age is not known."""

from __future__ import annotations

import numpy as np

from data.times import NO_DAY, DayArray, IntArray
from models.rules.rule import Barred, Facts, Rule

ADULT_YEARS = 18
SURELY_ADULT_DAYS = 366 * ADULT_YEARS
"""Days after which nobody is a minor any more; whose age is closer to it is asked of by calendar."""


def eighteenth_birthday(birth_day: DayArray) -> IntArray:
    """Day on which somebody turns 18, days since the epoch; those born on 29 February on 1 March.

    >>> eighteenth_birthday(np.array([0], dtype=np.int32)).tolist()  # 1 January 1970: 1 January 1988
    [6574]
    """
    born = birth_day.astype("datetime64[D]")
    month = born.astype("datetime64[M]")
    day_of_month = born - month.astype("datetime64[D]")
    adult: IntArray = ((month + 12 * ADULT_YEARS).astype("datetime64[D]") + day_of_month).astype(np.int64)
    return adult


def bars(facts: Facts) -> Barred:
    """Everything but letters: under 18 today or when the oldest open claim fell due, or of unknown age."""
    birth_day, claims = facts.situation.birth_day, facts.situation.claims
    first_due = facts.local_day.copy()
    np.minimum.at(first_due, claims.debtor, claims.due_day)
    unknown = birth_day == NO_DAY
    under_age = ~unknown & (birth_day + SURELY_ADULT_DAYS > first_due)
    young = np.flatnonzero(under_age)
    if len(young):
        under_age[young] = eighteenth_birthday(birth_day[young]) > first_due[young]
    return Barred(channels=(unknown | under_age)[:, None] & ~facts.channels_named("letter"))


RULE = Rule(
    "minor",
    "identity",
    "A debtor who is under 18, was so when the oldest open claim fell due, or whose birth date is not known, gets letters only.",
    bars,
)
