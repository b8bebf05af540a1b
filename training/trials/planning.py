"""How many debtors and weeks an experiment needs, what it could show after so many weeks, and how long to wait yet.

A *gain* here is one that is true; power is the chance that the interval then lies above zero. Gains that were seen play no
part: power at the gain seen says nothing that the interval does not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.ope.anytime import reach_in_errors
from training.ope.intervals import tail_reach
from training.trials.intervals import LEVEL

FloatArray = npt.NDArray[np.float64]

POWER = 0.8
LONGEST_WEEKS = 520
"""Ten years: what takes longer is never shown."""


class BadDesign(ValueError):
    """Shares, spread, gain or power with which no experiment can be planned."""


class Look(StrEnum):
    """How often results are looked at."""

    ONCE = "once"
    """On one day settled beforehand."""

    DAILY = "daily"
    """On every day, by intervals that allow it."""


@dataclass(frozen=True)
class Design:
    """Arms and how they are compared: shares of all debtors in both arms, look, chance that a true gain is shown.

    Raises
    ------
    BadDesign
        A share is not above 0, both are more than 1, or the power is not between one half and 1.
    """

    control: float = 0.10
    treated: float = 0.85
    look: Look = Look.ONCE
    power: float = POWER

    def __post_init__(self) -> None:
        if not (self.control > 0 and self.treated > 0 and self.control + self.treated <= 1 + 1e-9):
            came = f"control {self.control:g} and treated {self.treated:g}"
            raise BadDesign(f"expected shares above 0 that are together at most 1; came {came}: change the shares")
        if not 0.5 <= self.power < 1:
            raise BadDesign(f"expected a power from 0.5 to below 1; came {self.power:g}: 0.8 is usual")

    @property
    def both(self) -> float:
        """Share of debtors in either arm."""
        return self.control + self.treated


@dataclass(frozen=True)
class Outcome:
    """How much a debtor's outcome varies once what was known before is taken out: standard deviation and skewness.

    `more` is the share by which the variance is higher among the treated: about the gain itself where it consists of more
    debtors who pay.
    """

    spread: float
    skewness: float = 0.0
    more: float = 0.0

    def noise(self, design: Design) -> float:
        """Standard error of the difference, times the root of the debtors in any arm."""
        return self.spread * float(np.sqrt(1 / design.control + (1 + self.more) / design.treated))

    def lean(self, design: Design) -> float:
        """Skewness of the difference, times the root of the debtors in any arm; mostly below 0 if control is smaller."""
        thirds = (1 + self.more) / design.treated**2 - 1 / design.control**2
        return self.skewness * thirds * (self.spread / self.noise(design)) ** 3


@dataclass(frozen=True)
class Inflow:
    """Debtors who enter: those there on the first day, then so many a week; each is known after the horizon."""

    at_start: float
    per_week: float
    horizon_days: int = 14

    def known(self, weeks: FloatArray) -> FloatArray:
        """Debtors whose horizon is over so many weeks after the first day.

        >>> Inflow(at_start=100, per_week=10).known(np.array([1.0, 2.0, 5.0])).tolist()
        [0.0, 100.0, 130.0]
        """
        past = weeks - self.horizon_days / 7
        known: FloatArray = (past >= 0) * (self.at_start + self.per_week * np.maximum(past, 0.0))
        return known


def errors_needed(design: Design, *, debtors: float, planned: float, skewness: float = 0.0) -> float:
    """Standard errors that a true gain must measure to be shown with the design's power.

    Parameters
    ----------
    debtors, planned
        For daily looks: debtors known, and those for whom the interval is tightest.
    skewness
        Of the difference: a long tail on the lower side takes that end further down.

    >>> [round(errors_needed(Design(look=look), debtors=9, planned=9), 2) for look in Look]
    [2.8, 3.88]
    """
    reach = float(stats.norm.ppf((1 + LEVEL) / 2))
    if design.look is Look.DAILY:
        scale = 1_000_000  # the sequence depends on the ratio of both alone, and takes whole numbers
        reach = reach_in_errors(max(1, round(scale * debtors / planned)), planned_units=scale, level=LEVEL)
    return tail_reach(reach, skewness=skewness)[0] + float(stats.norm.ppf(design.power))


def detectable(debtors: float, outcome: Outcome, *, design: Design, planned: float | None = None) -> float:
    """True gain that would be shown with the design's power after so many debtors; infinite for none.

    Parameters
    ----------
    debtors, planned
        Debtors in any arm who are known, and those for whom daily looks are planned; None: these.

    >>> round(detectable(126, Outcome(spread=1.0), design=Design(control=0.5, treated=0.5)), 3)
    0.499
    """
    if debtors <= 0:
        return float("inf")
    root = float(np.sqrt(debtors))
    lean = outcome.lean(design) / root
    needed = errors_needed(design, debtors=debtors, planned=planned or debtors, skewness=lean)
    return needed * outcome.noise(design) / root


def debtors_needed(gain: float, outcome: Outcome, *, design: Design, planned: float | None = None) -> int:
    """Debtors, in any arm, after whom a true gain is shown with the design's power; `planned` as in `detectable`.

    Raises
    ------
    BadDesign
        The gain or the spread is not above 0.

    >>> debtors_needed(0.5, Outcome(spread=1.0), design=Design(control=0.5, treated=0.5))
    126
    """
    if not (gain > 0 and outcome.spread > 0):
        came = f"gain {gain:g}, spread {outcome.spread:g}"
        raise BadDesign(f"expected a gain and a spread above 0; came {came}: nothing can be planned where nobody pays")
    low, high = 0, 1
    while detectable(high, outcome, design=design, planned=planned) > gain:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        short = detectable(middle, outcome, design=design, planned=planned) > gain
        low, high = (middle, high) if short else (low, middle)
    return high


def weeks_needed(debtors: float, inflow: Inflow) -> int | None:
    """Whole weeks after which so many debtors are known; None where that takes more than ten years.

    >>> weeks_needed(130, Inflow(at_start=100, per_week=10)), weeks_needed(130, Inflow(at_start=100, per_week=0))
    (5, None)
    """
    weeks = np.arange(LONGEST_WEEKS + 1)
    enough = np.flatnonzero(inflow.known(weeks.astype(np.float64)) >= debtors)
    return int(enough[0]) if len(enough) else None


@dataclass(frozen=True)
class Seen:
    """What an experiment has shown so far: standard error of the difference, debtors of both arms behind it.

    `waiting` debtors of both arms have entered and are not yet known; `planned` is the number for whom the daily
    interval is tightest; `skewness` that of the difference (`Contrast.skewness`), for a long tail makes it take longer.
    """

    error: float
    debtors: int
    waiting: float = 0.0
    planned: float | None = None
    skewness: float = 0.0


def weeks_to_tell(gain: float, seen: Seen, *, inflow: Inflow, design: Design) -> int | None:
    """About how many more weeks until a true gain of this size would be shown; 0: now; None: not within ten years.

    0 with an interval that holds zero is the answer "no effect of that size": it would have been shown.

    Parameters
    ----------
    gain
        The smallest gain worth knowing, in the unit of the error; settled beforehand, not the one that was seen.
    inflow
        Of debtors in any arm from now on; `at_start` is not looked at, those who wait are in `seen`. They are taken to
        become known evenly over one horizon, and new ones after it.

    Raises
    ------
    BadDesign
        The gain is not above 0, or nobody is known yet.

    >>> now = Seen(error=1.0, debtors=1_000)
    >>> told = [weeks_to_tell(gain, now, inflow=Inflow(0, 100), design=Design(0.5, 0.5)) for gain in (2.9, 2.0)]
    >>> told
    [0, 12]
    """
    if not (gain > 0 and seen.debtors > 0):
        raise BadDesign(
            f"expected a gain above 0 and debtors; came {gain:g} and {seen.debtors}: wait for the first ones"
        )
    low, high = -1, LONGEST_WEEKS  # the gain that would show only shrinks with more debtors, so halving finds the week
    if not _tells(gain, seen, high, inflow=inflow, design=design):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _tells(gain, seen, middle, inflow=inflow, design=design) else (middle, high)
    return high


def _tells(gain: float, seen: Seen, weeks: int, *, inflow: Inflow, design: Design) -> bool:
    """Whether a true gain of this size would be shown so many weeks from now."""
    horizon = max(inflow.horizon_days / 7, 1e-9)
    new = seen.waiting * min(1.0, weeks / horizon) + design.both * inflow.per_week * max(0.0, weeks - horizon)
    debtors = seen.debtors + new
    shrunk = float(np.sqrt(seen.debtors / debtors))
    needed = errors_needed(design, debtors=debtors, planned=seen.planned or debtors, skewness=seen.skewness * shrunk)
    return gain >= needed * seen.error * shrunk
