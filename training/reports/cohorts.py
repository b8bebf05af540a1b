"""Arms over time: debtors by the week or month of their first decision, and the gain as it was known day after day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from data.times import DAY_US, IntArray, from_day
from training.reports.experiment import Totals
from training.reports.gains import PLANNED_DEBTORS, Comparison, outcome_of
from training.reports.withholding import FEWEST
from training.trials.intervals import Interval, mean_interval, never_negative
from training.trials.sequential import anytime_difference

MOST_WEEKS = 26
"""Weeks that are shown one by one; of longer experiments, months are."""


@dataclass(frozen=True)
class Cohort:
    """Debtors of one arm who entered in one week or month: how many, and EUR recovered, in all and per debtor."""

    begins: date
    arm: int
    debtors: int
    recovered_eur: float
    per_debtor: Interval


@dataclass(frozen=True)
class Known:
    """The gain per debtor as it was known on a day, by the debtors whose horizon was over then."""

    day: date
    debtors: int
    gain: Interval


def cohorts(found: Totals, entered_us: IntArray) -> tuple[Cohort, ...]:
    """All cohorts in the order of time; their debtors and money add up to those of `found`.

    Parameters
    ----------
    entered_us
        First decision of each debtor of `found`.
    """
    begins = starts(entered_us)
    return tuple(
        _cohort(found.at(np.flatnonzero((begins == begin) & (found.arm == arm))), begin, arm)
        for begin in np.unique(begins)
        for arm in np.unique(found.arm).tolist()
    )


def starts(entered_us: IntArray) -> npt.NDArray[np.datetime64]:
    """Monday of the week, or first day of the month, in which each instant lies (UTC), shape (n,)."""
    weeks = mondays(entered_us)
    if len(np.unique(weeks)) <= MOST_WEEKS:
        return weeks
    return (entered_us // DAY_US).astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]")


def mondays(entered_us: IntArray) -> npt.NDArray[np.datetime64]:
    """Monday of the week in which each instant lies (UTC), shape (n,)."""
    day = entered_us // DAY_US
    return (day - (day + 3) % 7).astype("datetime64[D]")  # the first day of 1970 was a Thursday


def _cohort(found: Totals, begin: np.datetime64, arm: int) -> Cohort:
    money = found.recovered_eur
    per_debtor = mean_interval(money)
    if len(money) == 1:
        per_debtor = Interval(float(money[0]), float("nan"), float("nan"))
    return Cohort(begin.astype(date), arm, len(money), float(money.sum()), never_negative(per_debtor))


def gain_over_time(two: Comparison, entered_us: IntArray) -> tuple[Known, ...]:
    """The gain in recovered money at the end of each week, or month, with the interval for daily looks.

    A point is left out until enough further debtors of both arms are known since the last one shown: the difference of two
    points tells of no few debtors. The last point is the gain of all; it takes the place of one too near before it.

    Parameters
    ----------
    entered_us
        First decision of each debtor of `two`, which are in the order of it.
    """
    outcome = outcome_of("recovered", two)
    return tuple(
        Known(
            day,
            count,
            anytime_difference(
                outcome[:count],
                two.treated[:count],
                planned_debtors=PLANNED_DEBTORS,
                covariates=two.before[:count],
            ),
        )
        for day, count in _steps(two, entered_us)
    )


def _steps(two: Comparison, entered_us: IntArray) -> Iterator[tuple[date, int]]:
    """Last day of each week or month on which debtors became known, and how many were known by its end."""
    if not len(entered_us) or two.hidden:
        return
    known_us = entered_us + two.days * DAY_US
    begins = starts(known_us)
    shown, size = np.zeros(2, dtype=np.int64), len(known_us)
    whole = np.bincount(two.treated, minlength=2)
    for begin in np.unique(begins):
        count = int((begins <= begin).sum())
        arms = np.bincount(two.treated[:count], minlength=2)
        apart = (arms - shown >= FEWEST).all()
        if apart and (count == size or (whole - arms >= FEWEST).all()):
            shown = arms
            yield from_day(int(known_us[count - 1] // DAY_US)), count
