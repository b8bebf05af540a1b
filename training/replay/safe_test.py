"""The smallest safe test that would settle what the log cannot: which share of debtors to draw, and for how long.

Drawn is between what was done before and one other thing that the rules allow: no contact for one horizon, or another channel that
already had a fair chance. Statutory letters, holds and stops stay outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import DAY_US, IntArray
from features.columns import BoolArray
from training.replay.made import Made, gaps_days
from training.trials.planning import Design, Inflow, Look, Outcome, debtors_needed, weeks_needed

SHARES = (0.05, 0.10, 0.20, 0.50)
"""Shares of debtors drawn to the other thing."""
DIFFERENCES = (0.02, 0.03, 0.05)
"""True differences in the share of debtors who pay that are to be found."""
SOON_WEEKS = 13
"""A quarter: the smallest share that settles it by then is proposed, else the one that settles it first."""
LATELY_WEEKS = 13
"""Weeks before the last contact from which the number of new debtors a week is taken."""


@dataclass(frozen=True)
class SafeTest:
    """A test with its power.

    Parameters
    ----------
    debtors, drawn
        Debtors in both arms, and those of them drawn to the other thing.
    weeks
        At the pace of the last quarter, horizon included; None where ten years are not enough.
    """

    share: float
    difference: float
    look: Look
    debtors: int
    drawn: int
    weeks: int | None


@dataclass(frozen=True)
class Traffic:
    """Debtors who would enter, and the share of them who pay within the horizon of their first contact."""

    inflow: Inflow
    paid: float


def traffic_of(made: Made, followed: BoolArray, *, known_us: int, horizon_days: int) -> Traffic:
    """Traffic of the last quarter of a log.

    Parameters
    ----------
    followed
        Whether something was paid within the horizon of each contact, shape (n,).
    known_us
        Facts are known up to here: who was first contacted less than a horizon before may still pay, and tells nothing.
    """
    first = np.unique(made.debtor, return_index=True)[1]
    over = first[made.decided_us[first] + horizon_days * DAY_US <= known_us]
    there = made.debtor[made.decided_us > made.decided_us.max() - horizon_days * DAY_US]
    inflow = Inflow(float(len(np.unique(there))), _new_per_week(made, first, horizon_days=horizon_days), horizon_days)
    return Traffic(inflow, float(followed[over].mean()) if len(over) else 0.0)


def _new_per_week(made: Made, first: IntArray, *, horizon_days: int) -> float:
    """New debtors a week, lately.

    Who is first contacted while the log's first round lasts was there before it began, and is not new. A round lasts as
    long as lies between two contacts of a debtor at the median, at least a horizon.
    """
    gaps = gaps_days(made)[np.isfinite(gaps_days(made))]
    round_days = max(float(horizon_days), float(np.median(gaps)) if len(gaps) else 0.0)
    begin_us, end_us = int(made.decided_us.min()), int(made.decided_us.max())
    since_us = max(end_us - LATELY_WEEKS * 7 * DAY_US, begin_us + round_days * DAY_US)
    weeks = max((end_us - since_us) / (7 * DAY_US), 1.0)
    return float((made.decided_us[first] > since_us).sum() / weeks)


def safe_tests(traffic: Traffic) -> tuple[SafeTest, ...]:
    """Every share and difference, looked at once and daily; none where nobody or everybody pays."""
    spread = float(np.sqrt(traffic.paid * (1 - traffic.paid)))
    if spread == 0.0:
        return ()
    return tuple(
        _test(share, difference, look, spread, traffic.inflow)
        for look in Look
        for difference in DIFFERENCES
        for share in SHARES
    )


def _test(share: float, difference: float, look: Look, spread: float, inflow: Inflow) -> SafeTest:
    design = Design(control=share, treated=1.0 - share, look=look)
    debtors = debtors_needed(difference, Outcome(spread=spread), design=design)
    drawn = int(np.ceil(share * debtors))
    return SafeTest(share, difference, look, debtors, drawn, weeks_needed(debtors, inflow))


def smallest(tests: tuple[SafeTest, ...], *, difference: float, look: Look) -> SafeTest | None:
    """The test to propose: the smallest share that is done within a quarter, else the one that is done first.

    >>> of = [SafeTest(share, 0.02, Look.ONCE, 1, 1, weeks) for share, weeks in ((0.05, 40), (0.1, 12), (0.5, 4))]
    >>> smallest(tuple(of), difference=0.02, look=Look.ONCE).share
    0.1
    """
    here = [one for one in tests if one.difference == difference and one.look is look and one.weeks is not None]
    soon = [one for one in here if one.weeks is not None and one.weeks <= SOON_WEEKS]
    if soon:
        return min(soon, key=lambda one: one.share)
    return min(here, key=lambda one: (one.weeks or 0, one.share), default=None)
