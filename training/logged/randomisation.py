"""The smallest randomisation that answers a question: how many decisions, and how many weeks of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.ope.intervals import LEVEL, normal_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HALF_WIDTH = 0.02
"""Half-width of the interval that is asked for, as a share that pays: two points."""
POWER = 0.8
SOON_WEEKS = 13.0
"""A quarter: what is reached by then is told as well."""


@dataclass(frozen=True)
class Traffic:
    """What a segment's decisions look like.

    Parameters
    ----------
    variance
        Of the outcome of one decision.
    design_effect
        By how much rows of one debtor depend on each other: variance of the mean clustered by debtor over that of
        independent rows, at least 1.
    per_week
        Decisions a week.
    """

    variance: float
    design_effect: float
    per_week: float


@dataclass(frozen=True)
class Need:
    """What it takes.

    Parameters
    ----------
    decisions
        Decisions of the segment in all, of which `explore_share` are drawn at random.
    drawn
        Those drawn.
    weeks
        How long that many decisions take; None without traffic.
    half_width
        What is reached: half the width of the interval of the difference.
    detectable
        Difference that is then found with a chance of `POWER`.
    half_width_soon
        What is reached after `SOON_WEEKS`; None without traffic.
    """

    decisions: int
    drawn: int
    weeks: float | None
    explore_share: float
    half_width: float
    detectable: float
    half_width_soon: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """What to do, in words."""
        time = "" if self.weeks is None else f" ({in_time(self.weeks)} at today's pace)"
        return (
            f"draw {self.explore_share:.0%} of decisions at random: {self.decisions:,} decisions{time} "
            f"give the difference to ± {100 * self.half_width:.1f} points"
        )


def in_time(weeks: float) -> str:
    """Weeks in words, years where they are many.

    >>> in_time(0.4), in_time(30.2), in_time(1040.0)
    ('a week', '30 weeks', '20 years')
    """
    if weeks > 104:
        return f"{weeks / 52:,.0f} years"
    return "a week" if weeks < 1.5 else f"{weeks:,.0f} weeks"


def traffic_of(outcome: FloatArray, unit: IntArray, *, weeks: float) -> Traffic:
    """Traffic of decisions, shape (n,) each, that took so many weeks; no spread is taken for that of one half.

    >>> traffic_of(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 2, 3]), weeks=2.0)
    Traffic(variance=0.25, design_effect=1.3..., per_week=2.0)
    """
    variance = float(outcome.var())
    numbers = np.unique(unit, return_inverse=True)[1].astype(np.int64)
    effect = 1.0
    if variance > 0 and numbers.max(initial=0) > 0:
        clustered = normal_interval(outcome, numbers)
        error = clustered.half_width / float(stats.t.ppf(0.5 + LEVEL / 2, int(numbers.max())))
        effect = max(1.0, error**2 / (variance / len(outcome)))
    return Traffic(variance if variance > 0 else 0.25, effect, len(outcome) / weeks)


def smallest_randomisation(
    traffic: Traffic, *, of_share: float, over_share: float, explore_share: float, half_width: float = HALF_WIDTH
) -> Need:
    """Decisions after which the interval of a difference of two actions' means is as narrow as asked.

    Parameters
    ----------
    of_share, over_share
        Chance of either action among the decisions that are drawn.
    explore_share
        Share of decisions that are drawn.

    Notes
    -----
    Plain difference of two means: z^2 V (1 / q1 + 1 / q0) / (x h^2) decisions. What the log already holds is not counted.

    >>> traffic = Traffic(variance=0.16, design_effect=1.0, per_week=1000.0)
    >>> smallest_randomisation(traffic, of_share=0.5, over_share=0.5, explore_share=1.0).drawn
    6147
    """
    z = float(stats.norm.ppf(0.5 + LEVEL / 2))
    spread = traffic.variance * traffic.design_effect * (1.0 / of_share + 1.0 / over_share)
    drawn = z**2 * spread / half_width**2
    decisions = drawn / explore_share
    weeks = decisions / traffic.per_week if traffic.per_week > 0 else None
    detectable = half_width * (z + float(stats.norm.ppf(POWER))) / z
    return Need(
        decisions=int(np.ceil(decisions)),
        drawn=int(np.ceil(drawn)),
        weeks=weeks,
        explore_share=explore_share,
        half_width=half_width,
        detectable=detectable,
        half_width_soon=half_width * float(np.sqrt(weeks / SOON_WEEKS)) if weeks is not None else None,
    )
