"""No call and no electronic message to a minor, or to somebody whose age is not known."""

from __future__ import annotations

import numpy as np

from data.times import NO_DAY, DayArray, IntArray
from models._rule_kernels import maybe_minors
from models.rules.rule import NOTHING, Barred, Facts, Rule

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
    born, claims = facts.situation.birth_day, facts.situation.claims
    rows, first_due = maybe_minors(born, facts.local_day, claims.debtor, claims.due_day, SURELY_ADULT_DAYS)
    if not len(rows):
        return NOTHING
    barred = np.zeros((facts.situation.size, 1), dtype=bool)
    barred[rows, 0] = (born[rows] == NO_DAY) | (eighteenth_birthday(born[rows]) > first_due)
    return Barred(channels=barred & ~facts.channels_named("letter"))


RULE = Rule(
    "minor",
    "identity",
    "A debtor who is under 18, was so when the oldest open claim fell due, or whose birth date is not known, gets letters only.",
    bars,
)
