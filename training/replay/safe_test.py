"""The smallest safe test that would settle what the log cannot: which share of debtors to draw, and for how long.

Drawn is between what was done before and one other thing that the rules allow: no contact for one horizon, or another channel that
already had a fair chance. Statutory letters, holds and stops stay outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.times import DAY_US
from features.columns import BoolArray
from training.replay.made import Made
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
    """Debtors who would enter, and the share of them who pay within the horizon of a contact."""

    inflow: Inflow
    paid: float


def traffic_of(made: Made, followed: BoolArray, *, horizon_days: int) -> Traffic:
    """Traffic of the last quarter of a log.

    Parameters
    ----------
    followed
        Whether something was paid within the horizon of each contact, shape (n,).
    """
    last = int(made.decided_us.max())
    first = np.full(int(made.debtor.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, made.debtor, made.decided_us)
    first = first[np.unique(made.debtor)]
    lately = last - LATELY_WEEKS * 7 * DAY_US
    weeks = max(min(LATELY_WEEKS, (last - int(first.min())) / (7 * DAY_US)), 1.0)
    there = made.debtor[made.decided_us > last - horizon_days * DAY_US]
    return Traffic(
        Inflow(float(len(np.unique(there))), float((first > lately).sum() / weeks), horizon_days),
        float(followed.mean()),
    )


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
