"""Old policies told apart: by their label, cut in time where what a label does changes.

Months of one label whose mixture of channels, and of logged, certain and missing probabilities, is alike become one
logger. Beginning with every month by itself, the two neighbours that differ least are joined until every neighbour
differs in a way that chance does not explain (chi-squared) and that matters (share of decisions that would have to
change, the total variation). A cut may also show that the debtors changed; it costs precision, never truth.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from data.times import from_us

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]
CodeArray = npt.NDArray[np.int16]

Kind = Literal["drawn", "slots drawn", "decided", "unlogged"]
CERTAIN = 0.999
"""Logged probability from which on a choice was decided, not drawn."""
MOST_CERTAIN_CONTACTS = 0.05
"""Share of certain contacts up to which a policy still draws its channels."""
FEWEST_IN_PERIOD = 50
"""Decisions below which a month is joined to a neighbour whatever it holds."""
LARGEST_CHANGE = 0.15
"""Total variation between neighbouring months up to which they are one logger."""
RARE = 1e-3
"""Chance of a change as large, were there none, above which months are one logger."""


@dataclass(frozen=True)
class Logger:
    """One old policy over one period.

    Parameters
    ----------
    kind
        `drawn`: chose between channels, or contact and none, at random with a logged probability. `slots drawn`: some
        contacts are certain, others drawn: it decided the channel and drew the hour, as far as the log tells.
        `decided`: every logged probability is 1. `unlogged`: most decisions have no probability.
    begin_us, end_us
        First and last decision.
    share
        Of its decisions by channel, shape (C,).
    known, certain
        Shares of its decisions with a probability, and with one of 1.
    """

    policy: str
    kind: Kind
    begin_us: int
    end_us: int
    decisions: int
    share: tuple[float, ...]
    known: float
    certain: float

    @property
    def name(self) -> str:
        """Label and period."""
        return f"{self.policy or 'no label'}, {from_us(self.begin_us):%Y-%m-%d} to {from_us(self.end_us):%Y-%m-%d}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True)
class Loggers:
    """All loggers, and the one that each decision came from, shape (n,)."""

    every: tuple[Logger, ...]
    of_row: IntArray

    def is_kind(self, *kinds: Kind) -> BoolArray:
        """Whether each decision came from a logger of one of these kinds, shape (n,)."""
        right = np.array([one.kind in kinds for one in self.every], dtype=np.bool_)
        return right[self.of_row]


def tell_loggers(
    policy: TextArray, channel: CodeArray, *, decided_us: IntArray, action_probability: FloatArray, channels: int
) -> Loggers:
    """Loggers of a log of decisions, in order of label and time; all arguments but `channels` of shape (n,).

    Parameters
    ----------
    action_probability
        With which exactly this channel and slot was chosen, NaN where not logged.
    """
    every: list[Logger] = []
    of_row = np.zeros(len(policy), dtype=np.int64)
    state = np.where(np.isnan(action_probability), 0, np.where(action_probability >= CERTAIN, 2, 1))
    mixture = channel.astype(np.int64) * 3 + state
    month = decided_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    labels, of_label = np.unique(policy.astype(str), return_inverse=True)
    for number, label in enumerate(labels.tolist()):
        rows = np.flatnonzero(of_label == number)
        begins = _periods(month[rows], mixture[rows], kinds=channels * 3)
        period = np.searchsorted(begins, month[rows], side="right") - 1
        for one in range(len(begins)):
            here = rows[period == one]
            of_row[here] = len(every)
            every.append(_logger(label, channel[here], decided_us[here], action_probability[here], channels))
    return Loggers(tuple(every), of_row)


def _periods(month: IntArray, mixture: IntArray, *, kinds: int) -> IntArray:
    """First month of each period, ascending."""
    months, row = np.unique(month, return_inverse=True)
    table = np.zeros((len(months), kinds), dtype=np.int64)
    np.add.at(table, (row, mixture), 1)
    begins, counts = months.tolist(), list(table)
    while len(counts) > 1:
        apart = [_distance(one, other) for one, other in itertools.pairwise(counts)]
        nearest = int(np.argmin(apart))
        if np.isinf(apart[nearest]):
            break
        counts[nearest : nearest + 2] = [counts[nearest] + counts[nearest + 1]]
        del begins[nearest + 1]
    return np.array(begins, dtype=np.int64)


def _distance(one: IntArray, other: IntArray) -> float:
    """Total variation of two periods, infinite where they are two loggers, less than 0 where one is too small to tell.

    >>> _distance(np.array([900, 100]), np.array([100, 900]))
    inf
    >>> round(_distance(np.array([500, 500]), np.array([520, 480])), 2)
    0.02
    """
    variation = float(np.abs(one / one.sum() - other / other.sum()).sum()) / 2
    if min(one.sum(), other.sum()) < FEWEST_IN_PERIOD:
        return variation - 1.0
    there = (one + other) > 0
    if variation <= LARGEST_CHANGE or there.sum() < 2:
        return variation
    by_chance = float(stats.chi2_contingency(np.stack([one[there], other[there]])).pvalue)
    return float("inf") if by_chance < RARE else variation


def _logger(
    label: str, channel: CodeArray, decided_us: IntArray, action_probability: FloatArray, channels: int
) -> Logger:
    known = np.isfinite(action_probability)
    certain = known & (action_probability >= CERTAIN)
    return Logger(
        policy=label,
        kind=_kind(channel, known, certain),
        begin_us=int(decided_us.min()),
        end_us=int(decided_us.max()),
        decisions=len(channel),
        share=tuple((np.bincount(channel, minlength=channels) / len(channel)).tolist()),
        known=float(known.mean()),
        certain=float(certain.mean()),
    )


def _kind(channel: CodeArray, known: BoolArray, certain: BoolArray) -> Kind:
    drawn = known & ~certain
    if known.mean() < 0.5:
        return "unlogged"
    if not drawn.any():
        return "decided"
    certain_contacts = float((certain & (channel > 0)).sum() / max(int(known.sum()), 1))
    between = len(np.unique(channel[drawn])) >= 2
    return "drawn" if between and certain_contacts < MOST_CERTAIN_CONTACTS else "slots drawn"
